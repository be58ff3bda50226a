//! The driver common to all methods: adaptive or fixed steps, forward or reverse time, with or without a tape, or a replay of
//! recorded steps. Each method computes its steps in its [`StepMethod`].

use super::any_method::{AnyMethod, with_step_method};
use super::auto;
use super::checkpoints::StateReader;
use super::events::{Ending, EventDetector, EventFunctions, GuardFunctions};
use super::integrator_core::IntegratorCore;
use super::options::SolveOptions;
use super::recorded_steps::{OutputPosition, RecordedSteps, Step};
use super::rhs::Rhs;
use super::solver::SolverFamily;
use super::step_method::StepMethod;
use super::vector_ops::all_finite;
use super::workspace::{ForwardRecord, Workspace};
use odesync_base::failure::{FailureReason, SolveFailure};

/// An initial value problem: `u(t[0]) = u0`, with the solution requested at every output time `t`.
#[derive(Debug, Clone, Copy)]
pub struct Problem<'a> {
    /// Initial state, `[dof]`.
    pub u0: &'a [f64],
    /// Output times, strictly monotone; the first is the initial time.
    pub t: &'a [f64],
    /// Index of the sample of the field's signals.
    pub sample: usize,
}

/// Specification of a solve, or of a segment of one, by one method: its start, its steps and its end.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct SegmentSpec<'a> {
    /// Steps to replay; `None`: the step sequencer chooses the steps.
    pub recorded: Option<&'a RecordedSteps>,
    /// Whether the segment may end early, after an accepted step, because stiffness (or its end) is detected.
    pub detect_stiffness: bool,
    /// Checkpoint at which the segment starts; the initial state where `None`.
    pub start: Option<&'a [f64]>,
    /// Maximum number of accepted steps; unlimited where `None`.
    pub max_steps: Option<usize>,
    /// Guards of the field's conditions in the state, at whose zeros the solve ends.
    pub guards: Option<&'a GuardFunctions>,
    /// Time at which a recomputed solve ended for an event, in the middle of a step.
    pub ends_at: Option<f64>,
}

/// Solves one problem into `work`; with `TAPE`, stores in `work.tape` what a gradient needs of every accepted step.
pub(crate) fn solve<R: Rhs + ?Sized, const TAPE: bool>(
    rhs: &R,
    breakpoints: &[f64],
    problem: &Problem,
    options: &SolveOptions,
    work: &mut Workspace,
) -> Result<(), SolveFailure> {
    work.event_starts.clear();
    work.pieces.clear();
    solve_piece::<R, TAPE>(rhs, breakpoints, problem, options, None, work)?;
    check_events_defined(problem, options, work)
}

/// Solves one problem into `work` up to its end, or up to the first event that changes the state or guard that changes its sign.
/// `work.event_starts` tell where the events stand.
pub(crate) fn solve_piece<R: Rhs + ?Sized, const TAPE: bool>(
    rhs: &R,
    breakpoints: &[f64],
    problem: &Problem,
    options: &SolveOptions,
    guards: Option<&GuardFunctions>,
    work: &mut Workspace,
) -> Result<(), SolveFailure> {
    let spec = SegmentSpec {
        guards,
        ..SegmentSpec::default()
    };
    dispatch::<R, TAPE>(rhs, breakpoints, problem, options, spec, work)
}

/// Solves one problem into `work` on the steps that are given.
pub(crate) fn replay<R: Rhs + ?Sized, const TAPE: bool>(
    rhs: &R,
    problem: &Problem,
    options: &SolveOptions,
    recorded: &RecordedSteps,
    work: &mut Workspace,
) -> Result<(), SolveFailure> {
    let spec = SegmentSpec {
        recorded: Some(recorded),
        ..SegmentSpec::default()
    };
    work.event_starts.clear();
    work.pieces.clear();
    dispatch::<R, TAPE>(rhs, &[], problem, options, spec, work)
}

fn dispatch<R: Rhs + ?Sized, const TAPE: bool>(
    rhs: &R,
    breakpoints: &[f64],
    problem: &Problem,
    options: &SolveOptions,
    spec: SegmentSpec,
    work: &mut Workspace,
) -> Result<(), SolveFailure> {
    if let SolverFamily::Auto { explicit, stiff } = options.solver.family {
        let pair = [explicit, stiff];
        auto::solve_segments::<R, TAPE>(rhs, breakpoints, problem, options, spec, pair, work)
    } else {
        integrate_segment::<R, TAPE>(rhs, breakpoints, problem, options, spec, work).map(drop)
    }
}

/// Checks that the function of every event was a number somewhere in a solve.
pub(crate) fn check_events_defined(
    problem: &Problem,
    options: &SolveOptions,
    work: &Workspace,
) -> Result<(), SolveFailure> {
    match work.event_was_defined.iter().position(|defined| !defined) {
        None => Ok(()),
        Some(event) => Err(SolveFailure {
            reason: FailureReason::EventNan(event),
            t: work
                .recorded
                .steps
                .last()
                .map_or(problem.t[0], |step| step.end),
            step: work.recorded.steps.last().map_or(0.0, Step::h),
            state: work.state.clone(),
            sample: problem.sample,
            method: options.running_method(),
        }),
    }
}

/// Integrates a solve, or a segment of one, by one method. Returns true where it ended early because another method suits the
/// problem better.
pub(crate) fn integrate_segment<R: Rhs + ?Sized, const TAPE: bool>(
    rhs: &R,
    breakpoints: &[f64],
    problem: &Problem,
    options: &SolveOptions,
    spec: SegmentSpec,
    work: &mut Workspace,
) -> Result<bool, SolveFailure> {
    let mut integrator = IntegratorCore::<R, TAPE>::new(rhs, breakpoints, *problem, options, work);
    integrator.recorded_steps = spec.recorded;
    integrator.ends_at = spec.ends_at;
    integrator.guards = spec.guards;
    integrator.work.is_replay = spec.recorded.is_some();
    // The steps after a checkpoint are recomputed with a tape, which needs exact stages.
    integrator.exact_stages |= integrator.work.is_replay
        || matches!(integrator.work.record, ForwardRecord::Checkpoints(_));
    let earlier = integrator.work.method.take();
    let mut method = AnyMethod::new(options.solver, options, rhs, earlier);
    let result =
        with_step_method!(&mut method, method => integrator.integrate(&mut **method, spec));
    integrator.work.method = Some(method);
    if let Some(detector) = &integrator.events {
        let n_events = options.events.len();
        integrator.work.event_was_defined = detector.were_defined();
        integrator.work.event_was_defined.truncate(n_events);
        integrator.work.event_starts = detector.starts();
        integrator.work.event_starts.truncate(n_events);
        integrator.work.fired = detector.fired().to_vec();
    }
    integrator.work.proposed_h = integrator.stepper.proposed();
    integrator.work.tstops = integrator.stepper.tstops;
    result.map(|()| integrator.switch_requested)
}

impl<R: Rhs + ?Sized, const TAPE: bool> IntegratorCore<'_, '_, R, TAPE> {
    fn integrate<S: StepMethod<R, TAPE>>(
        &mut self,
        method: &mut S,
        spec: SegmentSpec,
    ) -> Result<(), SolveFailure> {
        if let Some(max_steps) = spec.max_steps {
            self.reserve_tape(method, max_steps);
        }
        if let Some(checkpoint) = spec.start {
            self.restore(method, checkpoint);
        }
        if let Some(recorded) = spec.recorded {
            return self.replay(method, recorded, spec.start.is_some());
        }
        if spec.start.is_none() {
            self.initialize(method)?;
        } else {
            self.check_start()?;
        }
        while spec
            .max_steps
            .is_none_or(|max_steps| self.work.stats.steps < max_steps)
        {
            if self.step(method, spec.detect_stiffness)?.is_none()
                || self.work.terminated_at.is_some()
                || self.switch_requested
            {
                break;
            }
        }
        Ok(())
    }

    /// Checks the state at the start and sets up the detection of events there.
    fn check_start(&mut self) -> Result<(), SolveFailure> {
        if !all_finite(&self.work.state) {
            return Err(self.failure(FailureReason::NotFinite));
        }
        let is_watched = !self.options.events.is_empty() || self.guards.is_some();
        if is_watched && self.problem.t.len() > 1 {
            let Problem { t, sample, .. } = self.problem;
            let u0 = &self.work.u[..self.dof];
            let functions = EventFunctions::new(&self.options.events, self.guards);
            let starts = &self.work.event_starts;
            self.events = Some(EventDetector::new(functions, starts, sample, t[0], u0));
        }
        Ok(())
    }

    /// Prepares the first step: evaluates the right-hand side at the start and chooses the first step size.
    pub fn initialize<S: StepMethod<R, TAPE>>(
        &mut self,
        method: &mut S,
    ) -> Result<(), SolveFailure> {
        self.find_start()?;
        self.check_start()?;
        if self.problem.t.len() == 1 {
            return Ok(());
        }
        let adaptive = !self.options.is_fixed_step();
        method.set_scales(&self.difference_scales());
        let size = method.initialize(self, adaptive);
        let size = size.map_err(|reason| self.failure(reason))?;
        if adaptive {
            self.stepper
                .set_initial_step(self.options.first_step.unwrap_or(size));
        }
        Ok(())
    }

    /// Takes one accepted step, with as many rejected attempts as it needs; `None` where the end is reached already. With
    /// `detect_stiffness`, `switch_requested` tells whether another kind of method suits the problem better from here on.
    pub fn step<S: StepMethod<R, TAPE>>(
        &mut self,
        method: &mut S,
        detect_stiffness: bool,
    ) -> Result<Option<Step>, SolveFailure> {
        while let Some(step) = self.next_step(method)? {
            let index = self.work.recorded.steps.len();
            let attempt = self.attempt(method, index, step)?;
            if self.judge_attempt(method, step, attempt)? {
                self.complete_step(method, step, detect_stiffness)?;
                return Ok(Some(step));
            }
        }
        Ok(None)
    }

    /// Decides whether a step that was attempted is accepted; sets the size of the next one.
    #[inline]
    pub fn judge_attempt<S: StepMethod<R, TAPE>>(
        &mut self,
        method: &mut S,
        step: Step,
        attempt: Result<(), FailureReason>,
    ) -> Result<bool, SolveFailure> {
        if self.options.is_fixed_step() {
            attempt.map_err(|reason| self.failure(reason))?;
            return match all_finite(&self.work.next) {
                true => Ok(true),
                false => Err(self.failure(FailureReason::NotFinite)),
            };
        }
        self.last_failure = attempt.err();
        let is_accepted = if self.last_failure.is_some() {
            self.stepper.record_step(false, 0.5 * step.h().abs());
            self.stepper.clamp_to_end(step);
            false
        } else if !all_finite(&self.work.next) {
            // The scaled error of an infinite state is zero, so the error test would accept it.
            self.stepper.reject_nonfinite(step);
            false
        } else {
            self.passes_error_test(method, step)
        };
        self.work.stats.rejected += usize::from(!is_accepted);
        Ok(is_accepted)
    }

    /// Takes over a step that is accepted.
    #[inline]
    pub fn complete_step<S: StepMethod<R, TAPE>>(
        &mut self,
        method: &mut S,
        step: Step,
        detect_stiffness: bool,
    ) -> Result<(), SolveFailure> {
        let detects = detect_stiffness && !self.options.is_fixed_step();
        let switch = detects && method.should_switch(self, step);
        // A solve that an event terminates has no use for another method.
        self.switch_requested = !self.accept_step(method, step)? && switch;
        Ok(())
    }

    /// Whether the attempted step is accepted; sets the size of the next one.
    fn passes_error_test<S: StepMethod<R, TAPE>>(&mut self, method: &mut S, step: Step) -> bool {
        if self.stepper.is_indivisible() {
            // The size of the next step remains what it was before.
            self.stepper.record_step(true, 0.0);
            return true;
        }
        method.error_test(self, step)
    }

    fn next_step<S: StepMethod<R, TAPE>>(
        &mut self,
        method: &S,
    ) -> Result<Option<Step>, SolveFailure> {
        let next = self.propose_step(method)?;
        if next.is_some() {
            self.ensure_tape_capacity(method, self.work.recorded.steps.len())?;
        }
        Ok(next)
    }

    /// Returns the next step to attempt; `None` where the end is reached.
    pub fn propose_step<S: StepMethod<R, TAPE>>(
        &mut self,
        method: &S,
    ) -> Result<Option<Step>, SolveFailure> {
        let work = &*self.work;
        let next = self
            .stepper
            .next(|| all_finite(&work.next) && method.is_finite());
        next.map_err(|reason| match (reason, self.last_failure) {
            (FailureReason::StepTooSmall, Some(last_failure)) => self.failure(last_failure),
            _ => self.failure(reason),
        })
    }

    /// Accepts the attempted step: detects events, writes the output times inside the step and advances the state. Returns
    /// whether an event terminates the solve in this step.
    fn accept_step<S: StepMethod<R, TAPE>>(
        &mut self,
        method: &mut S,
        step: Step,
    ) -> Result<bool, SolveFailure> {
        let index = self.work.recorded.steps.len();
        if let Some(end) = self.ends_at
            && (step.end - end) * step.h() >= 0.0
        {
            self.end_piece(method, step, end, false)?;
            return Ok(true);
        }
        let end = self.find_events(method, step);
        let end = match end.map_err(|reason| self.failure(reason))? {
            Some(Ending::Piece(theta)) => {
                self.end_piece(method, step, step.time_at(theta), true)?;
                return Ok(true);
            }
            Some(Ending::Terminal(theta)) => Some(theta),
            None => None,
        };
        let before_end = |output: &OutputPosition| {
            let theta = match output {
                OutputPosition::Inside(_, theta) => *theta,
                _ => 1.0,
            };
            end.is_none_or(|end| theta <= end)
        };
        while let Some(output) = self.stepper.next_output(index, step).filter(before_end) {
            self.write_output(method, output, step)?;
        }
        self.evaluate_step_nodes(method, step);
        let step = match end {
            Some(theta) => self.terminate_at(index, step, theta),
            None => step,
        };
        self.advance(method, step);
        Ok(end.is_some())
    }

    /// Advances the state to the end of the attempted step.
    pub fn advance<S: StepMethod<R, TAPE>>(&mut self, method: &mut S, step: Step) {
        let work = &mut *self.work;
        match &mut work.record {
            ForwardRecord::States(states) => states.extend_from_slice(&work.state),
            ForwardRecord::Checkpoints(_) | ForwardRecord::Nothing if !work.is_replay => {
                work.recorded.steps.clear();
                work.recorded.variants.clear();
            }
            _ => {}
        }
        self.work.recorded.steps.push(step);
        self.work.stats.steps += 1;
        std::mem::swap(&mut self.work.state, &mut self.work.next);
        self.stepper.advance(step);
        method.on_accept(self, step);
        self.save_checkpoint(method);
    }

    /// Saves a checkpoint where one is due.
    fn save_checkpoint<S: StepMethod<R, TAPE>>(&mut self, method: &S) {
        let ForwardRecord::Checkpoints(checkpoints) = &self.work.record else {
            return;
        };
        if !checkpoints.is_due(self.work.stats.steps) {
            return;
        }
        // A recomputed step takes up memory for its tape and for its entry in the record.
        let tape = method.tape_len_per_step(self) + size_of::<Step>() / size_of::<f64>();
        let work = &mut *self.work;
        if let ForwardRecord::Checkpoints(checkpoints) = &mut work.record {
            checkpoints.push(tape, |checkpoint| {
                checkpoint.extend_from_slice(&work.state);
                self.stepper.save(checkpoint);
                method.save(checkpoint);
            });
        }
    }

    /// Restores the state, the step sequencer and the method from a checkpoint.
    fn restore<S: StepMethod<R, TAPE>>(&mut self, method: &mut S, checkpoint: &[f64]) {
        let mut checkpoint = StateReader(checkpoint);
        checkpoint.read_into(&mut self.work.state);
        self.stepper.load(&mut checkpoint);
        method.load(self, &mut checkpoint);
    }

    /// Writes the solution at the next output time, from the attempted step.
    pub fn write_output<S: StepMethod<R, TAPE>>(
        &mut self,
        method: &mut S,
        output: OutputPosition,
        step: Step,
    ) -> Result<(), SolveFailure> {
        let output_index = self.work.recorded.outputs.len();
        let to = output_index * self.dof..(output_index + 1) * self.dof;
        let work = &mut *self.work;
        match output {
            OutputPosition::Start => work.u.copy_within(0..self.dof, to.start),
            OutputPosition::End(_) => work.u[to].copy_from_slice(&work.next),
            OutputPosition::Inside(_, theta) => {
                let solved = method.evaluate_output(self, step, theta, to.clone());
                solved.map_err(|reason| self.failure(reason))?;
                if !all_finite(&self.work.u[to]) {
                    return Err(self.failure(FailureReason::NotFinite));
                }
            }
        }
        self.work.recorded.outputs.push(output);
        Ok(())
    }

    fn replay<S: StepMethod<R, TAPE>>(
        &mut self,
        method: &mut S,
        recorded: &RecordedSteps,
        initialized: bool,
    ) -> Result<(), SolveFailure> {
        for (index, &step) in recorded.steps.iter().enumerate() {
            self.stepper.attempted_h = step.h();
            self.ensure_tape_capacity(method, index)?;
            if index == 0 && !initialized {
                self.find_start()?;
                let prepared = method.initialize(self, false);
                prepared.map_err(|reason| self.failure(reason))?;
            }
            let attempt = method.perform_step(self, index, step);
            attempt.map_err(|reason| self.failure(reason))?;
            if !all_finite(&self.work.next) {
                return Err(self.failure(FailureReason::NotFinite));
            }
            for &output in recorded.outputs_in_step(self.work.recorded.outputs.len(), index) {
                self.write_output(method, output, step)?;
            }
            self.advance(method, step);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::native::Evaluator;

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
            let failure = super::solve::<_, true>(&evaluator, &[], &problem, &options, &mut work)
                .unwrap_err();
            assert_eq!(
                failure.reason,
                FailureReason::TapeTooLarge(8 * work.tape_limit)
            );
            assert_eq!(work.recorded.steps.len(), 19);
            assert!(work.tape.len() <= work.tape_limit);
            assert!(failure.to_string().contains("GiB"));
            super::solve::<_, false>(&evaluator, &[], &problem, &options, &mut work).unwrap();
            work.tape_limit = usize::MAX;
            super::solve::<_, true>(&evaluator, &[], &problem, &options, &mut work).unwrap();
        }
    }
}
