//! Training: the losses of the three methods, the loop, optimisers, checkpoints, and the events it emits.
//!
//! | file | idea |
//! |---|---|
//! | `method` | vanilla, multiple shooting, homotopy, and their settings |
//! | `objective` | loss and gradient of a model against data, on any engine |
//! | `task` | the problems to solve, and the loss of their solutions |
//! | `shooting` | its solves: whole samples, or segments of multiple shooting |
//! | `observation` | which state variables were measured, and where the model begins |
//! | `optimizer` | AdamW, Adam, SGD on the flat parameter vector |
//! | `options` | how to train |
//! | `trainer` | the loop |
//! | `epoch` | one turn of it |
//! | `ensemble` | several runs side by side |
//! | `run` | what it gives: models, metrics |
//! | `path` | the parameters along a run |
//! | `settings` | what a run was begun with |
//! | `checkpoint` | runs on disk |
//! | `container` | the files they are in |
//! | `resume` | whether a run on disk is the one that is to go on |
//! | `observer` | who listens |

mod checkpoint;
mod container;
mod ensemble;
mod epoch;
mod method;
mod objective;
mod observation;
mod observer;
mod optimizer;
mod options;
mod path;
mod resume;
mod run;
mod settings;
mod shooting;
mod task;
mod trainer;

pub use checkpoint::load_model;
pub use ensemble::{Band, Ensemble, Member, ensemble};
pub use method::{Homotopy, Method, MultipleShooting};
pub(crate) use objective::evaluate;
pub use objective::{Loss, Objective, predict};
pub use observation::Observation;
pub use observer::{Observer, Observers, RunStart};
pub use optimizer::{Adam, Optimizer, OptimizerState};
pub(crate) use options::solved;
pub use options::{LrSchedule, TrainOptions};
pub use path::ParameterPath;
pub use run::{EpochRecord, Run, Stop};
pub use settings::Settings;
pub(crate) use task::{Against, Task};
pub use trainer::train;
