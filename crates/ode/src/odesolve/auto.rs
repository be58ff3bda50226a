//! Changing between an explicit and a stiff method as the problem asks: the solve is a sequence of segments, each a solve of
//! one method with its own plan and tape, and its gradient walks back over them one by one.

use super::checkpoints::{self, Again};
use super::driver::{self, Problem, Route};
use super::method::Method;
use super::options::SolveOptions;
use super::plan::{Output, Stats, StepPlan};
use super::sums::add;
use super::workspace::{Trace, Workspace};
use crate::field::native::Evaluator;
use odesync_base::failure::{FailureReason, SolveFailure};

/// A part of a solve by one method. Its plan's last output is its end, where the next segment begins.
#[derive(Debug, Clone)]
pub(crate) struct Segment {
    pub method: &'static Method,
    pub work: Workspace,
    /// Index, among the requested times, of the first that lies in it.
    first: usize,
    /// Where it begins, and the size of its first step where that was known.
    t: f64,
    u0: Vec<f64>,
    first_step: Option<f64>,
}

impl Segment {
    /// The options of its own solve.
    fn options(&self, options: &SolveOptions) -> SolveOptions {
        SolveOptions {
            method: self.method,
            first_step: self.first_step,
            ..options.clone()
        }
    }

    /// Leaves only what a gradient from checkpoints needs.
    fn slim(&mut self) -> Workspace {
        let kept = Workspace {
            plan: std::mem::take(&mut self.work.plan),
            trace: std::mem::take(&mut self.work.trace),
            stats: self.work.stats,
            given: self.work.given,
            ..Workspace::default()
        };
        std::mem::replace(&mut self.work, kept)
    }
}

/// The two methods, by the variants of the plan.
type Pair = [&'static Method; 2];

/// Counts signs of stiffness, or of its end, in accepted steps.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Watch {
    signs: usize,
    others: usize,
}

impl Watch {
    /// Notes one more step; true once enough of them in a row show the sign (Hairer, Wanner, II, IV.2).
    pub fn note(&mut self, sign: bool) -> bool {
        if sign {
            self.signs += 1;
            self.others = 0;
        } else {
            self.others += 1;
            if self.others >= 6 {
                self.signs = 0;
            }
        }
        self.signs >= 15
    }
}

/// Solves, or replays a plan, segment by segment.
pub(crate) fn run<const TAPE: bool>(
    evaluator: &Evaluator,
    breakpoints: &[f64],
    problem: &Problem,
    options: &SolveOptions,
    plan: Option<&StepPlan>,
    pair: Pair,
    work: &mut Workspace,
) -> Result<(), SolveFailure> {
    let dof = evaluator.dof();
    work.plan.clear();
    work.plan.outputs.push(Output::Start);
    work.stats = Stats::default();
    work.occurrences.clear();
    work.ended = None;
    work.seen.clear();
    work.u.resize(problem.t.len() * dof, 0.0);
    work.u[..dof].copy_from_slice(problem.u0);
    let mut spare: Vec<Workspace> = work.segments.drain(..).map(|s| s.work).collect();
    let mut state = problem.u0.to_vec();
    let mut t = problem.t[0];
    let (mut variant, mut first_step, mut tape) = (0, options.first_step, 0);
    loop {
        let steps = work.plan.steps.len();
        let first = work.plan.outputs.len();
        let part = plan.map(|plan| part_of(plan, steps, first));
        if let (Some(plan), Some(step)) = (plan, plan.and_then(|p| p.steps.get(steps))) {
            variant = usize::from(plan.variants.get(steps) == Some(&1));
            t = step.t;
        }
        let mut times = vec![t];
        times.extend(&problem.t[first..]);
        if let Some(part) = &part {
            times.resize(part.outputs.len(), t);
        }
        let mut segment = Segment {
            method: pair[variant],
            work: spare.pop().unwrap_or_default(),
            first,
            t,
            u0: state.clone(),
            first_step,
        };
        segment.work.tape_limit = work.tape_limit.saturating_sub(tape);
        segment.work.trace = work.trace.clone();
        let own = SolveOptions {
            max_steps: options
                .max_steps
                .saturating_sub(work.stats.steps + work.stats.rejected),
            ..segment.options(options)
        };
        let route = Route {
            plan: part.as_ref(),
            watch: true,
            ..Route::default()
        };
        let own_problem = Problem {
            u0: &state,
            t: &times,
            sample: problem.sample,
        };
        let solved = driver::part::<TAPE>(
            evaluator,
            breakpoints,
            &own_problem,
            &own,
            route,
            &mut segment.work,
        );
        let stats = segment.work.stats;
        let stopped = solved.map_err(|failure| SolveFailure {
            reason: match failure.reason {
                FailureReason::TooManySteps(_) => FailureReason::TooManySteps(options.max_steps),
                reason => reason,
            },
            ..failure
        });
        work.stats += stats;
        let stopped = stopped?;
        take(work, &segment, variant, dof);
        tape += segment.work.tape.len() + segment.work.tape_beside.len();
        state.copy_from_slice(&segment.work.state);
        let last = segment.work.plan.steps.last().copied();
        work.occurrences.append(&mut segment.work.occurrences);
        work.ended = segment.work.ended;
        work.seen.resize(segment.work.seen.len(), false);
        for (seen, here) in work.seen.iter_mut().zip(&segment.work.seen) {
            *seen |= here;
        }
        let kept = matches!(work.trace, Trace::Checkpoints(_));
        match TAPE {
            true => {}
            false if kept => spare.push(segment.slim()),
            false => spare.push(std::mem::take(&mut segment.work)),
        }
        if TAPE || kept {
            work.segments.push(segment);
        }
        if work.ended.is_some() {
            work.u.truncate(work.plan.outputs.len() * dof);
            return Ok(());
        }
        let (Some(last), true) = (last, stopped || plan.is_some()) else {
            return Ok(());
        };
        let done = match plan {
            Some(plan) => work.plan.steps.len() == plan.steps.len(),
            None => work.plan.outputs.len() == problem.t.len(),
        };
        if done {
            return Ok(());
        }
        // The next segment begins where this one ends.
        if TAPE {
            end_here(&mut work.segments, dof);
        }
        if plan.is_none() {
            variant = 1 - variant;
        }
        work.stats.switches += 1;
        if variant == 1 || plan.is_some() {
            work.stats.stiff_from.get_or_insert(last.end);
        }
        t = last.end;
        first_step = Some(last.h().abs());
    }
}

/// Makes the end of the last segment its last output, so that its adjoint can come in there.
fn end_here(segments: &mut [Segment], dof: usize) {
    let Some(Segment { work, .. }) = segments.last_mut() else {
        return;
    };
    let end = Output::End(work.plan.steps.len().saturating_sub(1));
    let outputs = work.plan.outputs.len();
    work.plan.outputs.push(end);
    work.u.resize((outputs + 1) * dof, 0.0);
    work.u[outputs * dof..].copy_from_slice(&work.state);
}

/// Adds a segment's steps and outputs to the whole.
fn take(work: &mut Workspace, segment: &Segment, variant: usize, dof: usize) {
    let before = work.plan.steps.len();
    let part = &segment.work;
    work.plan.steps.extend(&part.plan.steps);
    work.plan
        .variants
        .resize(work.plan.steps.len(), variant as u8);
    for (i, output) in part.plan.outputs.iter().enumerate().skip(1) {
        let to = work.plan.outputs.len() * dof;
        work.u[to..to + dof].copy_from_slice(&part.u[i * dof..(i + 1) * dof]);
        work.plan.outputs.push(match *output {
            Output::Start => Output::Start,
            Output::End(n) => Output::End(n + before),
            Output::Inside(n, theta) => Output::Inside(n + before, theta),
        });
    }
}

/// The part of a plan from step `from` on that one method takes, and its outputs from the `first` on.
fn part_of(plan: &StepPlan, from: usize, first: usize) -> StepPlan {
    let variant = |n: usize| plan.variants.get(n) == Some(&1);
    let to = (from..plan.steps.len())
        .find(|n| variant(*n) != variant(from))
        .unwrap_or(plan.steps.len());
    let mut part = StepPlan {
        steps: plan.steps[from..to].to_vec(),
        outputs: vec![Output::Start],
        variants: vec![],
    };
    for output in &plan.outputs[first..] {
        part.outputs.push(match *output {
            Output::Start => Output::Start,
            Output::End(n) if n < to => Output::End(n - from),
            Output::Inside(n, theta) if n < to => Output::Inside(n - from, theta),
            _ => break,
        });
    }
    part
}

/// Walks back over the segments; `back` is a walk over one of them.
pub(crate) fn backward(
    work: &Workspace,
    bars: &[f64],
    dof: usize,
    mut back: impl FnMut(&'static Method, &Workspace, &[f64], &mut Vec<f64>) -> Vec<f64>,
) -> Vec<f64> {
    let mut mu = vec![0.0; dof];
    for (i, segment) in work.segments.iter().enumerate().rev() {
        let outputs = segment.work.plan.outputs.len();
        let last = i + 1 == work.segments.len();
        let own = outputs - 1 - usize::from(!last);
        let mut part = vec![0.0; dof];
        part.extend(&bars[segment.first * dof..(segment.first + own) * dof]);
        if !last {
            part.extend(&mu);
        }
        mu = back(segment.method, &segment.work, &part, &mut vec![]);
    }
    add(&bars[..dof], &mut mu);
    mu
}

/// [`checkpoints::backward`] over the segments; `back` walks over taped steps of one of the methods.
pub(crate) fn again(
    again: &Again,
    work: &Workspace,
    bars: &[f64],
    part: &mut Workspace,
    mut back: impl FnMut(&'static Method, &Workspace, &[f64], &mut Vec<f64>) -> Vec<f64>,
) -> Result<Vec<f64>, SolveFailure> {
    let dof = again.evaluator.dof();
    let mut mu = vec![0.0; dof];
    for segment in work.segments.iter().rev() {
        let (first, inside) = (segment.first, segment.work.plan.outputs.len() - 1);
        let mut own_bars = vec![0.0; dof];
        own_bars.extend(&bars[first * dof..(first + inside) * dof]);
        let mut times = vec![segment.t];
        times.extend(&again.problem.t[first..]);
        let options = segment.options(again.options);
        let own = Again {
            evaluator: again.evaluator,
            breakpoints: again.breakpoints,
            problem: Problem {
                u0: &segment.u0,
                t: &times,
                sample: again.problem.sample,
            },
            options: &options,
        };
        let back = |work: &Workspace, bars: &[f64], history: &mut Vec<f64>| {
            back(segment.method, work, bars, history)
        };
        mu = checkpoints::backward(&own, &segment.work, &own_bars, mu, part, back)?;
    }
    add(&bars[..dof], &mut mu);
    Ok(mu)
}
