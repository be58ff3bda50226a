//! Experiments built from a configuration, and their runs on disk.
//!
//! | file | content |
//! |---|---|
//! | `settings` | the content of a configuration, typed |
//! | `data` | the training data, and the truth beyond them |
//! | `instantiate` | model, training method and options |
//! | `experiment` | an experiment and its run |
//! | `run_dir`, `environment`, `results` | the folder of a run and its files |
//! | `figures` | the figure of a run |
//! | `compare`, `run_files` | the comparison of runs |
//! | `push` | runs that are over, handed to a tracker |
//! | `multirun` | many runs over the product of lists of values, each a separate process |

mod compare;
mod data;
mod environment;
mod experiment;
mod figures;
mod instantiate;
pub mod multirun;
mod push;
mod results;
mod run_colors;
mod run_dir;
mod run_files;
pub mod settings;

pub use compare::{Comparison, find_run_folders};
pub use data::ExperimentData;
pub use experiment::{Experiment, RunRequest, saved_data};
pub use figures::fit_figure;
pub use push::{PushTarget, PushedRuns, push};
pub use results::RunResults;
pub use run_dir::{CONFIG_FILE, ENVIRONMENT_FILE, RESULT_FILE, RunDir, date_time, holds_run};
pub use settings::ExperimentSettings;
