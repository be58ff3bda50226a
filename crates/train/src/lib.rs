//! Discovering dynamics from time series: models, data, splines, synchronisation, training and loss landscapes.
//!
//! | module | what lives there |
//! |---|---|
//! | [`models`] | MLP, black box, second-order and gray-box models; initialisation |
//! | [`smoothing`], [`synchronization`], [`schedules`] | cubic smoothing spline; coupling and synchronised field; λ schedules |
//! | [`datasets`] | trajectories, noise, readers |
//! | [`training`] | the three methods' losses, the loop, optimisers, checkpoints |
//! | [`landscape`] | the loss near a point and far from it: exact second derivatives, spectra, slices, the way of a run |
//! | [`progress`] | what listens to training: the progress bar, plain lines, `metrics.csv` |
//!
//! Each module uses only those above it in this table.

pub mod datasets;
pub mod landscape;
pub mod models;
pub mod progress;
pub mod schedules;
pub mod smoothing;
pub mod synchronization;
pub mod training;

pub use odesync_base::{Error, Result};
