//! Second derivatives of a solve by an explicit Runge-Kutta method.
//!
//! With a direction of the initial state and the parameters, the stages of a step have the tangents
//! `Ẏ_i = u̇ + h Σ_j a_ij k̇_j`, `k̇_i = ∂f/∂u Ẏ_i + ∂f/∂θ θ̇`. What the adjoint sweep carries (`μ`, `k̄_i`, `Ȳ_i`) has tangents
//! that are carried beside it. Of the two sweeps only the tangents of the stages' states are stored between them; those inside a
//! stage are computed again.

use super::super::driver::Problem;
use super::super::failure::{FailureReason, SolveFailure};
use super::super::plan::{Output, StepPlan};
use super::super::sums::{accumulate, combine, finite};
use super::super::tableau::Tableau;
use super::{OutputBars, Pair, Tangents, Taped};
use crate::field::native::{Evaluator, Planes, SecondGradient};

/// One problem's solve on its plan, with the slots of all of its stages.
#[derive(Debug)]
pub(super) struct Explicit {
    tableau: &'static Tableau,
    sample: usize,
    plan: StepPlan,
    slots: Vec<f64>,
    /// Index of the first slot of each step's own, and the number of all slots, `[steps + 1]`.
    begin: Vec<usize>,
    /// The solution, `[time, dof]`.
    u: Vec<f64>,
}

impl Explicit {
    /// Replays a plan. `limit` is the most numbers that the slots, and the tangents of `planes` directions, may take.
    pub fn new(
        evaluator: &Evaluator,
        tableau: &'static Tableau,
        problem: &Problem,
        plan: &StepPlan,
        (limit, planes): (usize, usize),
    ) -> Result<Self, SolveFailure> {
        let dof = evaluator.dof();
        let (s, all) = (tableau.stages(), tableau.all_stages());
        let len = evaluator.slot_len();
        let mut taped = Explicit {
            tableau,
            sample: problem.sample,
            plan: plan.clone(),
            slots: vec![],
            begin: vec![0],
            u: problem.u0.to_vec(),
        };
        let mut state = problem.u0.to_vec();
        let (mut stage, mut k, mut weights) =
            (vec![0.0; dof], vec![0.0; all * dof], vec![0.0; all]);
        let mut output = 1;
        for (n, step) in plan.steps.iter().enumerate() {
            let h = step.h();
            let failure = |reason, state: &[f64]| SolveFailure {
                reason,
                t: step.t,
                step: h,
                state: state.to_vec(),
                sample: problem.sample,
            };
            let first = usize::from(tableau.fsal && n > 0);
            let inside = matches!(plan.outputs.get(output), Some(Output::Inside(m, _)) if *m == n);
            let last = if inside { all } else { s };
            let count = taped.begin[n] + last - first;
            taped.begin.push(count);
            let needed = count.saturating_mul(len + planes * dof);
            if needed > limit || taped.slots.try_reserve(all * len).is_err() {
                let bytes = limit.saturating_mul(size_of::<f64>());
                return Err(failure(FailureReason::TapeTooLong(bytes), &state));
            }
            taped.slots.resize(count * len, 0.0);
            for i in first..last {
                let (c, a) = row(tableau, i);
                combine(&state, h, a, &k, dof, &mut stage);
                let at = taped.slot(n, i) * len;
                let slot = &mut taped.slots[at..at + len];
                let k = &mut k[i * dof..(i + 1) * dof];
                evaluator.taped(problem.sample, step.node(c), &stage, slot, k);
            }
            while let Some(&at) = plan.outputs.get(output) {
                match at {
                    Output::End(m) if m == n => combine(&state, h, tableau.b, &k, dof, &mut stage),
                    Output::Inside(m, theta) if m == n => {
                        tableau.dense_weights(theta, &mut weights);
                        combine(&state, h, &weights, &k, dof, &mut stage);
                    }
                    _ => break,
                }
                taped.u.extend_from_slice(&stage);
                output += 1;
            }
            accumulate(h, tableau.b, &k, dof, &mut state);
            if !finite(&state) || !finite(&k) {
                return Err(failure(FailureReason::NotFinite, &state));
            }
            if tableau.fsal {
                k.copy_within((s - 1) * dof..s * dof, 0);
            }
        }
        Ok(taped)
    }

    /// Index of the slot of a stage; the last stage is the first of the next step where the method says so.
    fn slot(&self, step: usize, stage: usize) -> usize {
        match self.shared(step) {
            1 if stage == 0 => self.slot(step - 1, self.tableau.stages() - 1),
            shared => self.begin[step] + stage - shared,
        }
    }

    /// The number of stages, 0 or 1, that a step has from the one before it.
    fn shared(&self, step: usize) -> usize {
        usize::from(self.tableau.fsal && step > 0)
    }

    /// The stages of a step that have slots of its own; those of the dense output are there where it is used.
    fn own(&self, step: usize) -> std::ops::Range<usize> {
        let shared = self.shared(step);
        shared..shared + self.begin[step + 1] - self.begin[step]
    }
}

impl Taped for Explicit {
    fn u(&self) -> &[f64] {
        &self.u
    }

    fn forward(&self, evaluator: &Evaluator, u0_dot: &[f64], planes: &mut Planes) -> Tangents {
        let tableau = self.tableau;
        let (s, all, width) = (tableau.stages(), tableau.all_stages(), u0_dot.len());
        let len = evaluator.slot_len();
        let slots = self.begin.last().copied().unwrap_or(0);
        let mut u = u0_dot.to_vec();
        let mut stages = vec![0.0; slots * width];
        let (mut k_dot, mut weights) = (vec![0.0; all * width], vec![0.0; all]);
        let (mut state_dot, mut room) = (u0_dot.to_vec(), vec![0.0; width]);
        let mut output = 1;
        for (n, step) in self.plan.steps.iter().enumerate() {
            let h = step.h();
            for i in self.own(n) {
                let (slot, (c, a)) = (self.slot(n, i), row(tableau, i));
                let stage = &mut stages[slot * width..(slot + 1) * width];
                combine(&state_dot, h, a, &k_dot, width, stage);
                evaluator.tangent(
                    (self.sample, step.node(c)),
                    &self.slots[slot * len..(slot + 1) * len],
                    stage,
                    &[],
                    planes,
                    &mut k_dot[i * width..(i + 1) * width],
                );
            }
            while let Some(&at) = self.plan.outputs.get(output) {
                match at {
                    Output::End(m) if m == n => {
                        combine(&state_dot, h, tableau.b, &k_dot, width, &mut room);
                    }
                    Output::Inside(m, theta) if m == n => {
                        tableau.dense_weights(theta, &mut weights);
                        combine(&state_dot, h, &weights, &k_dot, width, &mut room);
                    }
                    _ => break,
                }
                u.extend_from_slice(&room);
                output += 1;
            }
            accumulate(h, tableau.b, &k_dot, width, &mut state_dot);
            if tableau.fsal {
                k_dot.copy_within((s - 1) * width..s * width, 0);
            }
        }
        Tangents { u, stages }
    }

    fn backward(
        &self,
        evaluator: &Evaluator,
        stages: &[f64],
        bars: &OutputBars,
        planes: &mut Planes,
        sums: &mut SecondGradient,
    ) -> Vec<f64> {
        let tableau = self.tableau;
        let (s, all, dof) = (tableau.stages(), tableau.all_stages(), evaluator.dof());
        let width = dof * planes.width();
        let len = evaluator.slot_len();
        let mut mu = Pair::zero(dof, width);
        let mut k_bar = Pair::zero(all * dof, all * width);
        let mut carry = Pair::zero(dof, width);
        let mut stage_bar = Pair::zero(dof, width);
        let (mut weights, mut room) = (vec![0.0; all], vec![0.0; width]);
        let bar_of = |m: usize| bars.at(m, (dof, width));
        let mut output = self.plan.outputs.len();
        for (n, step) in self.plan.steps.iter().enumerate().rev() {
            let h = step.h();
            // Requested times at the end of this step come first, then those inside it.
            while output > 0 && matches!(self.plan.outputs[output - 1], Output::End(m) if m == n) {
                output -= 1;
                mu.add(1.0, bar_of(output));
            }
            k_bar.clear();
            for (i, b) in tableau.b.iter().enumerate() {
                k_bar.add_at(i, (dof, width), h * b, mu.both());
            }
            while let Some(&Output::Inside(m, theta)) = self.plan.outputs[..output].last()
                && m == n
            {
                output -= 1;
                tableau.dense_weights(theta, &mut weights);
                for (i, w) in weights.iter().enumerate() {
                    k_bar.add_at(i, (dof, width), h * w, bar_of(output));
                }
                mu.add(1.0, bar_of(output));
            }
            if tableau.fsal {
                // The last stage is also the first of the step after this one.
                k_bar.add_at(s - 1, (dof, width), 1.0, carry.both());
            }
            for i in self.own(n).rev() {
                let (c, a) = row(tableau, i);
                let (bar, bar_dot) = k_bar.part(i, (dof, width));
                if bar.iter().chain(bar_dot).all(|x| *x == 0.0) {
                    continue;
                }
                let slot = self.slot(n, i);
                let taped = &self.slots[slot * len..(slot + 1) * len];
                let place = (self.sample, step.node(c));
                let stage_dot = &stages[slot * width..(slot + 1) * width];
                evaluator.tangent(place, taped, stage_dot, &[], planes, &mut room);
                stage_bar.clear();
                let u = stage_bar.bars();
                evaluator.second(place, taped, planes, (bar, bar_dot), u, None, sums);
                mu.add(1.0, stage_bar.both());
                for (j, a) in a.iter().enumerate() {
                    if *a != 0.0 {
                        k_bar.add_at(j, (dof, width), h * a, stage_bar.both());
                    }
                }
            }
            if tableau.fsal {
                let (value, tangents) = k_bar.part(0, (dof, width));
                carry.value.copy_from_slice(value);
                carry.tangents.copy_from_slice(tangents);
            }
        }
        for m in (0..output).rev() {
            mu.add(1.0, bar_of(m));
        }
        mu.tangents
    }
}

/// Node and coefficients of a stage; those of the dense output come after the step's.
fn row(tableau: &'static Tableau, i: usize) -> (f64, &'static [f64]) {
    match tableau.extra.get(i.wrapping_sub(tableau.stages())) {
        Some(extra) => (extra.c, extra.a),
        None => (tableau.c[i], tableau.a[i]),
    }
}
