//! The forward solves of a block: one solve in each lane, which takes the next one when it is done.
//!
//! In each *round* every lane attempts one step of its own solve, of its own size; the stages of all lanes are evaluated
//! together. Whether a step is accepted, what it writes and how long the next one is, each lane decides as a solve alone does,
//! by the same code.

use aligned_vec::{AVec, avec};

use super::super::control::joint_norm;
use super::super::driver::Problem;
use super::super::explicit_rk::{ExplicitRk, LaneStep};
use super::super::integrator_core::IntegratorCore;
use super::super::options::SolveOptions;
use super::super::recorded_steps::Step;
use super::super::tableau::Tableau;
use super::super::workspace::{ForwardRecord, Workspace};
use crate::field::VectorField;
use crate::field::kernels::sample_lanes::{gather, scatter};
use crate::field::native::{Evaluator, LaneEvaluator, Slopes, StepEnds};
use odesync_base::failure::SolveFailure;

/// The batch whose problems the lanes solve.
#[derive(Clone, Copy)]
pub(super) struct Batch<'a> {
    pub field: &'a VectorField,
    pub problems: &'a [Problem<'a>],
    pub options: &'a SolveOptions,
    pub tableau: &'static Tableau,
    /// The field of each problem, where these are not `field`: the same equations with other parameter values.
    pub own_fields: &'a [OwnField],
    /// Whether the steps of each solve are recorded, all or the last one alone.
    pub keeps_steps: bool,
    /// Called after each solve.
    pub on_done: &'a (dyn Fn() + Sync),
}

/// The field of one problem, with its evaluator.
#[derive(Debug)]
pub(crate) struct OwnField {
    pub field: VectorField,
    pub evaluator: Evaluator,
}

/// The tape of a block: the slots of all lanes, round after round. A round has its own allocation, which the next block uses
/// again.
#[derive(Debug, Default)]
pub(crate) struct LaneTape {
    rounds: Vec<AVec<f64>>,
}

impl LaneTape {
    /// Returns the slots of round `n`, `len` numbers.
    fn round_mut(&mut self, n: usize, len: usize) -> &mut [f64] {
        if n == self.rounds.len() {
            self.rounds.push(avec![]);
        }
        let round = &mut self.rounds[n];
        round.resize(len, 0.0);
        round
    }

    /// Frees the rounds after the first `len` numbers.
    pub fn truncate(&mut self, len: usize) {
        let mut total = 0;
        self.rounds.retain(|round| {
            total += round.capacity();
            total <= len
        });
    }

    /// Returns the slots of round `n`.
    pub fn round(&self, n: usize) -> &[f64] {
        &self.rounds[n]
    }
}

/// A solve that has left its lane.
pub(super) struct Finished {
    /// Index of the problem.
    pub index: usize,
    /// Its results, and the slots that it evaluated alone: the first stage and the extra stages of dense outputs.
    pub work: Workspace,
    pub result: LaneOutcome,
}

/// How a solve left its lane.
pub(super) enum LaneOutcome {
    Solved,
    Failed(SolveFailure),
    /// The tape of the block would have become too long.
    Abandoned,
}

/// The solves of a block.
pub(super) struct SolvedBlock<const P: usize> {
    /// For each lane, the solves that it had, in order.
    pub lanes: [Vec<Finished>; P],
    /// For each round, whether the step of each lane was accepted.
    pub rounds: Vec<[bool; P]>,
}

/// What a block may take up.
pub(super) struct BlockLimits {
    /// Length of the tape from which on a lane whose solve is done takes no other.
    pub refill: usize,
    /// Largest length of the tape.
    pub tape: usize,
}

struct Lane<'w, 'a, const TAPE: bool> {
    index: usize,
    /// Whether the state of the solve is not yet among those of the block.
    is_new: bool,
    core: Option<IntegratorCore<'w, 'a, Evaluator, TAPE>>,
    method: ExplicitRk,
    /// The workspace while no solve is in the lane.
    spare: Option<&'w mut Workspace>,
}

/// A block while it is solved; vectors are `[component][lane]`.
pub(super) struct Block<'b, 'a, const P: usize, const TAPE: bool> {
    evaluator: &'b mut LaneEvaluator<'a, P>,
    batch: Batch<'a>,
    tape: &'b mut LaneTape,
    solved: SolvedBlock<P>,
    samples: [usize; P],
    state: AVec<f64>,
    stage: AVec<f64>,
    k: AVec<f64>,
    /// The slot of all evaluations where there is no tape.
    slot: AVec<f64>,
}

impl<'b, 'a, const P: usize, const TAPE: bool> Block<'b, 'a, P, TAPE> {
    pub fn new(
        evaluator: &'b mut LaneEvaluator<'a, P>,
        batch: Batch<'a>,
        tape: &'b mut LaneTape,
    ) -> Self {
        let width = P * evaluator.alone().dof();
        Block {
            solved: SolvedBlock {
                lanes: std::array::from_fn(|_| vec![]),
                rounds: vec![],
            },
            samples: [0; P],
            state: avec![0.0; width],
            stage: avec![0.0; width],
            k: avec![0.0; batch.tableau.stages() * width],
            slot: avec![0.0; if TAPE { 0 } else { evaluator.slot_len() }],
            evaluator,
            batch,
            tape,
        }
    }

    /// Solves problems until `take`, which returns the index of the next one, has no more or the limit is reached.
    pub fn solve(
        mut self,
        limits: &BlockLimits,
        mut take: impl FnMut() -> Option<usize>,
    ) -> SolvedBlock<P> {
        let mut works: [Workspace; P] = std::array::from_fn(|_| Workspace::default());
        let lane = |work| Lane {
            index: 0,
            is_new: false,
            core: None,
            method: ExplicitRk::new(self.batch.tableau),
            spare: Some(work),
        };
        let mut lanes: Vec<Lane<TAPE>> = works.iter_mut().map(lane).collect();
        loop {
            let tape = self.solved.rounds.len() * self.round_len();
            let refill = self.solved.rounds.is_empty() || tape < limits.refill;
            let mut steps = [None; P];
            for (p, lane) in lanes.iter_mut().enumerate() {
                steps[p] = self.next_step(p, lane, || if refill { take() } else { None });
            }
            if steps == [None; P] {
                return self.solved;
            }
            if TAPE && tape + self.round_len() > limits.tape {
                for (p, lane) in lanes.iter_mut().enumerate() {
                    self.finish(p, lane, LaneOutcome::Abandoned);
                }
                return self.solved;
            }
            self.perform_steps(&mut lanes, &steps);
            let accepted = self.finish_steps(&mut lanes, &steps);
            self.advance(accepted);
            if TAPE {
                self.solved.rounds.push(accepted);
            }
        }
    }

    /// Returns the next step of lane `p`, of a solve from `take` where it has none or its solve is done; `None` where there is
    /// none.
    fn next_step<'w>(
        &mut self,
        p: usize,
        lane: &mut Lane<'w, 'a, TAPE>,
        mut take: impl FnMut() -> Option<usize>,
    ) -> Option<Step>
    where
        'a: 'w,
    {
        loop {
            if lane.core.is_none()
                && let Err(failure) = self.start(p, lane, take()?)
            {
                self.finish(p, lane, LaneOutcome::Failed(failure));
                continue;
            }
            let core = lane.core.as_mut()?;
            match core.propose_step(&lane.method) {
                Ok(Some(step)) => {
                    lane.method.prepare_lane(core);
                    return Some(step);
                }
                Ok(None) => self.finish(p, lane, LaneOutcome::Solved),
                Err(failure) => self.finish(p, lane, LaneOutcome::Failed(failure)),
            }
        }
    }

    /// Starts the solve of problem `index` in lane `p`.
    fn start<'w>(
        &mut self,
        p: usize,
        lane: &mut Lane<'w, 'a, TAPE>,
        index: usize,
    ) -> Result<(), SolveFailure>
    where
        'a: 'w,
    {
        let Some(work) = lane.spare.take() else {
            return Ok(());
        };
        let Batch {
            problems,
            options,
            tableau,
            own_fields,
            ..
        } = self.batch;
        let (field, evaluator) = match own_fields.get(index) {
            Some(own) => {
                self.evaluator.set_lane(p, &own.evaluator);
                (&own.field, &own.evaluator)
            }
            None => (self.batch.field, self.evaluator.alone()),
        };
        work.record = match self.batch.keeps_steps {
            true => ForwardRecord::Steps,
            false => ForwardRecord::Nothing,
        };
        let problem = problems[index];
        let breakpoints = field.breakpoints_within(problem.sample, problem.t);
        lane.method.reset(tableau, evaluator);
        (lane.index, lane.is_new) = (index, true);
        self.samples[p] = problem.sample;
        let core = IntegratorCore::new(evaluator, &breakpoints, problem, options, work);
        lane.core.insert(core).initialize(&mut lane.method)
    }

    /// Takes the solve out of lane `p`, if there is one.
    fn finish(&mut self, p: usize, lane: &mut Lane<TAPE>, result: LaneOutcome) {
        if let Some(core) = lane.core.take() {
            let work = core.work;
            self.solved.lanes[p].push(Finished {
                index: lane.index,
                work: std::mem::take(work),
                result,
            });
            lane.spare = Some(work);
            (self.batch.on_done)();
        }
    }

    /// Returns the length of the tape of a round.
    fn round_len(&self) -> usize {
        self.batch.tableau.slot_index(1, 0) * self.evaluator.slot_len()
    }

    /// Accepts or rejects the step of every lane that has one. Returns which are accepted.
    fn finish_steps(&mut self, lanes: &mut [Lane<TAPE>], steps: &[Option<Step>; P]) -> [bool; P] {
        let mut accepted = [false; P];
        // Two loops, so that the powers of the step-size rule of several lanes overlap.
        for (p, (lane, step)) in lanes.iter_mut().zip(steps).enumerate() {
            if let (Some(core), Some(step)) = (&mut lane.core, step) {
                match core.judge_attempt(&mut lane.method, *step, Ok(())) {
                    Ok(is_accepted) => accepted[p] = is_accepted,
                    Err(failure) => self.finish(p, lane, LaneOutcome::Failed(failure)),
                }
            }
        }
        for (p, (lane, step)) in lanes.iter_mut().zip(steps).enumerate() {
            if let (Some(core), Some(step), true) = (&mut lane.core, step, accepted[p])
                && let Err(failure) = core.complete_step(&mut lane.method, *step, false)
            {
                accepted[p] = false;
                self.finish(p, lane, LaneOutcome::Failed(failure));
            }
        }
        accepted
    }

    /// Makes the end of the attempted step the state of these lanes, and its last slope the first one where steps share it.
    fn advance(&mut self, accepted: [bool; P]) {
        let width = self.state.len();
        select::<P>(&self.stage, accepted, &mut self.state);
        if self.batch.tableau.fsal {
            let before_last = self.k.len() - width;
            let (first, last) = self.k.split_at_mut(before_last);
            select::<P>(last, accepted, &mut first[..width]);
        }
    }

    /// Computes the stages of a step in every lane that has one, the state at its end and the norm of its error.
    fn perform_steps(&mut self, lanes: &mut [Lane<TAPE>], steps: &[Option<Step>; P]) {
        let (tableau, dof) = (self.batch.tableau, self.evaluator.alone().dof());
        let (s, width) = (tableau.stages(), P * dof);
        for (p, lane) in lanes.iter_mut().enumerate().filter(|(_, lane)| lane.is_new) {
            let Some(core) = &lane.core else { continue };
            scatter::<P>(&core.work.state, p, &mut self.state);
            scatter::<P>(lane.method.first_stage(), p, &mut self.k[..width]);
            lane.is_new = false;
        }
        let steps_or_none = steps.map(|step| step.unwrap_or(Step { t: 0.0, end: 0.0 }));
        let h = &steps_or_none.map(|step| step.h());
        let (round, round_len) = (self.solved.rounds.len(), self.round_len());
        let slot_len = self.evaluator.slot_len();
        let slots = match TAPE {
            true => self.tape.round_mut(round, round_len),
            false => &mut self.slot,
        };
        let shared = usize::from(tableau.fsal);
        for i in shared..s {
            let (before, k) = self.k.split_at_mut(i * width);
            let t = match i {
                0 => steps_or_none.map(|step| step.t),
                _ => steps_or_none.map(|step| step.time_at(tableau.c[i])),
            };
            let slopes = Slopes {
                h,
                a: tableau.a[i],
                k: before,
            };
            self.evaluator
                .weighted_sum(&self.state, &slopes, &mut self.stage);
            let (places, k) = ((&self.samples, &t), &mut k[..width]);
            let at = if TAPE { (i - shared) * slot_len } else { 0 };
            let slot = &mut slots[at..at + slot_len];
            self.evaluator.eval::<TAPE>(places, &self.stage, slot, k);
        }
        if !tableau.fsal {
            let slopes = Slopes {
                h,
                a: tableau.b,
                k: &self.k,
            };
            self.evaluator
                .weighted_sum(&self.state, &slopes, &mut self.stage);
        }
        self.record_steps(lanes, steps, h);
    }

    /// Tells every lane that has a step how it ended.
    fn record_steps(&self, lanes: &mut [Lane<TAPE>], steps: &[Option<Step>; P], h: &[f64; P]) {
        let options = self.batch.options;
        let ends = StepEnds {
            u: &self.state,
            next: &self.stage,
            rtol: options.rtol,
            atol: options.atol.as_slice(),
        };
        let tableau = self.batch.tableau;
        let norms = |a| {
            let slopes = Slopes { h, a, k: &self.k };
            self.evaluator.error_norm(&ends, &slopes)
        };
        let is_tested = !options.is_fixed_step();
        let first = tableau.error.filter(|_| is_tested).map(norms);
        let second = tableau.second_error.filter(|_| is_tested).map(norms);
        let norm = |p: usize| match (first, second) {
            (Some(first), Some(second)) => joint_norm(first[p], second[p]),
            (first, _) => first.map_or(0.0, |first| first[p]),
        };
        let is_finite = self.evaluator.all_finite(&self.k);
        for (p, lane) in lanes.iter_mut().enumerate() {
            if let (Some(core), Some(step)) = (&mut lane.core, steps[p]) {
                core.work.stats.evaluations += tableau.stages() - 1;
                gather::<P>(&self.stage, p, &mut core.work.next);
                let found = LaneStep {
                    norm: norm(p),
                    is_finite: is_finite[p],
                };
                if let Some(k) = lane.method.record_lane(core, step, found) {
                    gather::<P>(&self.k, p, k);
                }
            }
        }
    }
}

/// Copies the chosen lanes of `from` to `to`, `[number][lane]`.
fn select<const P: usize>(from: &[f64], chosen: [bool; P], to: &mut [f64]) {
    for (to, from) in to.chunks_exact_mut(P).zip(from.chunks_exact(P)) {
        for p in 0..P {
            to[p] = if chosen[p] { from[p] } else { to[p] };
        }
    }
}
