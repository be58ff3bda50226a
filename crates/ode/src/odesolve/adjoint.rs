//! The exact discrete adjoint of one-step methods: the transpose of the steps that were taken, with step sizes held fixed.
//! Here the adjoint of explicit Runge-Kutta methods and the reverse sweep that the other one-step methods share.
//!
//! For `L = Σ_m ⟨ū_m, u(t_m)⟩` it yields ∂L/∂u₀ and ∂L/∂θ. With `μ` the adjoint of the state at the end of a step, the
//! stages' adjoints are `k̄_i = h (b_i μ + Σ_{j>i} a_ji Ȳ_j)`, `Ȳ_j = (∂f/∂u)ᵀ k̄_j`, and `μ` at the start of the step is
//! `μ + Σ_j Ȳ_j` (Hairer, Lubich, Wanner, *Geometric Numerical Integration*, VI.4; Sanz-Serna, SIAM Rev. 58, 2016).

pub(super) mod adams;
pub(super) mod bdf;
pub(super) mod esdirk;
pub(super) mod radau;
pub(super) mod rosenbrock;

use super::explicit_rk::slot_index;
use super::output_steps;
use super::plan::{SaveLocation, Step};
use super::tableau::Tableau;
use super::vector_ops::{add, add_scaled};
use super::workspace::Workspace;
use crate::field::native::{Evaluator, ParamGradient};

/// Computes the adjoint of a taped solve by an explicit Runge-Kutta method. `bars` is ∂L/∂u of the solution, `[time, dof]`;
/// the parameters' part is added to `gradient`, ∂L/∂u₀ is returned.
pub(crate) fn backward(
    evaluator: &Evaluator,
    tableau: &Tableau,
    sample: usize,
    work: &Workspace,
    bars: &[f64],
    gradient: &mut ParamGradient,
) -> Vec<f64> {
    let dof = evaluator.dof();
    let s = tableau.stages();
    let len = evaluator.slot_len();
    let mut k_bar = vec![0.0; tableau.all_stages() * dof];
    let mut stage_bar = vec![0.0; dof];
    let mut carry = vec![0.0; dof];
    let mut weights = vec![0.0; tableau.all_stages()];
    let mut mu = vec![0.0; dof];
    let mut bars = CotangentCursor::new(&work.plan.outputs, bars, dof);
    // End of the part of the output tape that is not processed yet: the slots of the extra stages.
    let mut unread = work.output_tape.len();

    for (n, step) in work.plan.steps.iter().enumerate().rev() {
        let h = step.h();
        bars.add_at_end(n, &mut mu);
        k_bar.fill(0.0);
        for (b, k_bar) in tableau.b.iter().zip(k_bar.chunks_exact_mut(dof)) {
            add_scaled(h * b, &mu, k_bar);
        }
        let mut inside = false;
        while let Some((theta, bar)) = bars.pop_inside(n) {
            inside = true;
            tableau.dense_weights(theta, &mut weights);
            for (w, k_bar) in weights.iter().zip(k_bar.chunks_exact_mut(dof)) {
                add_scaled(h * w, bar, k_bar);
            }
            add(bar, &mut mu);
        }
        let mut pull_back_stage =
            |i: usize, c: f64, row: &[f64], slot: &[f64], k_bar: &mut [f64]| {
                let (before, rest) = k_bar.split_at_mut(i * dof);
                let bar = &rest[..dof];
                if bar.iter().all(|x| *x == 0.0) {
                    return;
                }
                stage_bar.fill(0.0);
                let place = (sample, step.time_at(c));
                evaluator.vjp(place, slot, bar, &mut stage_bar, None, gradient);
                add(&stage_bar, &mut mu);
                for (a, k_bar) in row.iter().zip(before.chunks_exact_mut(dof)) {
                    if *a != 0.0 {
                        add_scaled(h * a, &stage_bar, k_bar);
                    }
                }
            };
        if inside {
            for (i, extra) in tableau.extra_stages.iter().enumerate().rev() {
                let slot = &work.output_tape[unread - len..unread];
                unread -= len;
                pull_back_stage(s + i, extra.c, extra.a, slot, &mut k_bar);
            }
        }
        if tableau.fsal {
            // The last stage is also the first of the step after this one.
            add(&carry, &mut k_bar[(s - 1) * dof..s * dof]);
        }
        let first = usize::from(tableau.fsal && n > 0);
        for i in (first..s).rev() {
            let at = slot_index(tableau, n, i) * len;
            let slot = &work.tape[at..at + len];
            pull_back_stage(i, tableau.c[i], tableau.a[i], slot, &mut k_bar);
        }
        if tableau.fsal {
            carry.copy_from_slice(&k_bar[..dof]);
        }
    }
    bars.add_at_start(&mut mu);
    mu
}

/// A step to be pulled back in a reverse sweep over a one-step method: a step of the solve, or an output step to an output
/// time inside one.
pub(crate) struct StepBackward<'a> {
    pub step: Step,
    /// Tape with the slots of the step, which are at `index`.
    pub tape: &'a [f64],
    pub index: usize,
    /// Whether the step is an output step; the enclosing step is then pulled back after it.
    pub is_output_step: bool,
    /// Adjoint of the state at the end of the step.
    pub end_bar: &'a [f64],
}

/// Performs the reverse sweep over a solve by a one-step method whose outputs inside steps were reached by output steps. As
/// u⁺ is u plus an increment, the adjoint of a step's start is that of its end plus a contribution of the increment, which
/// `pull_back` adds. Returns ∂L/∂u₀.
pub(crate) fn reverse_sweep(
    work: &Workspace,
    bars: &[f64],
    dof: usize,
    mut pull_back: impl FnMut(StepBackward, &mut [f64]),
) -> Vec<f64> {
    let mut mu = vec![0.0; dof];
    let mut start = vec![0.0; dof];
    let mut bars = CotangentCursor::new(&work.plan.outputs, bars, dof);
    let mut output_index = work.n_output_steps;
    for (n, &step) in work.plan.steps.iter().enumerate().rev() {
        bars.add_at_end(n, &mut mu);
        start.copy_from_slice(&mu);
        while let Some((theta, bar)) = bars.pop_inside(n) {
            output_index -= 1;
            let output_step = StepBackward {
                step: output_steps::substep(step, theta),
                tape: &work.output_tape,
                index: output_index,
                is_output_step: true,
                end_bar: bar,
            };
            pull_back(output_step, &mut start);
            add(bar, &mut start);
        }
        let solve_step = StepBackward {
            step,
            tape: &work.tape,
            index: n,
            is_output_step: false,
            end_bar: &mu,
        };
        pull_back(solve_step, &mut start);
        mu.copy_from_slice(&start);
    }
    bars.add_at_start(&mut mu);
    mu
}

/// Cursor over the cotangents of the solution at the output times, in the order in which a reverse sweep over the steps
/// reaches them.
pub(crate) struct CotangentCursor<'a> {
    outputs: &'a [SaveLocation],
    cotangents: &'a [f64],
    dof: usize,
}

impl<'a> CotangentCursor<'a> {
    /// Creates the cursor at the last output; `bars` are the cotangents, `[time, dof]`.
    pub fn new(outputs: &'a [SaveLocation], bars: &'a [f64], dof: usize) -> Self {
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
        while matches!(self.outputs.last(), Some(SaveLocation::End(m)) if *m == n) {
            add(self.pop(), mu);
        }
    }

    /// Returns the next cotangent inside step `n`, with its θ.
    pub fn pop_inside(&mut self, n: usize) -> Option<(f64, &'a [f64])> {
        match self.outputs.last() {
            Some(SaveLocation::Inside(m, theta)) if *m == n => Some((*theta, self.pop())),
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
