//! Tests of the torch engine against the native engine and against reference figures.

#[path = "../../../train/tests/train/differences.rs"]
mod differences;
mod native;
#[path = "../../../train/tests/train/observed.rs"]
mod observed;
#[path = "../../../train/tests/train/reference.rs"]
mod reference;
#[path = "../../../ode/tests/ode/singular_functions.rs"]
mod singular_functions;
#[path = "../../../ode/tests/ode/every_engine.rs"]
mod solves;
#[path = "../../../train/tests/train/every_engine.rs"]
mod trainings;

/// The engines that the shared tests run with.
const ENGINES: &[&str] = &["torch"];
