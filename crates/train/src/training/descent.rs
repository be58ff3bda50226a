//! Steps along the gradient: one update of the parameters, and an epoch of a step for each mini-batch.

use std::time::Instant;

use super::callback::Callback;
use super::epoch::advice;
use super::epoch_record::EpochRecord;
use super::mini_batches::MiniBatches;
use super::objective::Loss;
use super::trainer::Trainer;
use crate::{Error, Result};
use odesync_base::text::count_of;

/// Means over the mini-batches of an epoch, each weighted by its share of the samples.
#[derive(Default)]
struct BatchMeans {
    /// Share of the samples that there are means of.
    share: f64,
    loss: Loss,
    norm: f64,
    /// Error of the first batch that was skipped.
    first_failure: Option<Error>,
    skipped: usize,
    batches: usize,
}

impl BatchMeans {
    /// Adds a batch with this share of the samples, its loss and the norm of its gradient.
    fn add(&mut self, share: f64, loss: &Loss, norm: f64) {
        self.batches += 1;
        self.share += share;
        self.norm += share * norm;
        self.loss.loss += share * loss.loss;
        self.loss.data_loss += share * loss.data_loss;
        self.loss.continuity += share * loss.continuity;
        self.loss.stats += loss.stats;
        self.loss.gradient.resize(loss.gradient.len(), 0.0);
        for (sum, g) in self.loss.gradient.iter_mut().zip(&loss.gradient) {
            *sum += share * g;
        }
    }

    /// Adds a batch whose step was skipped.
    fn add_failure(&mut self, error: Error) {
        self.batches += 1;
        self.skipped += 1;
        self.first_failure.get_or_insert(error);
    }
}

impl Trainer<'_> {
    /// Makes an update of the parameters along this gradient of the optimiser's parameters, with this norm.
    pub(super) fn descend(&mut self, mut gradient: Vec<f64>, norm: f64, lr: f64) {
        // Same scaling as torch.nn.utils.clip_grad_norm_.
        if let Some(clip) = self.options.clip {
            let scale = (clip / (norm + 1e-6)).min(1.0);
            gradient.iter_mut().for_each(|g| *g *= scale);
        }
        let decayed = self.objective.n_model_params();
        let params = match &mut self.scaled {
            Some(scaled) => &mut scaled.z,
            None => &mut self.params,
        };
        let optimizer = &self.options.optimizer;
        self.optimizer_state
            .update(optimizer, lr, params, &gradient, decayed);
        if let Some(scaled) = &self.scaled {
            self.params = scaled.params();
        }
    }

    /// Runs the next epoch with one step for each mini-batch. Nothing has changed after an error.
    ///
    /// The mse is that of all data before the first step, as without batches; loss, gradient norm and cost are those of the batches, each
    /// at the parameters of its own step.
    pub(super) fn run_epoch_of_batches(
        &mut self,
        batches: MiniBatches,
        callback: &mut dyn Callback,
    ) -> Result<EpochRecord> {
        let started = Instant::now();
        let (mse, validation) = self.evaluate_free();
        let mut record = self.new_record(mse, validation)?;
        let before = (self.params.clone(), self.optimizer_state.clone());
        let scaled = self.scaled.as_ref().map(|scaled| scaled.z.clone());
        let means = match self.take_batches(batches, &record, callback) {
            Ok(means) => means,
            Err(error) => {
                (self.params, self.optimizer_state) = before;
                if let (Some(scaled), Some(z)) = (&mut self.scaled, scaled) {
                    scaled.z = z;
                }
                return Err(error);
            }
        };
        self.count_patience(&record, Some(&before.0));
        match &means.first_failure {
            Some(error) if means.share == 0.0 => self.skip(&mut record, error, callback),
            failure => {
                record.train_loss = means.loss.loss / means.share;
                record.data_loss = means.loss.data_loss / means.share;
                record.continuity = means.loss.continuity / means.share;
                record.gradient_norm = means.norm / means.share;
                record.evaluations = means.loss.stats.evaluations;
                let stiff = means.loss.stats.stiff_from.map(|t| (record.epoch, t));
                self.first_stiff = self.first_stiff.or(stiff);
                self.trainer_state.failures = 0;
                if let Some(error) = failure.as_ref().filter(|_| !self.has_skipped_batches) {
                    self.has_skipped_batches = true;
                    callback.on_note(&format!(
                        "epoch {}: {} of its {} skipped, the first because {error}{}; the loss is the mean of the others, and later ones are \
                         skipped without a note",
                        record.epoch,
                        means.skipped,
                        count_of(means.batches, "step"),
                        advice(error)
                    ));
                }
            }
        }
        record.seconds = started.elapsed().as_secs_f64();
        Ok(record)
    }

    /// Makes a step for each mini-batch of the epoch of `record`.
    fn take_batches(
        &mut self,
        batches: MiniBatches,
        record: &EpochRecord,
        callback: &mut dyn Callback,
    ) -> Result<BatchMeans> {
        let seed = self.trainer_state.shuffle_seed.unwrap_or_default();
        let mut means = BatchMeans::default();
        for batch in batches.of_epoch(seed, record.epoch) {
            if self.options.interrupted() {
                return Err(Error::Interrupted);
            }
            let evaluate = |trainer: &mut Self| {
                let (objective, params) = (&mut trainer.objective, &trainer.params);
                objective.evaluate_batch(&batch, params, record.lambda)
            };
            let mut loss = evaluate(self);
            if let Err(Error::Solve(failure)) = &loss
                && self.takes_less_memory(failure, callback)?
            {
                loss = evaluate(self);
            }
            match self.checked(loss)? {
                Ok((loss, norm)) => {
                    means.add(batches.share(&batch), &loss, norm);
                    self.descend(loss.gradient, norm, record.lr);
                }
                Err(error) => means.add_failure(error),
            }
        }
        if record.epoch == 0 && means.share > 0.0 {
            self.note_on_first(&means.loss.gradient, callback)?;
        }
        Ok(means)
    }
}
