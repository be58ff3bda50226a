//! Solves with the gradient of a loss, one after the other there and back: the tape of a solve is gone over while it is still in
//! the cache, and its memory serves the next one.

use std::sync::PoisonError;

use rayon::prelude::*;

use super::backward_context::BackwardContext;
use super::driver::Problem;
use super::engine::{
    NativeEngine, SolveGradient, check_batch, forward_record, forward_then_backward, solve_problem,
    trajectory,
};
use super::options::SolveOptions;
use super::recorded_steps::RecordedSteps;
use super::sample_lanes::{
    self, Cotangent, GradientInputs, LaneBatch, LaneResults, OrderedSum, Solved,
};
use super::smooth_piece::is_in_pieces;
use super::trajectory::Trajectory;
use super::workspace::Workspace;
use crate::field::VectorField;
use crate::field::native::Evaluator;
use crate::{Error, Result};

/// What the solves of a batch have in common.
struct Batch<'a> {
    engine: &'a NativeEngine,
    context: &'a BackwardContext,
    field: &'a VectorField,
    problems: &'a [Problem<'a>],
    options: &'a SolveOptions,
    recorded: Option<&'a [RecordedSteps]>,
    /// Largest length of a tape.
    tape_limit: usize,
    cotangent: &'a Cotangent<'a>,
    sum: &'a OrderedSum<'a>,
}

impl NativeEngine {
    /// Does what [`forward_backward`](super::Engine::forward_backward) says.
    pub(super) fn solve_there_and_back(
        &mut self,
        field: &VectorField,
        problems: &[Problem],
        options: &SolveOptions,
        recorded: Option<&[RecordedSteps]>,
        cotangent: &Cotangent,
    ) -> Result<(Vec<Trajectory>, SolveGradient)> {
        if !options.events.is_empty() || is_in_pieces(field, options) {
            // The pieces between jumps and switches are solved in workspaces of their own.
            let batch = (field, problems);
            return forward_then_backward(self, batch, options, recorded, cotangent);
        }
        check_batch(field, problems, options, recorded)?;
        self.backward_context = None;
        let context = BackwardContext::new(Evaluator::new(field), field, problems, options)?;
        let limit = odesync_base::memory::limit() / size_of::<f64>();
        let at_once = rayon::current_num_threads().min(problems.len()).max(1);
        let sum = OrderedSum::new(&context.evaluator);
        let batch = Batch {
            engine: self,
            context: &context,
            field,
            problems,
            options,
            recorded,
            tape_limit: limit / at_once,
            cotangent,
            sum: &sum,
        };
        let lanes = context.taped_tableau().is_some() && recorded.is_none();
        let mut results = match sample_lanes::tableau(options, problems.len()) {
            Some(tableau) if lanes => {
                let batch = (field, problems);
                let lanes = LaneBatch::new(&context.evaluator, batch, options, tableau);
                lanes.run(Some(GradientInputs {
                    cotangent,
                    sum: &sum,
                    tape_limit: limit,
                }))
            }
            _ => LaneResults {
                solved: vec![],
                abandoned: (0..problems.len()).collect(),
            },
        };
        let alone = |i: usize| (i, batch.solve(i));
        let mut all: Vec<(usize, Result<Solved>)> = match &results.abandoned[..] {
            [one] => vec![alone(*one)],
            many => many.par_iter().map(|i| alone(*i)).collect(),
        };
        let solved = results.solved.drain(..);
        all.extend(solved.map(|(i, result)| (i, result.map_err(Error::from))));
        all.sort_unstable_by_key(|(i, _)| *i);
        let solved = all.into_iter().map(|(_, result)| result);
        let (trajectories, u0): (Vec<Trajectory>, Vec<Vec<f64>>) =
            solved.collect::<Result<Vec<Solved>>>()?.into_iter().unzip();
        let mut values = vec![0.0; context.evaluator.n_values()];
        sum.take(&mut values);
        if context.is_switching() {
            for (i, trajectory) in trajectories.iter().enumerate() {
                context.add_switch_terms(i, &cotangent(i, &trajectory.u), &mut values)?;
            }
        }
        Ok((trajectories, context.checked_gradient(values, u0)?))
    }
}

impl Batch<'_> {
    /// Solves problem `i` and pulls its cotangent back; its gradient is added to the sum.
    fn solve(&self, i: usize) -> Result<Solved> {
        let pool = &self.engine.there_and_back_pool;
        let lock = || pool.lock().unwrap_or_else(PoisonError::into_inner);
        let mut work = lock().pop().unwrap_or_default();
        let result = self.solve_in(i, &mut work);
        lock().push(work);
        result
    }

    fn solve_in(&self, i: usize, work: &mut Workspace) -> Result<Solved> {
        let record = forward_record(self.options.adjoint);
        if !record.1 {
            // Frees the tape of an earlier solve: this one writes none.
            work.tape = vec![];
        }
        work.tape_limit = self.tape_limit;
        let recorded = self.recorded.map(|recorded| &recorded[i]);
        let inputs = (&self.context.evaluator, self.field, &self.problems[i]);
        solve_problem(inputs, self.options, recorded, record, work)?;
        let bars = (self.cotangent)(i, &work.u);
        let mut gradient = self.sum.spare();
        gradient.gradient.clear();
        let pool = &self.engine.pool;
        let u0 = self.context.backward(i, work, &bars, pool, &mut gradient)?;
        self.sum.add(i, gradient);
        Ok((trajectory(work, recorded.is_some()), u0))
    }
}
