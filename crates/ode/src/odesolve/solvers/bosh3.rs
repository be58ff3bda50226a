//! Bogacki and Shampine's 3(2) pair.

use super::{Solver, SolverFamily, Tableau};

/// Bogacki and Shampine's 3(2) pair: order 3, four stages, the last shared with the next step; dense output by cubic Hermite
/// interpolation.
///
/// P. Bogacki, L. Shampine, *A 3(2) pair of Runge-Kutta formulas*, Appl. Math. Lett. 2 (1989).
pub const BOSH3: Solver = Solver {
    name: "bosh3",
    order: 3,
    family: SolverFamily::ExplicitRungeKutta(&Tableau {
        c: &[0.0, 0.5, 0.75, 1.0],
        a: &[
            &[],
            &[0.5],
            &[0.0, 0.75],
            &[2.0 / 9.0, 1.0 / 3.0, 4.0 / 9.0],
        ],
        b: &[2.0 / 9.0, 1.0 / 3.0, 4.0 / 9.0, 0.0],
        error: Some(&[
            2.0 / 9.0 - 7.0 / 24.0,
            1.0 / 3.0 - 1.0 / 4.0,
            4.0 / 9.0 - 1.0 / 3.0,
            -1.0 / 8.0,
        ]),
        second_error: None,
        dense: Some(&[
            &[1.0, 3.0 * 2.0 / 9.0 - 2.0, 1.0 - 2.0 * 2.0 / 9.0],
            &[0.0, 1.0, -2.0 / 3.0],
            &[0.0, 3.0 * 4.0 / 9.0, -2.0 * 4.0 / 9.0],
            &[0.0, -1.0, 1.0],
        ]),
        extra_stages: &[],
        fsal: true,
    }),
};
