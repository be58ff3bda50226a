//! What listens to training, and what shows the progress of other long computations.

mod counting;
mod csv;
mod progress;

pub use counting::{Counting, Tally};
pub use csv::{CsvLogger, write_metrics};
pub use progress::Progress;
