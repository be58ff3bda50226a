//! Tests of fields and solvers: every operation and every method, against reference values, analytic solutions and finite
//! differences.

mod closures;
mod end_jacobians;
mod events;
mod every_engine;
mod field;
mod odesolve;
mod robustness;
mod step_control;
mod stiff;

/// Names of the engines of this crate.
const ENGINES: &[&str] = &["native"];
