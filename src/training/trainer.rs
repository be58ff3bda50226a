//! The training loop.

use std::time::Instant;

use super::checkpoint;
use super::method::Method;
use super::objective::{Loss, Objective};
use super::observer::Observer;
use super::optimizer::OptimizerState;
use super::options::TrainOptions;
use super::run::{EpochRecord, Run, Stop};
use crate::datasets::Dataset;
use crate::engines::engine;
use crate::field::VectorField;
use crate::odesolve::SolveOptions;
use crate::{Error, Result};

/// Trains a copy of `model` on `data`.
///
/// Each epoch: loss and gradient by the method at the current parameters, the mse of the free-running model beside it,
/// then one update. An epoch whose training solve fails is recorded and its update skipped; a row of them ends the run.
///
/// # Errors
/// Shapes or options that do not fit, files that cannot be written, or a run none of whose epochs could be solved.
pub fn train(
    model: &VectorField,
    data: &Dataset,
    method: &Method,
    options: &TrainOptions,
    observer: &mut dyn Observer,
) -> Result<Run> {
    let mut trainer = Trainer::new(model, data, method, options)?;
    observer.start(method.name(), trainer.epochs);
    if let Method::Homotopy(settings) = method {
        let last = method.lambda(trainer.epochs.saturating_sub(1));
        if last != 0.0 {
            observer.note(&format!(
                "the run ends with λ = {last}, so the model is never trained alone; the schedule needs {} epochs and a last value of 0",
                settings.schedule.epochs()
            ));
        }
    }
    let stop = trainer.run(observer)?;
    let run = trainer.finish(stop)?;
    observer.finish(&run);
    Ok(run)
}

struct Trainer<'a> {
    method: &'a Method,
    options: &'a TrainOptions,
    data: &'a Dataset,
    epochs: usize,
    objective: Objective,
    /// The free-running model; absent for vanilla training, whose loss is the mse.
    free: Option<Objective>,
    params: Vec<f64>,
    state: OptimizerState,
    history: Vec<EpochRecord>,
    best: Vec<f64>,
    best_mse: f64,
    best_epoch: usize,
    failures: usize,
    /// Why the last epoch that failed did.
    reason: String,
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
            Objective::new(model, data, method, &solver, engine)
        };
        let objective = make(method)?;
        let free = match method {
            Method::Vanilla => None,
            _ => Some(make(&Method::Vanilla)?),
        };
        let params = objective.initial();
        // Found out now rather than after the first hundred epochs.
        if let Some(out) = &options.out {
            checkpoint::prepare(out, model)?;
        }
        Ok(Trainer {
            epochs: options.epochs.unwrap_or_else(|| method.default_epochs()),
            state: OptimizerState::new(params.len()),
            best: params.clone(),
            best_mse: f64::NAN,
            best_epoch: 0,
            history: vec![],
            failures: 0,
            reason: String::new(),
            method,
            options,
            data,
            objective,
            free,
            params,
        })
    }

    fn run(&mut self, observer: &mut dyn Observer) -> Result<Stop> {
        let mut since_best = 0;
        for epoch in 0..self.epochs {
            if self.options.interrupted() {
                return Ok(Stop::Interrupted);
            }
            let record = match self.epoch(epoch, observer) {
                Err(Error::Interrupted) => return Ok(Stop::Interrupted),
                record => record?,
            };
            let improved = self.best_epoch == epoch && record.mse == self.best_mse;
            since_best = if improved || record.lambda != 0.0 {
                0
            } else {
                since_best + 1
            };
            observer.epoch(&record, self.best_mse);
            self.history.push(record);
            if self.failures >= self.options.max_failures {
                let stop = self.advice(&format!("{} epochs in a row", self.failures));
                observer.note(&stop);
                return Ok(Stop::Failing(stop));
            }
            if self.options.patience.is_some_and(|p| since_best >= p) {
                return Ok(Stop::EarlyStop);
            }
            if (epoch + 1) % self.options.checkpoint_every == 0 && epoch + 1 < self.epochs {
                self.save(Stop::Interrupted)?;
            }
        }
        Ok(Stop::Finished)
    }

    fn advice(&self, which: &str) -> String {
        format!(
            "{which} could not be solved, the last because {}. Try a lower learning rate, gradient clipping (clip), a stronger \
             coupling or more steps in the schedule",
            self.reason
        )
    }

    fn epoch(&mut self, epoch: usize, observer: &mut dyn Observer) -> Result<EpochRecord> {
        let started = Instant::now();
        let lambda = self.method.lambda(epoch);
        let (loss, mse) = self.measure(lambda, true);
        let mse = match mse {
            Ok(mse) => mse,
            Err(Error::Solve(_)) => f64::NAN,
            Err(other) => return Err(other),
        };
        let lr = self.options.lr * self.options.lr_schedule.factor(epoch, self.epochs);
        let mut record = EpochRecord {
            epoch,
            lambda,
            lr,
            mse,
            train_loss: f64::NAN,
            data_loss: f64::NAN,
            continuity: f64::NAN,
            gradient_norm: f64::NAN,
            ..EpochRecord::default()
        };
        self.note_best(record.mse, epoch);
        match loss.and_then(|loss| {
            let norm = loss.gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
            if norm.is_finite() && loss.loss.is_finite() {
                return Ok((loss, norm));
            }
            Err(Error::Training(
                "the loss or its gradient is not finite".into(),
            ))
        }) {
            Ok((mut loss, norm)) => {
                record.train_loss = loss.loss;
                record.data_loss = loss.data;
                record.continuity = loss.continuity;
                record.evaluations = loss.stats.evaluations;
                record.gradient_norm = norm;
                // As torch.nn.utils.clip_grad_norm_ scales.
                if let Some(clip) = self.options.clip {
                    let scale = (clip / (norm + 1e-6)).min(1.0);
                    loss.gradient.iter_mut().for_each(|g| *g *= scale);
                }
                let decayed = self.objective.n_model();
                self.state.update(
                    &self.options.optimizer,
                    lr,
                    &mut self.params,
                    &loss.gradient,
                    decayed,
                );
                self.failures = 0;
            }
            Err(error @ (Error::Solve(_) | Error::Training(_))) => {
                record.failed = true;
                self.failures += 1;
                self.reason = error.to_string();
                if self.failures == 1 {
                    observer.note(&format!("epoch {epoch} skipped: {error}"));
                }
            }
            Err(other) => return Err(other),
        }
        record.seconds = started.elapsed().as_secs_f64();
        Ok(record)
    }

    /// Loss of the method and mse of the free-running model, side by side.
    fn measure(&mut self, lambda: f64, with_gradient: bool) -> (Result<Loss>, Result<f64>) {
        let n_model = self.objective.n_model();
        let (objective, params) = (&mut self.objective, &self.params);
        match &mut self.free {
            // At λ = 0 homotopy training is vanilla training.
            Some(free)
                if lambda != 0.0
                    || objective.n_params() > n_model
                    || matches!(self.method, Method::MultipleShooting(_)) =>
            {
                rayon::join(
                    || objective.evaluate(params, lambda, with_gradient, None),
                    || Ok(free.evaluate(&params[..n_model], 0.0, false, None)?.data),
                )
            }
            _ => {
                let loss = objective.evaluate(params, lambda, with_gradient, None);
                let mse = loss.as_ref().map(|l| l.data).map_err(Clone::clone);
                (loss, mse)
            }
        }
    }

    fn note_best(&mut self, mse: f64, epoch: usize) {
        if mse.is_finite() && (self.best_mse.is_nan() || mse < self.best_mse) {
            self.best_mse = mse;
            self.best_epoch = epoch;
            self.best.copy_from_slice(&self.params);
        }
    }

    fn snapshot(&self, stop: Stop) -> Result<Run> {
        let best = if self.best_mse.is_nan() {
            &self.params
        } else {
            &self.best
        };
        Ok(Run {
            model: self.objective.model(best)?,
            last: self.objective.model(&self.params)?,
            best_mse: self.best_mse,
            best_epoch: self.best_epoch,
            history: self.history.clone(),
            method: self.method.name().into(),
            t0: self.data.t()[0],
            u0: self.data.u0().to_owned(),
            solver: self.options.solver.clone(),
            optimizer: self.state.clone(),
            corrections: self.params[self.objective.n_model()..].to_vec(),
            stop,
        })
    }

    fn save(&self, stop: Stop) -> Result<()> {
        match &self.options.out {
            Some(out) => self.snapshot(stop)?.save(out),
            None => Ok(()),
        }
    }

    fn finish(mut self, stop: Stop) -> Result<Run> {
        if stop != Stop::Interrupted
            && !self.history.is_empty()
            && self.history.iter().all(|r| r.failed)
        {
            return Err(Error::Training(match stop {
                Stop::Failing(advice) => advice,
                _ => self.advice(&format!("all {} epochs", self.history.len())),
            }));
        }
        // The parameters after the last update may be the best.
        if let (_, Ok(mse)) = self.measure(0.0, false) {
            self.note_best(mse, self.history.len());
        }
        self.save(stop.clone())?;
        self.snapshot(stop)
    }
}
