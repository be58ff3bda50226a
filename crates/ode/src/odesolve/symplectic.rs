//! The symplectic adjoint (Matsubara, Miyatake, NeurIPS 2021): the adjoint equation solved by the method that makes, with the one
//! that solved the state, a symplectic partitioned Runge-Kutta pair. Such a pair keeps λᵀ δ, δ being the variation of the
//! state, and so the gradient is exact.
//!
//! With `l_i = −(∂f/∂u)ᵀ Λ_i` at the stages, `b̃_i = b_i` where b_i is not 0 and h where it is, and `I₀` those where it is,
//! a step backwards is
//!
//! `Λ_i = λ_{n+1} − h Σ_{j>i} b̃_j (a_ji / b_i) l_j` for i outside I₀, `Λ_i = −Σ_{j>i} b̃_j a_ji l_j` for i in I₀,
//!
//! `λ_n = λ_{n+1} − h Σ_i b̃_i l_i`, and `h Σ_i b̃_i (∂f/∂θ)ᵀ Λ_i` is the parameters' part. Weights of the solution inside the step,
//! where it is `u_n + h Σ_i w_i(θ) k_i`, add `w_i / b̃_i` times themselves to Λ_i and themselves to λ_n.

use super::adjoint::Bars;
use super::sums::{add, add_scaled, combine};
use super::tableau::Tableau;
use super::workspace::Workspace;
use crate::field::native::{Evaluator, Gradient};

/// Walks back over the steps of a plan from the states at their starts. `bars` is ∂L/∂u of the solution, `[time, dof]`; the
/// parameters' part is added to `gradient`, ∂L/∂u₀ is returned.
pub(crate) fn backward(
    evaluator: &Evaluator,
    method: &Tableau,
    sample: usize,
    (work, states): (&Workspace, &[f64]),
    bars: &[f64],
    gradient: &mut Gradient,
) -> Vec<f64> {
    let (dof, s) = (evaluator.dof(), method.stages());
    let all = method.all_stages();
    let mut slot = vec![0.0; evaluator.slot_len()];
    // The stages U_i and their slopes k_i.
    let (mut stages, mut k) = (vec![0.0; all * dof], vec![0.0; all * dof]);
    // Their adjoints Λ_i and h b̃_i l_i.
    let (mut big, mut slopes) = (vec![0.0; all * dof], vec![0.0; all * dof]);
    let mut weights = vec![0.0; all];
    let mut bar = vec![0.0; dof];
    let mut lambda = vec![0.0; dof];
    let row = |i: usize| match method.a.get(i) {
        Some(row) => (method.c[i], *row),
        None => (method.extra[i - s].c, method.extra[i - s].a),
    };
    let b = |i: usize| method.b.get(i).copied().unwrap_or(0.0);
    let share = |i: usize, h: f64| if b(i) != 0.0 { b(i) } else { h };
    // Stages after the last with a weight matter inside the step alone.
    let last = (0..s).rfind(|i| b(*i) != 0.0).map_or(s, |i| i + 1);
    let mut bars = Bars::new(&work.plan.outputs, bars, dof);
    let steps = work.plan.steps.iter().zip(states.chunks_exact(dof));
    for (n, (step, state)) in steps.enumerate().rev() {
        let h = step.h();
        bars.end(n, &mut lambda);
        big.fill(0.0);
        for (i, big) in big.chunks_exact_mut(dof).enumerate() {
            if b(i) != 0.0 {
                big.copy_from_slice(&lambda);
            }
        }
        let mut used = last;
        while let Some((theta, bar)) = bars.inside(n) {
            used = all;
            method.dense_weights(theta, &mut weights);
            for (i, big) in big.chunks_exact_mut(dof).enumerate() {
                add_scaled(weights[i] / share(i, h), bar, big);
            }
            add(bar, &mut lambda);
        }
        for i in 0..used {
            let (c, a) = row(i);
            let stage = &mut stages[i * dof..(i + 1) * dof];
            combine(state, h, a, &k, dof, stage);
            if i + 1 < used {
                let k = &mut k[i * dof..(i + 1) * dof];
                evaluator.value(sample, step.node(c), stage, &mut slot, k);
            }
        }
        for i in (0..used).rev() {
            let big = &mut big[i * dof..(i + 1) * dof];
            for (j, slope) in slopes.chunks_exact(dof).enumerate().take(used).skip(i + 1) {
                let a = row(j).1.get(i).copied().unwrap_or(0.0);
                if a != 0.0 {
                    add_scaled(-a / share(i, h), slope, big);
                }
            }
            let slope = &mut slopes[i * dof..(i + 1) * dof];
            slope.fill(0.0);
            if big.iter().all(|x| *x == 0.0) {
                continue;
            }
            let place = (sample, step.node(row(i).0));
            let stage = &stages[i * dof..(i + 1) * dof];
            evaluator.taped(sample, place.1, stage, &mut slot, &mut bar);
            for (bar, big) in bar.iter_mut().zip(big.iter()) {
                *bar = h * share(i, h) * big;
            }
            // The product gives −h b̃_i l_i.
            evaluator.vjp(place, &slot, &bar, slope, None, gradient);
            slope.iter_mut().for_each(|l| *l = -*l);
            add_scaled(-1.0, slope, &mut lambda);
        }
    }
    bars.start(&mut lambda);
    lambda
}
