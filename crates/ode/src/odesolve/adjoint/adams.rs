//! The exact adjoint of Adams steps.

use super::super::adams::{RK4, STARTUP, startup_weights};
use super::super::tableau::AdamsTableau;
use super::super::vector_ops::{add, add_outer};
use super::super::workspace::Workspace;
use super::{CotangentCursor, pull_back_stage};
use crate::field::native::{Evaluator, ParamGradient};

/// Computes the exact adjoint: the transpose of the recurrence of the slopes. `history` are the adjoints of the slopes at
/// previous steps: those at the end, and on return those at the start.
pub(crate) fn backward(
    evaluator: &Evaluator,
    tableau: &AdamsTableau,
    sample: usize,
    work: &Workspace,
    (bars, history): (&[f64], &mut Vec<f64>),
    gradient: &mut ParamGradient,
) -> Vec<f64> {
    let (dof, len) = (evaluator.dof(), evaluator.slot_len());
    let variants = &work.recorded.variants;
    let mut end: usize = variants
        .iter()
        .map(|v| tableau.slots_per_step(*v) * len)
        .sum();
    let mut mu = vec![0.0; dof];
    let mut stage_bar = vec![0.0; dof];
    let mut k_bar = vec![0.0; RK4.stages() * dof];
    // Adjoints of the slopes at the state and at previous steps, newest first.
    let mut history_bar = std::mem::take(history);
    history_bar.resize(tableau.predictor.len() * dof, 0.0);
    let mut bars = CotangentCursor::new(&work.recorded.outputs, bars, dof);
    for (n, step) in work.recorded.steps.iter().enumerate().rev() {
        let (h, variant) = (step.h(), variants[n]);
        let start = end - tableau.slots_per_step(variant) * len;
        let slot = |i: usize| &work.tape[start + i * len..start + (i + 1) * len];
        history_bar.copy_within(dof.., 0);
        let last = history_bar.len() - dof;
        history_bar[last..].fill(0.0);
        k_bar.fill(0.0);
        bars.add_at_end(n, &mut mu);
        // Adjoint of u⁺ or of an output inside the step, given by its weights of the slopes.
        let mut output = |weights: &[f64], bar: &[f64]| match (variant, tableau.corrector) {
            (STARTUP, _) => add_outer(h, weights, bar, &mut k_bar),
            (_, None) => add_outer(h, weights, bar, &mut history_bar),
            (_, Some(_)) => {
                add_outer(h, &weights[..1], bar, &mut k_bar);
                add_outer(h, &weights[1..], bar, &mut history_bar);
            }
        };
        output(
            match variant {
                STARTUP => RK4.b,
                _ => tableau.corrector.unwrap_or(tableau.predictor),
            },
            &mu,
        );
        while let Some((theta, bar)) = bars.pop_inside(n) {
            let weights = match variant {
                STARTUP => startup_weights(theta),
                _ => tableau.dense_weights(theta),
            };
            output(&weights, bar);
            add(bar, &mut mu);
        }
        if variant == STARTUP {
            for i in (1..RK4.stages()).rev() {
                let (before, bar) = k_bar.split_at_mut(i * dof);
                let place = (sample, step.time_at(RK4.c[i]));
                pull_back_stage((h, RK4.a[i]), &mut stage_bar, (&mut mu, before), |to| {
                    evaluator.vjp(place, slot(i), &bar[..dof], to, None, gradient);
                });
            }
            add(&k_bar[..dof], &mut history_bar[..dof]);
        } else if tableau.corrector.is_some() {
            let place = (sample, step.end);
            let bars = (&mut mu[..], &mut history_bar[..]);
            pull_back_stage((h, tableau.predictor), &mut stage_bar, bars, |to| {
                evaluator.vjp(place, slot(1), &k_bar[..dof], to, None, gradient);
            });
        }
        let place = (sample, step.t);
        evaluator.vjp(place, slot(0), &history_bar[..dof], &mut mu, None, gradient);
        end = start;
    }
    bars.add_at_start(&mut mu);
    *history = history_bar;
    mu
}
