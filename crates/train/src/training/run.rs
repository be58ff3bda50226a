//! Result of a training run.

use std::sync::OnceLock;

use ndarray::{Array2, Array3};

use super::choice::{BestBy, Choice};
use super::epoch_record::{EpochRecord, metrics};
use super::optimizer::OptimizerState;
use super::resume::RunFingerprint;
use super::score::FreeFit;
use super::settings::TrainSettings;
use super::trust::TrustReport;
use crate::Result;
use crate::datasets::Dataset;
use crate::weak_constraint::WeakConstraintState;
use odesync_base::random::Generator;
use odesync_ode::field::VectorField;
use odesync_ode::odesolve::SolveOptions;

/// State of the training loop besides the parameters and the optimiser's state.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TrainerState {
    /// Parameters with the best mse before an update.
    #[serde(skip)]
    pub best_params: Vec<f64>,
    /// Best score before an update: the mse, or what else the model is chosen by; smaller is better.
    #[serde(rename = "best_mse")]
    pub best_score: Option<f64>,
    /// Epoch of the best score.
    pub best_epoch: usize,
    /// Number of epochs at λ = 0 since the best mse, or the lowest validation mse.
    pub since_best: usize,
    /// Number of consecutive failed epochs.
    pub failures: usize,
    /// Reason of the last failure.
    pub reason: String,
    /// Seed that shuffles mini-batches; `None` where there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shuffle_seed: Option<u64>,
}

impl TrainerState {
    /// Takes the score of an epoch, and returns whether it is the best so far; its parameters are then to be stored.
    pub fn take_score(&mut self, choice: Choice, record: &EpochRecord) -> bool {
        let score = choice.score(record).filter(|_| choice.is_candidate(record));
        let Some(score) = score.filter(|score| self.best_score.is_none_or(|best| *score < best))
        else {
            return false;
        };
        self.best_score = Some(score);
        self.best_epoch = record.epoch;
        true
    }

    /// Counts the epochs at λ = 0 since the lowest validation mse, where data are held out, else since the best score.
    pub fn count_patience(&mut self, record: &EpochRecord, improved: bool, lowest: &mut f64) {
        let fell = match record.validation {
            Some(validation) => record.is_free() && validation < *lowest,
            None => improved,
        };
        if let Some(validation) = record.validation.filter(|_| fell) {
            *lowest = validation;
        }
        self.since_best = match fell || !record.is_free() {
            true => 0,
            false => self.since_best + 1,
        };
    }
}

/// Reason why a run ended.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub enum StopReason {
    /// All epochs are done.
    Finished,
    /// The mse, or that on the data that are held out, did not improve for `patience` epochs.
    EarlyStop,
    /// The user stopped the run.
    Interrupted,
    /// Too many consecutive epochs failed; the text is advice.
    Failing(String),
}

/// A training run: its results, and everything needed to continue it.
#[derive(Debug, Clone)]
pub struct Run {
    /// Model with the best mse of the uncoupled model, or the best by what else it is to be chosen ([`Run::best_by`]).
    pub model: VectorField,
    /// Model after the last update.
    pub last: VectorField,
    /// Mse of [`Run::model`] on the training data; NaN when it was never solved.
    pub best_mse: f64,
    /// Mse of [`Run::model`] on the data that are held out; `None` where there are none, or when it was never solved.
    pub best_validation: Option<f64>,
    /// Normalised mse of [`Run::model`] on the data ([`super::nmse`]); `None` where it was not computed: for an interrupted run, one
    /// that was read from files (which hold no data), data that do not vary, or a model that cannot be solved.
    pub best_nmse: Option<f64>,
    /// Epoch of [`Run::model`] (the number of epochs when the parameters after the last update are the best).
    pub best_epoch: usize,
    /// Mse after the last update; `None` for an interrupted run, or when that solve failed.
    pub final_mse: Option<f64>,
    /// Mse after the last update on the data that are held out; `None` where there are none, and as for `final_mse`.
    pub final_validation: Option<f64>,
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
    /// All parameters after the last update in the units of the optimiser; empty where these are the parameters' own.
    pub(super) scaled_params: Vec<f64>,
    /// Instruction set of the native engine, on which the bits of the results depend.
    pub instruction_set: String,
    /// Reason why the run ended.
    pub stop: StopReason,
    /// First epoch in which `auto` switched to a stiff method, and the time of the switch; not stored in files.
    pub first_stiff: Option<(usize, f64)>,
    /// Parameters (the model's, then the auxiliary ones) before every `n`-th epoch ([`super::TrainOptions::trajectory_every`]);
    /// empty where they were not stored.
    pub(super) parameter_path: Vec<Vec<f64>>,
    /// State of weak-constraint training at [`Run::model`]: noise, evidence, warnings; `None` for another method.
    pub weak_constraint: Option<WeakConstraintState>,
    /// State of weak-constraint training after the last step, where that is another one.
    pub(super) last_weak_constraint: Option<WeakConstraintState>,
    /// How far to trust the run, from the first time that it is asked for: it takes a solve to twice the span of the data.
    pub(super) trust: OnceLock<Result<TrustReport>>,
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
        let known = metrics(&self.settings);
        match known.contains(&name) {
            true => Ok(self.history.iter().flat_map(|r| r.row(&[name])).collect()),
            false => Err(odesync_base::error::unknown(
                "metric",
                name,
                known.iter().copied(),
            )),
        }
    }

    /// Returns what [`Run::model`] was chosen by.
    pub fn best_by(&self) -> BestBy {
        Choice::new(&self.settings).by
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
        let best = self.trainer_state.best_score;
        let last = self
            .final_score()
            .filter(|last| best.is_none_or(|best| *last < best));
        (self.best_mse, self.best_validation, self.best_epoch) = match (last, best) {
            (None, Some(_)) => {
                let epoch = self.trainer_state.best_epoch;
                let record = self.history.get(epoch);
                let mse = record.map_or(f64::NAN, |record| record.mse);
                let validation = record.and_then(|record| record.validation);
                (mse, validation, epoch)
            }
            (None, None) if self.final_mse.is_none() => (f64::NAN, None, 0),
            _ => {
                let mse = self.final_mse.unwrap_or(f64::NAN);
                (mse, self.final_validation, self.history.len())
            }
        };
        self.best_validation = self.best_validation.filter(|x| x.is_finite());
        if let Some(state) = &self.weak_constraint {
            self.u0 = state.u0();
            self.model = match &self.last_weak_constraint {
                Some(_) => state.model(&self.last)?,
                None => self.last.clone(),
            };
            return Ok(());
        }
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
        if self.settings.options.observation.train_u0 {
            let from = aux_params.len().saturating_sub(self.u0.len());
            for (u0, trained) in self.u0.iter_mut().zip(&aux_params[from..]) {
                *u0 = *trained;
            }
        }
        Ok(())
    }

    /// Returns the score of the model after the last update, where it can be chosen; a method that sets itself has no update after
    /// its last step.
    fn final_score(&self) -> Option<f64> {
        let choice = Choice::new(&self.settings);
        let next = self.settings.method.lambda(self.history.len());
        match choice.by {
            // Nothing else is compared.
            BestBy::Last => self.final_mse,
            _ if self.weak_constraint.is_some() || !choice.takes_final(next) => None,
            BestBy::Mse => self.final_mse,
            BestBy::Validation => self.final_validation,
            BestBy::Evidence => None,
        }
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
