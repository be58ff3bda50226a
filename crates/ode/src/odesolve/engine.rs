//! The engine trait, which solves a batch of initial value problems and computes the gradient by a reverse sweep, and the
//! native engine.

use rayon::prelude::*;

use super::backward_context::{BackwardContext, WorkspacePool};
use super::checkpoints::Checkpoints;
use super::driver::{self, Problem};
use super::events::Event;
use super::gradient_accumulator::GradientAccumulator;
use super::gradients::Adjoint;
use super::options::{SolveOptions, check_times};
use super::pieces;
use super::recorded_steps::RecordedSteps;
use super::sample_lanes::{self, Cotangent, LaneBatch};
use super::smooth_piece::{check_is_smooth, is_in_pieces};
use super::trajectory::Trajectory;
use super::workspace::{ForwardRecord, Workspace};
use crate::field::VectorField;
use crate::field::native::Evaluator;
use crate::{Error, Result};
use odesync_base::failure::SolveFailure;
use odesync_base::text::count_of;

/// Gradients of `Σ ⟨ū, u⟩` over all problems.
#[derive(Debug, Clone)]
pub struct SolveGradient {
    /// Gradient with respect to the values of all parameter blocks.
    pub values: Vec<f64>,
    /// Gradient with respect to the initial state of each problem, `[problem][dof]`.
    pub u0: Vec<Vec<f64>>,
}

/// An engine that solves batches of problems, each with its own output times and step sizes.
///
/// A `forward` with `keep` stores what `backward` needs, until the next `forward`.
pub trait Engine: Send {
    /// Solves every problem; where `recorded` (one for each problem) are given, replays them.
    ///
    /// # Errors
    /// Inconsistent options or shapes, or the failure of the first problem (by index) whose solve failed.
    fn forward(
        &mut self,
        field: &VectorField,
        problems: &[Problem],
        options: &SolveOptions,
        recorded: Option<&[RecordedSteps]>,
        keep: bool,
    ) -> Result<Vec<Trajectory>>;

    /// Returns the gradient of `Σ ⟨bars, u⟩` of the last `forward` with `keep`; `bars[i]` is the cotangent `[time, dof]` of
    /// problem i.
    ///
    /// # Errors
    /// No solve was kept, the shape of `bars` is not that of the solution, or the gradient is not finite
    /// ([`FailureReason::GradientNotFinite`]).
    ///
    /// [`FailureReason::GradientNotFinite`]: super::FailureReason::GradientNotFinite
    fn backward(&mut self, bars: &[Vec<f64>]) -> Result<SolveGradient>;

    /// Solves every problem, as [`Engine::forward`], and returns the gradient of a loss of the solutions with them. `cotangent`
    /// returns ∂L/∂u, `[time, dof]`, of one problem from its index and its solution, `[time, dof]`, so that an engine may go back
    /// over one solve before it begins another. Nothing is kept for [`Engine::backward`].
    ///
    /// # Errors
    /// The errors of [`Engine::forward`] and [`Engine::backward`].
    fn forward_backward(
        &mut self,
        field: &VectorField,
        problems: &[Problem],
        options: &SolveOptions,
        recorded: Option<&[RecordedSteps]>,
        cotangent: &(dyn Fn(usize, &[f64]) -> Vec<f64> + Sync),
    ) -> Result<(Vec<Trajectory>, SolveGradient)> {
        forward_then_backward(self, (field, problems), options, recorded, cotangent)
    }

    /// Returns the name of the engine, as in `engine: "native"`.
    fn name(&self) -> &'static str;
}

/// Does what [`Engine::forward_backward`] says by one call of [`Engine::forward`] and one of [`Engine::backward`].
pub(super) fn forward_then_backward<E: Engine + ?Sized>(
    engine: &mut E,
    (field, problems): (&VectorField, &[Problem]),
    options: &SolveOptions,
    recorded: Option<&[RecordedSteps]>,
    cotangent: &Cotangent,
) -> Result<(Vec<Trajectory>, SolveGradient)> {
    let solved = engine.forward(field, problems, options, recorded, true)?;
    let bars = solved.iter().enumerate();
    let bars: Vec<Vec<f64>> = bars.map(|(i, solved)| cotangent(i, &solved.u)).collect();
    let gradient = engine.backward(&bars)?;
    Ok((solved, gradient))
}

/// The native CPU engine: it solves the problems of a batch in parallel, with results that do not depend on the number of
/// threads.
#[derive(Debug, Default)]
pub struct NativeEngine {
    pub(super) workspaces: Vec<Workspace>,
    pub(super) backward_context: Option<BackwardContext>,
    pub(super) pool: WorkspacePool,
    /// Workspaces of solves that go there and back. One that writes no tape frees that of its workspace, and those of `pool` keep theirs
    /// for the steps that are recomputed.
    pub(super) there_and_back_pool: WorkspacePool,
}

/// Returns what the forward solve records for a gradient by this method, and whether it writes a tape.
pub(super) fn forward_record(adjoint: Adjoint) -> (ForwardRecord, bool) {
    match adjoint {
        Adjoint::Backprop => (ForwardRecord::Steps, true),
        Adjoint::Continuous => (ForwardRecord::Nothing, false),
        Adjoint::SingleCheckpoint => (
            ForwardRecord::Checkpoints(Checkpoints::initial_only()),
            false,
        ),
        Adjoint::AdaptiveCheckpoint => (ForwardRecord::Checkpoints(Checkpoints::adaptive()), false),
        Adjoint::Symplectic => (ForwardRecord::States(vec![]), false),
    }
}

/// Solves one problem of a batch into `work`, with this record for a gradient; on the recorded steps where these are given.
pub(super) fn solve_problem(
    (evaluator, field, problem): (&Evaluator, &VectorField, &Problem),
    options: &SolveOptions,
    recorded: Option<&RecordedSteps>,
    (record, taped): (ForwardRecord, bool),
    work: &mut Workspace,
) -> std::result::Result<(), SolveFailure> {
    work.record = record;
    match recorded {
        Some(recorded) if taped => {
            driver::replay::<_, true>(evaluator, problem, options, recorded, work)
        }
        Some(recorded) => driver::replay::<_, false>(evaluator, problem, options, recorded, work),
        None => {
            let breakpoints = field.breakpoints_within(problem.sample, problem.t);
            if taped {
                driver::solve::<_, true>(evaluator, &breakpoints, problem, options, work)
            } else {
                driver::solve::<_, false>(evaluator, &breakpoints, problem, options, work)
            }
        }
    }
}

/// Returns the results of a solve in `work`, which keeps what its gradient needs.
pub(super) fn trajectory(work: &mut Workspace, is_replay: bool) -> Trajectory {
    let is_partial = matches!(
        work.record,
        ForwardRecord::Checkpoints(_) | ForwardRecord::Nothing
    ) && !is_replay;
    Trajectory {
        u: work.u.clone(),
        recorded: match is_partial {
            true => RecordedSteps::default(),
            false => work.recorded.clone(),
        },
        stats: work.stats,
        event_hits: std::mem::take(&mut work.event_hits),
        terminated_at: work.terminated_at,
    }
}

/// Error message where events are not supported: gradients, training and replays.
pub const EVENTS_UNSUPPORTED: &str = "events are found by a solve of its own on the native engine; a gradient, a training or a replay of recorded steps takes none";

/// Checks the options and problems of a batch, and the recorded steps where given, before the batch is solved.
pub fn check_batch(
    field: &VectorField,
    problems: &[Problem],
    options: &SolveOptions,
    recorded: Option<&[RecordedSteps]>,
) -> Result<()> {
    options.check()?;
    options.check_dof("the field", field.dof())?;
    options.atol.check(field.dof())?;
    if recorded.is_some() {
        check_is_smooth(field, options, "replays of recorded steps")?;
        if !options.events.is_empty() {
            return Err(Error::invalid(EVENTS_UNSUPPORTED));
        }
    }
    for problem in problems {
        field.check_state(problem.u0)?;
        check_times(problem.t)?;
        if options.mass_matrix.is_some() {
            let given = !options.breakpoints.given().is_empty();
            let inside = || {
                !field
                    .breakpoints_within(problem.sample, problem.t)
                    .is_empty()
            };
            options.check_breakpoints(given || inside())?;
        }
        if let Some(signal) = field
            .signals()
            .iter()
            .find(|s| s.n_samples() > 1 && problem.sample >= s.n_samples())
        {
            return Err(Error::invalid(format!(
                "the field's external input is given for {}, and sample {} was asked for (counted from 0)",
                count_of(signal.n_samples(), "sample"),
                problem.sample
            )));
        }
    }
    recorded.map_or(Ok(()), |recorded| check_recorded(problems, recorded))
}

/// Checks that there are recorded steps for every problem, with a location for each of its output times.
fn check_recorded(problems: &[Problem], recorded: &[RecordedSteps]) -> Result<()> {
    if recorded.len() != problems.len() {
        return Err(Error::invalid(
            "recorded steps are needed for every problem",
        ));
    }
    match problems
        .iter()
        .zip(recorded)
        .position(|(problem, recorded)| !recorded.matches_times(problem.t.len()))
    {
        Some(i) => Err(Error::invalid(format!(
            "the recorded steps {i} are not of problem {i}: they must place each of the {} requested times at the start or in one of the \
             steps, in order",
            problems[i].t.len()
        ))),
        None => Ok(()),
    }
}

impl Engine for NativeEngine {
    fn forward(
        &mut self,
        field: &VectorField,
        problems: &[Problem],
        options: &SolveOptions,
        recorded: Option<&[RecordedSteps]>,
        keep: bool,
    ) -> Result<Vec<Trajectory>> {
        let is_passive = |e: &Event| e.state_jump().is_none() || e.terminal_hit().is_some();
        if keep && options.events.iter().any(is_passive) {
            return Err(Error::invalid(EVENTS_UNSUPPORTED));
        }
        check_batch(field, problems, options, recorded)?;
        let bound = match options.events.is_empty() && options.doses.is_empty() {
            true => None,
            false => Some(options.bound_to(field)?),
        };
        let options = bound.as_ref().unwrap_or(options);
        let in_pieces = is_in_pieces(field, options);
        let evaluator = Evaluator::new(field);
        self.backward_context = None;
        if !keep
            && !in_pieces
            && recorded.is_none()
            && let Some(tableau) = sample_lanes::tableau(options, problems.len())
        {
            let batch = (field, problems);
            let lanes = LaneBatch::new(&evaluator, batch, options, tableau);
            let mut solved = lanes.run(None).solved;
            solved.sort_unstable_by_key(|(i, _)| *i);
            let trajectories = solved.into_iter().map(|(_, result)| Ok(result?.0));
            return trajectories.collect();
        }
        if self.workspaces.len() < problems.len() {
            self.workspaces
                .resize_with(problems.len(), Default::default);
        }
        // Every problem has its own tape, so the limit is shared between them.
        let tape_limit = odesync_base::memory::limit() / size_of::<f64>() / problems.len().max(1);
        let (record, taped) = match keep {
            true => forward_record(options.adjoint),
            false => (ForwardRecord::Steps, false),
        };
        let solve = |(i, work): (usize, &mut Workspace)| -> Result<()> {
            work.tape_limit = tape_limit;
            if keep && !taped {
                // Frees the tape of an earlier solve: this one writes none.
                work.tape = vec![];
            }
            let problem = &problems[i];
            if in_pieces && recorded.is_none() {
                work.record = record.clone();
                let at = &field.breakpoints_within(problem.sample, problem.t);
                let field = Some(field);
                return match taped {
                    true => pieces::solve::<_, true>(&evaluator, field, at, problem, options, work),
                    false => {
                        pieces::solve::<_, false>(&evaluator, field, at, problem, options, work)
                    }
                };
            }
            let recorded = recorded.map(|recorded| &recorded[i]);
            let inputs = (&evaluator, field, problem);
            let record = (record.clone(), taped);
            Ok(solve_problem(inputs, options, recorded, record, work)?)
        };
        let work = &mut self.workspaces[..problems.len()];
        let results: Vec<_> = match work {
            [one] => vec![solve((0, one))],
            _ => work.par_iter_mut().enumerate().map(solve).collect(),
        };
        for result in results {
            result?;
        }
        let trajectories = self.workspaces[..problems.len()]
            .iter_mut()
            .map(|work| trajectory(work, recorded.is_some()))
            .collect();
        if keep {
            self.backward_context =
                Some(BackwardContext::new(evaluator, field, problems, options)?);
        }
        Ok(trajectories)
    }

    fn backward(&mut self, bars: &[Vec<f64>]) -> Result<SolveGradient> {
        let Some(context) = &self.backward_context else {
            return Err(Error::invalid(
                "a gradient needs a solve that was kept for it",
            ));
        };
        let work = &self.workspaces[..context.n_problems()];
        if bars.len() != work.len() || bars.iter().zip(work).any(|(b, w)| b.len() != w.u.len()) {
            return Err(Error::invalid(
                "the weights of a gradient must have the shape of the solution",
            ));
        }
        let gradient_of = |i: usize| -> Result<(GradientAccumulator, Vec<f64>)> {
            let mut accumulator = GradientAccumulator::new(&context.evaluator);
            let u0 = context.backward(i, &work[i], &bars[i], &self.pool, &mut accumulator)?;
            Ok((accumulator, u0))
        };
        let gradients: Vec<_> = match work.len() {
            1 => vec![gradient_of(0)],
            n => (0..n).into_par_iter().map(gradient_of).collect(),
        };
        // Summed in the order of the problems, so that the bits do not depend on the threads.
        let mut total = GradientAccumulator::new(&context.evaluator);
        let mut u0 = vec![];
        for result in gradients {
            let (accumulator, u0_bar) = result?;
            total.gradient.add(&accumulator.gradient);
            total.add_values(&accumulator.values);
            u0.push(u0_bar);
        }
        let mut values = vec![0.0; context.evaluator.n_values()];
        total.take(&context.evaluator, &mut values);
        for (i, bars) in bars.iter().enumerate() {
            if context.is_in_pieces() {
                break;
            }
            context.add_switch_terms(i, bars, &mut values)?;
        }
        context.checked_gradient(values, u0)
    }

    fn forward_backward(
        &mut self,
        field: &VectorField,
        problems: &[Problem],
        options: &SolveOptions,
        recorded: Option<&[RecordedSteps]>,
        cotangent: &Cotangent,
    ) -> Result<(Vec<Trajectory>, SolveGradient)> {
        self.solve_there_and_back(field, problems, options, recorded, cotangent)
    }

    fn name(&self) -> &'static str {
        "native"
    }
}
