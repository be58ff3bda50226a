//! Event handling during a solve: each accepted step, of any method, is passed to the
//! [`EventDetector`](super::events::EventDetector) as a function of θ.

use super::events::{InterpolationOrder, theta_resolution};
use super::integrator_core::IntegratorCore;
use super::recorded_steps::{SaveLocation, Step};
use super::rhs::Rhs;
use super::step_method::StepMethod;
use super::vector_ops::all_finite;
use odesync_base::failure::FailureReason;

impl<R: Rhs + ?Sized, const TAPE: bool> IntegratorCore<'_, '_, R, TAPE> {
    /// Detects events in the attempted step, before the state is advanced. Returns the θ of the event that terminates the
    /// solve.
    pub fn find_events<S: StepMethod<R, TAPE>>(
        &mut self,
        method: &mut S,
        step: Step,
    ) -> Result<Option<f64>, FailureReason> {
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
        finite.then_some(end).ok_or(FailureReason::NotFinite)
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
        let (state, next) = (self.work.state.clone(), self.work.next.clone());
        self.evaluate(0, step.t, &state, &mut slopes[0]);
        self.evaluate(0, step.end, &next, &mut slopes[1]);
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
            Some(SaveLocation::Inside(m, last)) if *m == index => Some(*last),
            Some(SaveLocation::End(m)) if *m == index => Some(1.0),
            _ => None,
        };
        let all_written = n == self.problem.t.len();
        let same =
            last.filter(|last| all_written || (last - theta).abs() <= 4.0 * theta_resolution(step));
        let theta = same.unwrap_or(theta);
        let end = step.time_at(theta);
        let location = if theta == 1.0 {
            SaveLocation::End(index)
        } else {
            SaveLocation::Inside(index, theta)
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
            *output = SaveLocation::End(index);
        }
        Step { t: step.t, end }
    }
}
