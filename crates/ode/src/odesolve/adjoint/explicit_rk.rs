//! The exact adjoint of explicit Runge-Kutta steps.
//!
//! For `L = Σ_m ⟨ū_m, u(t_m)⟩` it yields ∂L/∂u₀ and ∂L/∂θ. With `μ` the adjoint of the state at the end of a step, the
//! stages' adjoints are `k̄_i = h (b_i μ + Σ_{j>i} a_ji Ȳ_j)`, `Ȳ_j = (∂f/∂u)ᵀ k̄_j`, and `μ` at the start of the step is
//! `μ + Σ_j Ȳ_j` (Hairer, Lubich, Wanner, *Geometric Numerical Integration*, VI.4; Sanz-Serna, SIAM Rev. 58, 2016).

use super::super::recorded_steps::{OutputPosition, RecordedSteps};
use super::super::tableau::Tableau;
use super::super::vector_ops::{add, add_outer};
use super::super::workspace::Workspace;
use super::{CotangentCursor, pull_back_stage};
use crate::field::native::{Evaluator, ParamGradient};
use odesync_base::interrupt;

/// Computes the exact adjoint; the result is incomplete where this thread was asked to stop ([`interrupt::check`]). `bars` is ∂L/∂u of the solution, `[time, dof]`; the parameters' part is added to `gradient`,
/// ∂L/∂u₀ is returned.
pub(crate) fn backward(
    evaluator: &Evaluator,
    tableau: &Tableau,
    sample: usize,
    work: &Workspace,
    bars: &[f64],
    gradient: &mut ParamGradient,
) -> Vec<f64> {
    let (dof, len) = (evaluator.dof(), evaluator.slot_len());
    let carry_before = tableau.stages();
    reverse_sweep(
        (tableau, carry_before),
        (work, len),
        bars,
        dof,
        |t, _, slot, bar, stage_bar| {
            // After a request to stop the rest is done with at once; the caller sees the request, and drops the result.
            if !interrupt::is_requested() {
                evaluator.vjp((sample, t), slot, bar, stage_bar, None, gradient);
            }
        },
    )
}

/// Returns the number of slots of the dense outputs of a taped solve: those of each step with an output inside. (The length of
/// the tape does not tell: the slots of a constant field are empty.)
pub(crate) fn n_output_slots(tableau: &Tableau, recorded: &RecordedSteps) -> usize {
    let inside = recorded.outputs.iter().filter_map(|output| match output {
        OutputPosition::Inside(n, _) => Some(*n),
        OutputPosition::Start | OutputPosition::End(_) => None,
    });
    let mut steps: Vec<usize> = inside.collect();
    steps.dedup();
    steps.len() * tableau.extra_stages.len()
}

/// Returns a slot of a taped solve: those of its steps, then those of its dense outputs.
pub(crate) fn slot<'a>(tableau: &Tableau, work: &'a Workspace, len: usize, i: usize) -> &'a [f64] {
    let (tape, at) = match i.checked_sub(tableau.n_slots(work.recorded.steps.len())) {
        Some(output_slot) => (&work.output_tape, output_slot),
        None => (&work.tape, i),
    };
    &tape[at * len..(at + 1) * len]
}

/// Performs the reverse sweep over a solve with slots of length `len`. `pull_back` gets the time of a stage, the index of its
/// slot, the slot and the adjoint k̄ of its slope, and adds Ȳ to its last argument, which is zero before. Returns ∂L/∂u₀. With
/// rows of `width` numbers, adjoints may be followed by their tangents. The adjoint of a stage that two steps share is carried
/// to the earlier one before its stages below `carry_before` are pulled back.
pub(crate) fn reverse_sweep(
    (tableau, carry_before): (&Tableau, usize),
    (work, len): (&Workspace, usize),
    bars: &[f64],
    width: usize,
    mut pull_back: impl FnMut(f64, usize, &[f64], &[f64], &mut [f64]),
) -> Vec<f64> {
    let (s, all) = (tableau.stages(), tableau.all_stages());
    let mut k_bar = vec![0.0; all * width];
    let mut stage_bar = vec![0.0; width];
    let mut carry = vec![0.0; width];
    let mut weights = vec![0.0; all];
    let mut mu = vec![0.0; width];
    let mut bars = CotangentCursor::new(&work.recorded.outputs, bars, width);
    let n_step_slots = tableau.n_slots(work.recorded.steps.len());
    // Number of slots of dense outputs that are not processed yet.
    let mut n_output_slots = n_output_slots(tableau, &work.recorded);
    for (n, step) in work.recorded.steps.iter().enumerate().rev() {
        let h = step.h();
        bars.add_at_end(n, &mut mu);
        k_bar.fill(0.0);
        add_outer(h, tableau.b, &mu, &mut k_bar);
        let mut used = s;
        while let Some((theta, bar)) = bars.pop_inside(n) {
            used = all;
            tableau.dense_weights(theta, &mut weights);
            add_outer(h, &weights, bar, &mut k_bar);
            add(bar, &mut mu);
        }
        n_output_slots -= used - s;
        // A first stage that is the last one of the previous step is pulled back there.
        let first = usize::from(tableau.fsal && n > 0);
        for i in (first..used).rev() {
            if tableau.fsal && i + 1 == carry_before.min(used) {
                add(&carry, &mut k_bar[(s - 1) * width..s * width]);
            }
            let (before, rest) = k_bar.split_at_mut(i * width);
            let bar = &rest[..width];
            if bar.iter().all(|x| *x == 0.0) {
                continue;
            }
            let (c, a) = tableau.stage_row(i);
            let slot_index = match i < s {
                true => tableau.slot_index(n, i),
                false => n_step_slots + n_output_slots + i - s,
            };
            let taped = slot(tableau, work, len, slot_index);
            pull_back_stage((h, a), &mut stage_bar, (&mut mu, before), |to| {
                pull_back(step.time_at(c), slot_index, taped, bar, to);
            });
        }
        carry.copy_from_slice(&k_bar[..width]);
    }
    bars.add_at_start(&mut mu);
    mu
}
