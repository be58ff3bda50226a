//! Second derivatives of a solve by a stiffly accurate implicit Runge-Kutta method: its last stage is the end of the step.
//!
//! With `Z_i = h Σ_j a_ij f(t + c_j h, u + Z_j)` the tangents of the stages' states `Y_i = u + Z_i` solve the linear system
//! `Ẏ_i − h Σ_j a_ij J_j Ẏ_j = u̇ + h Σ_j a_ij ∂f/∂θ θ̇`; with a mass matrix M it is `M Ẏ_i − … = M u̇ + …`, but for an explicit first
//! stage, which is the state. The stages' adjoints solve its transpose, `Mᵀ λ_j − J_jᵀ k̄_j = Z̄_j`,
//! `k̄_j = h Σ_i a_ij λ_i`, and so do their tangents, `Mᵀ λ̇_j − J_jᵀ k̄˙_j = Z̄˙_j + J̇_jᵀ k̄_j`. In each sweep one
//! factorization per step serves all directions; it is not stored for the other sweep.

use super::super::adjoint::{StepSlots, reverse_sweep};
use super::super::output_steps;
use super::super::recorded_steps::OutputPosition;
use super::super::stage_system::{RkMatrix, StageSystem};
use super::super::vector_ops::add;
use super::super::workspace::Workspace;
use super::{LinearizedSolve, SolveTangents};
use crate::field::native::{DualCotangent, Evaluator, ParamGradientTangents, TangentLanes};

/// Returns the slots of the stages of a step. An explicit first stage is the end of the previous step, and output steps share it
/// with the enclosing step.
fn slots<'a>(
    work: &'a Workspace,
    matrix: RkMatrix,
    place: StepSlots,
    len: usize,
) -> Vec<&'a [f64]> {
    let n_shared = usize::from(matrix.has_explicit_first_stage());
    let stages_per_step = matrix.stages() - n_shared;
    let slot = |stage: usize| {
        let (tape, index) = match stage < n_shared {
            true => (&work.tape[..], place.step_index),
            false => place.tape(work),
        };
        let at = index * stages_per_step + stage;
        &tape[at * len..(at + 1) * len]
    };
    (0..matrix.stages()).map(slot).collect()
}

/// Returns the range of the tangents of a step's stages, `[stages, dof, w]`: those of output steps come after the others.
fn tangent_range(
    work: &Workspace,
    matrix: RkMatrix,
    place: StepSlots,
    width: usize,
) -> std::ops::Range<usize> {
    let at = match place.output_step {
        Some(m) => work.recorded.steps.len() + m,
        None => place.step_index,
    };
    let len = matrix.stages() * width;
    at * len..(at + 1) * len
}

/// Solves for each lane of `x`, `[stages, dof, w]`, separately.
pub(super) fn solve_each_lane(
    x: &mut [f64],
    w: usize,
    one: &mut Vec<f64>,
    solve: impl Fn(&mut [f64]),
) {
    for p in 0..w {
        one.clear();
        one.extend(x.iter().skip(p).step_by(w));
        solve(one);
        for (x, one) in x.iter_mut().skip(p).step_by(w).zip(one.iter()) {
            *x = *one;
        }
    }
}

/// Computes the tangents of a solve; see [`LinearizedSolve::forward`].
pub(super) fn forward(
    solve: &LinearizedSolve,
    matrix: RkMatrix,
    evaluator: &Evaluator,
    u0_dot: &[f64],
    lanes: &mut TangentLanes,
) -> SolveTangents {
    let (s, width, w) = (matrix.stages(), u0_dot.len(), lanes.width());
    let len = evaluator.slot_len();
    let mut stage_system = StageSystem::default();
    stage_system.bind(evaluator, s, solve.mass.as_ref());
    let n_explicit = usize::from(matrix.has_explicit_first_stage());
    let mut u = u0_dot.to_vec();
    let mut stages =
        vec![0.0; (solve.work.recorded.steps.len() + solve.work.n_output_steps) * s * width];
    let (zero_dot, mut param_tangents, mut one) = (vec![0.0; width], vec![0.0; s * width], vec![]);
    let mut state_dot = u0_dot.to_vec();
    let recorded = &solve.work.recorded;
    let (mut output, mut output_step) = (1, 0);
    let mut step_to = |place: StepSlots, state_dot: &[f64], to: &mut [f64]| {
        let (step, slots) = (place.step, slots(&solve.work, matrix, place, len));
        for (j, param_tangent) in param_tangents.chunks_exact_mut(width).enumerate() {
            let at = (solve.sample, step.time_at(matrix.c[j]));
            evaluator.jvp_lanes(at, slots[j], &zero_dot, &[], lanes, param_tangent);
        }
        let stages = &mut stages[tangent_range(&solve.work, matrix, place, width)];
        for (i, stage) in stages.chunks_exact_mut(width).enumerate() {
            stage.copy_from_slice(state_dot);
            if let (Some(mass), true) = (&solve.mass, i >= n_explicit) {
                solve_each_lane(stage, w, &mut one, |x| {
                    let state_dot = x.to_vec();
                    mass.product(&state_dot, x);
                });
            }
        }
        matrix.add_product(step.h(), &param_tangents, stages);
        stage_system.factor(evaluator, (solve.sample, step), matrix, &slots);
        solve_each_lane(stages, w, &mut one, |x| stage_system.lu.solve(x));
        to.copy_from_slice(&stages[(s - 1) * width..]);
    };
    let mut next = vec![0.0; width];
    for (n, &step) in recorded.steps.iter().enumerate() {
        let solve_step = StepSlots {
            step,
            step_index: n,
            output_step: None,
        };
        while let Some(&OutputPosition::Inside(m, theta)) = recorded.outputs.get(output)
            && m == n
        {
            let inner_step = StepSlots {
                step: output_steps::substep(step, theta),
                step_index: n,
                output_step: Some(output_step),
            };
            step_to(inner_step, &state_dot, &mut next);
            u.extend_from_slice(&next);
            (output, output_step) = (output + 1, output_step + 1);
        }
        step_to(solve_step, &state_dot, &mut next);
        std::mem::swap(&mut state_dot, &mut next);
        while recorded.outputs.get(output) == Some(&OutputPosition::End(n)) {
            u.extend_from_slice(&state_dot);
            output += 1;
        }
    }
    SolveTangents { u, stages }
}

/// Computes the tangents of the gradient; see [`LinearizedSolve::backward`]. `rows` are the cotangents at the output times, each
/// followed by its tangents, and so is the result.
pub(super) fn backward(
    solve: &LinearizedSolve,
    matrix: RkMatrix,
    evaluator: &Evaluator,
    stages: &[f64],
    rows: &[f64],
    lanes: &mut TangentLanes,
    sums: &mut ParamGradientTangents,
) -> Vec<f64> {
    let (s, dof, w) = (matrix.stages(), evaluator.dof(), lanes.width());
    let (width, len) = (dof * w, evaluator.slot_len());
    let mut stage_system = StageSystem::default();
    stage_system.bind(evaluator, s, solve.mass.as_ref());
    let (mut lambda, mut lambda_dot) = (vec![0.0; s * dof], vec![0.0; s * width]);
    let (mut k_bar, mut k_bar_dot) = (vec![0.0; s * dof], vec![0.0; s * width]);
    let (zero, zero_dot) = (vec![0.0; dof], vec![0.0; width]);
    let (mut stage_bar, mut scratch, mut one) = (vec![0.0; dof + width], vec![0.0; width], vec![]);
    reverse_sweep(&solve.work, rows, dof + width, |place, end_bar, mu| {
        let (step, slots) = (place.step, slots(&solve.work, matrix, place, len));
        let stages = &stages[tangent_range(&solve.work, matrix, place, width)];
        let (bar, bar_dot) = end_bar.split_at(dof);
        for zeroed in [&mut lambda, &mut lambda_dot, &mut k_bar, &mut k_bar_dot] {
            zeroed.fill(0.0);
        }
        lambda[(s - 1) * dof..].copy_from_slice(bar);
        lambda_dot[(s - 1) * width..].copy_from_slice(bar_dot);
        stage_system.factor(evaluator, (solve.sample, step), matrix, &slots);
        stage_system.lu.solve_transposed(&mut lambda);
        matrix.add_transposed_product(step.h(), &lambda, &mut k_bar);
        // `vjp_with_tangents` is linear in the adjoint and its tangents together. So it is applied first to the adjoint,
        // then to the tangents, whose equations need the result of the first.
        let mut pull = |j: usize, k_bar: (&[f64], &[f64]), stage_bar: &mut [f64]| {
            let at = (solve.sample, step.time_at(matrix.c[j]));
            let stage_dot = &stages[j * width..(j + 1) * width];
            evaluator.jvp_lanes(at, slots[j], stage_dot, &[], lanes, &mut scratch);
            stage_bar.fill(0.0);
            let (value, tangents) = stage_bar.split_at_mut(dof);
            let u = DualCotangent { value, tangents };
            evaluator.vjp_with_tangents(at, slots[j], lanes, k_bar, u, None, sums);
            add(stage_bar, mu);
        };
        for (j, k_bar) in k_bar.chunks_exact(dof).enumerate() {
            pull(j, (k_bar, &zero_dot), &mut stage_bar);
            let lambda_dot = &mut lambda_dot[j * width..(j + 1) * width];
            add(&stage_bar[dof..], lambda_dot);
        }
        solve_each_lane(&mut lambda_dot, w, &mut one, |x| {
            stage_system.lu.solve_transposed(x)
        });
        matrix.add_transposed_product(step.h(), &lambda_dot, &mut k_bar_dot);
        for (j, k_bar_dot) in k_bar_dot.chunks_exact(width).enumerate() {
            pull(j, (&zero, k_bar_dot), &mut stage_bar);
        }
    })
}
