//! The one driver of every method: adaptive or fixed steps, forward or reverse time, with or without a tape, or replayed on
//! a given plan. How a step is taken is the business of the method's [`Scheme`].

use super::checkpoints::{Checkpoints, Row};
use super::control::FirstStep;
use super::events::{Occurrence, Watch};
use super::failure::{FailureReason, SolveFailure};
use super::method::Family;
use super::options::SolveOptions;
use super::plan::{Output, Stats, Step, StepPlan};
use super::stepper::Stepper;
use super::{adams, auto, bdf, esdirk, explicit, radau, rosenbrock};
use crate::field::native::Evaluator;

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

/// Everything one solve works on, kept between solves so that nothing is allocated in the loop.
#[derive(Debug, Clone, Default)]
pub(crate) struct Workspace {
    /// What the steps leave for a gradient, step by step, in the layout of the method's scheme.
    pub tape: Vec<f64>,
    /// What outputs inside steps leave for a gradient beside the steps themselves, one such step after the other.
    pub tape_beside: Vec<f64>,
    /// Number of steps that were taken to outputs inside others.
    pub steps_beside: usize,
    /// The end of such a step, `[dof]`.
    pub inside: Vec<f64>,
    /// The most numbers that both may hold.
    pub tape_limit: usize,
    pub plan: StepPlan,
    /// Whether the plan was a given one.
    pub given: bool,
    /// The size of the step before the first one, where the solve was taken up at a checkpoint.
    pub before: Option<f64>,
    /// What a solve without a tape leaves for a gradient.
    pub trace: Trace,
    pub stats: Stats,
    /// The solution, `[time, dof]`.
    pub u: Vec<f64>,
    /// The state at the start of the step, `[dof]`.
    pub state: Vec<f64>,
    /// The state at the end of the step, `[dof]`.
    pub next: Vec<f64>,
    /// The events of the solve, and the time at which one ended it.
    pub occurrences: Vec<Occurrence>,
    pub ended: Option<f64>,
    pub explicit: explicit::Buffers,
    pub radau: radau::Buffers,
    pub esdirk: esdirk::Buffers,
    pub rosenbrock: rosenbrock::Buffers,
    pub bdf: bdf::Buffers,
    pub adams: adams::Buffers,
    /// The segments of `auto`.
    pub segments: Vec<auto::Segment>,
    pub stops: Vec<f64>,
}

/// What a solve leaves for a gradient beside its tape, where it has one.
#[derive(Debug, Clone, Default)]
pub(crate) enum Trace {
    /// The plan.
    #[default]
    Plan,
    /// The plan, and the states at the start of each of its steps, `[step, dof]`.
    States(Vec<f64>),
    /// Checkpoints. Of the plan only the last step is kept, unless it was given.
    Checkpoints(Checkpoints),
    /// Of the plan only the last step, unless it was given.
    Nothing,
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

/// How a method takes its steps. The driver holds the state; a scheme leaves u⁺ in `course.work.next`.
pub(crate) trait Scheme<const TAPE: bool> {
    /// Length of the tape for this many steps.
    fn tape_len(&self, course: &Course<TAPE>, steps: usize) -> usize;

    /// Length of the tape that one more step comes to, most steps being alike.
    fn tape_of_step(&self, course: &Course<TAPE>) -> usize {
        self.tape_len(course, 2) - self.tape_len(course, 1)
    }

    /// Prepares the first step at the initial state. For adaptive steps it gives the size of the first one; for fixed steps
    /// and replays the size is not used.
    fn begin(&mut self, course: &mut Course<TAPE>, adaptive: bool) -> Result<f64, FailureReason>;

    /// Takes the `index`th step, leaving u⁺ in `course.work.next`. An error rejects an adaptive step, which is tried again
    /// with a smaller size, and ends a solve of fixed steps.
    fn attempt(
        &mut self,
        course: &mut Course<TAPE>,
        index: usize,
        step: Step,
    ) -> Result<(), FailureReason>;

    /// Whether the attempted adaptive step is accepted; tells the stepper the size of the next one.
    fn judge(&mut self, course: &mut Course<TAPE>, step: Step) -> bool;

    /// The method's polynomial at `t + θ h` of the attempted step into `course.work.u[to]`.
    fn interpolate(
        &mut self,
        course: &mut Course<TAPE>,
        step: Step,
        theta: f64,
        to: std::ops::Range<usize>,
    );

    /// The solution at `t + θ h` of the attempted step into `course.work.u[to]`, to the method's order.
    fn inside(
        &mut self,
        course: &mut Course<TAPE>,
        step: Step,
        theta: f64,
        to: std::ops::Range<usize>,
    ) -> Result<(), FailureReason> {
        self.interpolate(course, step, theta, to);
        Ok(())
    }

    /// Gets ready for the next step; the states are already exchanged, `course.work.next` is the old one.
    fn advance(&mut self, course: &mut Course<TAPE>, step: Step);

    /// Whether the accepted step, like others before it, shows that another kind of method would suit the problem better.
    fn unsuited(&mut self, _course: &mut Course<TAPE>, _step: Step) -> bool {
        false
    }

    /// Adds to a checkpoint what the next step depends on beside the state and the stepper: always as many numbers.
    fn save(&self, row: &mut Vec<f64>);

    /// Takes up a checkpoint instead of [`Scheme::begin`]; the course stands there.
    fn load(&mut self, course: &mut Course<TAPE>, row: &mut Row);

    /// Whether everything beside `next` that the last attempt computed is finite.
    fn finite(&self) -> bool;
}

/// A solve under way: what every scheme works with.
pub(crate) struct Course<'a, const TAPE: bool> {
    pub evaluator: &'a Evaluator,
    pub problem: &'a Problem<'a>,
    pub options: &'a SolveOptions,
    pub work: &'a mut Workspace,
    pub dof: usize,
    pub stepper: Stepper<'a>,
    /// Whether it ended because another method would suit the problem better.
    stopped: bool,
    /// The plan that is replayed, where there is one.
    pub given: Option<&'a StepPlan>,
    /// The events that are looked for.
    pub events: Option<Watch<'a>>,
    /// Whether implicit equations are solved to rounding rather than to the tolerances: for a gradient, which is exact only
    /// then, and where steps are given.
    pub tight: bool,
    /// Why the last attempt could not be finished.
    trouble: Option<FailureReason>,
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
        return auto::run::<TAPE>(evaluator, breakpoints, problem, options, plan, pair, work);
    }
    let route = Route {
        plan,
        ..Route::default()
    };
    part::<TAPE>(evaluator, breakpoints, problem, options, route, work).map(|_| ())
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
    course.work.stops = course.stepper.stops;
    result.map(|()| course.stopped)
}

impl<'a, const TAPE: bool> Course<'a, TAPE> {
    pub fn start(
        evaluator: &'a Evaluator,
        breakpoints: &[f64],
        problem: &'a Problem<'a>,
        options: &'a SolveOptions,
        work: &'a mut Workspace,
    ) -> Self {
        let dof = evaluator.dof();
        work.plan.clear();
        work.before = None;
        match &mut work.trace {
            Trace::States(states) => states.clear(),
            Trace::Checkpoints(checkpoints) => checkpoints.clear(),
            Trace::Plan | Trace::Nothing => {}
        }
        work.tape_beside.clear();
        work.steps_beside = 0;
        work.occurrences.clear();
        work.ended = None;
        work.stats = Stats::default();
        work.state.resize(dof, 0.0);
        work.next.resize(dof, 0.0);
        work.inside.resize(dof, 0.0);
        work.state.copy_from_slice(problem.u0);
        work.u.resize(problem.t.len() * dof, 0.0);
        work.u[..dof].copy_from_slice(problem.u0);
        work.plan.outputs.push(Output::Start);
        let stops = std::mem::take(&mut work.stops);
        Course {
            stepper: Stepper::new(problem.t, options, breakpoints, stops),
            evaluator,
            problem,
            options,
            work,
            dof,
            given: None,
            stopped: false,
            tight: TAPE || options.fixed(),
            events: None,
            trouble: None,
        }
    }

    /// The size of the first step where its error is of this order in it; `f` is du/dt at the start, `slot` and
    /// `change` are storage.
    pub fn first_size(
        &mut self,
        order: usize,
        f: &[f64],
        slot: &mut [f64],
        change: &mut [f64],
    ) -> f64 {
        if let Some(h) = self.options.first_step {
            return h;
        }
        let SolveOptions { rtol, atol, .. } = *self.options;
        let Workspace { state, next, .. } = &mut *self.work;
        let first = FirstStep::new(state, f, rtol, atol);
        let trial = self.stepper.sign() * first.trial;
        combine(state, trial, &[1.0], f, self.dof, next);
        let t = self.stepper.t + trial;
        let sample = self.problem.sample;
        self.evaluator.value(sample, t, next, slot, change);
        self.work.stats.evaluations += 1;
        for (change, f) in change.iter_mut().zip(f) {
            *change -= f;
        }
        first.size(change, order)
    }

    /// Evaluates the field at (t, u) into `k`; with a tape, into the slot that begins at `at` of it.
    #[inline]
    pub fn evaluate(&mut self, at: usize, t: f64, u: &[f64], k: &mut [f64]) {
        let len = self.evaluator.slot_len();
        let at = if TAPE { at } else { 0 };
        // Room for the stages of a step was made before it; this is for those before the first.
        if self.work.tape.len() < at + len {
            self.work.tape.resize(at + len, 0.0);
        }
        let slot = &mut self.work.tape[at..at + len];
        let sample = self.problem.sample;
        if TAPE {
            self.evaluator.taped(sample, t, u, slot, k);
        } else {
            self.evaluator.value(sample, t, u, slot, k);
        }
        self.work.stats.evaluations += 1;
    }

    /// Evaluates the field at (t, u) into `k` for an output inside a step; with a tape, into a new slot of the tape beside.
    pub fn evaluate_beside(&mut self, t: f64, u: &[f64], k: &mut [f64]) {
        if !TAPE {
            return self.evaluate(0, t, u, k);
        }
        let at = self.work.tape_beside.len();
        self.work
            .tape_beside
            .resize(at + self.evaluator.slot_len(), 0.0);
        let slot = &mut self.work.tape_beside[at..];
        self.evaluator.taped(self.problem.sample, t, u, slot, k);
        self.work.stats.evaluations += 1;
    }

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
            let (events, u0) = (&self.options.events, self.problem.u0);
            self.events = Some(Watch::new(events, self.problem.t[0], u0));
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

    /// Makes the tape long enough for step `n`. Without a bound a stiff field and a large network would take all memory.
    fn make_room<S: Scheme<TAPE>>(&mut self, scheme: &S, n: usize) -> Result<(), SolveFailure> {
        if !TAPE {
            return Ok(());
        }
        let needed = scheme.tape_len(self, n + 1);
        let beside = self.work.tape_beside.len();
        let have = self.work.tape.len();
        let limit = self.work.tape_limit.saturating_sub(beside);
        if needed <= have && needed <= limit {
            return Ok(());
        }
        // Doubling, so that the tape settles after one solve.
        let grown = needed.max((2 * have).min(limit));
        let too_long = |n: usize| FailureReason::TapeTooLong(n.saturating_mul(size_of::<f64>()));
        if needed > limit {
            return Err(self.failure(too_long(self.work.tape_limit)));
        }
        if self.work.tape.try_reserve_exact(grown - have).is_err() {
            return Err(self.failure(too_long(have)));
        }
        self.work.tape.resize(grown, 0.0);
        Ok(())
    }

    /// Room for the tape and the plan of so many steps, neither more nor beside what there was before. Where it can't be had,
    /// the step that finds none is a failure.
    fn set_aside<S: Scheme<TAPE>>(&mut self, scheme: &S, steps: usize) {
        self.work.plan.steps.reserve_exact(steps);
        self.work.plan.variants.reserve_exact(steps);
        let more = scheme
            .tape_of_step(self)
            .saturating_mul(steps.saturating_sub(1));
        let needed = scheme.tape_len(self, 1).saturating_add(more);
        let tape = &mut self.work.tape;
        if TAPE && needed > tape.len() && needed <= self.work.tape_limit {
            *tape = vec![];
            if tape.try_reserve_exact(needed).is_ok() {
                tape.resize(needed, 0.0);
            }
        }
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

    fn failure(&self, reason: FailureReason) -> SolveFailure {
        SolveFailure {
            reason,
            t: self.stepper.t,
            step: self.stepper.tried,
            state: self.work.state.clone(),
            sample: self.problem.sample,
        }
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

/// Whether every number is.
pub(crate) fn finite(x: &[f64]) -> bool {
    x.iter().all(|x| x.is_finite())
}

/// `out = u + h Σ_j a_j k_j`.
#[inline]
pub(crate) fn combine(u: &[f64], h: f64, a: &[f64], k: &[f64], dof: usize, out: &mut [f64]) {
    match dof {
        1 => combine_few::<1>(u, h, a, k, out),
        2 => combine_few::<2>(u, h, a, k, out),
        3 => combine_few::<3>(u, h, a, k, out),
        4 => combine_few::<4>(u, h, a, k, out),
        _ => {
            out.copy_from_slice(u);
            accumulate(h, a, k, dof, out);
        }
    }
}

/// [`combine`] for a few components, whose sums stay in registers.
#[inline(always)]
fn combine_few<const N: usize>(u: &[f64], h: f64, a: &[f64], k: &[f64], out: &mut [f64]) {
    let (Some(u), Some(out)) = (u.as_array::<N>(), out.as_mut_array::<N>()) else {
        return;
    };
    *out = *u;
    for (&a, k) in a.iter().zip(k.as_chunks::<N>().0) {
        if a != 0.0 {
            for i in 0..N {
                out[i] += h * a * k[i];
            }
        }
    }
}

/// `out += h Σ_j a_j k_j`.
#[inline]
pub(crate) fn accumulate(h: f64, a: &[f64], k: &[f64], dof: usize, out: &mut [f64]) {
    for (&a, k) in a.iter().zip(k.chunks_exact(dof)) {
        if a != 0.0 {
            for (out, k) in out.iter_mut().zip(k) {
                *out += h * a * k;
            }
        }
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
