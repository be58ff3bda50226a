//! What listens to training.

mod csv;
mod progress;

pub use csv::{CsvLogger, write_metrics};
pub use progress::Progress;
