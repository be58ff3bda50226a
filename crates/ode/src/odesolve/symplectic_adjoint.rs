//! The symplectic adjoint (Matsubara, Miyatake, NeurIPS 2021): the adjoint equation is solved by the method that forms a
//! symplectic partitioned Runge-Kutta pair with the method of the state. Such a pair preserves λᵀ δ, where δ is the variation
//! of the state, and so the gradient is exact.
//!
//! With `l_i = −(∂f/∂u)ᵀ Λ_i` at the stages, `I₀` the set of stages with b_i = 0, `b̃_i = b_i` for i outside I₀ and
//! `b̃_i = h` for i in I₀, a backward step is
//!
//! `Λ_i = λ_{n+1} − h Σ_{j>i} b̃_j (a_ji / b_i) l_j` for i outside I₀, `Λ_i = −Σ_{j>i} b̃_j a_ji l_j` for i in I₀,
//!
//! `λ_n = λ_{n+1} − h Σ_i b̃_i l_i`, and `h Σ_i b̃_i (∂f/∂θ)ᵀ Λ_i` is the parameters' part. The cotangent of an output inside
//! the step, `u_n + h Σ_i w_i(θ) k_i`, is added to Λ_i with the factor `w_i / b̃_i`, and to λ_n with the factor 1.

use super::adjoint::CotangentCursor;
use super::tableau::Tableau;
use super::vector_ops::{add, add_scaled, weighted_sum};
use super::workspace::Workspace;
use crate::field::native::{Evaluator, ParamGradient};

/// Computes the symplectic adjoint of recorded steps from the states at their starts. `bars` is ∂L/∂u of the solution,
/// `[time, dof]`; the parameters' part is added to `gradient`, ∂L/∂u₀ is returned.
pub(crate) fn backward(
    evaluator: &Evaluator,
    tableau: &Tableau,
    sample: usize,
    (work, states): (&Workspace, &[f64]),
    bars: &[f64],
    gradient: &mut ParamGradient,
) -> Vec<f64> {
    let (dof, s) = (evaluator.dof(), tableau.stages());
    let all = tableau.all_stages();
    let mut slot = vec![0.0; evaluator.slot_len()];
    // The stages U_i and their slopes k_i.
    let (mut stages, mut k) = (vec![0.0; all * dof], vec![0.0; all * dof]);
    // The adjoints of the stages, Λ_i, and h b̃_i l_i.
    let (mut stage_lambda, mut slopes) = (vec![0.0; all * dof], vec![0.0; all * dof]);
    let mut weights = vec![0.0; all];
    let mut bar = vec![0.0; dof];
    let mut lambda = vec![0.0; dof];
    let b = |i: usize| tableau.b.get(i).copied().unwrap_or(0.0);
    let b_tilde = |i: usize, h: f64| if b(i) != 0.0 { b(i) } else { h };
    // Stages after the last one with b_i ≠ 0 are needed only for outputs inside the step.
    let last = (0..s).rfind(|i| b(*i) != 0.0).map_or(s, |i| i + 1);
    let mut bars = CotangentCursor::new(&work.recorded.outputs, bars, dof);
    let steps = work.recorded.steps.iter().zip(states.chunks_exact(dof));
    for (n, (step, state)) in steps.enumerate().rev() {
        let h = step.h();
        bars.add_at_end(n, &mut lambda);
        stage_lambda.fill(0.0);
        for (i, lambda_i) in stage_lambda.chunks_exact_mut(dof).enumerate() {
            if b(i) != 0.0 {
                lambda_i.copy_from_slice(&lambda);
            }
        }
        let mut used = last;
        while let Some((theta, bar)) = bars.pop_inside(n) {
            used = all;
            tableau.dense_weights(theta, &mut weights);
            for (i, lambda_i) in stage_lambda.chunks_exact_mut(dof).enumerate() {
                add_scaled(weights[i] / b_tilde(i, h), bar, lambda_i);
            }
            add(bar, &mut lambda);
        }
        for i in 0..used {
            let (c, a) = tableau.stage_row(i);
            let stage = &mut stages[i * dof..(i + 1) * dof];
            weighted_sum(state, h, a, &k, dof, stage);
            if i + 1 < used {
                let k = &mut k[i * dof..(i + 1) * dof];
                evaluator.eval(sample, step.time_at(c), stage, &mut slot, k);
            }
        }
        for i in (0..used).rev() {
            let lambda_i = &mut stage_lambda[i * dof..(i + 1) * dof];
            for (j, slope) in slopes.chunks_exact(dof).enumerate().take(used).skip(i + 1) {
                let a = tableau.stage_row(j).1.get(i).copied().unwrap_or(0.0);
                if a != 0.0 {
                    add_scaled(-a / b_tilde(i, h), slope, lambda_i);
                }
            }
            let slope = &mut slopes[i * dof..(i + 1) * dof];
            slope.fill(0.0);
            if lambda_i.iter().all(|x| *x == 0.0) {
                continue;
            }
            let place = (sample, step.time_at(tableau.stage_row(i).0));
            let stage = &stages[i * dof..(i + 1) * dof];
            evaluator.eval_taped(sample, place.1, stage, &mut slot, &mut bar);
            for (bar, lambda_i) in bar.iter_mut().zip(lambda_i.iter()) {
                *bar = h * b_tilde(i, h) * lambda_i;
            }
            // The vector-Jacobian product is −h b̃_i l_i.
            evaluator.vjp(place, &slot, &bar, slope, None, gradient);
            slope.iter_mut().for_each(|l| *l = -*l);
            add_scaled(-1.0, slope, &mut lambda);
        }
    }
    bars.add_at_start(&mut lambda);
    lambda
}
