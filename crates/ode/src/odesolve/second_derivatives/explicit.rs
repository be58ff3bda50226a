//! Second derivatives of a solve by an explicit Runge-Kutta method.
//!
//! Along a direction of the initial state and the parameters, the stages of a step have the tangents
//! `Ẏ_i = u̇ + h Σ_j a_ij k̇_j`, `k̇_i = ∂f/∂u Ẏ_i + ∂f/∂θ θ̇`. The quantities of the reverse sweep (`μ`, `k̄_i`, `Ȳ_i`) have
//! tangents that are computed together with them. Between the two sweeps only the tangents of the stages' states are stored;
//! those inside a stage are recomputed.

use std::borrow::Borrow;
use std::fmt::Debug;

use super::super::explicit_rk::slot_index;
use super::super::plan::SaveLocation;
use super::super::tableau::Tableau;
use super::super::vector_ops::{add_weighted_sum, weighted_sum};
use super::super::workspace::Workspace;
use super::{DualVec, LinearizedSolve, OutputCotangents, SolveTangents};
use crate::field::native::{Evaluator, ParamGradientTangents, TangentLanes};

/// A solve of one problem by an explicit Runge-Kutta method on its plan, with the slots of all stages.
#[derive(Debug)]
pub(super) struct LinearizedExplicitRk<W> {
    pub tableau: &'static Tableau,
    pub sample: usize,
    pub work: W,
}

impl<W: Borrow<Workspace>> LinearizedExplicitRk<W> {
    fn work(&self) -> &Workspace {
        self.work.borrow()
    }

    /// Returns the number of slots of the steps; those of the dense output come after them.
    fn n_step_slots(&self) -> usize {
        let steps = self.work().plan.steps.len();
        slot_index(self.tableau, steps, 0) + usize::from(self.tableau.fsal)
    }

    /// Returns the number of slots of the dense output: those of each step with an output inside.
    fn n_dense_slots(&self) -> usize {
        let outputs = self.work().plan.outputs.iter();
        let inside = outputs.filter_map(|at| match at {
            SaveLocation::Inside(n, _) => Some(*n),
            SaveLocation::Start | SaveLocation::End(_) => None,
        });
        let mut steps: Vec<usize> = inside.collect();
        steps.dedup();
        steps.len() * self.tableau.extra_stages.len()
    }

    fn slot(&self, slot: usize, len: usize) -> &[f64] {
        let (tape, at) = match slot.checked_sub(self.n_step_slots()) {
            Some(dense_slot) => (&self.work().output_tape, dense_slot),
            None => (&self.work().tape, slot),
        };
        &tape[at * len..(at + 1) * len]
    }

    /// Iterates over the stages that belong to a step, with their slots; a first stage that is the last of the previous step
    /// is left out. `dense_slot` is the number of slots of dense outputs before this step, where it has an output inside.
    fn step_slots(
        &self,
        n: usize,
        dense_slot: Option<usize>,
    ) -> impl DoubleEndedIterator<Item = (usize, usize)> + use<W> {
        let (tableau, slots) = (self.tableau, self.n_step_slots());
        let first = usize::from(tableau.fsal && n > 0);
        let step = (first..tableau.stages()).map(move |i| (i, slot_index(tableau, n, i)));
        let dense = dense_slot.into_iter().flat_map(move |first_slot| {
            (0..tableau.extra_stages.len())
                .map(move |i| (tableau.stages() + i, slots + first_slot + i))
        });
        step.chain(dense)
    }
}

impl<W: Borrow<Workspace> + Debug + Send + Sync> LinearizedSolve for LinearizedExplicitRk<W> {
    fn u(&self) -> &[f64] {
        &self.work().u
    }

    fn forward(
        &self,
        evaluator: &Evaluator,
        u0_dot: &[f64],
        lanes: &mut TangentLanes,
    ) -> SolveTangents {
        let tableau = self.tableau;
        let (s, all, width) = (tableau.stages(), tableau.all_stages(), u0_dot.len());
        let len = evaluator.slot_len();
        let mut u = u0_dot.to_vec();
        let mut stages = vec![0.0; (self.n_step_slots() + self.n_dense_slots()) * width];
        let (mut k_dot, mut weights) = (vec![0.0; all * width], vec![0.0; all]);
        let (mut state_dot, mut scratch) = (u0_dot.to_vec(), vec![0.0; width]);
        let plan = &self.work().plan;
        let (mut output, mut dense_slot) = (1, 0);
        for (n, step) in plan.steps.iter().enumerate() {
            let h = step.h();
            let inside =
                matches!(plan.outputs.get(output), Some(SaveLocation::Inside(m, _)) if *m == n);
            for (i, slot) in self.step_slots(n, inside.then_some(dense_slot)) {
                let (c, a) = stage_row(tableau, i);
                let stage = &mut stages[slot * width..(slot + 1) * width];
                weighted_sum(&state_dot, h, a, &k_dot, width, stage);
                evaluator.jvp_lanes(
                    (self.sample, step.time_at(c)),
                    self.slot(slot, len),
                    stage,
                    &[],
                    lanes,
                    &mut k_dot[i * width..(i + 1) * width],
                );
            }
            if inside {
                dense_slot += tableau.extra_stages.len();
            }
            while let Some(&at) = plan.outputs.get(output) {
                match at {
                    SaveLocation::End(m) if m == n => {
                        weighted_sum(&state_dot, h, tableau.b, &k_dot, width, &mut scratch);
                    }
                    SaveLocation::Inside(m, theta) if m == n => {
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

    fn backward(
        &self,
        evaluator: &Evaluator,
        stages: &[f64],
        bars: &OutputCotangents,
        lanes: &mut TangentLanes,
        sums: &mut ParamGradientTangents,
    ) -> Vec<f64> {
        let tableau = self.tableau;
        let (s, all, dof) = (tableau.stages(), tableau.all_stages(), evaluator.dof());
        let width = dof * lanes.width();
        let len = evaluator.slot_len();
        let mut mu = DualVec::zero(dof, width);
        let mut k_bar = DualVec::zero(all * dof, all * width);
        let mut carry = DualVec::zero(dof, width);
        let mut stage_bar = DualVec::zero(dof, width);
        let (mut weights, mut scratch) = (vec![0.0; all], vec![0.0; width]);
        let bar_of = |m: usize| bars.at_output(m, (dof, width));
        let plan = &self.work().plan;
        let mut output = plan.outputs.len();
        // Number of slots of dense outputs that are not processed yet.
        let mut dense_slot = self.n_dense_slots();
        for (n, step) in plan.steps.iter().enumerate().rev() {
            let h = step.h();
            // Output times at the end of this step come first, then those inside it.
            while output > 0 && matches!(plan.outputs[output - 1], SaveLocation::End(m) if m == n) {
                output -= 1;
                mu.add(1.0, bar_of(output));
            }
            k_bar.clear();
            for (i, b) in tableau.b.iter().enumerate() {
                k_bar.add_at(i, (dof, width), h * b, mu.as_refs());
            }
            let mut inside = false;
            while let Some(&SaveLocation::Inside(m, theta)) = plan.outputs[..output].last()
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
                k_bar.add_at(s - 1, (dof, width), 1.0, carry.as_refs());
            }
            if inside {
                dense_slot -= tableau.extra_stages.len();
            }
            for (i, slot) in self.step_slots(n, inside.then_some(dense_slot)).rev() {
                let (c, a) = stage_row(tableau, i);
                let (bar, bar_dot) = k_bar.block(i, (dof, width));
                if bar.iter().chain(bar_dot).all(|x| *x == 0.0) {
                    continue;
                }
                let taped = self.slot(slot, len);
                let place = (self.sample, step.time_at(c));
                let stage_dot = &stages[slot * width..(slot + 1) * width];
                evaluator.jvp_lanes(place, taped, stage_dot, &[], lanes, &mut scratch);
                stage_bar.clear();
                let u = stage_bar.as_dual_cotangent();
                evaluator.vjp_with_tangents(place, taped, lanes, (bar, bar_dot), u, None, sums);
                mu.add(1.0, stage_bar.as_refs());
                for (j, a) in a.iter().enumerate() {
                    if *a != 0.0 {
                        k_bar.add_at(j, (dof, width), h * a, stage_bar.as_refs());
                    }
                }
            }
            if tableau.fsal {
                let (value, tangents) = k_bar.block(0, (dof, width));
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

/// Returns the node and the coefficients of a stage; the stages of the dense output come after those of the step.
fn stage_row(tableau: &'static Tableau, i: usize) -> (f64, &'static [f64]) {
    match tableau.extra_stages.get(i.wrapping_sub(tableau.stages())) {
        Some(extra) => (extra.c, extra.a),
        None => (tableau.c[i], tableau.a[i]),
    }
}
