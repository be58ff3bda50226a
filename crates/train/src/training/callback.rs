//! What a training run tells those who listen: the progress bar, a logger.

use super::method::TrainingMethod;
use super::run::{EpochRecord, Run};
use crate::Result;

/// A run that begins, or goes on.
#[derive(Debug, Clone, Copy)]
pub struct RunStart<'a> {
    /// The method.
    pub method: &'a TrainingMethod,
    /// Number of epochs of the whole run.
    pub epochs: usize,
    /// The epochs that are done already: those of the checkpoint that the run goes on from, else none. A logger that has written
    /// more of them takes the rest back.
    pub history: &'a [EpochRecord],
}

impl RunStart<'_> {
    /// The epoch that comes first now.
    pub fn first_epoch(&self) -> usize {
        self.history.len()
    }
}

/// A listener. Every method does nothing unless it is written. An error ends the run; the checkpoint is written before.
pub trait Callback: Send {
    /// The run begins, or goes on.
    ///
    /// # Errors
    /// Whatever must end the run.
    fn on_start(&mut self, _start: &RunStart) -> Result<()> {
        Ok(())
    }
    /// An epoch is done; `best` is the best mse so far.
    ///
    /// # Errors
    /// Whatever must end the run, such as a full disk.
    fn on_epoch_end(&mut self, _record: &EpochRecord, _best: f64) -> Result<()> {
        Ok(())
    }
    /// Something the user should know.
    fn on_note(&mut self, _text: &str) {}
    /// The run is over.
    ///
    /// # Errors
    /// Whatever the caller should know.
    fn on_finish(&mut self, _run: &Run) -> Result<()> {
        Ok(())
    }
}

/// Nobody listens.
impl Callback for () {}

/// A listener that is lent.
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

/// A listener of its own.
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

/// Several listeners. Each hears everything, in their order, even where another fails; the first error counts.
#[derive(Default)]
pub struct Callbacks<'a>(pub Vec<Box<dyn Callback + 'a>>);

impl<'a> Callbacks<'a> {
    /// Adds a listener.
    pub fn push(&mut self, callback: impl Callback + 'a) {
        self.0.push(Box::new(callback));
    }

    fn for_each(&mut self, mut call: impl FnMut(&mut dyn Callback) -> Result<()>) -> Result<()> {
        let mut result = Ok(());
        for observer in &mut self.0 {
            result = result.and(call(observer.as_mut()));
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
        for observer in &mut self.0 {
            observer.on_note(text);
        }
    }

    fn on_finish(&mut self, run: &Run) -> Result<()> {
        self.for_each(|o| o.on_finish(run))
    }
}
