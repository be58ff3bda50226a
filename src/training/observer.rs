//! What a training run tells those who listen: the progress bar, a logger.

use super::run::{EpochRecord, Run};

/// A listener. Every method does nothing unless it is written.
pub trait Observer: Send {
    /// The run begins.
    fn start(&mut self, _method: &str, _epochs: usize) {}
    /// An epoch is done; `best` is the best mse so far.
    fn epoch(&mut self, _record: &EpochRecord, _best: f64) {}
    /// Something the user should know.
    fn note(&mut self, _text: &str) {}
    /// The run is over.
    fn finish(&mut self, _run: &Run) {}
}

/// Nobody listens.
impl Observer for () {}
