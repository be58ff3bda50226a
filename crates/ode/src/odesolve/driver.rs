//! The one driver of every method: adaptive or fixed steps, forward or reverse time, with or without a tape, or replayed on
//! a given plan. How a step is taken is the business of the method's [`Scheme`].

use super::checkpoints::Row;
use super::course::Course;
use super::events::Watch;
use super::method::Family;
use super::options::SolveOptions;
use super::plan::{Output, Step, StepPlan};
use super::scheme::Scheme;
use super::sums::finite;
use super::workspace::{Trace, Workspace};
use super::{adams, auto, bdf, esdirk, explicit, radau, rosenbrock};
use crate::field::native::Evaluator;
use odesync_base::failure::{FailureReason, SolveFailure};

/// An initial value problem: `u(t[0]) = u0`, wanted at every `t`.
#[derive(Debug, Clone, Copy)]
pub struct Problem<'a> {
    /// Initial state, `[dof]`.
    pub u0: &'a [f64],
    /// Requested times, strictly monotone; the first is the initial time.
    pub t: &'a [f64],
    /// Which sample of the field's signals this is.
    pub sample: usize,
}

/// By which steps a solve goes, and how far.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Route<'a> {
    /// The plan that is replayed.
    pub plan: Option<&'a StepPlan>,
    /// Whether it may end early, after a step, because another method suits the problem better.
    pub watch: bool,
    /// The checkpoint where it begins; else it begins at the initial state.
    pub from: Option<&'a [f64]>,
    /// The most steps.
    pub most: Option<usize>,
}

/// Solves one problem into `work`; with `TAPE` what a gradient needs of every accepted step stays in `work.tape`.
pub(crate) fn solve<const TAPE: bool>(
    evaluator: &Evaluator,
    breakpoints: &[f64],
    problem: &Problem,
    options: &SolveOptions,
    work: &mut Workspace,
) -> Result<(), SolveFailure> {
    run::<TAPE>(evaluator, breakpoints, problem, options, None, work)
}

/// Takes the steps of a given plan.
pub(crate) fn replay<const TAPE: bool>(
    evaluator: &Evaluator,
    problem: &Problem,
    options: &SolveOptions,
    plan: &StepPlan,
    work: &mut Workspace,
) -> Result<(), SolveFailure> {
    run::<TAPE>(evaluator, &[], problem, options, Some(plan), work)
}

fn run<const TAPE: bool>(
    evaluator: &Evaluator,
    breakpoints: &[f64],
    problem: &Problem,
    options: &SolveOptions,
    plan: Option<&StepPlan>,
    work: &mut Workspace,
) -> Result<(), SolveFailure> {
    if let Family::Auto { explicit, stiff } = options.method.family {
        let pair = [explicit, stiff];
        auto::run::<TAPE>(evaluator, breakpoints, problem, options, plan, pair, work)?;
    } else {
        let route = Route {
            plan,
            ..Route::default()
        };
        part::<TAPE>(evaluator, breakpoints, problem, options, route, work)?;
    }
    match work.seen.iter().position(|seen| !seen) {
        None => Ok(()),
        Some(event) => Err(SolveFailure {
            reason: FailureReason::EventNotANumber(event),
            t: work.plan.steps.last().map_or(problem.t[0], |step| step.end),
            step: work.plan.steps.last().map_or(0.0, Step::h),
            state: work.state.clone(),
            sample: problem.sample,
        }),
    }
}

/// A solve by one method, or a part of it: true where it ended early because another method suits the problem better.
pub(crate) fn part<const TAPE: bool>(
    evaluator: &Evaluator,
    breakpoints: &[f64],
    problem: &Problem,
    options: &SolveOptions,
    route: Route,
    work: &mut Workspace,
) -> Result<bool, SolveFailure> {
    let mut course = Course::<TAPE>::start(evaluator, breakpoints, problem, options, work);
    course.given = route.plan;
    course.work.given = route.plan.is_some();
    // The steps after a checkpoint are taken again with a tape.
    course.tight |= course.work.given || matches!(course.work.trace, Trace::Checkpoints(_));
    /// Lends a scheme its buffers.
    macro_rules! go {
        ($buffers:ident, $scheme:expr) => {{
            let mut scheme = $scheme(std::mem::take(&mut course.work.$buffers));
            let result = course.go(&mut scheme, route);
            course.work.$buffers = scheme.buffers;
            result
        }};
    }
    let result = match options.method.family {
        Family::ExplicitRungeKutta(tableau) => {
            go!(explicit, |b| explicit::Explicit::new(
                tableau, course.dof, b
            ))
        }
        Family::Radau => go!(radau, |b| radau::Radau::new(evaluator, b)),
        Family::Esdirk(tableau) => {
            go!(esdirk, |b| esdirk::Stepping::new(tableau, evaluator, b))
        }
        Family::Rosenbrock(tableau) => {
            go!(rosenbrock, |b| rosenbrock::Stepping::new(
                tableau, evaluator, b
            ))
        }
        Family::Bdf => go!(bdf, |b| bdf::Bdf::new(evaluator, b)),
        Family::Adams(tableau) => go!(adams, |b| adams::Stepping::new(tableau, evaluator, b)),
        // It is taken apart into the others.
        Family::Auto { .. } => Ok(()),
    };
    if let Some(watch) = &course.events {
        course.work.seen = watch.seen();
    }
    course.work.stops = course.stepper.stops;
    result.map(|()| course.stopped)
}

impl<const TAPE: bool> Course<'_, TAPE> {
    fn go<S: Scheme<TAPE>>(&mut self, scheme: &mut S, route: Route) -> Result<(), SolveFailure> {
        if let Some(most) = route.most {
            self.set_aside(scheme, most);
        }
        if let Some(row) = route.from {
            self.take_up(scheme, row);
        }
        if let Some(plan) = route.plan {
            return self.replay(scheme, plan, route.from.is_some());
        }
        if !finite(&self.work.state) {
            return Err(self.failure(FailureReason::NotFinite));
        }
        if self.problem.t.len() == 1 {
            return Ok(());
        }
        if !self.options.events.is_empty() {
            let Problem { u0, t, sample } = *self.problem;
            self.events = Some(Watch::new(&self.options.events, sample, t[0], u0));
        }
        let adaptive = !self.options.fixed();
        if route.from.is_none() {
            let size = scheme.begin(self, adaptive);
            let size = size.map_err(|reason| self.failure(reason))?;
            if adaptive {
                self.stepper.begin(self.options.first_step.unwrap_or(size));
            }
        }
        while route.most.is_none_or(|most| self.work.stats.steps < most) {
            let Some(step) = self.next_step(scheme)? else {
                break;
            };
            let index = self.work.plan.steps.len();
            let tried = scheme.attempt(self, index, step);
            if !adaptive {
                tried.map_err(|reason| self.failure(reason))?;
                if !finite(&self.work.next) {
                    return Err(self.failure(FailureReason::NotFinite));
                }
                if self.accept(scheme, step)? {
                    return Ok(());
                }
                continue;
            }
            self.trouble = tried.err();
            if self.trouble.is_some() {
                self.stepper.settle(false, 0.5 * step.h().abs());
                self.stepper.stay_inside(step);
                self.work.stats.rejected += 1;
            } else if !finite(&self.work.next) {
                // An infinite state has an error of zero beside it.
                self.stepper.refuse(step);
                self.work.stats.rejected += 1;
            } else if scheme.judge(self, step) {
                self.stopped = route.watch && scheme.unsuited(self, step);
                if self.accept(scheme, step)? {
                    self.stopped = false;
                    break;
                }
                if self.stopped {
                    break;
                }
            } else {
                self.work.stats.rejected += 1;
            }
        }
        Ok(())
    }

    fn next_step<S: Scheme<TAPE>>(&mut self, scheme: &S) -> Result<Option<Step>, SolveFailure> {
        let work = &*self.work;
        let next = self.stepper.next(|| finite(&work.next) && scheme.finite());
        let next = next.map_err(|reason| match (reason, self.trouble) {
            (FailureReason::StepTooSmall, Some(trouble)) => self.failure(trouble),
            _ => self.failure(reason),
        })?;
        if next.is_some() {
            self.make_room(scheme, self.work.plan.steps.len())?;
        }
        Ok(next)
    }

    /// Makes the attempted step the current one: requested times inside it are filled in, the state moves on. Whether an event
    /// ends the solve in it.
    fn accept<S: Scheme<TAPE>>(
        &mut self,
        scheme: &mut S,
        step: Step,
    ) -> Result<bool, SolveFailure> {
        let index = self.work.plan.steps.len();
        let end = self.happenings(scheme, step);
        let end = end.map_err(|reason| self.failure(reason))?;
        let before_end = |output: &Output| {
            let theta = match output {
                Output::Inside(_, theta) => *theta,
                _ => 1.0,
            };
            end.is_none_or(|end| theta <= end)
        };
        while let Some(output) = self.stepper.next_output(index, step).filter(before_end) {
            self.output(scheme, output, step)?;
        }
        let step = match end {
            Some(theta) => self.end_at(index, step, theta),
            None => step,
        };
        self.advance(scheme, step);
        Ok(end.is_some())
    }

    /// Moves the state to the end of the attempted step.
    pub fn advance<S: Scheme<TAPE>>(&mut self, scheme: &mut S, step: Step) {
        let work = &mut *self.work;
        match &mut work.trace {
            Trace::States(states) => states.extend_from_slice(&work.state),
            Trace::Checkpoints(_) | Trace::Nothing if !work.given => {
                work.plan.steps.clear();
                work.plan.variants.clear();
            }
            _ => {}
        }
        self.work.plan.steps.push(step);
        self.work.stats.steps += 1;
        std::mem::swap(&mut self.work.state, &mut self.work.next);
        self.stepper.advance(step);
        scheme.advance(self, step);
        self.checkpoint(scheme);
    }

    /// Keeps a checkpoint where one is due.
    fn checkpoint<S: Scheme<TAPE>>(&mut self, scheme: &S) {
        let Trace::Checkpoints(checkpoints) = &self.work.trace else {
            return;
        };
        if !checkpoints.due(self.work.stats.steps) {
            return;
        }
        // Beside its tape a step that is taken again has a place in the plan.
        let tape = scheme.tape_of_step(self) + size_of::<Step>() / size_of::<f64>();
        let work = &mut *self.work;
        if let Trace::Checkpoints(checkpoints) = &mut work.trace {
            checkpoints.keep(tape, |row| {
                row.extend_from_slice(&work.state);
                self.stepper.save(row);
                scheme.save(row);
            });
        }
    }

    /// Stands where a checkpoint was kept.
    fn take_up<S: Scheme<TAPE>>(&mut self, scheme: &mut S, row: &[f64]) {
        let mut row = Row(row);
        row.fill(&mut self.work.state);
        self.stepper.load(&mut row);
        scheme.load(self, &mut row);
    }

    /// Fills in the next requested time from the attempted step.
    fn output<S: Scheme<TAPE>>(
        &mut self,
        scheme: &mut S,
        output: Output,
        step: Step,
    ) -> Result<(), SolveFailure> {
        let wanted = self.work.plan.outputs.len();
        let to = wanted * self.dof..(wanted + 1) * self.dof;
        let work = &mut *self.work;
        match output {
            Output::Start => work.u[to].copy_from_slice(self.problem.u0),
            Output::End(_) => work.u[to].copy_from_slice(&work.next),
            Output::Inside(_, theta) => {
                let found = scheme.inside(self, step, theta, to.clone());
                found.map_err(|reason| self.failure(reason))?;
                if !finite(&self.work.u[to]) {
                    return Err(self.failure(FailureReason::NotFinite));
                }
            }
        }
        self.work.plan.outputs.push(output);
        Ok(())
    }

    fn replay<S: Scheme<TAPE>>(
        &mut self,
        scheme: &mut S,
        plan: &StepPlan,
        begun: bool,
    ) -> Result<(), SolveFailure> {
        for (index, &step) in plan.steps.iter().enumerate() {
            self.stepper.tried = step.h();
            self.make_room(scheme, index)?;
            if index == 0 && !begun {
                let begun = scheme.begin(self, false);
                begun.map_err(|reason| self.failure(reason))?;
            }
            let tried = scheme.attempt(self, index, step);
            tried.map_err(|reason| self.failure(reason))?;
            if !finite(&self.work.next) {
                return Err(self.failure(FailureReason::NotFinite));
            }
            while let Some(&output) = plan.outputs.get(self.work.plan.outputs.len()) {
                match output {
                    Output::End(n) | Output::Inside(n, _) if n > index => break,
                    _ => self.output(scheme, output, step)?,
                }
            }
            self.advance(scheme, step);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tape_that_would_be_too_long_is_a_failure_and_a_solve_without_one_is_not() {
        let field = crate::dynamics::lotka_volterra().unwrap();
        let evaluator = Evaluator::new(&field);
        let problem = Problem {
            u0: &[1.0, 1.0],
            t: &[0.0, 10.0],
            sample: 0,
        };
        for options in [
            SolveOptions::default(),
            SolveOptions::default().substeps(100),
        ] {
            let mut work = Workspace {
                tape_limit: 20 * 6 * evaluator.slot_len(),
                ..Workspace::default()
            };
            let failure =
                super::solve::<true>(&evaluator, &[], &problem, &options, &mut work).unwrap_err();
            assert_eq!(
                failure.reason,
                FailureReason::TapeTooLong(8 * work.tape_limit)
            );
            assert_eq!(work.plan.steps.len(), 19);
            assert!(work.tape.len() <= work.tape_limit);
            assert!(failure.to_string().contains("GiB"));
            super::solve::<false>(&evaluator, &[], &problem, &options, &mut work).unwrap();
            work.tape_limit = usize::MAX;
            super::solve::<true>(&evaluator, &[], &problem, &options, &mut work).unwrap();
        }
    }
}
