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

mod callback;
mod checkpoint;
mod checkpoint_file;
mod ensemble;
mod epoch;
mod method;
mod objective;
mod observation;
mod optimizer;
mod options;
mod parameter_path;
mod problem;
mod resume;
mod run;
mod settings;
mod shooting;
mod trainer;

pub use callback::{Callback, Callbacks, RunStart};
pub use checkpoint::load_model;
pub use ensemble::{Ensemble, EnsembleMember, PredictionBand, train_ensemble};
pub use method::{Homotopy, MultipleShooting, TrainingMethod};
pub(crate) use objective::evaluate_loss;
pub use objective::{Loss, Objective, predict};
pub use observation::Observation;
pub use optimizer::{Adam, Optimizer, OptimizerState};
pub(crate) use options::solve_option_setters;
pub use options::{LrSchedule, TrainOptions};
pub use parameter_path::ParameterPath;
pub(crate) use problem::{LossTarget, TrainingProblem};
pub use run::{EpochRecord, Run, StopReason};
pub use settings::TrainSettings;
pub use trainer::train;
