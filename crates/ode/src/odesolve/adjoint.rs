//! The exact discrete adjoint of one-step methods: the transpose of the steps that were taken, with step sizes held fixed.
//! Here the reverse sweep that one-step methods with output steps share, and the cursor over the outputs' cotangents.

pub(super) mod adams;
pub(super) mod bdf;
pub(super) mod esdirk;
pub(super) mod explicit_rk;
pub(super) mod radau;
pub(super) mod rosenbrock;

use super::output_steps;
use super::recorded_steps::{OutputPosition, Step};
use super::vector_ops::{add, add_outer};
use super::workspace::Workspace;

/// Location on the tapes of a step of a solve, or of an output step inside one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StepSlots {
    pub step: Step,
    /// Index of the step, or of the enclosing step.
    pub step_index: usize,
    /// Index of the output step; `None` for a step of the solve.
    pub output_step: Option<usize>,
}

impl StepSlots {
    /// Returns the tape with the slots of the step, and its index there.
    pub fn tape(self, work: &Workspace) -> (&[f64], usize) {
        match self.output_step {
            Some(index) => (&work.output_tape, index),
            None => (&work.tape, self.step_index),
        }
    }
}

/// Performs the reverse sweep over a solve by a one-step method whose outputs inside steps were reached by output steps. As
/// u⁺ is u plus an increment, the adjoint of a step's start is that of its end plus a contribution of the increment, which
/// `pull_back` adds to its last argument, from the adjoint of the end; the output steps inside a step come before it. Returns
/// ∂L/∂u₀. With rows of `width` numbers, adjoints may be followed by their tangents.
pub(crate) fn reverse_sweep(
    work: &Workspace,
    bars: &[f64],
    width: usize,
    mut pull_back: impl FnMut(StepSlots, &[f64], &mut [f64]),
) -> Vec<f64> {
    let mut mu = vec![0.0; width];
    let mut start = vec![0.0; width];
    let mut bars = CotangentCursor::new(&work.recorded.outputs, bars, width);
    let mut output_index = work.n_output_steps;
    for (step_index, &step) in work.recorded.steps.iter().enumerate().rev() {
        bars.add_at_end(step_index, &mut mu);
        start.copy_from_slice(&mu);
        while let Some((theta, bar)) = bars.pop_inside(step_index) {
            output_index -= 1;
            let output_step = StepSlots {
                step: output_steps::substep(step, theta),
                step_index,
                output_step: Some(output_index),
            };
            pull_back(output_step, bar, &mut start);
            add(bar, &mut start);
        }
        let solve_step = StepSlots {
            step,
            step_index,
            output_step: None,
        };
        pull_back(solve_step, &mu, &mut start);
        mu.copy_from_slice(&start);
    }
    bars.add_at_start(&mut mu);
    mu
}

/// Pulls the adjoint of a stage's slope back to the stage's argument `u + h Σ_j a_j k_j`, by `vjp`, which adds it to its
/// argument, and from there to the adjoints of the state, `mu`, and of the slopes before, `before`.
#[inline]
pub(crate) fn pull_back_stage(
    (h, a): (f64, &[f64]),
    stage_bar: &mut [f64],
    (mu, before): (&mut [f64], &mut [f64]),
    vjp: impl FnOnce(&mut [f64]),
) {
    stage_bar.fill(0.0);
    vjp(stage_bar);
    add(stage_bar, mu);
    add_outer(h, a, stage_bar, before);
}

/// Cursor over the cotangents of the solution at the output times, in the order in which a reverse sweep over the steps
/// reaches them.
pub(crate) struct CotangentCursor<'a> {
    outputs: &'a [OutputPosition],
    cotangents: &'a [f64],
    dof: usize,
}

impl<'a> CotangentCursor<'a> {
    /// Creates the cursor at the last output; `bars` are the cotangents, `[time, dof]`.
    pub fn new(outputs: &'a [OutputPosition], bars: &'a [f64], dof: usize) -> Self {
        CotangentCursor {
            outputs,
            cotangents: bars,
            dof,
        }
    }

    fn pop(&mut self) -> &'a [f64] {
        self.outputs = &self.outputs[..self.outputs.len() - 1];
        let at = self.outputs.len() * self.dof;
        &self.cotangents[at..at + self.dof]
    }

    /// Adds the cotangents at the end of step `n` to `mu`. They are reached before those inside the step.
    pub fn add_at_end(&mut self, n: usize, mu: &mut [f64]) {
        while let Some(bar) = self.pop_at_end(n) {
            add(bar, mu);
        }
    }

    /// Returns the next cotangent at the end of step `n`.
    pub fn pop_at_end(&mut self, n: usize) -> Option<&'a [f64]> {
        match self.outputs.last() {
            Some(OutputPosition::End(m)) if *m == n => Some(self.pop()),
            _ => None,
        }
    }

    /// Returns the next cotangent inside step `n`, with its θ.
    pub fn pop_inside(&mut self, n: usize) -> Option<(f64, &'a [f64])> {
        match self.outputs.last() {
            Some(OutputPosition::Inside(m, theta)) if *m == n => Some((*theta, self.pop())),
            _ => None,
        }
    }

    /// Adds the remaining cotangents, which are at the start, to `mu`.
    pub fn add_at_start(&mut self, mu: &mut [f64]) {
        while !self.outputs.is_empty() {
            add(self.pop(), mu);
        }
    }
}
