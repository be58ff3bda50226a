//! The exact adjoint of Radau steps.

use super::super::coupled::Coupled;
use super::super::methods::radau::{C, STAGES};
use super::super::workspace::Workspace;
use super::walk;
use crate::field::native::{Evaluator, Gradient};

/// The stages' adjoints λ solve the transposed equations with the Jacobians at the stages,
/// `λ_j − h J_jᵀ Σ_i a_ij λ_i = Z̄_j`, and the slopes' are `k̄_j = h Σ_i a_ij λ_i`.
pub(crate) fn backward(
    evaluator: &Evaluator,
    sample: usize,
    work: &Workspace,
    bars: &[f64],
    gradient: &mut Gradient,
) -> Vec<f64> {
    let (dof, len) = (evaluator.dof(), evaluator.slot_len());
    let mut coupled = Coupled::default();
    coupled.bind(evaluator, 3);
    let mut lambda = vec![0.0; 3 * dof];
    let mut k_bar = vec![0.0; 3 * dof];
    walk(work, bars, dof, |pulled, mu| {
        let (step, first) = (pulled.step, 3 * pulled.index);
        let slot = |i: usize| &pulled.tape[(first + i) * len..(first + i + 1) * len];
        lambda.fill(0.0);
        lambda[2 * dof..].copy_from_slice(pulled.bar);
        let slots = [slot(0), slot(1), slot(2)];
        coupled.factor(evaluator, (sample, step), STAGES, &slots);
        coupled.lu.solve_transposed(&mut lambda);
        k_bar.fill(0.0);
        STAGES.combine_transposed(step.h(), &lambda, &mut k_bar);
        for ((slot, c), k_bar) in slots.iter().zip(C).zip(k_bar.chunks_exact(dof)) {
            evaluator.vjp((sample, step.node(c)), slot, k_bar, mu, None, gradient);
        }
    })
}
