//! Heun's method with Euler's for its error estimate.

use super::{Solver, SolverFamily, Tableau};

/// Heun's method with an error estimate by Euler's method: order 2, two stages; dense output of order 2.
///
/// The pair is that of torchdiffeq's `adaptive_heun`, which however uses the second stage as the first of the next step. Here
/// the first stage is evaluated at the solution itself, so a step costs two evaluations, not one.
pub const ADAPTIVE_HEUN: Solver = Solver {
    name: "adaptive_heun",
    order: 2,
    family: SolverFamily::ExplicitRungeKutta(&Tableau {
        c: &[0.0, 1.0],
        a: &[&[], &[1.0]],
        b: &[0.5, 0.5],
        error: Some(&[-0.5, 0.5]),
        second_error: None,
        dense: Some(&[&[1.0, -0.5], &[0.0, 0.5]]),
        extra_stages: &[],
        fsal: false,
    }),
};
