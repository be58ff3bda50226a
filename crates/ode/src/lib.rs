//! Solvers of ordinary differential equations with exact gradients.
//!
//! A vector field is written once, as a graph of vector-valued operations; the native engine compiles it, with its derivatives,
//! and solves it by explicit and implicit methods. The gradient of a solve is the exact gradient of the steps that were taken.
//!
//! | module | contents |
//! |---|---|
//! | [`field`] | a vector field as a graph, its builder, the native evaluator (value, VJP, JVP, second derivatives) |
//! | [`dynamics`] | benchmark systems, one file each |
//! | [`odesolve`] | step methods (one file each), step-size control, dense output, events, adjoints, one driver |
//! | [`devices`], [`engines`] | devices by name, what is missing for CUDA; an engine by its name and device |
//!
//! Each module uses only those above it in this table. Programs to run and to copy are in `examples/`.

pub mod devices;
pub mod dynamics;
pub mod engines;
pub mod field;
pub mod odesolve;

/// The array library whose types this library's functions take and return.
pub use ndarray;
pub use odesync_base::{Error, Result, options};

/// The README, whose Rust code runs as doc tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
