//! The explicit Euler method.

use super::{Solver, SolverFamily, Tableau};

/// The explicit Euler method: order 1, one stage, fixed steps.
pub const EULER: Solver = Solver {
    name: "euler",
    order: 1,
    family: SolverFamily::ExplicitRungeKutta(&Tableau {
        c: &[0.0],
        a: &[&[]],
        b: &[1.0],
        error: None,
        second_error: None,
        dense: None,
        extra_stages: &[],
        fsal: false,
    }),
};
