//! The adjoint of a system with a mass matrix, `Mᵀ dλ/dt = −(∂f/∂u)ᵀ λ` (Y. Cao, S. Li, L. Petzold, R. Serban, *Adjoint sensitivity
//! analysis for differential-algebraic equations*, SIAM J. Sci. Comput. 24, 2003), at the output times.
//!
//! What goes from one interval to the next is w = Mᵀ λ, the adjoint of the state. A cotangent ū is added to it, and its part in the
//! kernel of M, which no λ has, acts through the algebraic equations: with the projector Q onto the kernel and `K = Mᵀ + Q Jᵀ`,
//! `K μ = −Q (w + ū)` gives w⁺ = w + ū + Jᵀ μ, the part (∂f/∂θ)ᵀ μ of the gradient, and `K λ = w⁺`, which satisfies the algebraic
//! equations of the adjoint, `Q Jᵀ λ = 0`.

use super::super::jacobian::Jacobian;
use super::super::lu::Lu;
use super::super::mass_matrix::MassMatrix;
use super::super::vector_ops::{add, all_finite};
use crate::field::native::{Evaluator, ParamGradient};
use odesync_base::failure::FailureReason;

/// Turns the adjoint of the state at an output time, w, into λ, in place; adds the parameters' part to `gradient`. `transposed` is Mᵀ.
pub(super) fn enter_interval(
    (evaluator, transposed): (&Evaluator, &MassMatrix),
    place: (usize, f64),
    u: &[f64],
    w: &mut [f64],
    gradient: &mut ParamGradient,
) -> Result<(), FailureReason> {
    let dof = u.len();
    let (mut slot, mut f) = (vec![0.0; evaluator.slot_len()], vec![0.0; dof]);
    evaluator.eval_taped(place.0, place.1, u, &mut slot, &mut f);
    let mut jacobian = Jacobian::default();
    jacobian.bind(evaluator, None);
    jacobian.fill(evaluator, place, &slot);
    if !jacobian.is_finite() || !all_finite(w) {
        return Err(FailureReason::JacobianNotFinite);
    }
    let entry = |i: usize| {
        let (r, c) = (i / dof, i % dof);
        let of_kernel = |s: usize| transposed.algebraic_at(r, s) * jacobian.at(c, s);
        transposed.at(r, c) + (0..dof).map(of_kernel).sum::<f64>()
    };
    let matrix: Vec<f64> = (0..dof * dof).map(entry).collect();
    let mut lu = Lu::default();
    if !lu.factor_regular(dof, &matrix) {
        return Err(FailureReason::AlgebraicSingular);
    }
    if transposed.is_singular() {
        let mut mu = w.to_vec();
        transposed.split_algebraic(&mut mu);
        mu.iter_mut().for_each(|x| *x = -*x);
        lu.solve(&mut mu);
        let mut by_u = vec![0.0; dof];
        evaluator.vjp(place, &slot, &mu, &mut by_u, None, gradient);
        add(&by_u, w);
    }
    lu.solve(w);
    Ok(())
}
