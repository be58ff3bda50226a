//! Heun's method, the explicit trapezoidal rule.

use super::{Solver, SolverFamily, Tableau};

/// Heun's method, the explicit trapezoidal rule: order 2, two stages, fixed steps.
pub const HEUN: Solver = Solver {
    name: "heun",
    order: 2,
    family: SolverFamily::ExplicitRungeKutta(&Tableau {
        c: &[0.0, 1.0],
        a: &[&[], &[1.0]],
        b: &[0.5, 0.5],
        error: None,
        second_error: None,
        dense: None,
        extra_stages: &[],
        fsal: false,
    }),
};
