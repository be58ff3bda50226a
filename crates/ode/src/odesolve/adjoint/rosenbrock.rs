//! The exact adjoint of Rosenbrock steps.

use super::super::jacobian::Jacobian;
use super::super::lu::Lu;
use super::super::mass_matrix::MassMatrix;
use super::super::rosenbrock::tape_stride;
use super::super::tableau::RosenbrockTableau;
use super::super::vector_ops::{add_outer, add_scaled};
use super::super::workspace::Workspace;
use super::{pull_back_stage, reverse_sweep};
use crate::field::native::{DualCotangent, Evaluator, ParamGradient};

/// Computes the exact adjoint. With `K̄_i` the adjoint of a stage, the adjoint κ_i of its right-hand side solves
/// `Wᵀ κ_i = K̄_i`. The matrix and ∂f/∂t depend on the state too, and contribute the derivative of
/// `κ_iᵀ (∂f/∂u K_i + h d_i ∂f/∂t)` at fixed `κ_i`, `K_i`: the tangent, along (K_i, h d_i), of the vector-Jacobian product
/// with `κ_i`. The parameters' part of this derivative is returned second, ∂L/∂u₀ first.
pub(crate) fn backward(
    evaluator: &Evaluator,
    (tableau, mass): (&RosenbrockTableau, Option<&MassMatrix>),
    sample: usize,
    work: &Workspace,
    bars: &[f64],
    gradient: &mut ParamGradient,
) -> (Vec<f64>, Vec<f64>) {
    let (dof, len, s) = (evaluator.dof(), evaluator.slot_len(), tableau.stages());
    let mut jacobian = Jacobian::default();
    jacobian.bind(evaluator, mass);
    let mut lu = Lu::default();
    let mut lanes = evaluator.tangent_lanes(1);
    let mut gradient_tangents = evaluator.zero_gradient_tangents(&lanes);
    let (mut unused, zero_dot) = (vec![0.0; dof], vec![0.0; dof]);
    let mut stage_bar = vec![0.0; dof];
    let mut k_bar = vec![0.0; s * dof];
    let mut coupled_bar = vec![0.0; dof];
    let u0 = reverse_sweep(work, bars, dof, |place, end_bar, mu| {
        let (step, h) = (place.step, place.step.h());
        let (tape, index) = place.tape(work);
        let taped = &tape[index * tape_stride(tableau, evaluator)..];
        let k = &taped[s * len..];
        let place = (sample, step.t);
        k_bar.fill(0.0);
        add_outer(1.0, tableau.b, end_bar, &mut k_bar);
        jacobian.fill(evaluator, place, &taped[..len]);
        jacobian.factor_shifted(1.0 / (h * tableau.gamma), &mut lu);
        for i in (0..s).rev() {
            let (before, rest) = k_bar.split_at_mut(i * dof);
            let bar = &mut rest[..dof];
            lu.solve_transposed(bar);
            // The coupling is M Σ_j C_ij K_j / h.
            let coupled: &[f64] = match mass {
                None => bar,
                Some(mass) => {
                    coupled_bar.fill(0.0);
                    mass.add_transposed_product(1.0, bar, &mut coupled_bar);
                    &coupled_bar
                }
            };
            for (c, k_bar) in tableau.coupling[i].iter().zip(before.chunks_exact_mut(dof)) {
                add_scaled(c / h, coupled, k_bar);
            }
            let slot = &taped[i * len..(i + 1) * len];
            let at = (sample, step.time_at(tableau.c[i]));
            pull_back_stage((1.0, tableau.a[i]), &mut stage_bar, (mu, before), |to| {
                evaluator.vjp(at, slot, bar, to, None, gradient);
            });
            let (along, first) = (&k[i * dof..(i + 1) * dof], &taped[..len]);
            let t_dot = [h * tableau.d[i]];
            evaluator.jvp_lanes(place, first, along, &t_dot, &mut lanes, &mut unused);
            let u = DualCotangent {
                value: &mut unused,
                tangents: &mut *mu,
            };
            let bars = (&*bar, &zero_dot[..]);
            evaluator.vjp_with_tangents(
                place,
                first,
                &mut lanes,
                bars,
                u,
                None,
                &mut gradient_tangents,
            );
        }
    });
    (
        u0,
        evaluator.parameter_gradient_tangents(&mut lanes, &mut gradient_tangents),
    )
}
