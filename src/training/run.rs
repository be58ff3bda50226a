//! What a training run gives.

use ndarray::{Array2, Array3};

use super::optimizer::OptimizerState;
use crate::Result;
use crate::field::VectorField;
use crate::odesolve::SolveOptions;

/// Metrics of one epoch, measured before its update.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct EpochRecord {
    /// Epoch, counted from 0.
    pub epoch: usize,
    /// Homotopy parameter λ.
    pub lambda: f64,
    /// The method's loss; NaN when its solve failed.
    pub train_loss: f64,
    /// Mean squared error of the free-running model against the data; NaN when that solve failed.
    pub mse: f64,
    /// The data part of the loss.
    pub data_loss: f64,
    /// The continuity part of the loss, before its weight (multiple shooting).
    pub continuity: f64,
    /// Evaluations of the vector field by the training solve.
    pub evaluations: usize,
    /// Wall-clock time, s.
    pub seconds: f64,
    /// Learning rate.
    pub lr: f64,
    /// Euclidean norm of the gradient before clipping.
    pub gradient_norm: f64,
    /// Whether the training solve failed and the update was skipped.
    pub failed: bool,
}

/// Why a run ended.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub enum Stop {
    /// All epochs are done.
    Finished,
    /// The mse had not improved for `patience` epochs.
    EarlyStop,
    /// The user asked for it.
    Interrupted,
    /// Too many epochs in a row failed; the text is advice.
    Failing(String),
}

/// A finished run.
#[derive(Debug, Clone)]
pub struct Run {
    /// The model with the best free-running mse.
    pub model: VectorField,
    /// The model after the last update.
    pub last: VectorField,
    /// The best mse; NaN when the free-running model was never solved.
    pub best_mse: f64,
    /// The epoch whose parameters those are (the number of epochs when they are the last ones).
    pub best_epoch: usize,
    /// Metrics, epoch by epoch.
    pub history: Vec<EpochRecord>,
    /// Name of the method.
    pub method: String,
    /// Initial time of the data.
    pub t0: f64,
    /// Initial states of the data, `[sample, dof]`.
    pub u0: Array2<f64>,
    /// The solver.
    pub solver: SolveOptions,
    /// State of the optimiser after the last update.
    pub optimizer: OptimizerState,
    /// The method's own parameters after the last update (shooting corrections).
    pub corrections: Vec<f64>,
    /// Why it ended.
    pub stop: Stop,
}

impl Run {
    /// A metric over the epochs, by its name in `metrics.csv`.
    ///
    /// # Errors
    /// A name that is no metric.
    pub fn metric(&self, name: &str) -> Result<Vec<f64>> {
        const KNOWN: [&str; 11] = [
            "epoch",
            "lambda",
            "train_loss",
            "mse",
            "data_loss",
            "continuity",
            "evaluations",
            "seconds",
            "lr",
            "gradient_norm",
            "failed",
        ];
        let pick: fn(&EpochRecord) -> f64 = match name {
            "epoch" => |r| r.epoch as f64,
            "lambda" => |r| r.lambda,
            "train_loss" => |r| r.train_loss,
            "mse" => |r| r.mse,
            "data_loss" => |r| r.data_loss,
            "continuity" => |r| r.continuity,
            "evaluations" => |r| r.evaluations as f64,
            "seconds" => |r| r.seconds,
            "lr" => |r| r.lr,
            "gradient_norm" => |r| r.gradient_norm,
            "failed" => |r| f64::from(u8::from(r.failed)),
            _ => return Err(crate::error::unknown("metric", name, KNOWN)),
        };
        Ok(self.history.iter().map(pick).collect())
    }

    /// The best model's trajectory from the data's initial states, `[sample, time, dof]`.
    ///
    /// # Errors
    /// Times before the data's first, or a solve that failed.
    pub fn predict(&self, t: &[f64]) -> Result<Array3<f64>> {
        super::objective::predict(&self.model, self.t0, &self.u0, t, &self.solver)
    }

    /// Number of epochs whose training solve failed.
    pub fn failures(&self) -> usize {
        self.history.iter().filter(|r| r.failed).count()
    }

    /// Wall-clock time of all epochs, s.
    pub fn seconds(&self) -> f64 {
        self.history.iter().map(|r| r.seconds).sum()
    }
}
