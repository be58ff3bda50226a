//! Result of a training run.

use std::sync::OnceLock;

use ndarray::{Array2, Array3};

use super::method::TrainingMethod;
use super::optimizer::OptimizerState;
use super::resume::RunFingerprint;
use super::score::FreeFit;
use super::settings::TrainSettings;
use super::trust::Trust;
use crate::Result;
use crate::datasets::Dataset;
use crate::weak_constraint::WeakConstraintState;
use odesync_base::random::Generator;
use odesync_ode::field::VectorField;
use odesync_ode::odesolve::SolveOptions;

/// Metrics of one epoch, measured before its update.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct EpochRecord {
    /// Number of the epoch, counted from 0.
    pub epoch: usize,
    /// Homotopy parameter λ.
    pub lambda: f64,
    /// Loss of the training method; NaN when its solve failed.
    pub train_loss: f64,
    /// Mean squared error against the data of the uncoupled model, solved from the initial states over the whole time span; NaN
    /// when that solve failed.
    pub mse: f64,
    /// Data part of the loss.
    pub data_loss: f64,
    /// Continuity part of the loss (multiple shooting), not multiplied by its weight.
    pub continuity: f64,
    /// Number of evaluations of the vector field by the training solve.
    pub evaluations: usize,
    /// Wall-clock time, s.
    pub seconds: f64,
    /// Learning rate.
    pub lr: f64,
    /// Euclidean norm of the gradient before clipping.
    pub gradient_norm: f64,
    /// Whether the training solve failed and the update was skipped.
    pub failed: bool,
    /// Model error q of weak-constraint training, in units of the data's spread; 0 where the model is free.
    #[serde(default)]
    pub q: f64,
    /// Σ ((state − datum)/σ)² of weak-constraint training, over the number of data.
    #[serde(default)]
    pub chi2: f64,
    /// Log evidence of weak-constraint training.
    #[serde(default)]
    pub log_evidence: f64,
}

/// Names of the metrics of an epoch, in the order of [`EpochRecord::row`]; the last three are those of methods that set themselves.
const METRICS: [&str; 14] = [
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
    "q",
    "chi2",
    "log_evidence",
];

/// Returns the names of the metrics of a method.
pub(super) fn metrics(method: &TrainingMethod) -> &'static [&'static str] {
    match method {
        method if method.self_setting().is_some() => &METRICS,
        _ => &METRICS[..METRICS.len() - 3],
    }
}

impl EpochRecord {
    /// Returns the values of the first `n` metrics.
    pub(super) fn row(&self, n: usize) -> Vec<f64> {
        let mut row = vec![
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
            self.q,
            self.chi2,
            self.log_evidence,
        ];
        row.truncate(n);
        row
    }

    /// Returns the record with these values; `None` if they are not the row of a record.
    pub(super) fn from_row(row: &[f64]) -> Option<Self> {
        let extra = |i: usize| row.get(i).copied().unwrap_or_default();
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
            q: extra(11),
            chi2: extra(12),
            log_evidence: extra(13),
        };
        let bits = |row: &[f64]| row.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        (bits(&record.row(row.len())) == bits(row)).then_some(record)
    }
}

/// State of the training loop besides the parameters and the optimiser's state.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TrainerState {
    /// Parameters with the best mse before an update.
    #[serde(skip)]
    pub best_params: Vec<f64>,
    /// Best mse before an update.
    pub best_mse: Option<f64>,
    /// Epoch of the best mse.
    pub best_epoch: usize,
    /// Number of epochs at λ = 0 since the best mse.
    pub since_best: usize,
    /// Number of consecutive failed epochs.
    pub failures: usize,
    /// Reason of the last failure.
    pub reason: String,
}

/// Reason why a run ended.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub enum StopReason {
    /// All epochs are done.
    Finished,
    /// The mse did not improve for `patience` epochs.
    EarlyStop,
    /// The user stopped the run.
    Interrupted,
    /// Too many consecutive epochs failed; the text is advice.
    Failing(String),
}

/// A training run: its results, and everything needed to continue it.
#[derive(Debug, Clone)]
pub struct Run {
    /// Model with the best mse of the uncoupled model.
    pub model: VectorField,
    /// Model after the last update.
    pub last: VectorField,
    /// Best mse of the uncoupled model; NaN when it was never solved.
    pub best_mse: f64,
    /// Normalised mse of [`Run::model`] on the data ([`super::nmse`]); `None` where it was not computed: for an interrupted run, one
    /// that was read from files (which hold no data), data that do not vary, or a model that cannot be solved.
    pub best_nmse: Option<f64>,
    /// Epoch of the best mse (the number of epochs when the parameters after the last update are the best).
    pub best_epoch: usize,
    /// Mse after the last update; `None` for an interrupted run, or when that solve failed.
    pub final_mse: Option<f64>,
    /// Metrics of each epoch.
    pub history: Vec<EpochRecord>,
    /// Name of the training method.
    pub method: String,
    /// The training method and the options, in full.
    pub settings: TrainSettings,
    /// Initial times of the data, `[sample]`.
    pub t0: Vec<f64>,
    /// Initial states of the model, `[sample, dof]`; where they are trained, those of the best model.
    pub u0: Array2<f64>,
    /// Solver options.
    pub solver: SolveOptions,
    /// State of the optimiser after the last update.
    pub optimizer: OptimizerState,
    /// Auxiliary parameters after the last update: the shooting corrections, then the initial states where they are trained.
    pub aux_params: Vec<f64>,
    /// Instruction set of the native engine, on which the bits of the results depend.
    pub instruction_set: String,
    /// Reason why the run ended.
    pub stop: StopReason,
    /// First epoch in which `auto` switched to a stiff method, and the time of the switch; not stored in files.
    pub first_stiff: Option<(usize, f64)>,
    /// Parameters (the model's, then the auxiliary ones) before every `n`-th epoch ([`super::TrainOptions::trajectory_every`]);
    /// empty where they were not stored.
    pub(super) parameter_path: Vec<Vec<f64>>,
    /// State of weak-constraint training: noise, evidence, warnings; `None` for another method.
    pub weak_constraint: Option<WeakConstraintState>,
    /// How far to trust the run, from the first time that it is asked for: it takes a solve to twice the span of the data.
    pub(super) trust: OnceLock<Result<Trust>>,
    pub(super) trainer_state: TrainerState,
    pub(super) fingerprint: RunFingerprint,
    /// State of the shared random generator.
    pub(super) generator: Generator,
}

impl Run {
    /// Returns a metric over the epochs, by its name in `metrics.csv`.
    ///
    /// # Errors
    /// An unknown name.
    pub fn metric(&self, name: &str) -> Result<Vec<f64>> {
        let known = metrics(&self.settings.method);
        match known.iter().position(|known| *known == name) {
            Some(i) => Ok(self.history.iter().map(|r| r.row(i + 1)[i]).collect()),
            None => Err(odesync_base::error::unknown(
                "metric",
                name,
                known.iter().copied(),
            )),
        }
    }

    /// Returns the smallest mse of the epochs at λ = 0, including that after the last update if the next epoch would have been
    /// one of them; NaN when there is none. The models of these epochs were trained without the coupling.
    pub fn best_mse_at_lambda_zero(&self) -> f64 {
        let epochs = self.history.iter().filter(|r| r.lambda == 0.0);
        let ends_uncoupled = self.settings.method.lambda(self.history.len()) == 0.0;
        epochs
            .map(|r| r.mse)
            .chain(self.final_mse.filter(|_| ends_uncoupled))
            // f64::min ignores NaN.
            .fold(f64::NAN, f64::min)
    }

    /// Returns the number of evaluations of the vector field by the training solves of all epochs.
    pub fn evaluations(&self) -> usize {
        self.history.iter().map(|r| r.evaluations).sum()
    }

    /// Solves the best model from its initial states and returns all its state variables, whether measured or not,
    /// `[sample, time, dof]`. Where samples begin at different times, the rows of a sample before its own initial time are NaN.
    ///
    /// # Errors
    /// Times before the data's first, or a failed solve.
    pub fn predict(&self, t: &[f64]) -> Result<Array3<f64>> {
        super::objective::predict(&self.model, &self.t0, &self.u0, t, &self.solver)
    }

    /// Returns the number of epochs whose training solve failed.
    pub fn failures(&self) -> usize {
        self.history.iter().filter(|r| r.failed).count()
    }

    /// Returns the wall-clock time of all epochs, s.
    pub fn seconds(&self) -> f64 {
        self.history.iter().map(|r| r.seconds).sum()
    }

    /// Sets the best model: the best one before an update, or the last one where that is better.
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
                let (model, aux_params) = self
                    .trainer_state
                    .best_params
                    .split_at(n.min(self.trainer_state.best_params.len()));
                self.model = self.last.with_params(model)?;
                aux_params
            }
            _ => {
                self.model = self.last.clone();
                &self.aux_params[..]
            }
        };
        if let Some(state) = &self.weak_constraint {
            self.u0 = state.u0();
        } else if self.settings.options.observation.train_u0 {
            let from = aux_params.len().saturating_sub(self.u0.len());
            for (u0, trained) in self.u0.iter_mut().zip(&aux_params[from..]) {
                *u0 = *trained;
            }
        }
        Ok(())
    }

    /// Computes the normalised mse of the best model. It takes a solve, which a user who interrupted the run does not wait for.
    pub(super) fn set_nmse(&mut self, data: &Dataset) {
        if self.stop == StopReason::Interrupted {
            return;
        }
        let all = || (0..data.dof()).collect();
        let columns = self
            .settings
            .options
            .observation
            .observe
            .clone()
            .unwrap_or_else(all);
        let fit = FreeFit::solve(&self.model, &self.u0, data, &columns, &self.solver);
        self.best_nmse = fit.ok().and_then(|fit| fit.nmse());
    }
}
