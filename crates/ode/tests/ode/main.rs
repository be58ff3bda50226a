//! Fields and solvers: every operation and every method, against reference figures, analytic solutions and finite differences.

mod events;
mod every_engine;
mod field;
mod odesolve;
mod robustness;
mod step_control;
mod stiff;

/// The engines of this crate.
const ENGINES: &[&str] = &["native"];
