//! Discover dynamics from time series with Neural ODEs trained by homotopy.
//!
//! The method is that of *Homotopy-based training of NeuralODEs for accurate dynamics discovery* (Ko, Koh, Park, Jhe,
//! NeurIPS 2023): the model is synchronised to the data by a coupling term `f(t, u) + λ K (û(t) − u)`, û being a cubic
//! smoothing spline of the data, and λ goes from 1 to 0 by a schedule while the model trains.
//!
//! # Map
//!
//! Each module uses only those above it in this table.
//!
//! | module | what lives there |
//! |---|---|
//! | [`error`] | the one error type; nearest names |
//! | [`field`] | a vector field as a graph, its builder, the native evaluator (value, VJP, JVP) |
//! | [`random`] | PyTorch's CPU generator, so that seeds mean the same with and without libtorch |
//! | [`dynamics`] | known systems, one file each |
//! | [`models`] | MLP, black box, second-order and gray-box models; initialisation |
//! | [`odesolve`] | Runge-Kutta methods, step-size control, dense output, discrete adjoints, one driver |
//! | `torch` | the torch engine: the same graph on tensors (cargo feature `torch`) |
//! | [`smoothing`], [`synchronization`], [`schedules`] | cubic smoothing spline; coupling and synchronised field; λ schedules |
//! | [`datasets`] | trajectories, noise, readers |
//! | [`training`] | the three methods' losses, the loop, optimisers, checkpoints, events |
//! | [`plotting`] | figures as SVG and PNG |
//! | [`logging`] | what listens to training: the progress bar, plain lines |
//! | [`script`] | the rhai engine, its bindings and the session |
//! | [`cli`] | the command line |
#![deny(missing_docs)]
#![deny(unsafe_code)]

pub mod cli;
pub mod datasets;
pub mod dynamics;
pub mod engines;
pub mod error;
pub mod field;
pub mod files;
pub mod logging;
pub mod models;
pub mod odesolve;
pub mod plotting;
pub mod random;
pub mod schedules;
pub mod script;
pub mod smoothing;
pub mod synchronization;
#[cfg(feature = "torch")]
pub mod torch;
pub mod training;

#[cfg(test)]
mod test_support;

pub use error::{Error, Result};
