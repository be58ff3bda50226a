//! Events during a solve: each accepted step of whichever method is handed to the [`EventDetector`](super::events::EventDetector) as a function of θ.

use super::events::{InterpolationOrder, theta_resolution};
use super::integrator::Integrator;
use super::plan::{SaveLocation, Step};
use super::step_method::StepMethod;
use super::vector_ops::all_finite;
use odesync_base::failure::FailureReason;

impl<const TAPE: bool> Integrator<'_, TAPE> {
    /// Looks for events in the attempted step, before it becomes the current one; θ of the one that ends the solve.
    pub fn find_events<S: StepMethod<TAPE>>(
        &mut self,
        scheme: &mut S,
        step: Step,
    ) -> Result<Option<f64>, FailureReason> {
        let Some(mut watch) = self.events.take() else {
            return Ok(None);
        };
        let quality = match self.options.solver.substeps_to_outputs() {
            true => InterpolationOrder::Full,
            false => InterpolationOrder::Dense,
        };
        let mut found = std::mem::take(&mut self.work.event_hits);
        let last = self.problem.t[self.problem.t.len() - 1];
        let limit = ((last - step.t) / step.h()).min(1.0);
        let hermite = (!self.options.solver.has_dense_output()).then(|| self.end_slopes(step));
        let before = found.len();
        let mut u = |theta: f64, quality, out: &mut [f64]| match &hermite {
            _ if theta == 0.0 => out.copy_from_slice(&self.work.state),
            _ if theta == 1.0 => out.copy_from_slice(&self.work.next),
            Some(slopes) => self.hermite_interpolate(slopes, step, theta, out),
            None => self.evaluate_interpolant(scheme, (step, theta), quality, out),
        };
        let end = watch.detect(step, limit, quality, &mut u, &mut found);
        let numbers = found[before..].iter().all(|event| all_finite(&event.u));
        self.work.event_hits = found;
        self.events = Some(watch);
        numbers.then_some(end).ok_or(FailureReason::NotFinite)
    }

    /// The solution at `t + θ h` of the attempted step.
    fn evaluate_interpolant<S: StepMethod<TAPE>>(
        &mut self,
        scheme: &mut S,
        (step, theta): (Step, f64),
        quality: InterpolationOrder,
        out: &mut [f64],
    ) {
        // Behind the solution there is room for one state.
        let n = self.work.u.len();
        self.work.u.resize(n + self.dof, 0.0);
        let to = n..n + self.dof;
        if quality == InterpolationOrder::Dense
            || scheme.solve_at(self, step, theta, to.clone()).is_err()
        {
            scheme.interpolate(self, step, theta, to);
        }
        out.copy_from_slice(&self.work.u[n..]);
        self.work.u.truncate(n);
    }

    /// du/dt at both ends of the attempted step.
    fn end_slopes(&mut self, step: Step) -> [Vec<f64>; 2] {
        let mut slopes = [vec![0.0; self.dof], vec![0.0; self.dof]];
        let (state, next) = (self.work.state.clone(), self.work.next.clone());
        self.evaluate(0, step.t, &state, &mut slopes[0]);
        self.evaluate(0, step.end, &next, &mut slopes[1]);
        slopes
    }

    /// Cubic Hermite interpolation, for methods without a dense output.
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

    /// Makes θ of step `index` the end of the solution. The step as it stands in the plan.
    pub fn terminate_at(&mut self, index: usize, step: Step, theta: f64) -> Step {
        let work = &mut *self.work;
        let mut n = work.plan.outputs.len();
        // A requested time that rounding alone separates from the event is its time, as the last one must be where it is reached.
        let last = match work.plan.outputs.last() {
            Some(SaveLocation::Inside(m, last)) if *m == index => Some(*last),
            Some(SaveLocation::End(m)) if *m == index => Some(1.0),
            _ => None,
        };
        let all = n == self.problem.t.len();
        let same = last.filter(|last| all || (last - theta).abs() <= 4.0 * theta_resolution(step));
        let theta = same.unwrap_or(theta);
        let end = step.time_at(theta);
        let place = if theta == 1.0 {
            SaveLocation::End(index)
        } else {
            SaveLocation::Inside(index, theta)
        };
        if same.is_none()
            && let Some(event) = work.event_hits.last()
        {
            work.u[n * self.dof..(n + 1) * self.dof].copy_from_slice(&event.u);
            work.plan.outputs.push(place);
            n += 1;
        }
        work.u.truncate(n * self.dof);
        work.terminated_at = Some(end);
        if self.options.solver.has_dense_output() || theta == 1.0 {
            return step;
        }
        // Without a dense output only a step that ends there leads there again.
        if let Some(output) = work.plan.outputs.last_mut() {
            *output = SaveLocation::End(index);
        }
        Step { t: step.t, end }
    }
}
