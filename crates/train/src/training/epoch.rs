//! One epoch of the training loop: evaluate, update the best parameters, update the parameters.

use std::time::Instant;

use super::callback::Callback;
use super::method::TrainingMethod;
use super::objective::Loss;
use super::run::EpochRecord;
use super::trainer::Trainer;
use crate::{Error, Result};

impl Trainer<'_> {
    /// Runs the next epoch. Nothing has changed after an error.
    pub fn run_epoch(&mut self, callback: &mut dyn Callback) -> Result<EpochRecord> {
        let started = Instant::now();
        let epoch = self.history.len();
        let lambda = self.method.lambda(epoch);
        let (loss, mse) = self.evaluate(lambda, true);
        // An error that ends the run is returned here, before anything has changed.
        let mse = match mse {
            Err(Error::Solve(_)) => f64::NAN,
            mse => mse?,
        };
        let loss = match loss {
            Err(error @ (Error::Solve(_) | Error::Training(_))) => Err(error),
            loss => check_finite(loss?),
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
        let improved = self.update_best(mse, epoch);
        self.trainer_state.since_best = if improved || lambda != 0.0 {
            0
        } else {
            self.trainer_state.since_best + 1
        };
        match loss {
            Ok((mut loss, norm)) => {
                record.train_loss = loss.loss;
                record.data_loss = loss.data_loss;
                record.continuity = loss.continuity;
                record.evaluations = loss.stats.evaluations;
                record.gradient_norm = norm;
                let stiff = loss.stats.stiff_from.map(|t| (epoch, t));
                self.first_stiff = self.first_stiff.or(stiff);
                // Same scaling as torch.nn.utils.clip_grad_norm_.
                if let Some(clip) = self.options.clip {
                    let scale = (clip / (norm + 1e-6)).min(1.0);
                    loss.gradient.iter_mut().for_each(|g| *g *= scale);
                }
                let decayed = self.objective.n_model_params();
                self.optimizer_state.update(
                    &self.options.optimizer,
                    lr,
                    &mut self.params,
                    &loss.gradient,
                    decayed,
                );
                self.trainer_state.failures = 0;
            }
            Err(error) => {
                record.failed = true;
                self.trainer_state.failures += 1;
                // What else to do in training is said once, by the trainer.
                self.trainer_state.reason = error.to_string();
                if self.trainer_state.failures == 1 {
                    let advice = match &error {
                        Error::Solve(failure) => failure.advice_in_training(),
                        _ => "",
                    };
                    callback.on_note(&format!("epoch {epoch} skipped: {error}{advice}"));
                }
            }
        }
        record.seconds = started.elapsed().as_secs_f64();
        Ok(record)
    }

    /// Evaluates the method's loss and the mse of the uncoupled model, in parallel.
    pub fn evaluate(&mut self, lambda: f64, with_gradient: bool) -> (Result<Loss>, Result<f64>) {
        let (objective, params) = (&mut self.objective, &self.params);
        match &mut self.free_running {
            // At λ = 0 homotopy training is vanilla training.
            Some(uncoupled)
                if lambda != 0.0 || matches!(self.method, TrainingMethod::MultipleShooting(_)) =>
            {
                let free_params = objective.free_running_params(params);
                rayon::join(
                    || objective.evaluate(params, lambda, with_gradient, None),
                    || {
                        Ok(uncoupled
                            .evaluate(&free_params, 0.0, false, None)?
                            .data_loss)
                    },
                )
            }
            _ => {
                let loss = objective.evaluate(params, lambda, with_gradient, None);
                let mse = loss.as_ref().map(|l| l.data_loss).map_err(Clone::clone);
                (loss, mse)
            }
        }
    }

    /// Stores the parameters if their mse is the best so far.
    fn update_best(&mut self, mse: f64, epoch: usize) -> bool {
        let better = mse.is_finite() && self.trainer_state.best_mse.is_none_or(|best| mse < best);
        if better {
            self.trainer_state.best_mse = Some(mse);
            self.trainer_state.best_epoch = epoch;
            self.trainer_state.best_params.copy_from_slice(&self.params);
        }
        better
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
