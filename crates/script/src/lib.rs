//! The script language, the recipes of figures and the experiments, for every front end.
//!
//! | module | content |
//! |---|---|
//! | [`recipes`] | the figures of a run, of a dataset, of a loss landscape |
//! | [`report`] | pages about a run or a discovery; the folder of a discovery |
//! | [`tracking`] | loggers beside `metrics.csv`: TensorBoard, wandb, MLflow |
//! | [`experiments`] | experiments built from a configuration, their runs on disk, multiruns |
//! | [`cards`] | values as a notebook shows them: HTML beside the text |
//! | [`script`] | the rhai engine, its bindings and the session |
//! | [`editing`] | code that is being typed: completion, inspection, completeness |
//!
//! Each module uses only those above it in this table.

pub mod cards;
pub mod editing;
pub mod experiments;
pub mod recipes;
pub mod report;
pub mod script;
pub mod tracking;

pub use odesync_base::{Error, Result};

// The configurations that the program has built in.
#[cfg(test)]
#[path = "../tests/script/configs.rs"]
mod configs;
