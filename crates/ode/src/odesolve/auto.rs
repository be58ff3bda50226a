//! Automatic switching between an explicit and a stiff method: the solve is a sequence of segments, each a solve by one
//! method with its own recorded steps and tape. The reverse sweep of its gradient goes over the segments one by one.

use std::convert::Infallible;

use super::checkpoints::{self, ForwardInputs};
use super::driver::{self, Problem, SegmentSpec};
use super::options::SolveOptions;
use super::recorded_steps::{OutputPosition, RecordedSteps};
use super::rhs::Rhs;
use super::solver::Solver;
use super::vector_ops::add;
use super::workspace::{ForwardRecord, Workspace};
use odesync_base::failure::{FailureReason, SolveFailure};

/// A segment of a solve, by one method. The last output of its recorded steps is its end, where the next segment begins.
#[derive(Debug)]
pub(crate) struct AutoSegment {
    pub solver: &'static Solver,
    pub work: Workspace,
    /// Index of the first output time that lies in the segment.
    first_output: usize,
    /// Time at the start of the segment; `u0` is the state there, `first_step` the size of its first step where it was known.
    t_start: f64,
    u0: Vec<f64>,
    first_step: Option<f64>,
}

impl AutoSegment {
    /// Returns the options for the solve of the segment.
    fn options(&self, options: &SolveOptions) -> SolveOptions {
        SolveOptions {
            solver: self.solver,
            first_step: self.first_step,
            ..options.clone()
        }
    }

    /// Reduces the workspace to what a gradient from checkpoints needs, and returns the full one for reuse.
    fn strip_buffers(&mut self) -> Workspace {
        let reduced = Workspace {
            recorded: std::mem::take(&mut self.work.recorded),
            record: std::mem::take(&mut self.work.record),
            stats: self.work.stats,
            is_replay: self.work.is_replay,
            ..Workspace::default()
        };
        std::mem::replace(&mut self.work, reduced)
    }
}

/// The explicit and the stiff method, indexed by the variants of the recorded steps.
type SolverPair = [&'static Solver; 2];

/// Detector that counts signs of stiffness, or of its end, in accepted steps.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct StiffnessDetector {
    n_signs: usize,
    n_others: usize,
}

impl StiffnessDetector {
    /// Records whether one more step shows the sign; returns true once 15 steps have shown it, without six steps in a row in
    /// between that have not (Hairer, Wanner, II, IV.2).
    pub fn record(&mut self, sign: bool) -> bool {
        if sign {
            self.n_signs += 1;
            self.n_others = 0;
        } else {
            self.n_others += 1;
            if self.n_others >= 6 {
                self.n_signs = 0;
            }
        }
        self.n_signs >= 15
    }
}

/// Solves one problem, or replays the recorded steps, segment by segment.
pub(crate) fn solve_segments<R: Rhs + ?Sized, const TAPE: bool>(
    rhs: &R,
    breakpoints: &[f64],
    problem: &Problem,
    options: &SolveOptions,
    spec: SegmentSpec,
    pair: SolverPair,
    work: &mut Workspace,
) -> Result<(), SolveFailure> {
    let (dof, recorded) = (rhs.dof(), spec.recorded);
    work.begin();
    work.u.resize(problem.t.len() * dof, 0.0);
    work.u[..dof].copy_from_slice(problem.u0);
    let mut pool: Vec<Workspace> = work.segments.drain(..).map(|s| s.work).collect();
    let mut state = problem.u0.to_vec();
    let mut t = problem.t[0];
    let (mut variant, mut first_step, mut tape) = (0, options.first_step, 0);
    loop {
        let steps = work.recorded.steps.len();
        let first = work.recorded.outputs.len();
        let segment_steps = recorded.map(|recorded| segment_steps(recorded, steps));
        if let (Some(recorded), Some(step)) = (recorded, recorded.and_then(|p| p.steps.get(steps)))
        {
            variant = usize::from(recorded.variants.get(steps) == Some(&1));
            t = step.t;
        }
        let mut times = vec![t];
        times.extend(&problem.t[first..]);
        if let Some(replayed) = &segment_steps {
            times.resize(replayed.outputs.len(), t);
        }
        let mut segment = AutoSegment {
            solver: pair[variant],
            work: pool.pop().unwrap_or_default(),
            first_output: first,
            t_start: t,
            u0: state.clone(),
            first_step,
        };
        segment.work.tape_limit = work.tape_limit.saturating_sub(tape);
        segment.work.record = work.record.clone();
        segment.work.event_starts.clone_from(&work.event_starts);
        let segment_options = SolveOptions {
            max_steps: options
                .max_steps
                .saturating_sub(work.stats.steps + work.stats.rejected),
            ..segment.options(options)
        };
        let spec = SegmentSpec {
            recorded: segment_steps.as_ref(),
            detect_stiffness: true,
            ..spec
        };
        let segment_problem = Problem {
            u0: &state,
            t: &times,
            sample: problem.sample,
        };
        let solved = driver::integrate_segment::<R, TAPE>(
            rhs,
            breakpoints,
            &segment_problem,
            &segment_options,
            spec,
            &mut segment.work,
        );
        let stats = segment.work.stats;
        let switch_requested = solved.map_err(|failure| SolveFailure {
            reason: match failure.reason {
                FailureReason::TooManySteps(_) => FailureReason::TooManySteps(options.max_steps),
                reason => reason,
            },
            method: options.running_method(),
            ..failure
        });
        work.stats += stats;
        let switch_requested = switch_requested?;
        append_segment(work, &segment, variant, dof);
        tape += segment.work.tape.len() + segment.work.output_tape.len();
        state.copy_from_slice(&segment.work.state);
        work.state.clone_from(&state);
        let last = segment.work.recorded.steps.last().copied();
        work.event_starts.clone_from(&segment.work.event_starts);
        work.event_hits.append(&mut segment.work.event_hits);
        work.terminated_at = segment.work.terminated_at;
        work.fired.clone_from(&segment.work.fired);
        work.proposed_h = segment.work.proposed_h;
        work.event_was_defined
            .resize(segment.work.event_was_defined.len(), false);
        for (defined, in_segment) in work
            .event_was_defined
            .iter_mut()
            .zip(&segment.work.event_was_defined)
        {
            *defined |= in_segment;
        }
        let checkpointed = matches!(work.record, ForwardRecord::Checkpoints(_));
        match TAPE {
            true => {}
            false if checkpointed => pool.push(segment.strip_buffers()),
            false => pool.push(std::mem::take(&mut segment.work)),
        }
        if TAPE || checkpointed {
            work.segments.push(segment);
        }
        if work.terminated_at.is_some() {
            work.u.truncate(work.recorded.outputs.len() * dof);
            return Ok(());
        }
        let (Some(last), true) = (last, switch_requested || recorded.is_some()) else {
            return Ok(());
        };
        let done = match recorded {
            Some(recorded) => work.recorded.steps.len() == recorded.steps.len(),
            None => work.recorded.outputs.len() == problem.t.len(),
        };
        if done {
            return Ok(());
        }
        // The next segment begins at the end of this one, whose adjoint needs an output there.
        if TAPE {
            push_end_output(&mut work.segments, dof);
        }
        if recorded.is_none() {
            variant = 1 - variant;
        }
        work.stats.switches += 1;
        if variant == 1 || recorded.is_some() {
            work.stats.stiff_from.get_or_insert(last.end);
        }
        t = last.end;
        first_step = Some(last.h().abs());
    }
}

/// Appends the end of the last segment as its last output, through which the adjoint of the next segment enters.
fn push_end_output(segments: &mut [AutoSegment], dof: usize) {
    let Some(AutoSegment { work, .. }) = segments.last_mut() else {
        return;
    };
    let end = OutputPosition::End(work.recorded.steps.len().saturating_sub(1));
    let outputs = work.recorded.outputs.len();
    work.recorded.outputs.push(end);
    work.u.resize((outputs + 1) * dof, 0.0);
    work.u[outputs * dof..].copy_from_slice(&work.state);
}

/// Appends the steps and outputs of a segment to those of the whole solve.
fn append_segment(work: &mut Workspace, segment: &AutoSegment, variant: usize, dof: usize) {
    let before = work.recorded.steps.len();
    let segment_work = &segment.work;
    work.recorded.steps.extend(&segment_work.recorded.steps);
    work.recorded
        .variants
        .resize(work.recorded.steps.len(), variant as u8);
    for (i, output) in segment_work.recorded.outputs.iter().enumerate().skip(1) {
        let to = work.recorded.outputs.len() * dof;
        work.u[to..to + dof].copy_from_slice(&segment_work.u[i * dof..(i + 1) * dof]);
        work.recorded
            .outputs
            .push(output.renumbered(|n| n + before));
    }
}

/// Returns the part of the recorded steps that one method takes from step `from` on.
fn segment_steps(recorded: &RecordedSteps, from: usize) -> RecordedSteps {
    let variant = |n: usize| recorded.variants.get(n) == Some(&1);
    let to = (from..recorded.steps.len())
        .find(|n| variant(*n) != variant(from))
        .unwrap_or(recorded.steps.len());
    RecordedSteps {
        // The variants of all recorded steps tell the methods apart.
        variants: vec![],
        ..recorded.slice(from..to)
    }
}

/// Computes ∂L/∂u₀ segment by segment, from the last one to the first: `pull_back` gets a segment, the number of output times in
/// it, their cotangents after zeros for its start, and the adjoint at its end; it returns the adjoint at its start.
fn reverse_segments<E>(
    work: &Workspace,
    bars: &[f64],
    dof: usize,
    mut pull_back: impl FnMut(&AutoSegment, usize, Vec<f64>, Vec<f64>) -> Result<Vec<f64>, E>,
) -> Result<Vec<f64>, E> {
    let mut mu = vec![0.0; dof];
    let mut end = work.recorded.outputs.len();
    for segment in work.segments.iter().rev() {
        let outputs = segment.first_output..end;
        end = outputs.start;
        let mut segment_bars = vec![0.0; dof];
        segment_bars.extend(&bars[outputs.start * dof..outputs.end * dof]);
        mu = pull_back(segment, outputs.len(), segment_bars, mu)?;
    }
    add(&bars[..dof], &mut mu);
    Ok(mu)
}

/// Computes ∂L/∂u₀ by a reverse sweep over the segments; `reverse_sweep` is the reverse sweep over one of them.
pub(crate) fn backward(
    work: &Workspace,
    bars: &[f64],
    dof: usize,
    mut reverse_sweep: impl FnMut(&'static Solver, &Workspace, &[f64], &mut Vec<f64>) -> Vec<f64>,
) -> Vec<f64> {
    let swept = reverse_segments(work, bars, dof, |segment, n_outputs, mut bars, mu| {
        // Every segment but the last has one more output, at its end.
        if segment.work.recorded.outputs.len() > n_outputs + 1 {
            bars.extend(mu);
        }
        let sweep = reverse_sweep(segment.solver, &segment.work, &bars, &mut vec![]);
        Ok::<_, Infallible>(sweep)
    });
    match swept {
        Ok(mu) => mu,
    }
}

/// Computes ∂L/∂u₀ by [`checkpoints::backward`] over the segments; `reverse_sweep` is the reverse sweep over taped steps of
/// one of the methods.
pub(crate) fn recompute_backward(
    inputs: &ForwardInputs,
    work: &Workspace,
    bars: &[f64],
    recomputed: &mut Workspace,
    mut reverse_sweep: impl FnMut(&'static Solver, &Workspace, &[f64], &mut Vec<f64>) -> Vec<f64>,
) -> Result<Vec<f64>, SolveFailure> {
    let dof = inputs.evaluator.dof();
    reverse_segments(work, bars, dof, |segment, _, bars, mu| {
        let mut times = vec![segment.t_start];
        times.extend(&inputs.problem.t[segment.first_output..]);
        let options = segment.options(inputs.options);
        let segment_inputs = ForwardInputs {
            evaluator: inputs.evaluator,
            breakpoints: inputs.breakpoints,
            ends_at: inputs.ends_at,
            problem: Problem {
                u0: &segment.u0,
                t: &times,
                sample: inputs.problem.sample,
            },
            options: &options,
        };
        let sweep_segment = |work: &Workspace, bars: &[f64], history: &mut Vec<f64>| {
            reverse_sweep(segment.solver, work, bars, history)
        };
        let forward = &segment.work;
        checkpoints::backward(
            &segment_inputs,
            forward,
            &bars,
            mu,
            recomputed,
            sweep_segment,
        )
    })
}
