//! The torch engine, against the native one and against reference figures.

#[path = "../../../train/tests/train/differences.rs"]
mod differences;
mod native;
#[path = "../../../train/tests/train/observed.rs"]
mod observed;
#[path = "../../../train/tests/train/reference.rs"]
mod reference;
#[path = "../../../ode/tests/ode/every_engine.rs"]
mod solves;
#[path = "../../../train/tests/train/every_engine.rs"]
mod trainings;

/// The engine of this crate.
const ENGINES: &[&str] = &["torch"];
