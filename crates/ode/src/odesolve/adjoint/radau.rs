//! The exact adjoint of Radau steps.

use super::super::mass_matrix::MassMatrix;
use super::super::solvers::radau::{C, RK_MATRIX};
use super::super::stage_system::StageSystem;
use super::super::workspace::Workspace;
use super::reverse_sweep;
use crate::field::native::{Evaluator, ParamGradient};

/// Computes the exact adjoint. The stages' adjoints λ solve the transposed equations with the Jacobians at the stages,
/// `Mᵀ λ_j − h J_jᵀ Σ_i a_ij λ_i = Z̄_j` with the mass matrix M, and those of the slopes are `k̄_j = h Σ_i a_ij λ_i`.
pub(crate) fn backward(
    evaluator: &Evaluator,
    mass: Option<&MassMatrix>,
    sample: usize,
    work: &Workspace,
    bars: &[f64],
    gradient: &mut ParamGradient,
) -> Vec<f64> {
    let (dof, len) = (evaluator.dof(), evaluator.slot_len());
    let mut stage_system = StageSystem::default();
    stage_system.bind(evaluator, 3, mass);
    let mut lambda = vec![0.0; 3 * dof];
    let mut k_bar = vec![0.0; 3 * dof];
    reverse_sweep(work, bars, dof, |place, end_bar, mu| {
        let (step, (tape, index)) = (place.step, place.tape(work));
        let first = 3 * index;
        let slot = |i: usize| &tape[(first + i) * len..(first + i + 1) * len];
        lambda.fill(0.0);
        lambda[2 * dof..].copy_from_slice(end_bar);
        let slots = [slot(0), slot(1), slot(2)];
        stage_system.factor(evaluator, (sample, step), RK_MATRIX, &slots);
        stage_system.lu.solve_transposed(&mut lambda);
        k_bar.fill(0.0);
        RK_MATRIX.add_transposed_product(step.h(), &lambda, &mut k_bar);
        for ((slot, c), k_bar) in slots.iter().zip(C).zip(k_bar.chunks_exact(dof)) {
            evaluator.vjp((sample, step.time_at(c)), slot, k_bar, mu, None, gradient);
        }
    })
}
