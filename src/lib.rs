//! Discover dynamics from time series with Neural ODEs trained by homotopy.
//!
//! The method is that of *Homotopy-based training of NeuralODEs for accurate dynamics discovery* (Ko, Koh, Park, Jhe,
//! NeurIPS 2023): the model is synchronised to the data by a coupling term `f(t, u) + λ K (û(t) − u)`, û being a cubic
//! smoothing spline of the data, and λ goes from 1 to 0 by a schedule while the model trains.
//!
//! # Map
//!
//! This crate re-exports the modules of the workspace's other crates. Each crate uses only those above it in this
//! table; `docs/src/architecture.md` shows the dependencies.
//!
//! | module | of the crate | contents |
//! |---|---|---|
//! | [`error`], [`files`], [`permissions`], [`memory`], [`random`], [`tables`] | [`odesync_base`] | the one error type, nearest names; files written complete or not at all; what scripts may touch of them; how much memory there is; PyTorch's CPU generator; aligned text |
//! | [`config`] | [`odesync_config`] | configurations: YAML put together from parts, overrides |
//! | [`field`], [`dynamics`], [`odesolve`], [`devices`], [`engines`] | [`odesync_ode`] | vector fields as graphs and the native evaluator; known systems; ODE methods and their gradients; an engine by its name and device |
//! | `torch` | `odesync_torch` | the torch engine: the same graph on tensors (cargo feature `torch`) |
//! | [`models`], [`smoothing`], [`synchronization`], [`schedules`], [`datasets`], [`training`], [`discovery`], [`equations`], [`landscape`], [`progress`] | [`odesync_train`] | networks; spline, coupling, λ schedules; data; the training methods, checkpoints; a model and equations from data with no setting; second derivatives, spectra, slices of the loss; progress |
//! | [`export`] | [`odesync_export`] | models as Python, Julia, C, LaTeX, ONNX, PyTorch weights and scripts |
//! | [`plotting`] | [`odesync_plot`] | figures as SVG, PNG and text |
//! | [`experiments`], [`script`] | [`odesync_script`] | experiments put together from a configuration, their runs on disk; the rhai engine, its bindings and the session |
//! | [`prelude`], [`notebook`] | here | the names of the script language for programs and notebooks; what a notebook shows of a value |
//! | [`cli`] | here | the command line: `odesync run`, `odesync eval`, `odesync docs`, `odesync compare` …, `odesync doctor` |

mod built_in;
pub mod cli;
pub mod notebook;
pub mod prelude;

/// The array library whose types the library's functions use.
pub use ndarray;
pub use odesync_base::{Error, Result, error, files, memory, options, permissions, random, tables};
pub use odesync_config as config;
pub use odesync_export as export;
pub use odesync_ode::{devices, dynamics, engines, field, odesolve};
pub use odesync_script::{script, tracking};
#[cfg(feature = "torch")]
pub use odesync_torch as torch;
pub use odesync_train::{
    datasets, discovery, equations, landscape, models, progress, schedules, smoothing,
    synchronization, training,
};

/// Experiments composed from a configuration, and their runs on disk; see [`odesync_script::experiments`].
pub mod experiments {
    pub use odesync_script::experiments::*;
    #[cfg(feature = "torch")]
    pub use odesync_torch::LIBTORCH;
}

/// Figures as SVG, PNG and text; see [`odesync_plot`].
pub mod plotting {
    pub use odesync_plot::*;
    pub use odesync_script::recipes::{FitPlotOptions, FittedModel};
}

/// The Rust code of the README and of the book, which runs as doc tests.
#[cfg(doctest)]
mod pages {
    #[doc = include_str!("../README.md")]
    pub struct FrontPage;
    #[doc = include_str!("../docs/src/guides/notebooks.md")]
    pub struct Notebooks;
    #[doc = include_str!("../docs/src/rust.md")]
    pub struct Rust;
}
