//! What listens to training.

mod progress;

pub use progress::Progress;
