//! Tests of fields and solvers: every operation and every method, against reference values, analytic solutions and finite
//! differences.

mod batch_solve;
mod branches;
mod closures;
mod events;
mod every_engine;
mod field;
mod final_state_jacobians;
mod jump_gradients;
mod jumps;
mod mass_matrix;
mod mass_matrix_gradients;
mod odesolve;
mod robustness;
mod sample_lanes;
mod singular_functions;
mod state_switches;
mod step_control;
mod stiff;
mod switch_times;
mod switching;
mod units;

/// Names of the engines of this crate.
const ENGINES: &[&str] = &["native"];
