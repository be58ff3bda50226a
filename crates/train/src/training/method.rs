//! The training methods.

use serde::{Deserialize, Serialize};

use crate::schedules::Schedule;
use crate::synchronization::Coupling;
use crate::weak_constraint::WeakConstraint;
use crate::{Error, Result};

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
}

/// Settings of multiple shooting: loss = data part + `continuity_weight` × mean squared gap between segments.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MultipleShooting {
    /// Number of segments, of equal length as far as possible, longer ones first.
    pub segments: usize,
    /// Weight of the continuity penalty.
    pub continuity_weight: f64,
}

impl Default for MultipleShooting {
    fn default() -> Self {
        MultipleShooting {
            segments: 5,
            continuity_weight: 0.01,
        }
    }
}

/// Settings of homotopy training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Homotopy {
    /// Coupling strength K.
    pub coupling: Coupling,
    /// Schedule of the homotopy parameter λ over the epochs.
    pub schedule: Schedule,
    /// Smoothing α of the spline û; 0 interpolates the data.
    pub smoothing: f64,
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
        }
    }

    /// Returns λ of an epoch; 0 unless this is homotopy training, and NaN for a method that has none.
    pub fn lambda(&self, epoch: usize) -> f64 {
        match self {
            TrainingMethod::Homotopy(h) => h.schedule.lambda(epoch),
            TrainingMethod::WeakConstraint(_) => f64::NAN,
            _ => 0.0,
        }
    }

    /// Returns the default number of epochs: that of the homotopy schedule, else 1000; 0 for weak-constraint training, which makes as
    /// many steps as it needs.
    pub fn default_epochs(&self) -> usize {
        match self {
            TrainingMethod::WeakConstraint(_) => 0,
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
                if !(m.continuity_weight >= 0.0 && m.continuity_weight.is_finite()) {
                    return Err(Error::invalid(format!(
                        "continuity_weight must not be negative, and it is {}",
                        m.continuity_weight
                    )));
                }
                Ok(())
            }
            TrainingMethod::Homotopy(h) => h.coupling.check(dof),
            TrainingMethod::WeakConstraint(w) => w.check(),
        }
    }
}
