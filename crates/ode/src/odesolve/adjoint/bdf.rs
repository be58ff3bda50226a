//! The exact adjoint of BDF steps.

use super::super::backward_differences::{interpolation_weight, respacing_matrix};
use super::super::bdf::N_DIFFERENCES;
use super::super::consistency::Consistency;
use super::super::gradient_accumulator::GradientAccumulator;
use super::super::mass_matrix::MassMatrix;
use super::super::solvers::bdf::{GAMMA, alpha};
use super::super::stage_system::StageSystem;
use super::super::vector_ops::{add, add_scaled};
use super::super::workspace::Workspace;
use super::CotangentCursor;
use crate::field::native::Evaluator;

/// Computes the exact adjoint: the transpose of the recurrence of the differences. `history` are the adjoints of the
/// differences other than the state: those at the end, and on return those at the start.
pub(crate) fn backward(
    evaluator: &Evaluator,
    mass: Option<&MassMatrix>,
    sample: usize,
    work: &Workspace,
    (bars, history): (&[f64], &mut Vec<f64>),
    accumulator: &mut GradientAccumulator,
) -> Vec<f64> {
    let (dof, len) = (evaluator.dof(), evaluator.slot_len());
    let mut stage_system = StageSystem::default();
    stage_system.bind(evaluator, 1, mass);
    // Adjoints of D at the end of a step, then at its start.
    let mut d_bar = std::mem::take(history);
    d_bar.resize(N_DIFFERENCES * dof, 0.0);
    let mut start_bar = vec![0.0; N_DIFFERENCES * dof];
    let mut lambda = vec![0.0; dof];
    let mut psi_bar = vec![0.0; dof];
    let mut f_bar = vec![0.0; dof];
    let mut predicted_bar = vec![0.0; dof];
    let mut bars = CotangentCursor::new(&work.recorded.outputs, bars, dof);
    let orders = &work.recorded.variants;
    for (n, step) in work.recorded.steps.iter().enumerate().rev() {
        let (h, order) = (step.h(), usize::from(orders[n]));
        bars.add_at_end(n, &mut d_bar[..dof]);
        while let Some((theta, bar)) = bars.pop_inside(n) {
            for (j, d_bar) in d_bar.chunks_exact_mut(dof).enumerate().take(order + 1) {
                add_scaled(interpolation_weight(j, theta), bar, d_bar);
            }
        }
        // D_j += D_{j+1} for j = k … 0.
        for j in 0..=order {
            let (before, rest) = d_bar.split_at_mut((j + 1) * dof);
            add(&before[j * dof..], &mut rest[..dof]);
        }
        // D_{k+2} = d − D_{k+1}, D_{k+1} = d.
        for (c, lambda) in lambda.iter_mut().enumerate() {
            let (one, two) = ((order + 1) * dof + c, (order + 2) * dof + c);
            *lambda = d_bar[one] + d_bar[two];
            d_bar[one] = -d_bar[two];
            d_bar[two] = 0.0;
        }
        // M (d + ψ) = c f(t, predicted + d).
        let factor = h / alpha(order);
        let slot = &work.tape[(n + 1) * len..(n + 2) * len];
        let place = (sample, step.end);
        stage_system.factor_stage(evaluator, place, slot, factor);
        stage_system.lu.solve_transposed(&mut lambda);
        f_bar.fill(0.0);
        add_scaled(factor, &lambda, &mut f_bar);
        predicted_bar.fill(0.0);
        let gradient = &mut accumulator.gradient;
        evaluator.vjp(place, slot, &f_bar, &mut predicted_bar, None, gradient);
        psi_bar.fill(0.0);
        match mass {
            None => psi_bar.copy_from_slice(&lambda),
            Some(mass) => mass.add_transposed_product(1.0, &lambda, &mut psi_bar),
        }
        for (j, d_bar) in d_bar.chunks_exact_mut(dof).enumerate().take(order + 1) {
            add(&predicted_bar, d_bar);
            add_scaled(-GAMMA[j] / alpha(order), &psi_bar, d_bar);
        }
        let spacing = match n {
            0 => work.previous_h.unwrap_or(1.0),
            n => work.recorded.steps[n - 1].h(),
        };
        if h != spacing {
            let m = respacing_matrix(h / spacing);
            start_bar.copy_from_slice(&d_bar);
            for i in 0..=order {
                let to = &mut d_bar[i * dof..(i + 1) * dof];
                to.fill(0.0);
                for (j, bar) in start_bar.chunks_exact(dof).enumerate().take(order + 1) {
                    add_scaled(m[i][j], bar, to);
                }
            }
        }
    }
    bars.add_at_start(&mut d_bar[..dof]);
    let (state, rest) = d_bar.split_at_mut(dof);
    let mut mu = state.to_vec();
    state.fill(0.0);
    if let (Some(first), None) = (work.recorded.steps.first(), work.previous_h) {
        let place = (sample, first.t);
        let slot = &work.tape[..len];
        match mass {
            None => {
                let gradient = &mut accumulator.gradient;
                evaluator.vjp(place, slot, &rest[..dof], &mut mu, None, gradient);
            }
            Some(mass) => {
                let (start, to) = (&work.u[..dof], (&mut mu[..], accumulator));
                let mut consistency = Consistency::new(evaluator, mass);
                consistency.pull_back_slope(evaluator, place, start, &rest[..dof], to);
            }
        }
    }
    *history = d_bar;
    mu
}
