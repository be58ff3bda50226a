//! Callbacks of a training run, such as a progress bar or a logger.

use super::epoch_record::EpochRecord;
use super::method::TrainingMethod;
use super::run::Run;
use crate::Result;

/// Information about a run that begins or continues.
#[derive(Debug, Clone, Copy)]
pub struct RunStart<'a> {
    /// The training method.
    pub method: &'a TrainingMethod,
    /// Number of epochs of the whole run; 0 where it is not known beforehand.
    pub epochs: usize,
    /// Whether there are data that the training does not see ([`EpochRecord::validation`]).
    pub has_validation: bool,
    /// Whether the steps are damped ones of Levenberg and Marquardt ([`EpochRecord::damping`]).
    pub has_damping: bool,
    /// Epochs already done: those of the checkpoint that the run continues, else none. A logger that has written more of them
    /// must remove the rest.
    pub history: &'a [EpochRecord],
}

impl RunStart<'_> {
    /// Returns the number of the first epoch to come.
    pub fn first_epoch(&self) -> usize {
        self.history.len()
    }
}

/// Callback of a training run. Every method has a default that does nothing. An error ends the run, after a checkpoint is
/// written.
pub trait Callback: Send {
    /// Called when the run begins or continues.
    ///
    /// # Errors
    /// Any error that must end the run.
    fn on_start(&mut self, _start: &RunStart) -> Result<()> {
        Ok(())
    }
    /// Called after an epoch; `best` is the best mse so far, or the best of what else the model is chosen by.
    ///
    /// # Errors
    /// Any error that must end the run, such as a full disk.
    fn on_epoch_end(&mut self, _record: &EpochRecord, _best: f64) -> Result<()> {
        Ok(())
    }
    /// Called with a message for the user.
    fn on_note(&mut self, _text: &str) {}
    /// Called when the run is over.
    ///
    /// # Errors
    /// Any error that the caller should get.
    fn on_finish(&mut self, _run: &Run) -> Result<()> {
        Ok(())
    }
}

/// The callback that does nothing.
impl Callback for () {}

/// A borrowed callback.
impl<O: Callback + ?Sized> Callback for &mut O {
    fn on_start(&mut self, start: &RunStart) -> Result<()> {
        (**self).on_start(start)
    }

    fn on_epoch_end(&mut self, record: &EpochRecord, best: f64) -> Result<()> {
        (**self).on_epoch_end(record, best)
    }

    fn on_note(&mut self, text: &str) {
        (**self).on_note(text);
    }

    fn on_finish(&mut self, run: &Run) -> Result<()> {
        (**self).on_finish(run)
    }
}

/// A boxed callback.
impl<O: Callback + ?Sized> Callback for Box<O> {
    fn on_start(&mut self, start: &RunStart) -> Result<()> {
        (**self).on_start(start)
    }

    fn on_epoch_end(&mut self, record: &EpochRecord, best: f64) -> Result<()> {
        (**self).on_epoch_end(record, best)
    }

    fn on_note(&mut self, text: &str) {
        (**self).on_note(text);
    }

    fn on_finish(&mut self, run: &Run) -> Result<()> {
        (**self).on_finish(run)
    }
}

/// List of callbacks. Each is called in order, even where another one fails; the first error is returned.
#[derive(Default)]
pub struct Callbacks<'a>(pub Vec<Box<dyn Callback + 'a>>);

impl<'a> Callbacks<'a> {
    /// Adds a callback.
    pub fn push(&mut self, callback: impl Callback + 'a) {
        self.0.push(Box::new(callback));
    }

    fn for_each(&mut self, mut call: impl FnMut(&mut dyn Callback) -> Result<()>) -> Result<()> {
        let mut result = Ok(());
        for callback in &mut self.0 {
            result = result.and(call(callback.as_mut()));
        }
        result
    }
}

impl Callback for Callbacks<'_> {
    fn on_start(&mut self, start: &RunStart) -> Result<()> {
        self.for_each(|o| o.on_start(start))
    }

    fn on_epoch_end(&mut self, record: &EpochRecord, best: f64) -> Result<()> {
        self.for_each(|o| o.on_epoch_end(record, best))
    }

    fn on_note(&mut self, text: &str) {
        for callback in &mut self.0 {
            callback.on_note(text);
        }
    }

    fn on_finish(&mut self, run: &Run) -> Result<()> {
        self.for_each(|o| o.on_finish(run))
    }
}
