//! Second derivatives of a solve by an explicit Runge-Kutta method.
//!
//! With a direction of the initial state and the parameters, the stages of a step have the tangents
//! `Ẏ_i = u̇ + h Σ_j a_ij k̇_j`, `k̇_i = ∂f/∂u Ẏ_i + ∂f/∂θ θ̇`. What the adjoint sweep carries (`μ`, `k̄_i`, `Ȳ_i`) has tangents
//! that are carried beside it. Of the two sweeps only the tangents of the stages' states are stored between them; those inside a
//! stage are computed again.

use super::super::explicit::slot_index;
use super::super::plan::Output;
use super::super::sums::{accumulate, combine};
use super::super::tableau::Tableau;
use super::super::workspace::Workspace;
use super::{OutputBars, Pair, Tangents, Taped};
use crate::field::native::{Evaluator, Planes, SecondGradient};

/// One problem's solve on its plan, with the slots of all of its stages.
#[derive(Debug)]
pub(super) struct Explicit {
    pub tableau: &'static Tableau,
    pub sample: usize,
    pub work: Workspace,
}

impl Explicit {
    /// Number of the steps' slots; those of the dense output come after them.
    fn slots(&self) -> usize {
        let steps = self.work.plan.steps.len();
        slot_index(self.tableau, steps, 0) + usize::from(self.tableau.fsal)
    }

    /// Number of slots of the dense output: those of each step with an output inside.
    fn dense(&self) -> usize {
        let outputs = self.work.plan.outputs.iter();
        let inside = outputs.filter_map(|at| match at {
            Output::Inside(n, _) => Some(*n),
            Output::Start | Output::End(_) => None,
        });
        let mut steps: Vec<usize> = inside.collect();
        steps.dedup();
        steps.len() * self.tableau.extra.len()
    }

    fn slot(&self, slot: usize, len: usize) -> &[f64] {
        let (tape, at) = match slot.checked_sub(self.slots()) {
            Some(beside) => (&self.work.tape_beside, beside),
            None => (&self.work.tape, slot),
        };
        &tape[at * len..(at + 1) * len]
    }

    /// The stages that a step has for its own, without one that is the last of the step before, and their slots. `beside` is
    /// the number of slots of dense outputs before this step, where it has an output inside.
    fn own(
        &self,
        n: usize,
        beside: Option<usize>,
    ) -> impl DoubleEndedIterator<Item = (usize, usize)> + use<> {
        let (tableau, slots) = (self.tableau, self.slots());
        let first = usize::from(tableau.fsal && n > 0);
        let step = (first..tableau.stages()).map(move |i| (i, slot_index(tableau, n, i)));
        let dense = beside.into_iter().flat_map(move |beside| {
            (0..tableau.extra.len()).map(move |i| (tableau.stages() + i, slots + beside + i))
        });
        step.chain(dense)
    }
}

impl Taped for Explicit {
    fn u(&self) -> &[f64] {
        &self.work.u
    }

    fn forward(&self, evaluator: &Evaluator, u0_dot: &[f64], planes: &mut Planes) -> Tangents {
        let tableau = self.tableau;
        let (s, all, width) = (tableau.stages(), tableau.all_stages(), u0_dot.len());
        let len = evaluator.slot_len();
        let mut u = u0_dot.to_vec();
        let mut stages = vec![0.0; (self.slots() + self.dense()) * width];
        let (mut k_dot, mut weights) = (vec![0.0; all * width], vec![0.0; all]);
        let (mut state_dot, mut room) = (u0_dot.to_vec(), vec![0.0; width]);
        let plan = &self.work.plan;
        let (mut output, mut beside) = (1, 0);
        for (n, step) in plan.steps.iter().enumerate() {
            let h = step.h();
            let inside = matches!(plan.outputs.get(output), Some(Output::Inside(m, _)) if *m == n);
            for (i, slot) in self.own(n, inside.then_some(beside)) {
                let (c, a) = row(tableau, i);
                let stage = &mut stages[slot * width..(slot + 1) * width];
                combine(&state_dot, h, a, &k_dot, width, stage);
                evaluator.tangent(
                    (self.sample, step.node(c)),
                    self.slot(slot, len),
                    stage,
                    &[],
                    planes,
                    &mut k_dot[i * width..(i + 1) * width],
                );
            }
            if inside {
                beside += tableau.extra.len();
            }
            while let Some(&at) = plan.outputs.get(output) {
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
        let plan = &self.work.plan;
        let mut output = plan.outputs.len();
        // Slots of dense outputs that are not walked over yet.
        let mut beside = self.dense();
        for (n, step) in plan.steps.iter().enumerate().rev() {
            let h = step.h();
            // Requested times at the end of this step come first, then those inside it.
            while output > 0 && matches!(plan.outputs[output - 1], Output::End(m) if m == n) {
                output -= 1;
                mu.add(1.0, bar_of(output));
            }
            k_bar.clear();
            for (i, b) in tableau.b.iter().enumerate() {
                k_bar.add_at(i, (dof, width), h * b, mu.both());
            }
            let mut inside = false;
            while let Some(&Output::Inside(m, theta)) = plan.outputs[..output].last()
                && m == n
            {
                inside = true;
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
            if inside {
                beside -= tableau.extra.len();
            }
            for (i, slot) in self.own(n, inside.then_some(beside)).rev() {
                let (c, a) = row(tableau, i);
                let (bar, bar_dot) = k_bar.part(i, (dof, width));
                if bar.iter().chain(bar_dot).all(|x| *x == 0.0) {
                    continue;
                }
                let taped = self.slot(slot, len);
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
