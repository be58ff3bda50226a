//! The training loop.

use super::checkpoint;
use super::method::Method;
use super::objective::Objective;
use super::observer::{Observer, RunStart};
use super::optimizer::OptimizerState;
use super::options::TrainOptions;
use super::path;
use super::resume::{self, Origin};
use super::run::{EpochRecord, Run, Standing, Stop};
use super::settings::Settings;
use crate::datasets::Dataset;
use crate::{Error, Result};
use odesync_base::files::lock_folder;
use odesync_base::random::with_shared;
use odesync_ode::engines::engine;
use odesync_ode::field::{Isa, VectorField};
use odesync_ode::odesolve::SolveOptions;

/// Trains a copy of `model` on `data`.
///
/// Each epoch: loss and gradient by the method at the current parameters, the mse of the free-running model beside it,
/// then one update. An epoch whose training solve fails is recorded and its update skipped; a row of them ends the run.
///
/// With [`TrainOptions::out`] the run is on disk from its beginning, and with [`TrainOptions::resume`] it goes on from there: what
/// it gives then is what it would have given without the interruption, to the bit, but for the times it took.
///
/// # Errors
/// Shapes or options that do not fit, files that cannot be written, a run on disk that is another one, an observer's error, or a
/// run none of whose epochs could be solved.
pub fn train(
    model: &VectorField,
    data: &Dataset,
    method: &Method,
    options: &TrainOptions,
    observer: &mut dyn Observer,
) -> Result<Run> {
    let mut trainer = Trainer::new(model, data, method, options)?;
    let (_lock, saved) = match &options.out {
        Some(out) => {
            checkpoint::check_model(model)?;
            let lock = lock_folder(out)?;
            // Found out now rather than after the first hundred epochs.
            checkpoint::probe(out)?;
            let saved = match options.resume {
                true => Run::load_if_there(out)?,
                false => None,
            };
            (Some(lock), saved.map(|saved| (out, saved)))
        }
        None => (None, None),
    };
    let mut notes = vec![];
    match saved {
        Some((out, saved)) => {
            let now = trainer.snapshot(Stop::Interrupted)?;
            resume::check(out, &saved, &now)?;
            with_shared(|generator| *generator = saved.generator.clone());
            if trainer.is_over(&saved) {
                observer.start(&trainer.start(&saved.history))?;
                observer.finish(&saved)?;
                return Ok(saved);
            }
            notes = resume::notes(out, &saved, &now);
            trainer.take_up(saved);
        }
        // What an earlier run left in the folder must not be taken for this one.
        None => trainer.save(Stop::Interrupted)?,
    }
    observer.start(&trainer.start(&trainer.history))?;
    for note in notes.iter().chain(&trainer.never_alone()) {
        observer.note(note);
    }
    let stop = trainer.run(observer)?;
    let run = trainer.finish(stop)?;
    observer.finish(&run)?;
    Ok(run)
}

pub(super) struct Trainer<'a> {
    pub method: &'a Method,
    pub options: &'a TrainOptions,
    data: &'a Dataset,
    pub epochs: usize,
    origin: Origin,
    pub objective: Objective,
    /// The free-running model, where it is not the objective itself.
    pub free: Option<Objective>,
    pub params: Vec<f64>,
    pub state: OptimizerState,
    pub standing: Standing,
    pub history: Vec<EpochRecord>,
    /// Points of the path, where it is kept.
    kept: Vec<Vec<f64>>,
    /// The first epoch whose problem was found to be stiff, and from which time on.
    pub stiff: Option<(usize, f64)>,
}

impl<'a> Trainer<'a> {
    fn new(
        model: &VectorField,
        data: &'a Dataset,
        method: &'a Method,
        options: &'a TrainOptions,
    ) -> Result<Self> {
        options.check()?;
        if model.n_params() == 0 {
            return Err(Error::invalid(
                "the model has no trainable parameters; name some, for example model.trainable([\"a\"])",
            ));
        }
        let make = |method: &Method| -> Result<Objective> {
            let engine = engine(&options.engine, &options.device)?;
            let solver = SolveOptions {
                interrupt: Some(options.interrupt.clone()),
                ..options.solver.clone()
            };
            let observation = &options.observation;
            Objective::observing(model, data, method, observation, &solver, engine)
        };
        let objective = make(method)?;
        let free = match method {
            Method::Vanilla => None,
            _ => Some(make(&Method::Vanilla)?),
        };
        let params = objective.initial();
        let epochs = options.epochs.unwrap_or_else(|| method.default_epochs());
        path::check_path(epochs, options.trajectory_every, params.len())?;
        Ok(Trainer {
            epochs,
            origin: Origin::new(model, data, objective.u0()),
            state: OptimizerState::new(params.len()),
            standing: Standing {
                best: params.clone(),
                best_mse: None,
                best_epoch: 0,
                since_best: 0,
                failures: 0,
                reason: String::new(),
            },
            history: vec![],
            kept: vec![],
            stiff: None,
            method,
            options,
            data,
            objective,
            free,
            params,
        })
    }

    fn start<'b>(&'b self, history: &'b [EpochRecord]) -> RunStart<'b> {
        RunStart {
            method: self.method,
            epochs: self.epochs,
            history,
        }
    }

    fn never_alone(&self) -> Option<String> {
        let Method::Homotopy(settings) = self.method else {
            return None;
        };
        let last = self.method.lambda(self.epochs.saturating_sub(1));
        (last != 0.0).then(|| {
            format!(
                "the run ends with λ = {last}, so the model is never trained alone; the schedule needs {} epochs and a last value of 0",
                settings.schedule.epochs()
            )
        })
    }

    /// Whether there is nothing left to do for a run that was saved.
    fn is_over(&self, saved: &Run) -> bool {
        match saved.stop {
            Stop::Finished => saved.history.len() == self.epochs,
            Stop::Interrupted => false,
            Stop::EarlyStop | Stop::Failing(_) => true,
        }
    }

    /// Goes on where a saved run stopped.
    fn take_up(&mut self, saved: Run) {
        self.params = saved.last.params();
        self.params.extend(saved.corrections);
        self.state = saved.optimizer;
        self.standing = saved.standing;
        self.history = saved.history;
        self.kept = saved.kept;
    }

    /// Why there is no next epoch, if so. It depends on nothing but what a checkpoint holds.
    fn end(&self) -> Option<Stop> {
        let standing = &self.standing;
        if standing.failures >= self.options.max_failures {
            return Some(Stop::Failing(
                self.advice(&format!("{} epochs in a row", standing.failures)),
            ));
        }
        if self
            .options
            .patience
            .is_some_and(|p| standing.since_best >= p)
        {
            return Some(Stop::EarlyStop);
        }
        (self.history.len() >= self.epochs).then_some(Stop::Finished)
    }

    fn run(&mut self, observer: &mut dyn Observer) -> Result<Stop> {
        loop {
            if let Some(stop) = self.end() {
                if let Stop::Failing(advice) = &stop {
                    observer.note(advice);
                }
                return Ok(stop);
            }
            if self.options.interrupted() {
                return Ok(Stop::Interrupted);
            }
            let every = self.options.trajectory_every;
            let here = every.is_some_and(|n| self.history.len().is_multiple_of(n));
            let here = here.then(|| self.params.clone());
            let record = match self.epoch(observer) {
                Err(Error::Interrupted) => return Ok(Stop::Interrupted),
                record => record?,
            };
            self.kept.extend(here);
            let best = self.standing.best_mse.unwrap_or(f64::NAN);
            let told = observer.epoch(&record, best);
            self.history.push(record);
            if told.is_err() {
                // Whatever ails the observer, the epochs need not be lost. The error that came first is the one to tell.
                let _ = self.save(Stop::Interrupted);
                told?;
            }
            let due = self
                .history
                .len()
                .is_multiple_of(self.options.checkpoint_every);
            if due && self.end().is_none() {
                self.save(Stop::Interrupted)?;
            }
        }
    }

    fn advice(&self, which: &str) -> String {
        format!(
            "{which} could not be solved, the last because {}. Try a lower learning rate, gradient clipping (clip), a stronger \
             coupling or more steps in the schedule",
            self.standing.reason
        )
    }

    fn snapshot(&self, stop: Stop) -> Result<Run> {
        let last = self.objective.model(&self.params)?;
        let mut run = Run {
            model: last.clone(),
            best_mse: f64::NAN,
            best_epoch: 0,
            final_mse: None,
            history: self.history.clone(),
            kept: self.kept.clone(),
            method: self.method.name().into(),
            settings: Settings::new(self.method, self.options),
            t0: self.data.t0(),
            u0: self.objective.u0().clone(),
            solver: self.options.solver.clone(),
            optimizer: self.state.clone(),
            corrections: self.params[self.objective.n_model()..].to_vec(),
            instruction_set: Isa::current().name().into(),
            stop,
            stiff: self.stiff,
            standing: self.standing.clone(),
            origin: self.origin.clone(),
            generator: with_shared(|generator| generator.clone()),
            last,
        };
        run.choose_best()?;
        Ok(run)
    }

    fn save(&self, stop: Stop) -> Result<()> {
        match &self.options.out {
            Some(out) => self.snapshot(stop)?.write(out),
            None => Ok(()),
        }
    }

    fn finish(mut self, mut stop: Stop) -> Result<Run> {
        let mut final_mse = None;
        if stop != Stop::Interrupted {
            if !self.history.is_empty() && self.history.iter().all(|r| r.failed) {
                return Err(Error::Training(match stop {
                    Stop::Failing(advice) => advice,
                    _ => self.advice(&format!("all {} epochs", self.history.len())),
                }));
            }
            // The parameters after the last update may be the best. A run that goes on measures them in its next epoch.
            match self.measure(0.0, false).1 {
                Ok(mse) => final_mse = mse.is_finite().then_some(mse),
                Err(Error::Interrupted) => stop = Stop::Interrupted,
                Err(_) => {}
            }
        }
        let mut run = self.snapshot(stop)?;
        run.final_mse = final_mse;
        run.choose_best()?;
        if let Some(out) = &self.options.out {
            run.write(out)?;
        }
        Ok(run)
    }
}
