//! The three stages of a step as one system, with the Jacobian of each: what exact Newton iteration and the exact adjoint solve.

use super::super::adjoint::walk;
use super::super::jacobian::Jacobian;
use super::super::linear::Lu;
use super::super::methods::radau::{A, C};
use super::super::plan::Step;
use super::super::sums::add_scaled;
use super::super::workspace::Workspace;
use crate::field::native::{Evaluator, Gradient};

/// The stages' equations with the Jacobian of every stage.
#[derive(Debug, Clone, Default)]
pub(super) struct Coupled {
    jacobians: [Jacobian; 3],
    pub lu: Lu<f64>,
}

impl Coupled {
    pub fn bind(&mut self, evaluator: &Evaluator) {
        for jacobian in &mut self.jacobians {
            jacobian.bind(evaluator);
        }
    }

    /// Factors I − h A ⊗ J_j, the jth stage having left its slot at `slots[j]`.
    pub fn factor(
        &mut self,
        evaluator: &Evaluator,
        sample: usize,
        step: Step,
        slots: [&[f64]; 3],
    ) -> bool {
        let dof = evaluator.dof();
        for ((jacobian, c), slot) in self.jacobians.iter_mut().zip(C).zip(slots) {
            jacobian.fill(evaluator, (sample, step.node(c)), slot);
        }
        let (h, jacobians) = (step.h(), &self.jacobians);
        self.lu.factor(3 * dof, |r, c| {
            let (i, j) = (r / dof, c / dof);
            f64::from(r == c) - h * A[i][j] * jacobians[j].at(r % dof, c % dof)
        })
    }
}

/// The exact adjoint of Radau steps: the stages' adjoints λ solve the transposed equations with the Jacobians at the stages,
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
    coupled.bind(evaluator);
    let mut lambda = vec![0.0; 3 * dof];
    let mut k_bar = vec![0.0; dof];
    walk(work, bars, dof, |pulled, mu| {
        let (step, first) = (pulled.step, 3 * pulled.index);
        let slot = |i: usize| &pulled.tape[(first + i) * len..(first + i + 1) * len];
        lambda.fill(0.0);
        lambda[2 * dof..].copy_from_slice(pulled.bar);
        coupled.factor(evaluator, sample, step, [slot(0), slot(1), slot(2)]);
        coupled.lu.solve_transposed(&mut lambda);
        for j in 0..3 {
            k_bar.fill(0.0);
            for (row, lambda) in A.iter().zip(lambda.chunks_exact(dof)) {
                add_scaled(step.h() * row[j], lambda, &mut k_bar);
            }
            let place = (sample, step.node(C[j]));
            evaluator.vjp(place, slot(j), &k_bar, mu, None, gradient);
        }
    })
}
