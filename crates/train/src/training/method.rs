//! The training methods.

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::optimizer::Optimizer;
use crate::schedules::Schedule;
use crate::synchronization::Coupling;
use crate::weak_constraint::{NoiseModel, WeakConstraint};
use crate::{Error, Result};
use odesync_base::option_set;
use odesync_base::options::{Count, Mismatch, NonNegative, OptionKind, Value, find};

/// Options of a run that belong to gradient descent, beside those of the optimiser.
const OF_DESCENT: [&str; 7] = [
    "lr",
    "lr_schedule",
    "clip",
    "batch",
    "scale",
    "adjoint",
    "max_failures",
];

/// Training method: how a model is compared with the data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum TrainingMethod {
    /// Vanilla training: one solve over the whole time span.
    Vanilla,
    /// Multiple shooting: several short solves with a penalty on the gaps between them.
    MultipleShooting(MultipleShooting),
    /// Homotopy training: one solve of the model coupled to the data, with a coupling that a schedule lowers to 0.
    Homotopy(Homotopy),
    /// Weak-constraint training: the states at the data's times are unknowns too, and the model's error is driven to zero.
    WeakConstraint(WeakConstraint),
    /// Homotopy training that sets itself: the coupling follows from the rate of change of the data, λ falls as far as the model
    /// follows, and each step is one of Gauss and Newton with evidence.
    AdaptiveHomotopy(WeakConstraint),
}

option_set! {
    /// Settings of multiple shooting: loss = data part + `continuity_weight` × mean squared gap between segments.
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    pub struct MultipleShooting {
        /// Number of segments, of equal length as far as possible, longer ones first.
        pub segments: usize as Count = 5;
        /// Weight of the continuity penalty.
        pub continuity_weight: f64 as NonNegative = 0.01;
    }
}

option_set! {
    /// Settings of homotopy training. The default coupling is that of the paper for the Lotka-Volterra system; another system has
    /// another one.
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    pub struct Homotopy {
        /// Coupling strength K in 1/time: a number, one for each state variable, or a matrix.
        pub coupling: Coupling as CouplingStrength = Coupling::Scalar(6.0), "to be given";
        /// Schedule of the homotopy parameter λ over the epochs; a list has one λ for each epoch.
        pub schedule: Schedule as ScheduleOption = Schedule::default(), "`power_law(6, 100, 0.6)`";
        /// Smoothing α of the spline û; 0 interpolates the data.
        pub smoothing: f64 as NonNegative = 0.0;
    }
}

impl Homotopy {
    /// Creates settings with this coupling and schedule, and an interpolating spline.
    pub fn new(coupling: impl Into<Coupling>, schedule: Schedule) -> Self {
        Homotopy {
            coupling: coupling.into(),
            schedule,
            smoothing: 0.0,
        }
    }

    /// Sets the smoothing α of the spline û.
    #[must_use]
    pub fn smoothing(mut self, alpha: f64) -> Self {
        self.smoothing = alpha;
        self
    }
}

impl From<Homotopy> for TrainingMethod {
    fn from(settings: Homotopy) -> Self {
        TrainingMethod::Homotopy(settings)
    }
}

impl From<WeakConstraint> for TrainingMethod {
    fn from(settings: WeakConstraint) -> Self {
        TrainingMethod::WeakConstraint(settings)
    }
}

impl From<MultipleShooting> for TrainingMethod {
    fn from(settings: MultipleShooting) -> Self {
        TrainingMethod::MultipleShooting(settings)
    }
}

impl TrainingMethod {
    /// Returns the name of the method, as in scripts.
    pub fn name(&self) -> &'static str {
        match self {
            TrainingMethod::Vanilla => "vanilla",
            TrainingMethod::MultipleShooting(_) => "multiple_shooting",
            TrainingMethod::Homotopy(_) => "homotopy",
            TrainingMethod::WeakConstraint(_) => "weak_constraint",
            TrainingMethod::AdaptiveHomotopy(_) => "adaptive_homotopy",
        }
    }

    /// Returns the settings of a method that finds its own step lengths and weights: weak-constraint training and the homotopy that
    /// sets itself. It has no learning rate and no optimiser.
    pub fn self_setting(&self) -> Option<&WeakConstraint> {
        match self {
            TrainingMethod::WeakConstraint(settings)
            | TrainingMethod::AdaptiveHomotopy(settings) => Some(settings),
            _ => None,
        }
    }

    /// Checks that none of the options that are given belongs to gradient descent, where the method sets itself, and none to methods
    /// that set themselves, where it does not.
    ///
    /// # Errors
    /// The first one that does.
    pub fn check_given<'a>(&self, given: impl IntoIterator<Item = &'a str>) -> Result<()> {
        let is_self_setting = self.self_setting().is_some();
        let of_noise = |key: &&str| find(&[NoiseModel::OPTIONS], key).is_some();
        let of_optimizer = |key: &&str| find(&[Optimizer::OPTIONS], key).is_some();
        let misplaced = |key: &&str| match is_self_setting {
            true => OF_DESCENT.contains(key) || of_optimizer(key),
            false => of_noise(key),
        };
        match (given.into_iter().find(misplaced), is_self_setting) {
            (Some(key), true) => Err(Error::invalid(format!(
                "{key} belongs to gradient descent, and this method finds its own steps; leave it out"
            ))),
            (Some(key), false) => Err(Error::invalid(format!(
                "{key} belongs to weak_constraint and adaptive_homotopy, and the method is {}; leave it out",
                self.name()
            ))),
            (None, _) => Ok(()),
        }
    }

    /// Returns λ of an epoch; 0 unless this is homotopy training, and NaN for a method that has none.
    pub fn lambda(&self, epoch: usize) -> f64 {
        match self {
            TrainingMethod::Homotopy(h) => h.schedule.lambda(epoch),
            TrainingMethod::WeakConstraint(_) | TrainingMethod::AdaptiveHomotopy(_) => f64::NAN,
            _ => 0.0,
        }
    }

    /// Returns the default number of epochs: that of the homotopy schedule, else 1000; 0 for weak-constraint training, which makes as
    /// many steps as it needs.
    pub fn default_epochs(&self) -> usize {
        match self {
            TrainingMethod::WeakConstraint(_) | TrainingMethod::AdaptiveHomotopy(_) => 0,
            TrainingMethod::Homotopy(h) => h.schedule.epochs(),
            _ => 1000,
        }
    }

    /// Checks the settings against the data.
    ///
    /// # Errors
    /// A setting out of its range.
    pub fn check(&self, times: usize, dof: usize) -> Result<()> {
        match self {
            TrainingMethod::Vanilla => Ok(()),
            TrainingMethod::MultipleShooting(m) => {
                if m.segments == 0 || m.segments > times {
                    return Err(Error::invalid(format!(
                        "segments must lie between 1 and the number of times, {times}; it is {}",
                        m.segments
                    )));
                }
                m.check_ranges()
            }
            TrainingMethod::Homotopy(h) => h.check_ranges().and_then(|()| h.coupling.check(dof)),
            TrainingMethod::WeakConstraint(w) | TrainingMethod::AdaptiveHomotopy(w) => w.check(),
        }
    }
}

/// The strength of a coupling: a number, a list of numbers or a matrix.
#[derive(Debug, Clone, Copy)]
struct CouplingStrength;

impl OptionKind for CouplingStrength {
    type Field = Coupling;
    const EXPECTED: &'static str = "a number, a list of numbers or a matrix";

    fn read(value: &Value) -> std::result::Result<Coupling, Mismatch> {
        if let Some(k) = value.number() {
            return Ok(Coupling::Scalar(k));
        }
        if let Some(k) = value.numbers() {
            return Ok(Coupling::Vector(k));
        }
        let Value::List(rows) = value else {
            return Err(Mismatch::Value);
        };
        let rows: Option<Vec<_>> = rows.iter().map(Value::numbers).collect();
        let rows = rows.ok_or(Mismatch::Value)?;
        let n = rows.len();
        let square = rows.iter().all(|row| row.len() == n);
        let matrix = Array2::from_shape_vec((n, n), rows.concat());
        matrix
            .ok()
            .filter(|_| square)
            .map(Coupling::Matrix)
            .ok_or_else(|| {
                let message = "the rows of a matrix must be as long as there are rows";
                Mismatch::Within(Error::invalid(message))
            })
    }

    fn write(field: &Coupling) -> Value {
        match field {
            Coupling::Scalar(k) => Value::Float(*k),
            Coupling::Vector(k) => Value::from(&k[..]),
            Coupling::Matrix(k) => {
                let rows = k.rows().into_iter();
                Value::List(rows.map(|row| Value::from(&row.to_vec()[..])).collect())
            }
        }
    }
}

/// A schedule of λ as a list of one value for each epoch.
#[derive(Debug, Clone, Copy)]
struct ScheduleOption;

impl OptionKind for ScheduleOption {
    type Field = Schedule;
    const EXPECTED: &'static str =
        "a schedule such as power_law(6, 100, 0.6), or a list of one λ for each epoch";
    const LITERALS: &'static [&'static str] = &["power_law(", "stepwise(", "cosine("];

    fn read(value: &Value) -> std::result::Result<Schedule, Mismatch> {
        Ok(Schedule::list(value.numbers().ok_or(Mismatch::Value)?)?)
    }

    fn write(field: &Schedule) -> Value {
        let each = (0..field.epochs()).map(|epoch| field.lambda(epoch));
        Value::List(each.map(Value::Float).collect())
    }
}
