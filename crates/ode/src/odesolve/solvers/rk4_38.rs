//! Kutta's 3/8 rule.

use super::{Solver, SolverFamily, Tableau};

/// Kutta's 3/8 rule: order 4, four stages, fixed steps; torchdiffeq's `rk4`.
///
/// W. Kutta, *Beitrag zur näherungsweisen Integration totaler Differentialgleichungen*, Z. Math. Phys. 46 (1901).
pub const RK4_38: Solver = Solver {
    name: "rk4_38",
    order: 4,
    family: SolverFamily::ExplicitRungeKutta(&Tableau {
        c: &[0.0, 1.0 / 3.0, 2.0 / 3.0, 1.0],
        a: &[&[], &[1.0 / 3.0], &[-1.0 / 3.0, 1.0], &[1.0, -1.0, 1.0]],
        b: &[0.125, 0.375, 0.375, 0.125],
        error: None,
        second_error: None,
        dense: None,
        extra_stages: &[],
        fsal: false,
    }),
};
