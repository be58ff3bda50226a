//! The training loop.

use std::sync::OnceLock;

use super::callback::{Callback, RunStart};
use super::choice::{Choice, check_choice};
use super::epoch_record::EpochRecord;
use super::least_squares::{self, LeastSquares};
use super::method::{MultipleShooting, TrainingMethod};
use super::mini_batches::{MiniBatches, shuffle_seed};
use super::notes::{note_on_batch, note_on_engine, note_on_mse, note_on_steps};
use super::objective::Objective;
use super::optimizer::OptimizerState;
use super::options::TrainOptions;
use super::parameter_path;
use super::resume::RunFingerprint;
use super::row_file::CheckpointWriter;
use super::run::{Run, StopReason, TrainerState};
use super::scale_notes::note_on_scales;
use super::scaling::ScaledParams;
use super::settings::TrainSettings;
use super::training_loop::{self, FinalScores, TrainingLoop, run_to_end};
use super::validation::{self, Validation, lowest_validation};
use super::weak_constraint_trainer;
use crate::datasets::Dataset;
use crate::weak_constraint::ScaledModel;
use crate::{Error, Result};
use odesync_base::random::with_default_generator;
use odesync_ode::engines::engine;
use odesync_ode::field::{Isa, VectorField};
use odesync_ode::odesolve::{AbsoluteTolerance, SolveOptions};

/// Trains a copy of `model` on `data`.
///
/// Each epoch evaluates the method's loss and gradient and the mse of the uncoupled model at the current parameters, then makes
/// one update. An epoch whose training solve fails is recorded and its update skipped; `max_failures` of them in a row end the
/// run.
///
/// With [`TrainOptions::out`] the run is on disk from its beginning, and [`TrainOptions::resume`] continues it: apart from the
/// wall-clock times, the result is the one without the interruption, to the bit.
///
/// With [`TrainOptions::holdout`] or [`TrainOptions::validate`] the model is chosen by data that the training does not see
/// ([`TrainOptions::best_by`]).
///
/// # Errors
/// Shapes or options that do not fit, files that cannot be written, a run on disk that is a different one, an error of a
/// callback, or a run none of whose epochs could be solved.
pub fn train(
    model: &VectorField,
    data: &Dataset,
    method: &TrainingMethod,
    options: &TrainOptions,
    callback: &mut dyn Callback,
) -> Result<Run> {
    check_choice(&TrainSettings::new(method, options))?;
    method.check_given(options.batch.map(|_| "batch"))?;
    let split = validation::split(model, data, options)?;
    let (model, data, options) = match &split {
        Some(split) => (&split.model, &split.data, &split.options),
        None => (model, data, options),
    };
    let validation = split.as_ref().map(|split| &split.validation);
    if let Some(settings) = method.self_setting() {
        let settings = (method, settings);
        let data = (data, validation);
        return weak_constraint_trainer::train(model, data, settings, options, callback);
    }
    training_loop::check(model, options)?;
    let is_least_squares = options.optimizer.least_squares().is_some();
    match is_least_squares {
        true => least_squares::check(model, method, options)?,
        false => check_no_specs(model, method)?,
    }
    let observation = &options.observation;
    let scaled = match options.scale.given() {
        Some(given) => Some(ScaledModel::new(model, data, observation, given)?),
        None if keeps_bounds(model, options) => Some(ScaledModel::within_bounds(model)?),
        None => None,
    };
    let relative;
    let options = match &scaled {
        Some(scaled) if !options.scale.is_none() => {
            relative = with_relative_tolerance(options, scaled, data)?;
            &relative
        }
        _ => options,
    };
    run_to_end(
        Trainer::new(model, (data, validation), method, options, scaled)?,
        (model, data),
        callback,
    )
}

/// Whether a training without scales still has parameters of its own for the optimiser: constants within bounds.
pub(super) fn keeps_bounds(model: &VectorField, options: &TrainOptions) -> bool {
    options.optimizer.least_squares().is_some() && model.specs().next().is_some()
}

/// Returns options whose absolute tolerance, where it is one for all, is relative to the smallest size of the state variables that are
/// measured.
fn with_relative_tolerance(
    options: &TrainOptions,
    scaled: &ScaledModel,
    data: &Dataset,
) -> Result<TrainOptions> {
    let columns = options
        .observation
        .resolve_columns(scaled.sd().len(), data)?;
    let sizes = columns.iter().filter_map(|j| scaled.sd().get(*j));
    let smallest = sizes.copied().fold(f64::INFINITY, f64::min);
    let mut options = options.clone();
    // Tolerances of each variable are in its unit already.
    if let AbsoluteTolerance::Uniform(atol) = &mut options.solver.atol {
        *atol *= smallest;
    }
    Ok(options)
}

pub(super) struct Trainer<'a> {
    pub method: &'a TrainingMethod,
    pub options: &'a TrainOptions,
    data: &'a Dataset,
    pub validation: Option<&'a Validation>,
    pub choice: Choice,
    /// Mini-batches, where a step does not take all samples.
    pub batches: Option<MiniBatches>,
    /// Solver options of solves beside the objective's.
    pub solver: SolveOptions,
    pub epochs: usize,
    fingerprint: RunFingerprint,
    pub objective: Objective,
    /// The residuals, for steps of Levenberg and Marquardt.
    pub least_squares: Option<LeastSquares>,
    /// Objective of the uncoupled model, where it is not `objective` itself.
    pub free_running: Option<Objective>,
    pub params: Vec<f64>,
    /// The parameters that the optimiser sees, where these are others.
    pub scaled: Option<ScaledParams>,
    /// Sizes of the state variables that the loss is relative to, where it is.
    sd: Option<Vec<f64>>,
    pub optimizer_state: OptimizerState,
    pub trainer_state: TrainerState,
    /// Lowest validation mse of the epochs at λ = 0.
    pub lowest_validation: f64,
    pub history: Vec<EpochRecord>,
    /// Stored points of the parameter path; empty where it is not stored.
    parameter_path: Vec<Vec<f64>>,
    writer: CheckpointWriter,
    /// Whether a mini-batch has been skipped, and the user was told.
    pub has_skipped_batches: bool,
    /// First epoch whose problem was found to be stiff, and the time of the switch.
    pub first_stiff: Option<(usize, f64)>,
}

impl<'a> Trainer<'a> {
    fn new(
        model: &VectorField,
        (data, validation): (&'a Dataset, Option<&'a Validation>),
        method: &'a TrainingMethod,
        options: &'a TrainOptions,
        scaled: Option<ScaledModel>,
    ) -> Result<Self> {
        let is_least_squares = options.optimizer.least_squares().is_some();
        let solver = SolveOptions {
            interrupt: Some(options.interrupt.clone()),
            ..options.solver.clone()
        };
        let relative = scaled.as_ref().filter(|_| !options.scale.is_none());
        let sd = relative.map(ScaledModel::sd);
        let (objective, uncoupled) = objectives((model, data), method, options, &solver, sd)?;
        let sd = sd.map(<[f64]>::to_vec);
        let mut params = objective.initial_params();
        let scaled = scaled.map(|scaled| {
            let n_free = objective.free_running_params(&params).len();
            let aux_params = &params[objective.n_model_params()..];
            ScaledParams::new(scaled, aux_params, params.len() - n_free)
        });
        if let Some(scaled) = &scaled {
            params = scaled.params();
        }
        let epochs = options.epochs.unwrap_or_else(|| method.default_epochs());
        let batches = MiniBatches::new(options.batch, data.samples());
        parameter_path::check_path_memory(epochs, options.trajectory_every, params.len())?;
        Ok(Trainer {
            epochs,
            fingerprint: RunFingerprint::new(model, data, objective.u0())
                .with_validation(validation),
            validation,
            choice: Choice::new(&TrainSettings::new(method, options)),
            lowest_validation: f64::INFINITY,
            batches,
            solver,
            optimizer_state: OptimizerState::new(params.len()),
            trainer_state: TrainerState {
                best_params: params.clone(),
                best_score: None,
                best_epoch: 0,
                since_best: 0,
                failures: 0,
                reason: String::new(),
                shuffle_seed: batches.map(|_| shuffle_seed(options)),
            },
            history: vec![],
            parameter_path: vec![],
            writer: CheckpointWriter::default(),
            has_skipped_batches: false,
            first_stiff: None,
            method,
            options,
            data,
            objective,
            least_squares: is_least_squares.then(LeastSquares::default),
            free_running: uncoupled,
            params,
            scaled,
            sd,
        })
    }

    /// Makes the objectives anew, after a change of the solver options.
    pub fn make_objectives(&mut self) -> Result<()> {
        let model = self.objective.model(&self.params)?;
        let problem = (&model, self.data);
        let sd = self.sd.as_deref();
        let (objective, uncoupled) =
            objectives(problem, self.method, self.options, &self.solver, sd)?;
        (self.objective, self.free_running) = (objective, uncoupled);
        Ok(())
    }

    /// Returns the reason to stop before the next epoch, if any. It depends only on what a checkpoint stores.
    fn stop_reason(&self) -> Option<StopReason> {
        let state = &self.trainer_state;
        let is_least_squares = self.least_squares.is_some();
        // Residuals that cannot be had at these parameters cannot be had again.
        let most = if is_least_squares {
            1
        } else {
            self.options.max_failures
        };
        if state.failures >= most {
            return Some(StopReason::Failing(self.failure_advice(
                &match state.failures {
                    1 => "an epoch".into(),
                    n => format!("{n} epochs in a row"),
                },
            )));
        }
        if self.options.patience.is_some_and(|p| state.since_best >= p) {
            return Some(StopReason::EarlyStop);
        }
        let is_done = self.history.len() >= self.epochs || self.is_converged();
        is_done.then_some(StopReason::Finished)
    }

    /// Whether steps of Levenberg and Marquardt have nothing left to do.
    fn is_converged(&self) -> bool {
        let damping = self.optimizer_state.damping.as_ref();
        damping.is_some_and(|damping| damping.is_converged)
    }

    fn failure_advice(&self, which: &str) -> String {
        let of_method = match self.method {
            TrainingMethod::Homotopy(_) => "a stronger coupling or more steps in the schedule",
            TrainingMethod::MultipleShooting(_) => "or more segments",
            _ => "or homotopy training",
        };
        if self.least_squares.is_some() {
            return format!(
                "{which} could not be solved, because {}; begin with other parameters, or train by multiple_shooting() with more segments, \
                 whose solves are shorter",
                self.trainer_state.reason
            );
        }
        format!(
            "{which} could not be solved, the last because {}; in training, try a lower learning rate (lr), gradient clipping \
             (clip), {of_method}",
            self.trainer_state.reason
        )
    }
}

/// Returns the objective of a method, and that of the uncoupled model where it is another; `sd` are the sizes that the loss is relative to.
fn objectives(
    (model, data): (&VectorField, &Dataset),
    method: &TrainingMethod,
    options: &TrainOptions,
    solver: &SolveOptions,
    sd: Option<&[f64]>,
) -> Result<(Objective, Option<Objective>)> {
    let make = |method: &TrainingMethod| -> Result<Objective> {
        let engine = engine(&options.engine, &options.device)?;
        let observation = &options.observation;
        Objective::with_observation(model, data, method, observation, solver, engine)
    };
    let mut objective = match (options.optimizer.least_squares(), method) {
        // Gaps are closed, not weighed against the data.
        (Some(_), TrainingMethod::MultipleShooting(shooting)) => {
            make(&TrainingMethod::MultipleShooting(MultipleShooting {
                continuity_weight: 0.0,
                ..shooting.clone()
            }))?
        }
        _ => make(method)?,
    };
    if let Some(sd) = sd {
        objective = objective.relative_to(sd);
    }
    let uncoupled = match method {
        TrainingMethod::Vanilla => None,
        _ => Some(make(&TrainingMethod::Vanilla)?),
    };
    Ok((objective, uncoupled))
}

/// Checks that a model for gradient descent has no constants with bounds, priors or a scale, which only methods that set themselves
/// honour.
///
/// # Errors
/// The first such constant.
fn check_no_specs(model: &VectorField, method: &TrainingMethod) -> Result<()> {
    let Some((name, _, spec)) = model.specs().next() else {
        return Ok(());
    };
    Err(Error::invalid(format!(
        "{}() would not keep to what is known of the constant \"{name}\" ({spec}): train with weak_constraint(), or make it \
         trainable without, as trainable([\"{name}\"])",
        method.name()
    )))
}

impl TrainingLoop for Trainer<'_> {
    fn options(&self) -> &TrainOptions {
        self.options
    }

    fn history(&mut self) -> &mut Vec<EpochRecord> {
        &mut self.history
    }

    fn run_start<'b>(&'b self, history: &'b [EpochRecord]) -> RunStart<'b> {
        RunStart {
            method: self.method,
            epochs: self.epochs,
            has_validation: self.validation.is_some(),
            has_damping: self.least_squares.is_some(),
            history,
        }
    }

    fn first_notes(&self) -> Vec<String> {
        let mut notes = vec![];
        if self.options.scale.is_none()
            && let Ok(model) = self.objective.model(&self.params)
        {
            notes.extend(note_on_scales(&model, self.data));
        }
        if let (Some(size), None) = (self.options.batch, self.batches) {
            notes.push(note_on_batch(size, self.data.samples()));
        }
        if self.options.engine == "native"
            && let Ok(model) = self.objective.model(&self.params)
        {
            let problems = self.options.batch.unwrap_or(self.data.samples());
            notes.extend(note_on_engine(&model, problems));
        }
        if let TrainingMethod::MultipleShooting(shooting) = self.method
            && self.least_squares.is_some()
            && shooting.continuity_weight != MultipleShooting::default().continuity_weight
        {
            notes.push(
                "optimizer: \"lm\" closes the gaps between segments whatever continuity_weight is; leave it out".into(),
            );
        }
        let TrainingMethod::Homotopy(settings) = self.method else {
            return notes;
        };
        let last = self.method.lambda(self.epochs.saturating_sub(1));
        let note = (last != 0.0).then(|| {
            format!(
                "the run ends with λ = {last}, so the model is never trained alone; the schedule needs {} epochs and a last value of 0",
                settings.schedule.epochs()
            )
        });
        notes.extend(note);
        notes
    }

    fn last_notes(&self, run: &Run) -> Vec<String> {
        let on_mse = note_on_mse(run);
        note_on_steps(run).or(on_mse).into_iter().collect()
    }

    fn is_finished(&self, saved: &Run) -> bool {
        match saved.stop {
            StopReason::Finished => {
                let damping = saved.optimizer.damping.as_ref();
                let is_converged = damping.is_some_and(|damping| damping.is_converged);
                is_converged || saved.history.len() == self.epochs
            }
            StopReason::Interrupted => false,
            StopReason::EarlyStop | StopReason::Failing(_) => true,
        }
    }

    fn restore(&mut self, saved: Run) -> Result<()> {
        self.params = saved.last.params();
        self.params.extend(saved.aux_params);
        if let Some(scaled) = &mut self.scaled {
            scaled.z = saved.scaled_params;
        }
        self.optimizer_state = saved.optimizer;
        if let Some(least_squares) = &mut self.least_squares {
            least_squares.forget();
        }
        self.trainer_state = saved.trainer_state;
        self.lowest_validation = lowest_validation(&saved.history);
        self.history = saved.history;
        self.parameter_path = saved.parameter_path;
        Ok(())
    }

    fn run(&mut self, callback: &mut dyn Callback) -> Result<StopReason> {
        loop {
            if let Some(stop) = self.stop_reason() {
                if let StopReason::Failing(advice) = &stop {
                    callback.on_note(advice);
                }
                return Ok(stop);
            }
            if self.options.interrupted() {
                return Ok(StopReason::Interrupted);
            }
            let every = self.options.trajectory_every;
            let on_path = every.is_some_and(|n| self.history.len().is_multiple_of(n));
            let path_point = on_path.then(|| self.params.clone());
            let record = match self.run_epoch(callback) {
                Err(Error::Interrupted) => return Ok(StopReason::Interrupted),
                record => record?,
            };
            self.parameter_path.extend(path_point);
            let best = self.trainer_state.best_score.unwrap_or(f64::NAN);
            self.add_record(record, best, callback)?;
            if self.checkpoint_is_due() && self.stop_reason().is_none() {
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
        let last = self.objective.model(&self.params)?;
        let mut run = Run {
            model: last.clone(),
            best_mse: f64::NAN,
            best_validation: None,
            best_nmse: None,
            best_epoch: 0,
            final_mse: None,
            final_validation: None,
            history: std::mem::take(&mut self.history),
            parameter_path: std::mem::take(&mut self.parameter_path),
            method: self.method.name().into(),
            settings: TrainSettings::new(self.method, self.options),
            t0: self.data.t0(),
            u0: self.objective.u0().clone(),
            solver: self.options.solver.clone(),
            optimizer: self.optimizer_state.clone(),
            aux_params: self.params[self.objective.n_model_params()..].to_vec(),
            scaled_params: self.scaled.as_ref().map_or_else(Vec::new, |s| s.z.clone()),
            instruction_set: Isa::current().name().into(),
            stop,
            first_stiff: self.first_stiff,
            trust: OnceLock::new(),
            trainer_state: self.trainer_state.clone(),
            fingerprint: self.fingerprint.clone(),
            generator: with_default_generator(|generator| generator.clone()),
            weak_constraint: None,
            last_weak_constraint: None,
            last,
        };
        run.choose_best()?;
        Ok(run)
    }

    fn finish(&mut self, mut stop: StopReason) -> Result<(StopReason, FinalScores)> {
        let mut scores = FinalScores::default();
        if stop != StopReason::Interrupted {
            if !self.history.is_empty() && self.history.iter().all(|r| r.failed) {
                return Err(Error::Training(match stop {
                    StopReason::Failing(advice) => advice,
                    _ => self.failure_advice(&match self.history.len() {
                        1 => "the only epoch".into(),
                        n => format!("all {n} epochs"),
                    }),
                }));
            }
            // The parameters after the last update may be the best. An interrupted run evaluates them in its next epoch.
            let (mse, validation) = self.evaluate_free();
            for (score, found) in [
                (&mut scores.mse, Some(mse)),
                (&mut scores.validation, validation),
            ] {
                match found {
                    Some(Ok(mse)) => *score = mse.is_finite().then_some(mse),
                    Some(Err(Error::Interrupted)) => stop = StopReason::Interrupted,
                    Some(Err(_)) | None => {}
                }
            }
        }
        Ok((stop, scores))
    }
}
