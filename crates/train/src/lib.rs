//! Discovering dynamics from time series: models, data, splines, synchronisation, training and loss landscapes.
//!
//! | module | content |
//! |---|---|
//! | [`models`] | MLP, black-box, second-order and gray-box models; initialisation |
//! | [`smoothing`], [`synchronization`], [`schedules`] | cubic smoothing spline; coupling and synchronised field; λ schedules |
//! | [`datasets`] | trajectories, noise, readers |
//! | [`weak_constraint`] | training in which the states at the data's times are unknowns too, and a homotopy that sets itself |
//! | [`training`] | the training methods, training loop, optimisers, checkpoints; how far to trust a run |
//! | [`discovery`] | a model from data with no setting |
//! | [`equations`] | equations from data: the sparse set of terms of a library that explains the dynamics |
//! | [`landscape`] | loss landscapes: exact second derivatives, spectra, slices, the parameter path of a run |
//! | [`progress`] | callbacks that show or log progress: progress bar, plain lines, `metrics.csv` |
//!
//! Each module uses only those above it in this table.

pub mod datasets;
pub mod discovery;
pub mod equations;
pub mod landscape;
pub mod models;
mod observation;
pub mod progress;
pub mod schedules;
pub mod smoothing;
pub mod synchronization;
pub mod training;
pub mod weak_constraint;

pub use odesync_base::{Error, Result};
