//! Data, training and landscapes: against reference figures of PyTorch, finite differences, and each other.

mod conformance;
mod differences;
mod ensemble;
mod every_engine;
mod gradients;
mod landscape;
mod observation;
mod observed;
mod oscillator;
mod reference;
mod resume;
mod slices;
mod training;

/// The engines of this crate.
const ENGINES: &[&str] = &["native"];
