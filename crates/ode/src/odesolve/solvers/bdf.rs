//! Backward differentiation formulas.

use super::{Solver, SolverFamily};

/// Numerical differentiation formulas of order 1 to 5; the order is chosen together with the step size. Several steps are
/// taken with one size; where it changes, the backward differences are interpolated to the new spacing.
///
/// L. Shampine, M. Reichelt, *The MATLAB ODE Suite*, SIAM J. Sci. Comput. 18 (1997); G. Byrne, A. Hindmarsh, ACM TOMS 1 (1975).
pub const BDF: Solver = Solver {
    name: "bdf",
    order: MAX_ORDER,
    family: SolverFamily::Bdf,
};

/// Highest order.
pub(crate) const MAX_ORDER: usize = 5;

/// Shampine and Reichelt's κ of each order, which reduces the error at some loss of stability.
const KAPPA: [f64; MAX_ORDER + 1] = [0.0, -0.1850, -1.0 / 9.0, -0.0823, -0.0415, 0.0];

/// Coefficients γ_k = Σ_{j ≤ k} 1/j.
pub(crate) const GAMMA: [f64; MAX_ORDER + 1] =
    [0.0, 1.0, 1.5, 11.0 / 6.0, 25.0 / 12.0, 137.0 / 60.0];

/// Returns the leading coefficient α_k = (1 − κ_k) γ_k of the formula of order k.
pub(crate) fn alpha(order: usize) -> f64 {
    (1.0 - KAPPA[order]) * GAMMA[order]
}

/// Returns the error constant of order k: the error of a step is this constant times the (k+1)th difference.
pub(crate) fn error_constant(order: usize) -> f64 {
    KAPPA[order] * GAMMA[order] + 1.0 / (order as f64 + 1.0)
}
