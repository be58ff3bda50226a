//! Schedules of the homotopy parameter λ, which scales the coupling term λ K (û(t) − u) during training.
//!
//! A schedule has one value for each step, and a step lasts `epochs_per_step` epochs. A plain list has one value for each epoch.
//! After the last epoch λ keeps its last value.

use serde::{Deserialize, Serialize};

use odesync_base::error::{Error, Result};

#[cfg(test)]
mod tests;

/// Maximum number of steps. More than in any real training: a larger number is a mistake, which would fill the memory.
const MAX_STEPS: usize = 10_000_000;

/// Kind and settings of a schedule, as written to a config and read from one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum HomotopyScheduleKind {
    /// Power-law decrements ([`Schedule::power_law`]).
    PowerLaw {
        /// Number of values, from 1 to 0.
        n_steps: usize,
        /// Number of epochs for each value.
        epochs_per_step: usize,
        /// Ratio of each decrement to the one before.
        rate: f64,
    },
    /// Equal decrements ([`Schedule::stepwise`]).
    Stepwise {
        /// Decrement of λ at each step.
        decrement: f64,
        /// Number of epochs for each value.
        epochs_per_step: usize,
    },
    /// Half a cosine ([`Schedule::cosine`]).
    Cosine {
        /// Number of values, from 1 to 0.
        n_steps: usize,
        /// Number of epochs for each value.
        epochs_per_step: usize,
    },
    /// A list of values ([`Schedule::list`]).
    List {
        /// λ of each epoch.
        values: Vec<f64>,
    },
}

/// Schedule of the homotopy parameter λ.
///
/// ```
/// use odesync_train::schedules::Schedule;
///
/// let schedule = Schedule::stepwise(0.5, 100)?;
/// assert_eq!(schedule.values(), [1.0, 0.5, 0.0]);
/// assert_eq!(schedule.lambda(199), 0.5);
/// assert_eq!(schedule.epochs(), 300);
/// # Ok::<(), odesync_train::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "HomotopyScheduleKind", into = "HomotopyScheduleKind")]
pub struct Schedule {
    kind: HomotopyScheduleKind,
    values: Vec<f64>,
    epochs_per_step: usize,
}

/// The power law of 6 values of λ in 600 epochs, with which the paper trains the Lotka-Volterra system.
impl Default for Schedule {
    fn default() -> Self {
        let (n_steps, epochs_per_step, rate) = (6, 100, 0.6);
        Schedule {
            kind: HomotopyScheduleKind::PowerLaw {
                n_steps,
                epochs_per_step,
                rate,
            },
            values: power_law_values(n_steps, rate),
            epochs_per_step,
        }
    }
}

impl Schedule {
    /// Creates a schedule of `n_steps` values from 1 to exactly 0 with power-law decrements: Δ_j = rate^j / Σ_k rate^k for j = 0
    /// … n_steps − 2. With `rate` below 1, λ decreases fast at first and slowly later.
    ///
    /// # Errors
    /// `n_steps` below 2, no epochs, or a `rate` that is not positive and finite.
    pub fn power_law(n_steps: usize, epochs_per_step: usize, rate: f64) -> Result<Self> {
        Self::new(HomotopyScheduleKind::PowerLaw {
            n_steps,
            epochs_per_step,
            rate,
        })
    }

    /// Creates the schedule 1, 1 − `decrement`, 1 − 2 `decrement`, … while positive, then exactly 0.
    ///
    /// # Errors
    /// A `decrement` outside (0, 1], or no epochs.
    pub fn stepwise(decrement: f64, epochs_per_step: usize) -> Result<Self> {
        Self::new(HomotopyScheduleKind::Stepwise {
            decrement,
            epochs_per_step,
        })
    }

    /// Creates a schedule of `n_steps` values on half a cosine from 1 to exactly 0: λ_j = (1 + cos(π j / (n_steps − 1))) / 2.
    ///
    /// # Errors
    /// `n_steps` below 2, or no epochs.
    pub fn cosine(n_steps: usize, epochs_per_step: usize) -> Result<Self> {
        Self::new(HomotopyScheduleKind::Cosine {
            n_steps,
            epochs_per_step,
        })
    }

    /// Creates a schedule with one value for each epoch; after the last epoch λ keeps the last value.
    ///
    /// # Errors
    /// An empty list, or a value that is negative or not finite.
    pub fn list(values: Vec<f64>) -> Result<Self> {
        Self::new(HomotopyScheduleKind::List { values })
    }

    /// Creates a schedule of this kind.
    ///
    /// # Errors
    /// Those of the constructor for that kind.
    pub fn new(kind: HomotopyScheduleKind) -> Result<Self> {
        let (values, epochs_per_step) = match &kind {
            HomotopyScheduleKind::PowerLaw {
                n_steps,
                epochs_per_step,
                rate,
            } => (power_law(*n_steps, *rate)?, *epochs_per_step),
            HomotopyScheduleKind::Stepwise {
                decrement,
                epochs_per_step,
            } => (stepwise(*decrement)?, *epochs_per_step),
            HomotopyScheduleKind::Cosine {
                n_steps,
                epochs_per_step,
            } => (cosine(*n_steps)?, *epochs_per_step),
            HomotopyScheduleKind::List { values } => (list(values)?, 1),
        };
        if epochs_per_step == 0 {
            return Err(Error::invalid(
                "epochs_per_step is 0: each value of λ needs at least one epoch",
            ));
        }
        if values.len().checked_mul(epochs_per_step).is_none() {
            return Err(Error::invalid(format!(
                "{} steps of {epochs_per_step} epochs are too many to count: lower epochs_per_step",
                values.len()
            )));
        }
        Ok(Self {
            kind,
            values,
            epochs_per_step,
        })
    }

    /// Returns the kind and the settings of the schedule.
    pub fn kind(&self) -> &HomotopyScheduleKind {
        &self.kind
    }

    /// Returns λ of each step.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Returns the number of steps.
    pub fn steps(&self) -> usize {
        self.values.len()
    }

    /// Returns the number of epochs of each step.
    pub fn epochs_per_step(&self) -> usize {
        self.epochs_per_step
    }

    /// Returns the number of epochs of the whole schedule.
    pub fn epochs(&self) -> usize {
        self.steps() * self.epochs_per_step
    }

    /// Returns the step of an epoch, counted from 0; the last step after the end of the schedule.
    pub fn step(&self, epoch: usize) -> usize {
        (epoch / self.epochs_per_step).min(self.steps() - 1)
    }

    /// Returns λ of an epoch, counted from 0; the last value after the end of the schedule.
    pub fn lambda(&self, epoch: usize) -> f64 {
        self.values[self.step(epoch)]
    }
}

impl TryFrom<HomotopyScheduleKind> for Schedule {
    type Error = Error;

    fn try_from(kind: HomotopyScheduleKind) -> Result<Self> {
        Self::new(kind)
    }
}

impl From<Schedule> for HomotopyScheduleKind {
    fn from(schedule: Schedule) -> Self {
        schedule.kind
    }
}

fn check_steps(n_steps: usize) -> Result<()> {
    if n_steps < 2 {
        return Err(Error::invalid(format!(
            "n_steps is {n_steps}: a schedule from λ = 1 to λ = 0 needs at least 2 steps; for a constant λ give a list"
        )));
    }
    if n_steps > MAX_STEPS {
        return Err(Error::invalid(format!(
            "n_steps is {n_steps}: a schedule has at most {MAX_STEPS} steps"
        )));
    }
    Ok(())
}

fn power_law(n_steps: usize, rate: f64) -> Result<Vec<f64>> {
    check_steps(n_steps)?;
    if !(rate > 0.0 && rate.is_finite()) {
        return Err(Error::invalid(format!(
            "rate is {rate}: the ratio of successive decrements of λ must be positive and finite, for example 0.6"
        )));
    }
    let values = power_law_values(n_steps, rate);
    if !values.iter().all(|lambda| lambda.is_finite()) {
        return Err(Error::invalid(format!(
            "rate {rate} over {n_steps} steps overflows: lower rate or n_steps"
        )));
    }
    Ok(values)
}

/// Returns the values of a power law, of at least 2 steps; they are not finite where the sum of the decrements overflows.
fn power_law_values(n_steps: usize, rate: f64) -> Vec<f64> {
    let decrements: Vec<f64> = (0..n_steps - 1).map(|j| rate.powf(j as f64)).collect();
    let total: f64 = decrements.iter().sum();
    if !total.is_finite() {
        return vec![f64::NAN; n_steps];
    }
    let mut total_decrease = 0.0;
    let mut values = vec![1.0];
    for decrement in decrements {
        total_decrease += decrement / total;
        // The sum may exceed 1 by a rounding error.
        values.push((1.0f64 - total_decrease).max(0.0));
    }
    values[n_steps - 1] = 0.0;
    values
}

fn stepwise(decrement: f64) -> Result<Vec<f64>> {
    if !(decrement > 0.0 && decrement <= 1.0) {
        return Err(Error::invalid(format!(
            "decrement is {decrement}: each step takes more than 0 and at most 1 off λ, for example 0.2"
        )));
    }
    // 1/decrement steps up to rounding: 10 and not 11 for 0.1.
    let n_decrements = (1.0 / decrement - 1e-9).ceil();
    if n_decrements >= MAX_STEPS as f64 {
        return Err(Error::invalid(format!(
            "decrement is {decrement}: a schedule has at most {MAX_STEPS} steps"
        )));
    }
    let n_decrements = (n_decrements as usize).max(1);
    let mut values: Vec<f64> = (0..n_decrements)
        .map(|j| 1.0 - j as f64 * decrement)
        .collect();
    values.push(0.0);
    Ok(values)
}

fn cosine(n_steps: usize) -> Result<Vec<f64>> {
    check_steps(n_steps)?;
    let last = n_steps - 1;
    let angle = |j: usize| std::f64::consts::PI * j as f64 / last as f64;
    let mut values: Vec<f64> = (0..n_steps).map(|j| 0.5 * (1.0 + angle(j).cos())).collect();
    values[last] = 0.0;
    Ok(values)
}

fn list(values: &[f64]) -> Result<Vec<f64>> {
    if values.is_empty() {
        return Err(Error::invalid(
            "the list of λ values is empty: give one value for each epoch, for example [1.0, 0.5, 0.0]",
        ));
    }
    if let Some((i, value)) = values
        .iter()
        .enumerate()
        .find(|(_, v)| !(v.is_finite() && **v >= 0.0))
    {
        return Err(Error::invalid(format!(
            "value {i} of the list is {value}: λ must be finite and not negative"
        )));
    }
    Ok(values.to_vec())
}
