//! One epoch of the training loop: evaluate, update the best parameters, update the parameters.

use std::time::Instant;

use super::callback::Callback;
use super::damping::Damping;
use super::epoch_record::EpochRecord;
use super::method::TrainingMethod;
use super::notes::{note_on_conditions, note_on_gradient};
use super::objective::Loss;
use super::trainer::Trainer;
use crate::{Error, Result};
use ndarray::Array2;
use odesync_base::failure::{FailureReason, SolveFailure};
use odesync_base::memory::format_bytes;
use odesync_ode::field::VectorField;
use odesync_ode::odesolve::Adjoint;

/// The loss of a method, and the mse of the uncoupled model.
type LossAndMse = (Result<Loss>, Result<f64>);

impl Trainer<'_> {
    /// Runs the next epoch. Nothing has changed after an error.
    pub fn run_epoch(&mut self, callback: &mut dyn Callback) -> Result<EpochRecord> {
        match self.batches {
            Some(batches) => self.run_epoch_of_batches(batches, callback),
            None => self.run_epoch_of_one_step(callback),
        }
    }

    /// Runs the next epoch with one step that takes all samples.
    fn run_epoch_of_one_step(&mut self, callback: &mut dyn Callback) -> Result<EpochRecord> {
        let started = Instant::now();
        let epoch = self.history.len();
        let lambda = self.method.lambda(epoch);
        let mut evaluated = self.evaluate_all(lambda);
        if let Err(Error::Solve(failure)) = &evaluated.0.0
            && self.takes_less_memory(failure, callback)?
        {
            evaluated = self.evaluate_all(lambda);
        }
        let ((loss, mse), validation) = evaluated;
        // An error that ends the run is returned here, before anything has changed.
        let mut record = self.new_record(mse, validation)?;
        let loss = self.checked(loss)?;
        let settings = self.options.optimizer.least_squares();
        let tried = match settings {
            Some(settings) if loss.is_ok() => Some(self.try_least_squares_step(settings)?),
            _ => None,
        };
        self.count_patience(&record, None);
        match loss {
            Ok((loss, norm)) => {
                if epoch == 0 {
                    self.note_on_first(&loss.gradient, callback)?;
                }
                record.train_loss = loss.loss;
                record.data_loss = loss.data_loss;
                record.continuity = loss.continuity;
                record.evaluations = loss.stats.evaluations;
                record.gradient_norm = norm;
                let stiff = loss.stats.stiff_from.map(|t| (epoch, t));
                self.first_stiff = self.first_stiff.or(stiff);
                self.trainer_state.failures = 0;
                match tried {
                    Some(tried) => {
                        if self.damping().is_some_and(|damping| damping.is_rejected) {
                            // What the residuals cost here belongs to the epoch before.
                            record.evaluations = 0;
                        }
                        record.evaluations += tried.stats.evaluations;
                        self.finish_least_squares_step(tried);
                    }
                    None => self.descend(loss.gradient, norm, record.lr),
                }
            }
            Err(error) => self.skip(&mut record, &error, callback),
        }
        record.seconds = started.elapsed().as_secs_f64();
        Ok(record)
    }

    /// Returns the record of the next epoch with what is known before its step.
    ///
    /// # Errors
    /// An error of a solve that ends the run.
    pub(super) fn new_record(
        &self,
        mse: Result<f64>,
        validation: Option<Result<f64>>,
    ) -> Result<EpochRecord> {
        let epoch = self.history.len();
        let mse = match mse {
            Err(Error::Solve(_)) => f64::NAN,
            mse => mse?,
        };
        let lr = match self.options.optimizer.least_squares() {
            None => self.options.lr * self.options.lr_schedule.factor(epoch, self.epochs),
            Some(_) => f64::NAN,
        };
        Ok(EpochRecord {
            epoch,
            lambda: self.method.lambda(epoch),
            lr,
            mse,
            train_loss: f64::NAN,
            data_loss: f64::NAN,
            continuity: f64::NAN,
            gradient_norm: f64::NAN,
            validation: validation.transpose()?,
            damping: self.damping().map(|damping| damping.mu),
            ..EpochRecord::default()
        })
    }

    /// Returns a loss with the gradient that the optimiser sees and its norm; the error within is one for which a step is skipped.
    ///
    /// # Errors
    /// An error that ends the run.
    pub(super) fn checked(&self, loss: Result<Loss>) -> Result<Result<(Loss, f64)>> {
        Ok(match loss {
            Err(error @ (Error::Solve(_) | Error::Training(_))) => Err(error),
            loss => check_finite(self.in_scaled_units(loss?)),
        })
    }

    /// Tells what the gradient of the first epoch shows.
    pub(super) fn note_on_first(
        &self,
        gradient: &[f64],
        callback: &mut dyn Callback,
    ) -> Result<()> {
        let model = self.objective.model(&self.params)?;
        let switches = self.options.solver.switches;
        let notes = [
            note_on_conditions(&model, switches),
            note_on_gradient(&model, gradient),
        ];
        let notes = notes.iter().flatten();
        notes.for_each(|note| callback.on_note(note));
        Ok(())
    }

    /// Records an epoch that no step was made in.
    pub(super) fn skip(
        &mut self,
        record: &mut EpochRecord,
        error: &Error,
        callback: &mut dyn Callback,
    ) {
        record.failed = true;
        self.trainer_state.failures += 1;
        // What else to do in training is said once, by the trainer.
        self.trainer_state.reason = error.to_string();
        if self.trainer_state.failures == 1 {
            let advice = advice(error);
            let epoch = record.epoch;
            callback.on_note(&format!("epoch {epoch} skipped: {error}{advice}"));
        }
    }

    /// Changes to gradients from checkpoints, which are as exact, where the tape of the steps did not fit into memory. Returns whether
    /// the evaluation is worth another try.
    pub(super) fn takes_less_memory(
        &mut self,
        failure: &SolveFailure,
        callback: &mut dyn Callback,
    ) -> Result<bool> {
        let FailureReason::TapeTooLarge(bytes) = failure.reason else {
            return Ok(false);
        };
        if self.solver.adjoint != Adjoint::Backprop {
            return Ok(false);
        }
        self.solver.adjoint = Adjoint::AdaptiveCheckpoint;
        self.make_objectives()?;
        callback.on_note(&format!(
            "the steps of a gradient take more than {}; going on with adjoint \"adaptive_ckpt\", which is as exact, takes less memory, \
             and solves twice",
            format_bytes(bytes)
        ));
        Ok(true)
    }

    /// Returns the damping of the next step of Levenberg and Marquardt; `None` of another optimiser.
    pub fn damping(&self) -> Option<Damping> {
        let settings = self.options.optimizer.least_squares()?;
        let now = self.optimizer_state.damping.clone();
        let has_gaps = self.objective.problem().segments().n_corrections > 0;
        Some(now.unwrap_or_else(|| Damping::new(settings, has_gaps)))
    }

    /// Evaluates the method's loss and the mse of the uncoupled model as [`Trainer::evaluate`], and beside them the mse on the data
    /// that are held out, if there are any.
    fn evaluate_all(&mut self, lambda: f64) -> (LossAndMse, Option<Result<f64>>) {
        self.beside_validation(|trainer| trainer.evaluate(lambda))
    }

    /// Evaluates the mse of the uncoupled model on all data, and beside it that on the data that are held out, if there are any.
    pub fn evaluate_free(&mut self) -> (Result<f64>, Option<Result<f64>>) {
        self.beside_validation(|trainer| {
            let params = trainer.objective.free_running_params(&trainer.params);
            let uncoupled = trainer.free_running.as_mut();
            let uncoupled = uncoupled.unwrap_or(&mut trainer.objective);
            Ok(uncoupled.evaluate(&params, 0.0, false, None)?.data_loss)
        })
    }

    /// Evaluates something, and beside it the mse of the uncoupled model on the data that are held out, if there are any.
    fn beside_validation<T: Send>(
        &mut self,
        evaluate: impl FnOnce(&mut Self) -> T + Send,
    ) -> (T, Option<Result<f64>>) {
        let Some(validation) = self.validation else {
            return (evaluate(self), None);
        };
        let (free, solver) = (self.free_model(), self.solver.clone());
        let (evaluated, validation) = rayon::join(
            || evaluate(self),
            || free.and_then(|(model, u0)| validation.mse(&model, &u0, &solver)),
        );
        (evaluated, Some(validation))
    }

    /// Returns the uncoupled model at the current parameters, and its initial states, `[sample, dof]`.
    fn free_model(&self) -> Result<(VectorField, Array2<f64>)> {
        let model = self.objective.model(&self.params)?;
        let mut u0 = self.objective.u0().clone();
        let free = self.objective.free_running_params(&self.params);
        let trained = free.get(model.n_params()..).unwrap_or_default();
        u0.iter_mut().zip(trained).for_each(|(u0, x)| *u0 = *x);
        Ok((model, u0))
    }

    /// Evaluates the method's loss and the mse of the uncoupled model, in parallel.
    fn evaluate(&mut self, lambda: f64) -> LossAndMse {
        let free_params = self.objective.free_running_params(&self.params);
        let gap_weight = self.damping().map_or(0.0, |damping| damping.gap_weight);
        let (objective, params) = (&mut self.objective, &self.params);
        let (least_squares, scaled) = (&mut self.least_squares, self.scaled.as_ref());
        let mut evaluate = || match least_squares {
            Some(residuals) => {
                residuals.linearize(objective.problem(), (params, scaled), gap_weight)
            }
            None => objective.evaluate(params, lambda, true, None),
        };
        match &mut self.free_running {
            // At λ = 0 homotopy training is vanilla training.
            Some(uncoupled)
                if lambda != 0.0 || matches!(self.method, TrainingMethod::MultipleShooting(_)) =>
            {
                rayon::join(evaluate, || {
                    Ok(uncoupled
                        .evaluate(&free_params, 0.0, false, None)?
                        .data_loss)
                })
            }
            _ => {
                let loss = evaluate();
                let mse = loss.as_ref().map(|l| l.data_loss).map_err(Clone::clone);
                (loss, mse)
            }
        }
    }

    /// Returns a loss with the gradient that the optimiser sees.
    fn in_scaled_units(&self, mut loss: Loss) -> Loss {
        // Residuals are differentiated in the optimiser's units.
        if let (Some(scaled), None) = (&self.scaled, &self.least_squares) {
            loss.gradient = scaled.pull_back(&loss.gradient);
        }
        loss
    }

    /// Stores the parameters of a record, those of now unless others are given, if their score is the best so far, and counts the
    /// epochs in which nothing improved.
    pub(super) fn count_patience(&mut self, record: &EpochRecord, params: Option<&[f64]>) {
        let improved = self.trainer_state.take_score(self.choice, record);
        if improved {
            let params = params.unwrap_or(&self.params);
            self.trainer_state.best_params.copy_from_slice(params);
        }
        self.trainer_state
            .count_patience(record, improved, &mut self.lowest_validation);
    }
}

/// Returns what to do about an error in training; empty where that is not known.
pub(super) fn advice(error: &Error) -> &str {
    match error {
        Error::Solve(failure) => failure.advice_in_training(),
        _ => "",
    }
}

/// Returns the loss with the norm of its gradient, or an error if either is not finite.
fn check_finite(loss: Loss) -> Result<(Loss, f64)> {
    let norm = loss.gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
    if norm.is_finite() && loss.loss.is_finite() {
        return Ok((loss, norm));
    }
    Err(Error::Training(
        "the loss or its gradient is not finite".into(),
    ))
}
