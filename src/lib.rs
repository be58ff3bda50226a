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
//! | [`error`], [`files`], [`memory`], [`tables`] | the one error type, nearest names; files written complete or not at all; how much memory there is; aligned text |
//! | `kernel` | whether this process runs the cells of a notebook, and what one cell hands on to the next |
//! | [`field`] | a vector field as a graph, its builder, the native evaluator (value, VJP, JVP, second derivatives) |
//! | [`random`] | PyTorch's CPU generator, so that seeds mean the same with and without libtorch |
//! | [`dynamics`] | known systems, one file each |
//! | [`models`] | MLP, black box, second-order and gray-box models; initialisation |
//! | [`odesolve`] | Runge-Kutta methods, step-size control, dense output, discrete adjoints, one driver |
//! | [`devices`] | devices by name; what CUDA lacks where it lacks something |
//! | `torch` | the torch engine: the same graph on tensors (cargo feature `torch`) |
//! | [`engines`] | an engine by its name and device |
//! | [`smoothing`], [`synchronization`], [`schedules`] | cubic smoothing spline; coupling and synchronised field; λ schedules |
//! | [`datasets`] | trajectories, noise, readers |
//! | [`training`] | the three methods' losses, the loop, optimisers, checkpoints, events |
//! | [`landscape`] | the loss near a point and far from it: exact second derivatives, spectra, slices, the way of a run |
//! | [`plotting`] | figures as SVG and PNG |
//! | [`logging`] | what listens to training: the progress bar, plain lines |
//! | [`config`] | configurations: YAML put together from parts, overrides |
//! | [`experiments`] | experiments put together from a configuration, their runs on disk, many runs |
//! | [`script`] | the rhai engine, its bindings and the session |
//! | [`cli`] | the command line: `odesync run`, `odesync eval`, `odesync docs`, `odesync compare` …, `odesync doctor` |
//! | [`prelude`] | the names of the script language for programs and notebooks |
//! | [`notebook`] | what a notebook shows of a value, interrupts, scripts in cells |

mod built_in;
pub mod cli;
pub mod notebook;
pub mod prelude;

/// The arrays of the library's functions.
pub use ndarray;
pub use odesync_base::{Error, Result, error, files, memory, random, tables};
pub use odesync_config as config;
pub use odesync_ode::{devices, dynamics, engines, field, odesolve};
pub use odesync_script::{experiments, script};
#[cfg(feature = "torch")]
pub use odesync_torch as torch;
pub use odesync_train::{
    datasets, landscape, logging, models, schedules, smoothing, synchronization, training,
};

/// Figures as SVG, PNG and text; see [`odesync_plot`].
pub mod plotting {
    pub use odesync_plot::*;
    pub use odesync_script::recipes::FitOptions;
}

/// The Rust of the README and of the book runs as doc tests.
#[cfg(doctest)]
mod pages {
    #[doc = include_str!("../README.md")]
    pub struct Readme;
    #[doc = include_str!("../docs/src/guides/notebooks.md")]
    pub struct Notebooks;
    #[doc = include_str!("../docs/src/rust.md")]
    pub struct Rust;
}
