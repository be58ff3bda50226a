//! Event handling during a solve: each accepted step, of any method, is passed to the
//! [`EventDetector`](super::events::EventDetector) as a function of θ.

use super::events::{Ending, EventHit, InterpolationOrder, theta_resolution};
use super::integrator_core::IntegratorCore;
use super::recorded_steps::{OutputPosition, Step};
use super::rhs::Rhs;
use super::smooth_piece::SAME_TIME;
use super::step_method::StepMethod;
use super::transitions::slope_of;
use super::vector_ops::all_finite;
use odesync_base::failure::{FailureReason, SolveFailure};

impl<R: Rhs + ?Sized, const TAPE: bool> IntegratorCore<'_, '_, R, TAPE> {
    /// Detects events in the attempted step, before the state is advanced. Returns what ends the solve in it.
    pub fn find_events<S: StepMethod<R, TAPE>>(
        &mut self,
        method: &mut S,
        step: Step,
    ) -> Result<Option<Ending>, FailureReason> {
        let Some(mut detector) = self.events.take() else {
            return Ok(None);
        };
        let interpolation = match self.options.solver.substeps_to_outputs() {
            true => InterpolationOrder::Full,
            false => InterpolationOrder::Dense,
        };
        let mut found = std::mem::take(&mut self.work.event_hits);
        let last = self.problem.t[self.problem.t.len() - 1];
        let limit = ((last - step.t) / step.h()).min(1.0);
        let hermite = (!self.options.solver.has_dense_output()).then(|| self.end_slopes(step));
        let before = found.len();
        let output_tape = (self.work.output_tape.len(), self.work.n_output_steps);
        let mut u = |theta: f64, interpolation, out: &mut [f64]| match &hermite {
            _ if theta == 0.0 => out.copy_from_slice(&self.work.state),
            _ if theta == 1.0 => out.copy_from_slice(&self.work.next),
            Some(slopes) => self.hermite_interpolate(slopes, step, theta, out),
            None => self.evaluate_interpolant(method, (step, theta), interpolation, out),
        };
        let end = detector.detect(step, limit, interpolation, &mut u, &mut found);
        let finite = found[before..].iter().all(|event| all_finite(&event.u));
        self.work.event_hits = found;
        self.events = Some(detector);
        if TAPE {
            // What was computed to look for events is no part of the solution.
            self.work.output_tape.truncate(output_tape.0);
            self.work.n_output_steps = output_tape.1;
            method.forget_interpolant();
        }
        finite.then_some(end).ok_or(FailureReason::NotFinite)
    }

    /// Ends the piece of a solve inside the attempted step, at the time `end`: takes the step anew up to there, writes the outputs
    /// before and then the state at the end as the last output. With `refine` the end is moved to the zero of the function that fired
    /// on the step that ends there, and the hits are recorded.
    pub fn end_piece<S: StepMethod<R, TAPE>>(
        &mut self,
        method: &mut S,
        step: Step,
        end: f64,
        refine: bool,
    ) -> Result<(), SolveFailure> {
        let index = self.work.recorded.steps.len();
        let step = match end == step.end {
            true => step,
            false => self.shorten_step(method, (index, step), end, refine)?,
        };
        let same = SAME_TIME * step.end.abs().max(self.stepper.span()) / step.h().abs();
        while let Some(output) = self.stepper.next_output(index, step) {
            match output {
                OutputPosition::Inside(_, theta) if theta < 1.0 - same => {
                    self.write_output(method, output, step)?;
                }
                _ => break,
            }
        }
        let n = self.work.recorded.outputs.len() + 1;
        if self.work.u.len() < n * self.dof {
            self.work.u.resize(n * self.dof, 0.0);
        }
        self.write_output(method, OutputPosition::End(index), step)?;
        self.work.u.truncate(n * self.dof);
        self.work.terminated_at = Some(step.end);
        let events = self.events.iter().flat_map(|detector| detector.fired());
        for fired in events.filter(|fired| fired.index < self.options.events.len()) {
            self.work.event_hits.push(EventHit {
                event: fired.index,
                t: step.end,
                u: self.work.next.clone(),
            });
        }
        self.advance(method, step);
        Ok(())
    }

    /// Takes the attempted step anew with another end.
    fn shorten_step<S: StepMethod<R, TAPE>>(
        &mut self,
        method: &mut S,
        (index, step): (usize, Step),
        end: f64,
        refine: bool,
    ) -> Result<Step, SolveFailure> {
        // A step is at least as long as time resolves.
        let spacing = 4.0 * f64::EPSILON * step.t.abs().max(0.25 * step.h().abs());
        let least = step.t + spacing * step.h().signum();
        let clamp = |end: f64| match step.h() > 0.0 {
            true => end.max(least).min(step.end),
            false => end.min(least).max(step.end),
        };
        let mut shorter = Step {
            t: step.t,
            end: clamp(end),
        };
        self.take_again(method, index, shorter)?;
        if !refine {
            return Ok(shorter);
        }
        // The dense output's root is as accurate as the step: one Newton step, then the secant method, as the end of a step does not
        // move exactly as the solution does.
        let (mut value, mut rate) = self.fired_value(shorter.end);
        let fired = self
            .events
            .as_ref()
            .and_then(|d| d.fired().first().copied());
        let passes = |rate: f64| fired.is_some_and(|f| rate * step.h() * f.sign < 0.0);
        for _ in 0..8 {
            let next = clamp(shorter.end - value / rate);
            let moved = next - shorter.end;
            // Where the solution does not pass through zero here, there is no root to go to.
            if !moved.is_finite() || moved.abs() <= spacing || !passes(rate) {
                break;
            }
            let before = (shorter.end, value);
            shorter.end = next;
            self.take_again(method, index, shorter)?;
            value = self.fired_value(next).0;
            if value.abs() >= before.1.abs() {
                shorter.end = before.0;
                self.take_again(method, index, shorter)?;
                break;
            }
            rate = (value - before.1) / moved;
        }
        Ok(shorter)
    }

    /// Returns the function that fired and its rate along the solution, at the end of the attempted step.
    fn fired_value(&mut self, t: f64) -> (f64, f64) {
        let (sample, next) = (self.problem.sample, self.work.next.clone());
        let (mut slot, mut slope) = (vec![0.0; self.rhs.slot_len()], vec![0.0; self.dof]);
        self.rhs.eval(sample, t, &next, &mut slot, &mut slope);
        if let Some(mass) = &self.options.mass_matrix {
            slope_of(self.rhs, Some(mass), (sample, t, &next), &mut slope);
        }
        self.work.stats.evaluations += 1;
        let fired = self.events.as_mut().and_then(|events| events.first_fired());
        fired.map_or((0.0, 1.0), |function| {
            let value = function.evaluate(sample, t, &next);
            (value, function.rate((sample, t, &next), &slope))
        })
    }

    /// Performs a step that ends inside an accepted one.
    fn take_again<S: StepMethod<R, TAPE>>(
        &mut self,
        method: &mut S,
        index: usize,
        step: Step,
    ) -> Result<(), SolveFailure> {
        self.stepper.attempted_h = step.h();
        let mut taken = method.perform_step(self, index, step);
        if taken.is_err() && !self.exact_stages {
            // As for output steps: where simplified Newton iteration fails, full Newton iteration should not.
            self.exact_stages = true;
            taken = method.perform_step(self, index, step);
            self.exact_stages = false;
        }
        taken.map_err(|reason| self.failure(reason))?;
        match all_finite(&self.work.next) {
            true => Ok(()),
            false => Err(self.failure(FailureReason::NotFinite)),
        }
    }

    /// Evaluates the solution at `t + θ h` of the attempted step into `out`.
    fn evaluate_interpolant<S: StepMethod<R, TAPE>>(
        &mut self,
        method: &mut S,
        (step, theta): (Step, f64),
        interpolation: InterpolationOrder,
        out: &mut [f64],
    ) {
        // The state is written to a temporary row behind the solution.
        let n = self.work.u.len();
        self.work.u.resize(n + self.dof, 0.0);
        let to = n..n + self.dof;
        if interpolation == InterpolationOrder::Dense
            || method
                .evaluate_output(self, step, theta, to.clone())
                .is_err()
        {
            method.interpolate(self, step, theta, to);
        }
        out.copy_from_slice(&self.work.u[n..]);
        self.work.u.truncate(n);
    }

    /// Evaluates du/dt at both ends of the attempted step.
    fn end_slopes(&mut self, step: Step) -> [Vec<f64>; 2] {
        let mut slopes = [vec![0.0; self.dof], vec![0.0; self.dof]];
        // What is looked at for events is no part of the tape.
        let mut slot = vec![0.0; self.rhs.slot_len()];
        let ends = [(step.t, &self.work.state), (step.end, &self.work.next)];
        for ((t, u), slope) in ends.into_iter().zip(&mut slopes) {
            self.rhs.eval(self.problem.sample, t, u, &mut slot, slope);
        }
        self.work.stats.evaluations += 2;
        slopes
    }

    /// Evaluates the cubic Hermite interpolant of the attempted step, for methods without a dense output.
    fn hermite_interpolate(
        &self,
        [first, last]: &[Vec<f64>; 2],
        step: Step,
        theta: f64,
        out: &mut [f64],
    ) {
        let (h, x, y) = (step.h(), theta, 1.0 - theta);
        for (i, out) in out.iter_mut().enumerate() {
            let (from, to) = (self.work.state[i], self.work.next[i]);
            *out = y * y * (1.0 + 2.0 * x) * from
                + x * x * (1.0 + 2.0 * y) * to
                + x * y * h * (y * first[i] - x * last[i]);
        }
    }

    /// Terminates the solution at θ of step `index`. Returns the step to record.
    pub fn terminate_at(&mut self, index: usize, step: Step, theta: f64) -> Step {
        let work = &mut *self.work;
        let mut n = work.recorded.outputs.len();
        // An output time that differs from the event time only by rounding is taken as the event time; so is the last output
        // time where it was reached.
        let last = match work.recorded.outputs.last() {
            Some(OutputPosition::Inside(m, last)) if *m == index => Some(*last),
            Some(OutputPosition::End(m)) if *m == index => Some(1.0),
            _ => None,
        };
        let all_written = n == self.problem.t.len();
        let same =
            last.filter(|last| all_written || (last - theta).abs() <= 4.0 * theta_resolution(step));
        let theta = same.unwrap_or(theta);
        let end = step.time_at(theta);
        let location = if theta == 1.0 {
            OutputPosition::End(index)
        } else {
            OutputPosition::Inside(index, theta)
        };
        if same.is_none()
            && let Some(event) = work.event_hits.last()
        {
            work.u[n * self.dof..(n + 1) * self.dof].copy_from_slice(&event.u);
            work.recorded.outputs.push(location);
            n += 1;
        }
        work.u.truncate(n * self.dof);
        work.terminated_at = Some(end);
        if self.options.solver.has_dense_output() || theta == 1.0 {
            return step;
        }
        // Without a dense output a replay reaches the event only by a step that ends there.
        if let Some(output) = work.recorded.outputs.last_mut() {
            *output = OutputPosition::End(index);
        }
        Step { t: step.t, end }
    }
}
