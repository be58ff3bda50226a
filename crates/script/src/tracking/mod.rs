//! Loggers of trainings beside `metrics.csv`: TensorBoard's event files, and the trackers wandb and MLflow; and Optuna, which the same
//! process reaches.
//!
//! | file | content |
//! |---|---|
//! | `settings` | which loggers a training has, and their settings |
//! | `observers` | the callbacks of these loggers |
//! | `record` | a run as all loggers see it: name, settings, metrics |
//! | `crc32c`, `event_file`, `event`, `tensorboard` | event files, written here |
//! | `bridge`, `bridge.py`, `tracker` | the process that has the Python clients, and the callback that feeds it |
//! | `study` | a study of Optuna, asked and told through that process |

mod bridge;
mod crc32c;
mod event;
mod event_file;
mod observers;
mod record;
mod settings;
mod study;
mod tensorboard;
mod tracker;

pub use bridge::{BRIDGE_PROGRAM, PYTHON_VARIABLE, python};
pub use observers::{NoteSink, RunLoggers};
pub(crate) use record::now;
pub use record::{Hyperparameter, RunRecord};
pub use settings::{
    LoggerKind, LoggerOption, LoggerSettings, MlflowSettings, TrackerMode, WandbSettings,
};
pub use study::{
    STUDY_FILE, Study, StudyDirection, StudyPruner, StudySampler, StudySettings, StudyTrial,
    TrialOutcome,
};
pub use tensorboard::TensorBoardLogger;
pub use tracker::TrackerLogger;
