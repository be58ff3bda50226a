//! Fehlberg's 2(1) pair.

use super::{Solver, SolverFamily, Tableau};

/// Fehlberg's 2(1) pair: order 2, three stages; dense output of order 2.
///
/// E. Fehlberg, *Low-order classical Runge-Kutta formulas with stepsize control*, NASA TR R-315 (1969). The coefficients are
/// those of torchdiffeq's `fehlberg2`, which however uses the last stage as the first of the next step. Here the first stage
/// is evaluated at the solution itself, so a step costs three evaluations, not two.
pub const FEHLBERG2: Solver = Solver {
    name: "fehlberg2",
    order: 2,
    family: SolverFamily::ExplicitRungeKutta(&Tableau {
        c: &[0.0, 0.5, 1.0],
        a: &[&[], &[0.5], &[1.0 / 256.0, 255.0 / 256.0]],
        b: &[1.0 / 512.0, 255.0 / 256.0, 1.0 / 512.0],
        error: Some(&[-1.0 / 512.0, 0.0, 1.0 / 512.0]),
        second_error: None,
        dense: Some(&[
            &[1.0, -511.0 / 512.0],
            &[0.0, 255.0 / 256.0],
            &[0.0, 1.0 / 512.0],
        ]),
        extra_stages: &[],
        fsal: false,
    }),
};
