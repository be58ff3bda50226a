//! Heun's method of order 3.

use super::{Solver, SolverFamily, Tableau};

/// Heun's method of order 3: order 3, three stages, fixed steps.
///
/// K. Heun, *Neue Methoden zur approximativen Integration der Differentialgleichungen einer unabhängigen Veränderlichen*, Z.
/// Math. Phys. 45 (1900). The coefficients are those of torchdiffeq's `heun3`.
pub const HEUN3: Solver = Solver {
    name: "heun3",
    order: 3,
    family: SolverFamily::ExplicitRungeKutta(&Tableau {
        c: &[0.0, 1.0 / 3.0, 2.0 / 3.0],
        a: &[&[], &[1.0 / 3.0], &[0.0, 2.0 / 3.0]],
        b: &[0.25, 0.0, 0.75],
        error: None,
        second_error: None,
        dense: None,
        extra_stages: &[],
        fsal: false,
    }),
};
