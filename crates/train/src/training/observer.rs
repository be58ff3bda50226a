//! What a training run tells those who listen: the progress bar, a logger.

use super::method::Method;
use super::run::{EpochRecord, Run};
use crate::Result;

/// A run that begins, or goes on.
#[derive(Debug, Clone, Copy)]
pub struct RunStart<'a> {
    /// The method.
    pub method: &'a Method,
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
pub trait Observer: Send {
    /// The run begins, or goes on.
    ///
    /// # Errors
    /// Whatever must end the run.
    fn start(&mut self, _start: &RunStart) -> Result<()> {
        Ok(())
    }
    /// An epoch is done; `best` is the best mse so far.
    ///
    /// # Errors
    /// Whatever must end the run, such as a full disk.
    fn epoch(&mut self, _record: &EpochRecord, _best: f64) -> Result<()> {
        Ok(())
    }
    /// Something the user should know.
    fn note(&mut self, _text: &str) {}
    /// The run is over.
    ///
    /// # Errors
    /// Whatever the caller should know.
    fn finish(&mut self, _run: &Run) -> Result<()> {
        Ok(())
    }
}

/// Nobody listens.
impl Observer for () {}

/// A listener that is lent.
impl<O: Observer + ?Sized> Observer for &mut O {
    fn start(&mut self, start: &RunStart) -> Result<()> {
        (**self).start(start)
    }

    fn epoch(&mut self, record: &EpochRecord, best: f64) -> Result<()> {
        (**self).epoch(record, best)
    }

    fn note(&mut self, text: &str) {
        (**self).note(text);
    }

    fn finish(&mut self, run: &Run) -> Result<()> {
        (**self).finish(run)
    }
}

/// A listener of its own.
impl<O: Observer + ?Sized> Observer for Box<O> {
    fn start(&mut self, start: &RunStart) -> Result<()> {
        (**self).start(start)
    }

    fn epoch(&mut self, record: &EpochRecord, best: f64) -> Result<()> {
        (**self).epoch(record, best)
    }

    fn note(&mut self, text: &str) {
        (**self).note(text);
    }

    fn finish(&mut self, run: &Run) -> Result<()> {
        (**self).finish(run)
    }
}

/// Several listeners. Each hears everything, in their order, even where another fails; the first error counts.
#[derive(Default)]
pub struct Observers<'a>(pub Vec<Box<dyn Observer + 'a>>);

impl<'a> Observers<'a> {
    /// Adds a listener.
    pub fn push(&mut self, observer: impl Observer + 'a) {
        self.0.push(Box::new(observer));
    }

    fn each(&mut self, mut tell: impl FnMut(&mut dyn Observer) -> Result<()>) -> Result<()> {
        let mut told = Ok(());
        for observer in &mut self.0 {
            told = told.and(tell(observer.as_mut()));
        }
        told
    }
}

impl Observer for Observers<'_> {
    fn start(&mut self, start: &RunStart) -> Result<()> {
        self.each(|o| o.start(start))
    }

    fn epoch(&mut self, record: &EpochRecord, best: f64) -> Result<()> {
        self.each(|o| o.epoch(record, best))
    }

    fn note(&mut self, text: &str) {
        for observer in &mut self.0 {
            observer.note(text);
        }
    }

    fn finish(&mut self, run: &Run) -> Result<()> {
        self.each(|o| o.finish(run))
    }
}
