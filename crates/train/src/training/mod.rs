//! Training: the losses of the methods, the training loop, optimisers, checkpoints and callbacks.
//!
//! | file | content |
//! |---|---|
//! | `method` | the training methods (vanilla, multiple shooting, homotopy, weak constraint) and their settings |
//! | `objective` | loss and gradient of a model against data, on any engine |
//! | `problem` | the training problem: initial value problems to solve, and the loss of their solutions |
//! | `shooting` | the initial value problems of a loss: whole samples, or segments of multiple shooting |
//! | `optimizer` | AdamW, Adam, SGD on the flat parameter vector; the choice of one |
//! | `least_squares`, `least_squares_step`, `damping` | Levenberg-Marquardt: residuals and their derivatives; a step; the damping |
//! | `segment_residuals` | the loss of segments as a sum of squares |
//! | `lifted`, `condensed`, `linear_residuals` | the linear problem of a step with gaps, and where segments meet; its solution |
//! | `options`, `option_kinds` | options of a training run |
//! | `lr_schedule` | schedules of the learning rate |
//! | `training_loop` | what the loops of all methods have in common: folder, continuation, checkpoints, callbacks |
//! | `trainer` | the training loop |
//! | `weak_constraint_trainer` | the loop of weak-constraint training |
//! | `epoch`, `epoch_record` | one epoch of the loop; its metrics |
//! | `mini_batches`, `descent` | the division of samples into mini-batches; an update, and an epoch of them |
//! | `choice` | which epoch's model a run returns |
//! | `holdout`, `validation` | data that a training does not see |
//! | `cross_validation` | a training for each part of the data, which it does not see |
//! | `notes` | notes on trainings that cannot move |
//! | `ensemble` | several runs in parallel |
//! | `ensemble_prediction` | the mean prediction of several runs, with their spread |
//! | `scale_notes` | the note on data in units that a training has trouble with |
//! | `scaling` | training in scaled variables |
//! | `score` | how well a free model fits data: mse and nmse |
//! | `run` | the result of a run: models and metrics |
//! | `trust`, `profile` | how far to trust a run of weak-constraint training; profile likelihoods of constants |
//! | `parameter_path` | the parameters along a run |
//! | `settings` | the settings that a checkpoint stores |
//! | `checkpoint` | runs on disk |
//! | `checkpoint_file` | the file format of a checkpoint |
//! | `row_file` | the history of a run that goes on, in files beside its checkpoint |
//! | `existing_run` | the run that a folder holds already |
//! | `resume` | comparison of a saved run with the run that is to continue it |
//! | `callback` | progress bars, loggers and other callbacks of a run |

mod callback;
mod checkpoint;
mod checkpoint_file;
mod choice;
mod condensed;
mod cross_validation;
mod damping;
mod descent;
mod ensemble;
mod ensemble_prediction;
mod epoch;
mod epoch_record;
mod existing_run;
mod holdout;
mod least_squares;
mod least_squares_step;
mod lifted;
mod linear_residuals;
mod lr_schedule;
mod method;
mod mini_batches;
mod notes;
mod objective;
mod optimizer;
mod option_kinds;
mod options;
mod parameter_path;
mod problem;
mod profile;
mod resume;
mod row_file;
mod run;
mod scale_notes;
mod scaling;
mod score;
mod segment_residuals;
mod settings;
mod shooting;
mod trainer;
mod training_loop;
mod trust;
mod validation;
mod weak_constraint_trainer;

pub use crate::observation::Observation;
pub use crate::weak_constraint::{
    ComponentWeights, ConstantEstimates, DataLoss, NoiseModel, Prediction, WeakConstraint,
    WeakConstraintState,
};
pub use callback::{Callback, Callbacks, RunStart};
pub use checkpoint::load_model;
pub use choice::{BestBy, BestOf};
pub use cross_validation::{CrossValidationScores, HeldOutFold, cross_validate};
pub use damping::{Damping, LevenbergMarquardt};
pub(crate) use ensemble::check_ensemble_members;
pub use ensemble::{Ensemble, EnsembleMember, PredictionBand, train_ensemble};
pub(crate) use ensemble_prediction::mean_prediction;
pub use epoch_record::EpochRecord;
pub use holdout::{Fold, FoldsOf, Holdout};
pub use lr_schedule::LrSchedule;
pub use method::{Homotopy, MultipleShooting, TrainingMethod};
pub use notes::note_on_conditions;
pub(crate) use objective::evaluate_loss;
pub use objective::{Loss, Objective, predict};
pub use optimizer::{Adam, Optimizer, OptimizerState, Sgd};
pub use options::TrainOptions;
pub(crate) use options::solve_option_setters;
pub use parameter_path::ParameterTrajectory;
pub(crate) use problem::{LossTarget, TrainingProblem};
pub use profile::{Profile, ProfileOptions};
pub use run::{Run, StopReason};
pub use scaling::{ScaleFactors, Scaling};
pub use score::nmse;
pub use settings::TrainSettings;
pub use trainer::train;
pub use trust::TrustReport;
