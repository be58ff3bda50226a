//! The classic Runge-Kutta method.

use super::{Solver, SolverFamily, Tableau};

/// The classic Runge-Kutta method: order 4, four stages, fixed steps (Kutta 1901; not the 3/8 rule).
pub const RK4: Solver = Solver {
    name: "rk4",
    order: 4,
    family: SolverFamily::ExplicitRungeKutta(&Tableau {
        c: &[0.0, 0.5, 0.5, 1.0],
        a: &[&[], &[0.5], &[0.0, 0.5], &[0.0, 0.0, 1.0]],
        b: &[1.0 / 6.0, 1.0 / 3.0, 1.0 / 3.0, 1.0 / 6.0],
        error: None,
        second_error: None,
        dense: None,
        extra_stages: &[],
        fsal: false,
    }),
};
