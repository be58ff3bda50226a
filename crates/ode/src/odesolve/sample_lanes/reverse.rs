//! The exact adjoint of the solves of a block: [`super::super::adjoint::explicit_rk`] in every lane, over the rounds of the block
//! from the last to the first.
//!
//! A lane takes part in a round whose step it accepted. What it adds in the others is zero.

use aligned_vec::{AVec, avec};

use super::super::adjoint::CotangentCursor;
use super::super::adjoint::explicit_rk::n_output_slots;
use super::super::recorded_steps::RecordedSteps;
use super::super::tableau::Tableau;
use super::super::workspace::Workspace;
use super::block::{Finished, LaneOutcome, LaneTape, SolvedBlock};
use crate::field::kernels::sample_lanes::{gather, scatter};
use crate::field::native::{LaneEvaluator, LaneGradient};

/// The solve whose steps a lane goes back over.
struct Current<'b> {
    sample: usize,
    work: &'b Workspace,
    cotangents: CotangentCursor<'b>,
    /// Number of steps that are left.
    steps: usize,
    /// Number of slots of dense outputs that are left.
    output_slots: usize,
    /// Whether its gradient is wanted.
    is_solved: bool,
}

/// The reverse sweep over a block; vectors are `[component][lane]`.
pub(super) struct Reverse<'b, 'e, const P: usize> {
    evaluator: &'b LaneEvaluator<'e, P>,
    tableau: &'static Tableau,
    /// For each lane, the solves that are left.
    left: [&'b [Finished]; P],
    /// ∂L/∂u of each solve of each lane, `[time, dof]`.
    bars: &'b [Vec<Vec<f64>>; P],
    current: [Option<Current<'b>>; P],
    mu: AVec<f64>,
    k_bar: AVec<f64>,
    carry: AVec<f64>,
    stage_bar: AVec<f64>,
    /// A slot put together from those of lanes evaluated alone.
    gathered: AVec<f64>,
    weights: Vec<f64>,
}

/// The part of a round in a lane.
#[derive(Clone, Copy, Default)]
struct RoundPart {
    /// Step size; 0 where the lane takes no part.
    h: f64,
    is_active: bool,
    /// Whether the step is the first of its solve.
    is_first: bool,
    /// Whether an output lies inside the step.
    has_output: bool,
}

impl<'b, 'e, const P: usize> Reverse<'b, 'e, P> {
    pub fn new(
        evaluator: &'b LaneEvaluator<'e, P>,
        tableau: &'static Tableau,
        solved: &'b SolvedBlock<P>,
        bars: &'b [Vec<Vec<f64>>; P],
    ) -> Self {
        let width = P * evaluator.alone().dof();
        Reverse {
            evaluator,
            tableau,
            left: std::array::from_fn(|p| &solved.lanes[p][..]),
            bars,
            current: std::array::from_fn(|_| None),
            mu: avec![0.0; width],
            k_bar: avec![0.0; tableau.all_stages() * width],
            carry: avec![0.0; width],
            stage_bar: avec![0.0; width],
            gathered: avec![0.0; evaluator.slot_len()],
            weights: vec![0.0; tableau.all_stages()],
        }
    }

    /// Goes back over all rounds. `deliver` gets the index of a problem, ∂L/∂u₀, and its gradient by its lane.
    pub fn run(
        mut self,
        rounds: &[[bool; P]],
        tape: &LaneTape,
        gradient: &mut LaneGradient<P>,
        mut deliver: impl FnMut(usize, Vec<f64>, usize, &mut LaneGradient<P>),
    ) {
        for p in 0..P {
            self.open_previous(p, gradient, &mut deliver);
        }
        for (round, accepted) in rounds.iter().enumerate().rev() {
            let parts = std::array::from_fn(|p| match accepted[p] {
                true => self.begin_step(p),
                false => RoundPart::default(),
            });
            if parts.iter().any(|part: &RoundPart| part.is_active) {
                self.pull_back_round(&parts, tape.round(round), gradient);
            }
            for (p, accepted) in accepted.iter().enumerate() {
                if *accepted && self.current[p].as_ref().is_some_and(|c| c.steps == 0) {
                    self.close(p, gradient, &mut deliver);
                    self.open_previous(p, gradient, &mut deliver);
                }
            }
        }
    }

    /// Makes the last solve that is left in lane `p` the current one; one without a step is done at once.
    fn open_previous(
        &mut self,
        p: usize,
        gradient: &mut LaneGradient<P>,
        deliver: &mut impl FnMut(usize, Vec<f64>, usize, &mut LaneGradient<P>),
    ) {
        while let Some((finished, rest)) = self.left[p].split_last() {
            self.left[p] = rest;
            let work = &finished.work;
            let RecordedSteps { steps, outputs, .. } = &work.recorded;
            let dof = self.evaluator.alone().dof();
            self.current[p] = Some(Current {
                sample: finished.index,
                work,
                cotangents: CotangentCursor::new(outputs, &self.bars[p][rest.len()], dof),
                steps: steps.len(),
                output_slots: n_output_slots(self.tableau, &work.recorded),
                is_solved: matches!(finished.result, LaneOutcome::Solved),
            });
            if !steps.is_empty() {
                return;
            }
            self.close(p, gradient, deliver);
        }
    }

    /// Ends the sweep over the current solve of lane `p`.
    fn close(
        &mut self,
        p: usize,
        gradient: &mut LaneGradient<P>,
        deliver: &mut impl FnMut(usize, Vec<f64>, usize, &mut LaneGradient<P>),
    ) {
        let Some(mut current) = self.current[p].take() else {
            return;
        };
        let zeros = vec![0.0; self.mu.len() / P];
        let mut u0 = zeros.clone();
        gather::<P>(&self.mu, p, &mut u0);
        scatter::<P>(&zeros, p, &mut self.mu);
        scatter::<P>(&zeros, p, &mut self.carry);
        if current.is_solved {
            current.cotangents.add_at_start(&mut u0);
            deliver(current.sample, u0, p, gradient);
        }
    }

    /// Begins the way back over the step before in lane `p`, with the cotangents at its end.
    fn begin_step(&mut self, p: usize) -> RoundPart {
        let Some(current) = &mut self.current[p] else {
            return RoundPart::default();
        };
        current.steps = current.steps.saturating_sub(1);
        let Some(step) = current.work.recorded.steps.get(current.steps) else {
            return RoundPart::default();
        };
        if !current.is_solved {
            return RoundPart::default();
        }
        while let Some(bar) = current.cotangents.pop_at_end(current.steps) {
            add_to_lane::<P>(1.0, bar, p, &mut self.mu);
        }
        RoundPart {
            h: step.h(),
            is_active: true,
            is_first: current.steps == 0,
            has_output: false,
        }
    }

    /// Adds the cotangents inside the step of lane `p` to the adjoints of the slopes and of the state; returns whether there
    /// are any.
    fn add_inside(&mut self, p: usize, h: f64) -> bool {
        let Some(current) = &mut self.current[p] else {
            return false;
        };
        let (width, mut found) = (self.mu.len(), false);
        while let Some((theta, bar)) = current.cotangents.pop_inside(current.steps) {
            found = true;
            self.tableau.dense_weights(theta, &mut self.weights);
            for (weight, k_bar) in self.weights.iter().zip(self.k_bar.chunks_exact_mut(width)) {
                if *weight != 0.0 {
                    add_to_lane::<P>(h * weight, bar, p, k_bar);
                }
            }
            add_to_lane::<P>(1.0, bar, p, &mut self.mu);
        }
        if found {
            current.output_slots -= self.tableau.extra_stages.len();
        }
        found
    }

    /// Pulls the adjoint back over the stages of a round.
    fn pull_back_round(
        &mut self,
        parts: &[RoundPart; P],
        slots: &[f64],
        gradient: &mut LaneGradient<P>,
    ) {
        let (tableau, width) = (self.tableau, self.mu.len());
        let (s, slot_len) = (tableau.stages(), self.evaluator.slot_len());
        let shared = usize::from(tableau.fsal);
        let h = parts.map(|part| part.h);
        let mut parts = *parts;
        self.k_bar.fill(0.0);
        self.evaluator
            .add_outer(&h, tableau.b, &self.mu, &mut self.k_bar);
        for (p, part) in parts.iter_mut().enumerate() {
            part.has_output = part.is_active && self.add_inside(p, part.h);
        }
        for i in (0..tableau.all_stages()).rev() {
            if tableau.fsal && i + 1 == s {
                for (p, _) in parts.iter().enumerate().filter(|(_, part)| part.is_active) {
                    let last = &mut self.k_bar[i * width..(i + 1) * width];
                    for (to, carry) in last.chunks_exact_mut(P).zip(self.carry.chunks_exact(P)) {
                        to[p] += carry[p];
                    }
                }
            }
            let (before, bar) = self.k_bar.split_at_mut(i * width);
            let bar = &bar[..width];
            let takes_part = |part: &RoundPart| match i {
                _ if i >= s => part.has_output,
                0 if tableau.fsal => part.is_first,
                _ => part.is_active,
            };
            let mut live = [false; P];
            for bar in bar.chunks_exact(P) {
                for p in 0..P {
                    live[p] |= bar[p] != 0.0;
                }
            }
            for p in 0..P {
                live[p] &= takes_part(&parts[p]);
            }
            if live == [false; P] {
                continue;
            }
            let slot = match i {
                _ if i >= s || i < shared => {
                    let len = slot_len / P;
                    for p in (0..P).filter(|p| live[*p]) {
                        if let Some(current) = &self.current[p] {
                            let from = match i.checked_sub(s) {
                                Some(extra) => {
                                    &current.work.output_tape
                                        [(current.output_slots + extra) * len..]
                                }
                                None => &current.work.tape,
                            };
                            scatter::<P>(&from[..len], p, &mut self.gathered);
                        }
                    }
                    &self.gathered
                }
                _ => &slots[(i - shared) * slot_len..(i + 1 - shared) * slot_len],
            };
            self.evaluator
                .vjp(slot, (bar, live), &mut self.stage_bar, gradient);
            let (_, a) = tableau.stage_row(i);
            for (mu, stage_bar) in self.mu.iter_mut().zip(self.stage_bar.iter()) {
                *mu += stage_bar;
            }
            self.evaluator.add_outer(&h, a, &self.stage_bar, before);
        }
        for (p, _) in parts.iter().enumerate().filter(|(_, part)| part.is_active) {
            for (carry, k_bar) in self
                .carry
                .chunks_exact_mut(P)
                .zip(self.k_bar.chunks_exact(P))
            {
                carry[p] = k_bar[p];
            }
        }
    }
}

/// Computes `to += scale from` in lane `p` of `to`.
fn add_to_lane<const P: usize>(scale: f64, from: &[f64], p: usize, to: &mut [f64]) {
    for (to, from) in to.chunks_exact_mut(P).zip(from) {
        to[p] += scale * from;
    }
}
