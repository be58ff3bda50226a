//! Solves of a batch side by side, one in each lane of a register, for explicit Runge-Kutta methods.
//!
//! A weight of the field is loaded once for all lanes, small layers fill whole registers, and with a gradient each block of
//! solves goes there and back before the next begins, while its tape is still in the cache. A solve has the bits that it has alone,
//! whatever is solved beside it; gradients are summed in the order of the problems.

mod block;
mod ordered_sum;
mod reverse;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use super::driver::Problem;
use super::gradient_accumulator::GradientAccumulator;
use super::options::SolveOptions;
use super::tableau::Tableau;
use super::trajectory::Trajectory;
use crate::field::native::{Evaluator, LaneEvaluator, LaneGradient};
use crate::field::{Isa, VectorField};
use block::{Batch, Block, BlockLimits, Finished, LaneOutcome, SolvedBlock};
use odesync_base::failure::SolveFailure;
use reverse::Reverse;

pub(crate) use block::{LaneTape, OwnField};
pub(super) use ordered_sum::OrderedSum;

/// Smallest number of problems of a thread that are solved side by side. Fewer are sooner done by more threads, or alone.
const MIN_PROBLEMS: usize = 4;

/// Length of the tape of a block, in bytes, from which on a lane that is done takes no other solve: about what a core's own
/// caches hold.
const BLOCK_BYTES: usize = 2 << 20;

/// Largest length of a tape that is kept for other calls, in bytes: that of eight samples of a small network. Memory that was given back
/// to the system takes longer to get again than a solve of such a network takes.
const KEPT_BYTES: usize = 32 << 20;

/// Tapes of blocks that are done, for the next blocks of any call: no more than there were threads at a time.
static TAPES: Mutex<Vec<LaneTape>> = Mutex::new(Vec::new());

/// Returns the method's tableau where a batch of this many problems is solved side by side.
pub(super) fn tableau(options: &SolveOptions, problems: usize) -> Option<&'static Tableau> {
    let fits = of_a_thread(problems) >= MIN_PROBLEMS && options.events.is_empty();
    options.solver.tableau().filter(|_| fits)
}

/// Returns how many of these problems a thread has.
fn of_a_thread(problems: usize) -> usize {
    problems.div_ceil(rayon::current_num_threads())
}

/// The problems of a batch that is solved side by side, and those that are left.
pub(super) struct LaneBatch<'a> {
    batch: Batch<'a>,
    evaluator: &'a Evaluator,
    own_weights: bool,
    next: AtomicUsize,
    has_failed: AtomicBool,
}

/// What a solve gave: its trajectory and, with a gradient, ∂L/∂u₀.
pub(super) type Solved = (Trajectory, Vec<f64>);

/// The results of a batch.
#[derive(Default)]
pub(super) struct LaneResults {
    /// Results of solves, by the index of their problem.
    pub solved: Vec<(usize, Result<Solved, SolveFailure>)>,
    /// Problems that are to be solved alone.
    pub abandoned: Vec<usize>,
}

/// The cotangent ∂L/∂u of a solution, `[time, dof]`, from the index of the problem and the solution.
pub(super) type Cotangent<'a> = dyn Fn(usize, &[f64]) -> Vec<f64> + Sync + 'a;

/// What a gradient of the batch needs.
#[derive(Clone, Copy)]
pub(super) struct GradientInputs<'a> {
    pub cotangent: &'a Cotangent<'a>,
    pub sum: &'a OrderedSum<'a>,
    /// Largest length of the tapes of all threads together.
    pub tape_limit: usize,
}

impl<'a> LaneBatch<'a> {
    pub fn new(
        evaluator: &'a Evaluator,
        (field, problems): (&'a VectorField, &'a [Problem<'a>]),
        options: &'a SolveOptions,
        tableau: &'static Tableau,
    ) -> Self {
        LaneBatch {
            batch: Batch {
                field,
                problems,
                options,
                tableau,
                own_fields: &[],
                keeps_steps: true,
                on_done: &|| {},
            },
            evaluator,
            own_weights: false,
            next: AtomicUsize::new(0),
            has_failed: AtomicBool::new(false),
        }
    }

    /// Gives each problem a field of its own, for solves without a gradient; `own_weights` says whether the weights of affine layers
    /// are others too.
    pub fn with_own_fields(mut self, own_fields: &'a [OwnField], own_weights: bool) -> Self {
        self.batch.own_fields = own_fields;
        self.own_weights = own_weights;
        self
    }

    /// Records the last step of each solve alone.
    pub fn without_steps(mut self) -> Self {
        self.batch.keeps_steps = false;
        self
    }

    /// Sets what is called after each solve, from any thread.
    pub fn on_done(mut self, on_done: &'a (dyn Fn() + Sync)) -> Self {
        self.batch.on_done = on_done;
        self
    }

    /// Solves all problems, with gradients where these are wanted.
    pub fn run(&self, gradient: Option<GradientInputs>) -> LaneResults {
        // Narrow registers where there are not enough problems for wide ones. To read the next operation of plain code takes as long as
        // to do it, so that it has eight samples in registers of any width.
        let each = of_a_thread(self.batch.problems.len());
        let is_plain = gradient.is_none() && self.evaluator.has_plain_code();
        match each > 4 && (self.evaluator.isa() == Isa::Avx512 || is_plain) {
            true => self.run_in::<8>(gradient),
            false => self.run_in::<4>(gradient),
        }
    }

    fn run_in<const P: usize>(&self, gradient: Option<GradientInputs>) -> LaneResults {
        let blocks = self.batch.problems.len().div_ceil(P);
        let workers = blocks.min(rayon::current_num_threads()).max(1);
        let work = |_| match gradient {
            Some(gradient) => self.gradients::<P>(gradient, workers),
            None => self.solves::<P>(),
        };
        let parts: Vec<LaneResults> = match workers {
            1 => vec![work(0)],
            _ => (0..workers).into_par_iter().map(work).collect(),
        };
        let mut all = LaneResults::default();
        for part in parts {
            all.solved.extend(part.solved);
            all.abandoned.extend(part.abandoned);
        }
        all
    }

    /// Returns the index of the next problem.
    fn take(&self) -> Option<usize> {
        let next = self.next.fetch_add(1, Ordering::Relaxed);
        (next < self.batch.problems.len()).then_some(next)
    }

    /// Solves problems while there are any.
    fn solves<const P: usize>(&self) -> LaneResults {
        let mut evaluator = self.evaluator.sample_lanes::<P>();
        if self.own_weights {
            evaluator = evaluator.with_own_weights();
        }
        let mut tape = LaneTape::default();
        let limits = BlockLimits {
            refill: usize::MAX,
            tape: usize::MAX,
        };
        let block = Block::<P, false>::new(&mut evaluator, self.batch, &mut tape);
        let mut results = LaneResults::default();
        for finished in block
            .solve(&limits, || self.take())
            .lanes
            .into_iter()
            .flatten()
        {
            results.add(finished, |_| vec![]);
        }
        results
    }

    /// Solves problems and pulls back their cotangents, block after block, while there are any.
    fn gradients<const P: usize>(&self, inputs: GradientInputs, workers: usize) -> LaneResults {
        let mut evaluator = self.evaluator.sample_lanes::<P>();
        let tapes = || TAPES.lock().unwrap_or_else(PoisonError::into_inner);
        let mut tape = tapes().pop().unwrap_or_default();
        let mut gradient = evaluator.zero_gradient();
        let mut results = LaneResults::default();
        let limits = BlockLimits {
            refill: BLOCK_BYTES / size_of::<f64>(),
            tape: inputs.tape_limit / workers,
        };
        loop {
            let block = Block::<P, true>::new(&mut evaluator, self.batch, &mut tape);
            let solved = block.solve(&limits, || self.take());
            if solved.lanes.iter().all(Vec::is_empty) {
                break;
            }
            let mut u0 = self.pull_back(&evaluator, &solved, &tape, inputs, &mut gradient);
            for finished in solved.lanes.into_iter().flatten() {
                results.add(finished, |index| {
                    let found = u0.iter_mut().find(|(i, _)| *i == index);
                    found.map(|(_, u0)| std::mem::take(u0)).unwrap_or_default()
                });
            }
        }
        tape.truncate(KEPT_BYTES / size_of::<f64>());
        tapes().push(tape);
        results
    }

    /// Pulls the cotangents of a block back, and adds its gradients to the sum. Returns ∂L/∂u₀ of its solves by their index;
    /// nothing where a solve of the batch has failed, since the batch then has no gradient.
    fn pull_back<const P: usize>(
        &self,
        evaluator: &LaneEvaluator<'a, P>,
        solved: &SolvedBlock<P>,
        tape: &LaneTape,
        inputs: GradientInputs,
        gradient: &mut LaneGradient<P>,
    ) -> Vec<(usize, Vec<f64>)> {
        let mut all = solved.lanes.iter().flatten();
        if all.any(|finished| matches!(finished.result, LaneOutcome::Failed(_))) {
            self.has_failed.store(true, Ordering::Relaxed);
        }
        if self.has_failed.load(Ordering::Relaxed) {
            return vec![];
        }
        let bars = |finished: &Finished| match finished.result {
            LaneOutcome::Solved => (inputs.cotangent)(finished.index, &finished.work.u),
            LaneOutcome::Failed(_) | LaneOutcome::Abandoned => vec![],
        };
        let bars: [Vec<Vec<f64>>; P] =
            std::array::from_fn(|p| solved.lanes[p].iter().map(bars).collect());
        let mut all_u0 = vec![];
        let reverse = Reverse::new(evaluator, self.batch.tableau, solved, &bars);
        reverse.run(&solved.rounds, tape, gradient, |index, u0, p, gradient| {
            let mut one: GradientAccumulator = inputs.sum.spare();
            gradient.take_lane(evaluator.alone(), p, &mut one.gradient);
            inputs.sum.add(index, one);
            all_u0.push((index, u0));
        });
        all_u0
    }
}

impl LaneResults {
    /// Adds a solve that has left its lane.
    fn add(&mut self, finished: Finished, u0: impl FnOnce(usize) -> Vec<f64>) {
        let Finished {
            index,
            work,
            result,
        } = finished;
        match result {
            LaneOutcome::Solved => {
                let solved = (work.into_trajectory(), u0(index));
                self.solved.push((index, Ok(solved)));
            }
            LaneOutcome::Failed(failure) => self.solved.push((index, Err(failure))),
            LaneOutcome::Abandoned => self.abandoned.push(index),
        }
    }
}
