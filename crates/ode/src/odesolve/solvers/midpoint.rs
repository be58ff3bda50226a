//! The explicit midpoint rule.

use super::{Solver, SolverFamily, Tableau};

/// The explicit midpoint rule: order 2, two stages, fixed steps.
pub const MIDPOINT: Solver = Solver {
    name: "midpoint",
    order: 2,
    family: SolverFamily::ExplicitRungeKutta(&Tableau {
        c: &[0.0, 0.5],
        a: &[&[], &[0.5]],
        b: &[0.0, 1.0],
        error: None,
        second_error: None,
        dense: None,
        extra_stages: &[],
        fsal: false,
    }),
};
