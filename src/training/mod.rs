//! Training: the losses of the three methods, the loop, optimisers, checkpoints, and the events it emits.
//!
//! | file | idea |
//! |---|---|
//! | `method` | vanilla, multiple shooting, homotopy, and their settings |
//! | `objective` | loss and gradient of a model against data, on any engine |
//! | `task` | the problems to solve, and the loss of their solutions |
//! | `shooting` | segments of multiple shooting |
//! | `optimizer` | AdamW, Adam, SGD on the flat parameter vector |
//! | `options` | how to train |
//! | `trainer` | the loop |
//! | `run` | what it gives: models, metrics |
//! | `checkpoint` | runs on disk |
//! | `observer` | who listens |

mod checkpoint;
mod method;
mod objective;
mod observer;
mod optimizer;
mod options;
mod run;
mod shooting;
mod task;
mod trainer;

pub use method::{Homotopy, Method, MultipleShooting};
pub use objective::{Loss, Objective, predict};
pub use observer::Observer;
pub use optimizer::{Adam, Optimizer, OptimizerState};
pub use options::{LrSchedule, TrainOptions};
pub use run::{EpochRecord, Run, Stop};
pub(crate) use task::{Against, Task};
pub use trainer::train;
