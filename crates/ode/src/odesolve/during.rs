//! Events during a solve: each accepted step of whichever method is handed to the [`Watch`](super::events::Watch) as a function of θ.

use super::course::Course;
use super::events::{Quality, resolution};
use super::plan::{Output, Step};
use super::scheme::Scheme;
use super::sums::finite;
use odesync_base::failure::FailureReason;

impl<const TAPE: bool> Course<'_, TAPE> {
    /// Looks for events in the attempted step, before it becomes the current one; θ of the one that ends the solve.
    pub fn happenings<S: Scheme<TAPE>>(
        &mut self,
        scheme: &mut S,
        step: Step,
    ) -> Result<Option<f64>, FailureReason> {
        let Some(mut watch) = self.events.take() else {
            return Ok(None);
        };
        let quality = match self.options.method.steps_inside() {
            true => Quality::Full,
            false => Quality::Quick,
        };
        let mut found = std::mem::take(&mut self.work.occurrences);
        let last = self.problem.t[self.problem.t.len() - 1];
        let limit = ((last - step.t) / step.h()).min(1.0);
        let hermite = (!self.options.method.dense()).then(|| self.slopes(step));
        let before = found.len();
        let mut u = |theta: f64, quality, out: &mut [f64]| match &hermite {
            _ if theta == 0.0 => out.copy_from_slice(&self.work.state),
            _ if theta == 1.0 => out.copy_from_slice(&self.work.next),
            Some(slopes) => self.hermite(slopes, step, theta, out),
            None => self.dense(scheme, (step, theta), quality, out),
        };
        let end = watch.step(step, limit, quality, &mut u, &mut found);
        let numbers = found[before..].iter().all(|event| finite(&event.u));
        self.work.occurrences = found;
        self.events = Some(watch);
        numbers.then_some(end).ok_or(FailureReason::NotFinite)
    }

    /// The solution at `t + θ h` of the attempted step.
    fn dense<S: Scheme<TAPE>>(
        &mut self,
        scheme: &mut S,
        (step, theta): (Step, f64),
        quality: Quality,
        out: &mut [f64],
    ) {
        // Behind the solution there is room for one state.
        let n = self.work.u.len();
        self.work.u.resize(n + self.dof, 0.0);
        let to = n..n + self.dof;
        if quality == Quality::Quick || scheme.inside(self, step, theta, to.clone()).is_err() {
            scheme.interpolate(self, step, theta, to);
        }
        out.copy_from_slice(&self.work.u[n..]);
        self.work.u.truncate(n);
    }

    /// du/dt at both ends of the attempted step.
    fn slopes(&mut self, step: Step) -> [Vec<f64>; 2] {
        let mut slopes = [vec![0.0; self.dof], vec![0.0; self.dof]];
        let (state, next) = (self.work.state.clone(), self.work.next.clone());
        self.evaluate(0, step.t, &state, &mut slopes[0]);
        self.evaluate(0, step.end, &next, &mut slopes[1]);
        slopes
    }

    /// Cubic Hermite interpolation, for methods without a dense output.
    fn hermite(&self, [first, last]: &[Vec<f64>; 2], step: Step, theta: f64, out: &mut [f64]) {
        let (h, x, y) = (step.h(), theta, 1.0 - theta);
        for (i, out) in out.iter_mut().enumerate() {
            let (from, to) = (self.work.state[i], self.work.next[i]);
            *out = y * y * (1.0 + 2.0 * x) * from
                + x * x * (1.0 + 2.0 * y) * to
                + x * y * h * (y * first[i] - x * last[i]);
        }
    }

    /// Makes θ of step `index` the end of the solution. The step as it stands in the plan.
    pub fn end_at(&mut self, index: usize, step: Step, theta: f64) -> Step {
        let work = &mut *self.work;
        let mut n = work.plan.outputs.len();
        // A requested time that rounding alone separates from the event is its time, as the last one must be where it is reached.
        let last = match work.plan.outputs.last() {
            Some(Output::Inside(m, last)) if *m == index => Some(*last),
            Some(Output::End(m)) if *m == index => Some(1.0),
            _ => None,
        };
        let all = n == self.problem.t.len();
        let same = last.filter(|last| all || (last - theta).abs() <= 4.0 * resolution(step));
        let theta = same.unwrap_or(theta);
        let end = step.node(theta);
        let place = if theta == 1.0 {
            Output::End(index)
        } else {
            Output::Inside(index, theta)
        };
        if same.is_none()
            && let Some(event) = work.occurrences.last()
        {
            work.u[n * self.dof..(n + 1) * self.dof].copy_from_slice(&event.u);
            work.plan.outputs.push(place);
            n += 1;
        }
        work.u.truncate(n * self.dof);
        work.ended = Some(end);
        if self.options.method.dense() || theta == 1.0 {
            return step;
        }
        // Without a dense output only a step that ends there leads there again.
        if let Some(output) = work.plan.outputs.last_mut() {
            *output = Output::End(index);
        }
        Step { t: step.t, end }
    }
}
