//! Second derivatives of a solve by an explicit Runge-Kutta method.
//!
//! Along a direction of the initial state and the parameters, the stages of a step have the tangents
//! `Ẏ_i = u̇ + h Σ_j a_ij k̇_j`, `k̇_i = ∂f/∂u Ẏ_i + ∂f/∂θ θ̇`. The quantities of the reverse sweep (`μ`, `k̄_i`, `Ȳ_i`) have
//! tangents that are computed together with them. Between the two sweeps only the tangents of the stages' states are stored;
//! those inside a stage are recomputed.

use super::super::adjoint::explicit_rk::{n_output_slots, reverse_sweep, slot};
use super::super::recorded_steps::OutputPosition;
use super::super::tableau::Tableau;
use super::super::vector_ops::{add_weighted_sum, weighted_sum};
use super::super::workspace::Workspace;
use super::SolveTangents;
use crate::field::native::{DualCotangent, Evaluator, ParamGradientTangents, TangentLanes};

/// Computes the tangents of a solve of this sample whose workspace has the slots of all stages; see
/// [`LinearizedSolve::forward`](super::LinearizedSolve::forward).
pub(crate) fn forward(
    tableau: &Tableau,
    (sample, work): (usize, &Workspace),
    evaluator: &Evaluator,
    u0_dot: &[f64],
    lanes: &mut TangentLanes,
) -> SolveTangents {
    let (s, all, width) = (tableau.stages(), tableau.all_stages(), u0_dot.len());
    let len = evaluator.slot_len();
    let mut u = u0_dot.to_vec();
    let recorded = &work.recorded;
    let n_step_slots = tableau.n_slots(recorded.steps.len());
    let n_slots = n_step_slots + n_output_slots(tableau, recorded);
    let mut stages = vec![0.0; n_slots * width];
    let (mut k_dot, mut weights) = (vec![0.0; all * width], vec![0.0; all]);
    let (mut state_dot, mut scratch) = (u0_dot.to_vec(), vec![0.0; width]);
    let (mut output, mut output_slot) = (1, n_step_slots);
    for (n, step) in recorded.steps.iter().enumerate() {
        let h = step.h();
        let inside =
            matches!(recorded.outputs.get(output), Some(OutputPosition::Inside(m, _)) if *m == n);
        // A first stage that is the last one of the previous step has its tangents there.
        let first = usize::from(tableau.fsal && n > 0);
        for i in first..if inside { all } else { s } {
            let slot_index = match i < s {
                true => tableau.slot_index(n, i),
                false => output_slot + i - s,
            };
            let (c, a) = tableau.stage_row(i);
            let stage = &mut stages[slot_index * width..(slot_index + 1) * width];
            weighted_sum(&state_dot, h, a, &k_dot, width, stage);
            evaluator.jvp_lanes(
                (sample, step.time_at(c)),
                slot(tableau, work, len, slot_index),
                stage,
                &[],
                lanes,
                &mut k_dot[i * width..(i + 1) * width],
            );
        }
        if inside {
            output_slot += tableau.extra_stages.len();
        }
        while let Some(&at) = recorded.outputs.get(output) {
            match at {
                OutputPosition::End(m) if m == n => {
                    weighted_sum(&state_dot, h, tableau.b, &k_dot, width, &mut scratch);
                }
                OutputPosition::Inside(m, theta) if m == n => {
                    tableau.dense_weights(theta, &mut weights);
                    weighted_sum(&state_dot, h, &weights, &k_dot, width, &mut scratch);
                }
                _ => break,
            }
            u.extend_from_slice(&scratch);
            output += 1;
        }
        add_weighted_sum(h, tableau.b, &k_dot, width, &mut state_dot);
        if tableau.fsal {
            k_dot.copy_within((s - 1) * width..s * width, 0);
        }
    }
    SolveTangents { u, stages }
}

/// Computes the tangents of the gradient; see [`LinearizedSolve::backward`](super::LinearizedSolve::backward). `rows` are the cotangents at the output times, each
/// followed by its tangents, and so is the result.
pub(super) fn backward(
    tableau: &Tableau,
    (sample, work): (usize, &Workspace),
    evaluator: &Evaluator,
    stages: &[f64],
    rows: &[f64],
    lanes: &mut TangentLanes,
    sums: &mut ParamGradientTangents,
) -> Vec<f64> {
    let (dof, len) = (evaluator.dof(), evaluator.slot_len());
    let width = dof * lanes.width();
    let mut scratch = vec![0.0; width];
    let carry_before = tableau.all_stages();
    reverse_sweep(
        (tableau, carry_before),
        (work, len),
        rows,
        dof + width,
        |t, slot_index, slot, bar, stage_bar| {
            let place = (sample, t);
            let stage_dot = &stages[slot_index * width..(slot_index + 1) * width];
            evaluator.jvp_lanes(place, slot, stage_dot, &[], lanes, &mut scratch);
            let (value, tangents) = stage_bar.split_at_mut(dof);
            let u = DualCotangent { value, tangents };
            evaluator.vjp_with_tangents(place, slot, lanes, bar.split_at(dof), u, None, sums);
        },
    )
}
