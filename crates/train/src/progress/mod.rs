//! Callbacks that show or log training, and progress of other long computations.

mod counter;
mod csv_logger;
mod train_progress;

pub use counter::{ProgressCounter, ProgressSink};
pub use csv_logger::{CsvLogger, write_metrics};
pub use train_progress::TrainProgress;
