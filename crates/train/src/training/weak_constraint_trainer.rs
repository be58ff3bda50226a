//! The loop of weak-constraint training: one record for each step, checkpoints, interrupts, and the notes at the end.

use std::sync::OnceLock;
use std::time::Instant;

use ndarray::Array2;

use super::callback::{Callback, RunStart};
use super::choice::Choice;
use super::epoch_record::EpochRecord;
use super::method::TrainingMethod;
use super::notes::note_on_constants;
use super::optimizer::OptimizerState;
use super::options::TrainOptions;
use super::resume::RunFingerprint;
use super::row_file::CheckpointWriter;
use super::run::{Run, StopReason, TrainerState};
use super::score::FreeFit;
use super::settings::TrainSettings;
use super::training_loop::{self, FinalScores, TrainingLoop, run_to_end};
use super::validation::{Validation, lowest_validation};
use crate::datasets::Dataset;
use crate::weak_constraint::{
    TrainingStart, WeakConstraint, WeakConstraintState, WeakConstraintTraining,
};
use crate::{Error, Result};
use odesync_base::random::with_default_generator;
use odesync_ode::field::{Isa, VectorField};
use odesync_ode::odesolve::SolveOptions;

/// Trains a copy of `model` on `data`; see [`super::train`].
pub(super) fn train(
    model: &VectorField,
    (data, validation): (&Dataset, Option<&Validation>),
    (method, settings): (&TrainingMethod, &WeakConstraint),
    options: &TrainOptions,
    callback: &mut dyn Callback,
) -> Result<Run> {
    check(model, settings, options)?;
    run_to_end(
        WeakConstraintTrainer::new(model, (data, validation), (method, settings), options)?,
        (model, data),
        callback,
    )
}

/// Checks that a model can be trained with these options.
fn check(model: &VectorField, settings: &WeakConstraint, options: &TrainOptions) -> Result<()> {
    training_loop::check(model, options)?;
    settings.check()?;
    if options.engine == "torch" {
        return Err(Error::invalid(
            "this method computes on the native engine, and engine is \"torch\"; leave out engine and device",
        ));
    }
    Ok(())
}

struct WeakConstraintTrainer<'a> {
    model: &'a VectorField,
    data: &'a Dataset,
    validation: Option<&'a Validation>,
    choice: Choice,
    settings: &'a WeakConstraint,
    method: &'a TrainingMethod,
    options: &'a TrainOptions,
    solver: SolveOptions,
    columns: Vec<usize>,
    fingerprint: RunFingerprint,
    /// `None` until the first step.
    training: Option<WeakConstraintTraining>,
    /// State of the step with the best score so far, where that is not the last one.
    best: Option<WeakConstraintState>,
    trainer_state: TrainerState,
    /// Lowest validation mse of the steps with a free model.
    lowest_validation: f64,
    history: Vec<EpochRecord>,
    parameter_path: Vec<Vec<f64>>,
    writer: CheckpointWriter,
    evaluations: usize,
}

impl<'a> WeakConstraintTrainer<'a> {
    fn new(
        model: &'a VectorField,
        (data, validation): (&'a Dataset, Option<&'a Validation>),
        (method, settings): (&'a TrainingMethod, &'a WeakConstraint),
        options: &'a TrainOptions,
    ) -> Result<Self> {
        let solver = SolveOptions {
            interrupt: Some(options.interrupt.clone()),
            ..options.solver.clone()
        };
        Ok(WeakConstraintTrainer {
            columns: options.observation.resolve_columns(model.dof(), data)?,
            fingerprint: RunFingerprint::new(model, data, &data.u0().to_owned())
                .with_validation(validation),
            validation,
            choice: Choice::new(&TrainSettings::new(method, options)),
            best: None,
            trainer_state: TrainerState {
                best_params: vec![],
                best_score: None,
                best_epoch: 0,
                since_best: 0,
                failures: 0,
                reason: String::new(),
                shuffle_seed: None,
            },
            lowest_validation: f64::INFINITY,
            method,
            model,
            data,
            settings,
            options,
            solver,
            training: None,
            history: vec![],
            parameter_path: vec![],
            writer: CheckpointWriter::default(),
            evaluations: 0,
        })
    }

    fn start(&self) -> TrainingStart<'_> {
        TrainingStart {
            model: self.model,
            data: self.data,
            settings: self.settings,
            is_homotopy: matches!(self.method, TrainingMethod::AdaptiveHomotopy(_)),
            observation: &self.options.observation,
            options: &self.solver,
        }
    }

    /// Makes the next step; `None` where the training is done. Nothing has changed after an error.
    fn step(&mut self) -> Result<Option<EpochRecord>> {
        let started = Instant::now();
        let epoch = self.history.len();
        let before = self.current_model()?.params();
        let training = match self.training.take() {
            Some(training) => training,
            None => WeakConstraintTraining::start(&self.start())?,
        };
        let best = (self.trainer_state.best_score)
            .filter(|_| self.best.is_none())
            .map(|_| training.state.clone());
        let training = self.training.insert(training);
        let made = training.advance_and(|training| {
            let (model, u0) = (training.model()?, training.state.u0());
            let mse = FreeFit::mse_of(&model, &u0, self.data, &self.columns, &self.solver)?;
            let held_out = self.validation;
            let validation = held_out.map(|data| data.mse(&model, &u0, &self.solver));
            Ok((mse, validation.transpose()?))
        });
        if made.is_err() && epoch == 0 {
            // The evaluations of the start belong to the first step; a run that is interrupted before its end begins anew.
            self.training = None;
        }
        let Some((report, (mse, validation))) = made? else {
            // The end of a training may go back to an earlier state.
            self.best = self.best.take().or(best);
            return Ok(None);
        };
        let training = self.training.as_ref();
        let evaluations = training.map_or(0, WeakConstraintTraining::n_evaluations);
        if self
            .options
            .trajectory_every
            .is_some_and(|n| epoch.is_multiple_of(n))
        {
            self.parameter_path.push(before);
        }
        let record = EpochRecord {
            epoch,
            lambda: report.lambda,
            train_loss: report.loss,
            mse,
            data_loss: f64::NAN,
            continuity: f64::NAN,
            evaluations: evaluations - self.evaluations,
            seconds: started.elapsed().as_secs_f64(),
            lr: f64::NAN,
            gradient_norm: f64::NAN,
            failed: false,
            q: report.q,
            chi2: report.chi2,
            log_evidence: report.log_evidence,
            validation,
            damping: None,
        };
        self.evaluations = evaluations;
        let improved = self.trainer_state.take_score(self.choice, &record);
        match improved {
            true => self.best = None,
            false => self.best = self.best.take().or(best),
        }
        self.trainer_state
            .count_patience(&record, improved, &mut self.lowest_validation);
        Ok(Some(record))
    }

    fn current_model(&self) -> Result<VectorField> {
        match &self.training {
            Some(training) => training.model(),
            None => Ok(self.model.clone()),
        }
    }

    fn u0(&self) -> Array2<f64> {
        match &self.training {
            Some(training) => training.state.u0(),
            None => {
                // State variables that were not measured are not known yet.
                let mut u0 = Array2::zeros((self.data.samples(), self.model.dof()));
                for (i, j) in self.columns.iter().enumerate() {
                    u0.column_mut(*j).assign(&self.data.u0().column(i));
                }
                u0
            }
        }
    }
}

impl TrainingLoop for WeakConstraintTrainer<'_> {
    fn options(&self) -> &TrainOptions {
        self.options
    }

    fn history(&mut self) -> &mut Vec<EpochRecord> {
        &mut self.history
    }

    fn run_start<'b>(&'b self, history: &'b [EpochRecord]) -> RunStart<'b> {
        RunStart {
            method: self.method,
            epochs: self.options.epochs.unwrap_or(0),
            has_validation: self.validation.is_some(),
            has_damping: false,
            history,
        }
    }

    fn is_finished(&self, saved: &Run) -> bool {
        match saved.stop {
            StopReason::Interrupted => false,
            StopReason::EarlyStop => {
                let state = &saved.trainer_state;
                let is_patient = self.options.patience.is_none_or(|p| state.since_best < p);
                let epochs = self.options.epochs;
                !is_patient || epochs.is_some_and(|n| n <= saved.history.len())
            }
            StopReason::Finished | StopReason::Failing(_) => true,
        }
    }

    fn restore(&mut self, saved: Run) -> Result<()> {
        let (best, now) = match (saved.weak_constraint, saved.last_weak_constraint) {
            (best, Some(now)) => (best, Some(now)),
            (now, None) => (None, now),
        };
        if let Some(state) = now {
            self.training = Some(WeakConstraintTraining::resume(&self.start(), state)?);
        }
        self.best = best;
        self.trainer_state = saved.trainer_state;
        self.lowest_validation = lowest_validation(&saved.history);
        self.history = saved.history;
        self.parameter_path = saved.parameter_path;
        Ok(())
    }

    fn run(&mut self, callback: &mut dyn Callback) -> Result<StopReason> {
        loop {
            if self.options.epochs.is_some_and(|n| self.history.len() >= n) {
                return Ok(StopReason::EarlyStop);
            }
            let since_best = self.trainer_state.since_best;
            if self.options.patience.is_some_and(|p| since_best >= p) {
                return Ok(StopReason::EarlyStop);
            }
            if self.options.interrupted() {
                return Ok(StopReason::Interrupted);
            }
            let record = match self.step() {
                Err(Error::Interrupted) => return Ok(StopReason::Interrupted),
                record => record?,
            };
            let Some(record) = record else {
                return Ok(StopReason::Finished);
            };
            let best = self.trainer_state.best_score.unwrap_or(record.mse);
            self.add_record(record, best, callback)?;
            if self.checkpoint_is_due() {
                self.save_checkpoint(StopReason::Interrupted)?;
            }
        }
    }

    fn take_back(&mut self, snapshot: Run) {
        self.history = snapshot.history;
        self.parameter_path = snapshot.parameter_path;
    }

    fn writer(&mut self) -> &mut CheckpointWriter {
        &mut self.writer
    }

    fn snapshot(&mut self, stop: StopReason) -> Result<Run> {
        let last = self.current_model()?;
        let n = last.n_params();
        let now = self.training.as_ref().map(|t| t.state.clone());
        let (weak_constraint, last_weak_constraint) = match &self.best {
            Some(best) => (Some(best.clone()), now),
            None => (now, None),
        };
        Ok(Run {
            model: match &self.best {
                Some(best) => best.model(&last)?,
                None => last.clone(),
            },
            best_mse: f64::NAN,
            best_validation: None,
            best_nmse: None,
            best_epoch: self.history.len().saturating_sub(1),
            final_mse: None,
            final_validation: None,
            history: std::mem::take(&mut self.history),
            parameter_path: std::mem::take(&mut self.parameter_path),
            method: self.method.name().into(),
            settings: TrainSettings::new(self.method, self.options),
            t0: self.data.t0(),
            u0: match &self.best {
                Some(best) => best.u0(),
                None => self.u0(),
            },
            solver: self.options.solver.clone(),
            optimizer: OptimizerState::new(n),
            aux_params: vec![],
            scaled_params: vec![],
            instruction_set: Isa::current().name().into(),
            stop,
            first_stiff: None,
            trust: OnceLock::new(),
            trainer_state: TrainerState {
                best_params: last.params(),
                ..self.trainer_state.clone()
            },
            fingerprint: self.fingerprint.clone(),
            generator: with_default_generator(|generator| generator.clone()),
            weak_constraint,
            last_weak_constraint,
            last,
        })
    }

    fn finish(&mut self, mut stop: StopReason) -> Result<(StopReason, FinalScores)> {
        let mut scores = FinalScores::default();
        if stop != StopReason::Interrupted
            && let Some(training) = &mut self.training
        {
            match training.assess_at(self.best.as_mut()) {
                Err(Error::Interrupted) => stop = StopReason::Interrupted,
                assessed => assessed?,
            }
            let model = training.model()?;
            let u0 = training.state.u0();
            let mse = FreeFit::mse_of(&model, &u0, self.data, &self.columns, &self.solver)?;
            // The end of a training may go back to an earlier state than that of the last step.
            let held_out = self.validation;
            let validation = held_out.map(|data| data.mse(&model, &u0, &self.solver));
            let validation = validation.transpose()?;
            scores = FinalScores {
                mse: mse.is_finite().then_some(mse),
                validation: validation.filter(|x| x.is_finite()),
            };
        }
        Ok((stop, scores))
    }

    fn last_notes(&self, run: &Run) -> Vec<String> {
        if run.stop == StopReason::Interrupted {
            return vec![];
        }
        let places = run.weak_constraint.as_ref().map(|s| s.constant_places());
        let on_constants = note_on_constants(self.model, &run.model, &places.unwrap_or_default());
        let mut notes: Vec<String> = on_constants.into_iter().collect();
        match run.trust() {
            Ok(trust) => notes.extend(trust.warnings),
            Err(error) => notes.push(error.to_string()),
        }
        notes
    }
}
