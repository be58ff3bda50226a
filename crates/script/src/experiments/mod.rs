//! Experiments put together from a configuration, and their runs on disk.
//!
//! | file | idea |
//! |---|---|
//! | `settings` | what a configuration says, typed |
//! | `data` | the data, and the truth beyond them |
//! | `parts` | model, method and options |
//! | `experiment` | all of it, and its run |
//! | `folder`, `environment`, `results` | the folder of a run and what is written there |
//! | `figures` | the pictures of a run |
//! | `compare`, `run_files` | runs side by side |
//! | `multirun` | the product of lists of values, a process each |

mod compare;
mod data;
mod environment;
mod experiment;
mod figures;
mod instantiate;
pub mod multirun;
mod results;
mod run_dir;
mod run_files;
pub mod settings;

pub use compare::Comparison;
pub use data::ExperimentData;
pub use experiment::{Experiment, RunRequest};
pub use figures::fit_figure;
pub use results::Results;
pub use run_dir::{CONFIG_FILE, ENVIRONMENT_FILE, RESULT_FILE, RunDir, date_time, holds_run};
pub use settings::ExperimentSettings;
