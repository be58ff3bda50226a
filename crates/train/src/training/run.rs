//! What a training run gives.

use ndarray::{Array2, Array3};

use super::optimizer::OptimizerState;
use super::resume::RunFingerprint;
use super::settings::TrainSettings;
use crate::Result;
use odesync_base::random::Generator;
use odesync_ode::field::VectorField;
use odesync_ode::odesolve::SolveOptions;

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

/// The metrics of an epoch, in the order of [`EpochRecord::row`].
pub(super) const METRICS: [&str; 11] = [
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

impl EpochRecord {
    pub(super) fn row(&self) -> [f64; METRICS.len()] {
        [
            self.epoch as f64,
            self.lambda,
            self.train_loss,
            self.mse,
            self.data_loss,
            self.continuity,
            self.evaluations as f64,
            self.seconds,
            self.lr,
            self.gradient_norm,
            f64::from(u8::from(self.failed)),
        ]
    }

    /// The record of a row, unless it is the row of none.
    pub(super) fn from_row(row: &[f64]) -> Option<Self> {
        let record = EpochRecord {
            epoch: *row.first()? as usize,
            lambda: *row.get(1)?,
            train_loss: *row.get(2)?,
            mse: *row.get(3)?,
            data_loss: *row.get(4)?,
            continuity: *row.get(5)?,
            evaluations: *row.get(6)? as usize,
            seconds: *row.get(7)?,
            lr: *row.get(8)?,
            gradient_norm: *row.get(9)?,
            failed: *row.get(10)? != 0.0,
        };
        let bits = |row: &[f64]| row.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        (bits(&record.row()) == bits(row)).then_some(record)
    }
}

/// What the loop keeps beside the parameters and the optimiser's state.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TrainerState {
    /// The parameters with the best mse before an update.
    #[serde(skip)]
    pub best_params: Vec<f64>,
    /// That mse.
    pub best_mse: Option<f64>,
    /// Its epoch.
    pub best_epoch: usize,
    /// Epochs at λ = 0 since then.
    pub since_best: usize,
    /// Failed epochs in a row.
    pub failures: usize,
    /// Why the last one that failed did.
    pub reason: String,
}

/// Why a run ended.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub enum StopReason {
    /// All epochs are done.
    Finished,
    /// The mse had not improved for `patience` epochs.
    EarlyStop,
    /// The user asked for it.
    Interrupted,
    /// Too many epochs in a row failed; the text is advice.
    Failing(String),
}

/// A run: what it gave, and all that is needed to go on with it.
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
    /// The mse after the last update; none of a run that was interrupted, or when that solve failed.
    pub final_mse: Option<f64>,
    /// Metrics, epoch by epoch.
    pub history: Vec<EpochRecord>,
    /// Name of the method.
    pub method: String,
    /// The method and the options, in full.
    pub settings: TrainSettings,
    /// Initial times of the data, `[sample]`.
    pub t0: Vec<f64>,
    /// Initial states of the model, `[sample, dof]`; where they are trained, those of the best one.
    pub u0: Array2<f64>,
    /// The solver.
    pub solver: SolveOptions,
    /// State of the optimiser after the last update.
    pub optimizer: OptimizerState,
    /// The method's own parameters after the last update (shooting corrections), then the initial states where they are trained.
    pub aux_params: Vec<f64>,
    /// The native engine's instruction set, on which the bits depend.
    pub instruction_set: String,
    /// Why it ended.
    pub stop: StopReason,
    /// The first epoch in which `auto` changed to a stiff method, and from which time on; it isn't kept in files.
    pub first_stiff: Option<(usize, f64)>,
    /// The parameters (those of the model, then the others) at the beginning of every so many epochs
    /// ([`super::TrainOptions::trajectory_every`]); empty where they were not kept.
    pub(super) parameter_path: Vec<Vec<f64>>,
    pub(super) trainer_state: TrainerState,
    pub(super) fingerprint: RunFingerprint,
    /// The state of the shared generator.
    pub(super) generator: Generator,
}

impl Run {
    /// A metric over the epochs, by its name in `metrics.csv`.
    ///
    /// # Errors
    /// A name that is no metric.
    pub fn metric(&self, name: &str) -> Result<Vec<f64>> {
        match METRICS.iter().position(|known| *known == name) {
            Some(i) => Ok(self.history.iter().map(|r| r.row()[i]).collect()),
            None => Err(odesync_base::error::unknown("metric", name, METRICS)),
        }
    }

    /// The smallest free-running mse of the epochs at λ = 0, the state after the last update included if the next epoch would
    /// have been one; NaN when there is none. The models of these epochs were trained alone, without the coupling.
    pub fn best_mse_at_lambda_zero(&self) -> f64 {
        let epochs = self.history.iter().filter(|r| r.lambda == 0.0);
        let ends_uncoupled = self.settings.method.lambda(self.history.len()) == 0.0;
        epochs
            .map(|r| r.mse)
            .chain(self.final_mse.filter(|_| ends_uncoupled))
            // The minimum with NaN is the other number.
            .fold(f64::NAN, f64::min)
    }

    /// Evaluations of the vector field by the training solves of all epochs.
    pub fn evaluations(&self) -> usize {
        self.history.iter().map(|r| r.evaluations).sum()
    }

    /// The best model's trajectory from its initial states, `[sample, time, dof]`, all state variables whatever was measured. Where
    /// samples begin at different times, the rows of a sample before its own beginning are NaN.
    ///
    /// # Errors
    /// Times before the data's first, or a solve that failed.
    pub fn predict(&self, t: &[f64]) -> Result<Array3<f64>> {
        super::objective::predict(&self.model, &self.t0, &self.u0, t, &self.solver)
    }

    /// Number of epochs whose training solve failed.
    pub fn failures(&self) -> usize {
        self.history.iter().filter(|r| r.failed).count()
    }

    /// Wall-clock time of all epochs, s.
    pub fn seconds(&self) -> f64 {
        self.history.iter().map(|r| r.seconds).sum()
    }

    /// Puts the best model in its place: it is the best before an update, or the last one where that is better.
    pub(super) fn choose_best(&mut self) -> Result<()> {
        let best = self.trainer_state.best_mse;
        let last = self
            .final_mse
            .filter(|last| best.is_none_or(|best| *last < best));
        (self.best_mse, self.best_epoch) = match (last, best) {
            (Some(last), _) => (last, self.history.len()),
            (None, Some(best)) => (best, self.trainer_state.best_epoch),
            (None, None) => (f64::NAN, 0),
        };
        let n = self.last.n_params();
        let aux_params = match (last, best) {
            (None, Some(_)) => {
                let (model, own) = self
                    .trainer_state
                    .best_params
                    .split_at(n.min(self.trainer_state.best_params.len()));
                self.model = self.last.with_params(model)?;
                own
            }
            _ => {
                self.model = self.last.clone();
                &self.aux_params[..]
            }
        };
        if self.settings.train_u0 {
            let from = aux_params.len().saturating_sub(self.u0.len());
            for (u0, own) in self.u0.iter_mut().zip(&aux_params[from..]) {
                *u0 = *own;
            }
        }
        Ok(())
    }
}
