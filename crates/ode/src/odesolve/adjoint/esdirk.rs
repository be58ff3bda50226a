//! The exact adjoint of ESDIRK steps.

use super::super::consistency::Consistency;
use super::super::mass_matrix::MassMatrix;
use super::super::stage_system::StageSystem;
use super::super::tableau::EsdirkTableau;
use super::super::vector_ops::{add, add_scaled};
use super::super::workspace::Workspace;
use super::{pull_back_stage, reverse_sweep};
use crate::field::native::{Evaluator, ParamGradient};

/// Size of a step that crosses a jump of the field, as a share of the next one. The last slope of such a step has an algebraic part
/// as large as its inverse, on which nothing depends but rounding.
const MUCH_SHORTER: f64 = 1e-6;

/// Computes the exact adjoint, stage by stage backwards: with `k̄_i` the adjoint of a stage's slope,
/// `(M − h γ J_i)ᵀ κ_i = k̄_i` with the mass matrix M, and `J_iᵀ κ_i` is the adjoint of `u + h Σ_{j<i} a_ij k_j`.
pub(crate) fn backward(
    evaluator: &Evaluator,
    (tableau, mass): (&EsdirkTableau, Option<&MassMatrix>),
    sample: usize,
    work: &Workspace,
    bars: &[f64],
    gradient: &mut ParamGradient,
) -> Vec<f64> {
    let (dof, len, s) = (evaluator.dof(), evaluator.slot_len(), tableau.stages());
    let mut stage_system = StageSystem::default();
    stage_system.bind(evaluator, 1, mass);
    let mut stage_bar = vec![0.0; dof];
    let mut k_bar = vec![0.0; s * dof];
    // Adjoints of the slope at the start of this step, which its output steps share, and at the start of the next step.
    let (mut first, mut carry) = (vec![0.0; dof], vec![0.0; dof]);
    reverse_sweep(work, bars, dof, |place, end_bar, mu| {
        let (step, h) = (place.step, place.step.h());
        let (tape, index) = place.tape(work);
        let is_output_step = place.output_step.is_some();
        k_bar.fill(0.0);
        for (i, k_bar) in k_bar.chunks_exact_mut(dof).enumerate() {
            add_scaled(h * tableau.b(i), end_bar, k_bar);
        }
        if !is_output_step {
            add(&carry, &mut k_bar[(s - 1) * dof..]);
        }
        let mut pull = |i: usize, k_bar: &mut [f64]| {
            let (before, rest) = k_bar.split_at_mut(i * dof);
            let bar = &mut rest[..dof];
            let at = tableau.slot_index(index, i) * len;
            let slot = &tape[at..at + len];
            let place = (sample, step.time_at(tableau.c[i]));
            if i > 0 {
                stage_system.factor_stage(evaluator, place, slot, h * tableau.gamma);
                stage_system.lu.solve_transposed(bar);
            }
            pull_back_stage((h, tableau.a[i]), &mut stage_bar, (mu, before), |to| {
                evaluator.vjp(place, slot, bar, to, None, gradient);
            });
        };
        for i in (1..s).rev() {
            pull(i, &mut k_bar);
        }
        add(&k_bar[..dof], &mut first);
        if is_output_step {
            return;
        }
        let before = index.checked_sub(1).map(|n| work.recorded.steps[n].h());
        let is_after_jump = before.is_some_and(|before| before.abs() < MUCH_SHORTER * h.abs());
        if index == 0 || (mass.is_some() && is_after_jump) {
            if let Some(mass) = mass {
                // No step depends on the algebraic part of the first slope.
                let mut consistency = Consistency::new(evaluator, mass);
                let at = tableau.slot_index(index, 0) * len;
                let (place, slot) = ((sample, step.t), &tape[at..at + len]);
                consistency.adjoint_of_f(evaluator, place, slot, &mut first);
            }
            pull(0, &mut first);
            first.fill(0.0);
        }
        std::mem::swap(&mut carry, &mut first);
        first.fill(0.0);
    })
}
