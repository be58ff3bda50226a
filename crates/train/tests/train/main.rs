//! Tests of data, training and landscapes: comparisons with reference figures of PyTorch, with finite differences, and with each
//! other.

mod choosing;
mod conformance;
mod differences;
mod discovery;
mod ensemble;
mod events_and_doses;
mod every_engine;
mod existing_runs;
mod faults;
mod gradients;
mod known_constants;
mod landscape;
mod least_squares;
mod mini_batches;
mod observation;
mod observed;
mod oscillator;
mod profile;
mod reference;
mod resume;
mod robust_losses;
mod scaling;
mod second_start;
mod slices;
mod systems;
mod table_of_systems;
mod training;
mod validation;
mod weak_constraint;
mod weak_constraint_runs;
mod weak_constraint_systems;

/// Engines of this crate.
const ENGINES: &[&str] = &["native"];
