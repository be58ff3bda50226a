//! A solve under way: evaluations of the field, and room for what they leave.

use super::control::FirstStep;
use super::driver::Problem;
use super::events::Watch;
use super::options::SolveOptions;
use super::plan::{Output, Stats, StepPlan};
use super::scheme::Scheme;
use super::stepper::Stepper;
use super::sums::combine;
use super::workspace::{Trace, Workspace};
use crate::field::native::Evaluator;
use odesync_base::failure::{FailureReason, SolveFailure};

/// A solve under way: what every scheme works with.
pub(crate) struct Course<'a, const TAPE: bool> {
    pub evaluator: &'a Evaluator,
    pub problem: &'a Problem<'a>,
    pub options: &'a SolveOptions,
    pub work: &'a mut Workspace,
    pub dof: usize,
    pub stepper: Stepper<'a>,
    /// Whether it ended because another method would suit the problem better.
    pub stopped: bool,
    /// The plan that is replayed, where there is one.
    pub given: Option<&'a StepPlan>,
    /// The events that are looked for.
    pub events: Option<Watch<'a>>,
    /// Whether implicit equations are solved to rounding rather than to the tolerances: for a gradient, which is exact only
    /// then, and where steps are given.
    pub tight: bool,
    /// Why the last attempt could not be finished.
    pub trouble: Option<FailureReason>,
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
        work.seen.clear();
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

    /// Makes the tape long enough for step `n`. Without a bound a stiff field and a large network would take all memory.
    pub fn make_room<S: Scheme<TAPE>>(&mut self, scheme: &S, n: usize) -> Result<(), SolveFailure> {
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
    pub fn set_aside<S: Scheme<TAPE>>(&mut self, scheme: &S, steps: usize) {
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

    /// A failure here.
    pub fn failure(&self, reason: FailureReason) -> SolveFailure {
        SolveFailure {
            reason,
            t: self.stepper.t,
            step: self.stepper.tried,
            state: self.work.state.clone(),
            sample: self.problem.sample,
        }
    }
}
