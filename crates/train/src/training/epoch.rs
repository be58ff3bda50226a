//! One epoch of the loop: measure, note the best, update.

use std::time::Instant;

use super::method::Method;
use super::objective::Loss;
use super::observer::Observer;
use super::run::EpochRecord;
use super::trainer::Trainer;
use crate::{Error, Result};

impl Trainer<'_> {
    /// The next epoch. With an error nothing has changed.
    pub fn epoch(&mut self, observer: &mut dyn Observer) -> Result<EpochRecord> {
        let started = Instant::now();
        let epoch = self.history.len();
        let lambda = self.method.lambda(epoch);
        let (loss, mse) = self.measure(lambda, true);
        // Whatever ends the run here ends it before anything has changed.
        let mse = match mse {
            Err(Error::Solve(_)) => f64::NAN,
            mse => mse?,
        };
        let loss = match loss {
            Err(error @ (Error::Solve(_) | Error::Training(_))) => Err(error),
            loss => finite(loss?),
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
        let improved = self.note_best(mse, epoch);
        self.standing.since_best = if improved || lambda != 0.0 {
            0
        } else {
            self.standing.since_best + 1
        };
        match loss {
            Ok((mut loss, norm)) => {
                record.train_loss = loss.loss;
                record.data_loss = loss.data;
                record.continuity = loss.continuity;
                record.evaluations = loss.stats.evaluations;
                record.gradient_norm = norm;
                let stiff = loss.stats.stiff_from.map(|t| (epoch, t));
                self.stiff = self.stiff.or(stiff);
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
                self.standing.failures = 0;
            }
            Err(error) => {
                record.failed = true;
                self.standing.failures += 1;
                self.standing.reason = error.to_string();
                if self.standing.failures == 1 {
                    observer.note(&format!("epoch {epoch} skipped: {error}"));
                }
            }
        }
        record.seconds = started.elapsed().as_secs_f64();
        Ok(record)
    }

    /// Loss of the method and mse of the free-running model, side by side.
    pub fn measure(&mut self, lambda: f64, with_gradient: bool) -> (Result<Loss>, Result<f64>) {
        let (objective, params) = (&mut self.objective, &self.params);
        match &mut self.free {
            // At λ = 0 homotopy training is vanilla training.
            Some(free) if lambda != 0.0 || matches!(self.method, Method::MultipleShooting(_)) => {
                let alone = objective.alone(params);
                rayon::join(
                    || objective.evaluate(params, lambda, with_gradient, None),
                    || Ok(free.evaluate(&alone, 0.0, false, None)?.data),
                )
            }
            _ => {
                let loss = objective.evaluate(params, lambda, with_gradient, None);
                let mse = loss.as_ref().map(|l| l.data).map_err(Clone::clone);
                (loss, mse)
            }
        }
    }

    /// Keeps the parameters if their mse is the best so far.
    fn note_best(&mut self, mse: f64, epoch: usize) -> bool {
        let better = mse.is_finite() && self.standing.best_mse.is_none_or(|best| mse < best);
        if better {
            self.standing.best_mse = Some(mse);
            self.standing.best_epoch = epoch;
            self.standing.best.copy_from_slice(&self.params);
        }
        better
    }
}

/// A loss that can be followed, with the norm of its gradient.
fn finite(loss: Loss) -> Result<(Loss, f64)> {
    let norm = loss.gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
    if norm.is_finite() && loss.loss.is_finite() {
        return Ok((loss, norm));
    }
    Err(Error::Training(
        "the loss or its gradient is not finite".into(),
    ))
}
