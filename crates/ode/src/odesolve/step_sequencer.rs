//! Which step comes next: the rules of stepping, apart from the arithmetic of the stages, so that every engine follows
//! the same ones.
//!
//! Adaptive steps are chosen by the error estimate. Breakpoints are stepped onto, by steps of one size as long as the proposed
//! one does not change; the last requested time is stepped over
//! and read from the dense output, unless the field is not finite there. Fixed steps divide each interval between
//! requested times and breakpoints equally.

use super::checkpoints::StateReader;
use super::control::{self, Controller};
use super::options::SolveOptions;
use super::plan::{SaveLocation, Step};
use odesync_base::failure::FailureReason;

/// By how much more than proposed a step may be longer where that saves one before a stop. The error grows by a tenth in methods
/// of order 5, and the safety factor of the controllers leaves more.
const STEP_STRETCH: f64 = 1.02;

/// So many steps before a stop are of one size. Of no more than these is none saved by [`STEP_STRETCH`] once they are under way, so that
/// their size stays.
const MAX_EQUALIZED_STEPS: f64 = 50.0;

/// One problem's place in time and the sizes of its steps.
#[derive(Debug)]
pub struct StepSequencer<'a> {
    times: &'a [f64],
    options: &'a SolveOptions,
    /// The breakpoints strictly inside the span, in the direction of time.
    pub tstops: Vec<f64>,
    next_tstop: usize,
    /// Where the solve stands.
    pub t: f64,
    /// Size of the step that was tried last, for the report of a failure.
    pub attempted_h: f64,
    /// Next requested time.
    next_save: usize,
    attempts: usize,
    sign: f64,
    t_end: f64,
    fixed: bool,
    /// Size of the next adaptive step, before clipping.
    proposed: f64,
    /// Whether the attempt ends at a stop.
    clipped: bool,
    stop_at_end: bool,
    /// Error norm of the last accepted step, and whether an attempt was rejected since.
    previous_norm: f64,
    rejected: bool,
    /// End of the current interval of fixed steps among the requested times.
    interval: usize,
    uniform: UniformSteps,
}

/// Equal steps from `start` to `end`, of which `done` of `n` have been tried.
#[derive(Debug, Default)]
struct UniformSteps {
    start: f64,
    end: f64,
    size: f64,
    n: f64,
    done: f64,
}

impl<'a> StepSequencer<'a> {
    /// At the first of the requested times. `stops` is storage to use.
    pub fn new(
        times: &'a [f64],
        options: &'a SolveOptions,
        breakpoints: &[f64],
        mut stops: Vec<f64>,
    ) -> Self {
        let (first, last) = (times[0], times[times.len() - 1]);
        let (low, high) = (first.min(last), first.max(last));
        stops.clear();
        if options.breakpoints {
            stops.extend(breakpoints.iter().filter(|b| **b > low && **b < high));
            stops.dedup();
            if last < first {
                stops.reverse();
            }
        }
        StepSequencer {
            times,
            options,
            tstops: stops,
            next_tstop: 0,
            t: first,
            attempted_h: 0.0,
            next_save: 1,
            attempts: 0,
            sign: if last > first { 1.0 } else { -1.0 },
            t_end: last,
            fixed: options.is_fixed_step(),
            proposed: 0.0,
            clipped: false,
            // A field synchronised to data ends with the data; beyond it lies nothing worth a step.
            stop_at_end: options.breakpoints && !breakpoints.is_empty(),
            // As in Hairer's codes; a smaller one would hold the second step back too much.
            previous_norm: 1e-4,
            rejected: false,
            interval: 1,
            uniform: UniformSteps::default(),
        }
    }

    /// Sets the size of the first adaptive step.
    pub fn set_initial_step(&mut self, size: f64) {
        self.proposed = size;
    }

    /// Size of the next adaptive step, before clipping.
    pub fn proposed(&self) -> f64 {
        self.proposed
    }

    /// Whether the attempt ends at a stop, earlier than proposed.
    pub fn clipped(&self) -> bool {
        self.clipped
    }

    /// Whether the solve stands at a breakpoint.
    pub fn at_tstop(&self) -> bool {
        let passed = self.next_tstop.checked_sub(1);
        passed.and_then(|i| self.tstops.get(i)) == Some(&self.t)
    }

    /// The direction of time.
    pub fn sign(&self) -> f64 {
        self.sign
    }

    /// The next step to try; None when every requested time has been passed. `finite` tells whether the last attempt's
    /// numbers were finite.
    #[inline]
    pub fn next(&mut self, finite: impl FnOnce() -> bool) -> Result<Option<Step>, FailureReason> {
        let step = if self.fixed {
            self.next_fixed()
        } else {
            self.next_adaptive(finite)?
        };
        if let Some(step) = step {
            self.attempted_h = step.h();
            self.attempts += 1;
            if self.attempts > self.options.max_steps {
                return Err(FailureReason::TooManySteps(self.options.max_steps));
            }
            // Seldom, so that an ordinary solve is finished before anybody notices.
            if self.attempts.is_multiple_of(4096) && self.options.is_interrupted() {
                return Err(FailureReason::Interrupted);
            }
        }
        Ok(step)
    }

    fn next_adaptive(
        &mut self,
        finite: impl FnOnce() -> bool,
    ) -> Result<Option<Step>, FailureReason> {
        if self.next_save >= self.times.len() {
            return Ok(None);
        }
        let stop = match self.tstops.get(self.next_tstop) {
            Some(&stop) => Some(stop),
            None => self.stop_at_end.then_some(self.t_end),
        };
        let (t, sign) = (self.t, self.sign);
        let mut longest = STEP_STRETCH * self.proposed;
        if let Some(most) = self.options.max_step {
            self.proposed = self.proposed.min(most);
            // Rounding must not add a step.
            longest = longest.min(most * (1.0 + 1e-9));
        }
        let left = stop.map_or(f64::INFINITY, |stop| (stop - t) * sign);
        let end = match stop {
            Some(stop) if left <= longest => stop,
            // The last steps to a stop are of one size: else the last would be a sliver, and those before it as likely to be
            // rejected as any. Stretched far from it, every step would be a little longer than the one before, which keeps
            // methods from what they do where the size stays (an order of their own, a factorization for many steps).
            Some(_) => match (left / longest).ceil() {
                n if n <= MAX_EQUALIZED_STEPS => t + sign * left / n,
                _ => t + sign * self.proposed,
            },
            None => t + sign * self.proposed,
        };
        self.clipped = left <= longest;
        let step = Step { t, end };
        let h = step.h().abs();
        let resolution = 1e-14_f64.max(4.0 * f64::EPSILON * t.abs());
        if !self.clipped && (h < resolution || h.is_nan()) {
            self.attempted_h = step.h();
            return Err(if finite() {
                FailureReason::StepTooSmall
            } else {
                FailureReason::NotFinite
            });
        }
        Ok(Some(step))
    }

    fn next_fixed(&mut self) -> Option<Step> {
        while self.uniform.done >= self.uniform.n {
            let &to = self.times.get(self.interval)?;
            if self.t == to {
                self.interval += 1;
                continue;
            }
            let from = self.times[self.interval - 1];
            let mut end = to;
            if let Some(&stop) = self.tstops.get(self.next_tstop)
                && (stop - to) * (to - from) <= 0.0
            {
                self.next_tstop += 1;
                end = stop;
            }
            if end != self.t {
                let h = match (self.options.step_size, self.options.substeps) {
                    (Some(h), _) => h,
                    (None, n) => (to - from).abs() / n.unwrap_or(1) as f64,
                };
                let h = h.min(self.options.max_step.unwrap_or(h));
                self.uniform = UniformSteps::new(self.t, end, h);
            }
        }
        let equal = &mut self.uniform;
        equal.done += 1.0;
        Some(Step {
            t: self.t,
            end: if equal.done == equal.n {
                equal.end
            } else {
                equal.start + equal.done * equal.size
            },
        })
    }

    /// Whether an adaptive step with this error norm is accepted (`finite`: all its stages are finite); sets the size of the
    /// next one. A step that was clipped does not shrink it.
    #[inline]
    pub fn adapt_step_size(
        &mut self,
        step: Step,
        norm: f64,
        finite: impl FnOnce() -> bool,
    ) -> bool {
        let h = step.h().abs();
        let order = self.options.solver.order;
        let mut suggested = h * match self.options.controller {
            Controller::Integral => control::integral_factor(norm, order),
            Controller::ProportionalIntegral => control::pi_factor(norm, self.previous_norm, order),
        };
        if norm <= 1.0 && finite() {
            if self.options.controller == Controller::ProportionalIntegral {
                if self.rejected {
                    suggested = suggested.min(h);
                }
                self.rejected = false;
                self.previous_norm = norm.max(1e-4);
            }
            self.record_step(true, suggested);
            return true;
        }
        self.rejected = true;
        self.record_step(false, suggested.min(h * 0.9));
        if !norm.is_finite() {
            self.clamp_to_end(step);
        }
        false
    }

    /// Rejects an adaptive step whose end is not finite.
    pub fn reject_nonfinite(&mut self, step: Step) {
        self.adapt_step_size(step, f64::NAN, || false);
    }

    /// After a step that could not be taken: beyond the end the field may not even be defined.
    pub fn clamp_to_end(&mut self, step: Step) {
        if (step.end - self.t_end) * self.sign > 0.0 {
            self.stop_at_end = true;
        }
    }

    /// Takes note of an adaptive step that was accepted or not, and of the size of the next one, which is positive.
    pub fn record_step(&mut self, accepted: bool, size: f64) {
        self.proposed = if accepted && self.clipped {
            self.next_tstop += 1;
            self.proposed.max(size)
        } else {
            size
        };
    }

    /// The next requested time if it lies in this accepted step, the plan's `index`th.
    #[inline]
    pub fn next_output(&mut self, index: usize, step: Step) -> Option<SaveLocation> {
        let &t = self.times.get(self.next_save)?;
        let h = step.h();
        // Both signs of time: is t past the end of the step?
        if (t - step.end) * h > 0.0 {
            return None;
        }
        self.next_save += 1;
        Some(if t == step.end {
            SaveLocation::End(index)
        } else {
            SaveLocation::Inside(index, (t - step.t) / h)
        })
    }

    /// Adds to a checkpoint what the steps from here on depend on.
    pub fn save(&self, row: &mut Vec<f64>) {
        let UniformSteps {
            start,
            end,
            size,
            n,
            done,
        } = self.uniform;
        row.extend([
            self.t,
            self.next_tstop as f64,
            self.next_save as f64,
            self.proposed,
            f64::from(self.stop_at_end),
            self.previous_norm,
            f64::from(self.rejected),
            self.interval as f64,
        ]);
        row.extend([start, end, size, n, done]);
    }

    /// Goes on from a checkpoint.
    pub(crate) fn load(&mut self, row: &mut StateReader) {
        self.t = row.read_f64();
        self.next_tstop = row.read_usize();
        self.next_save = row.read_usize();
        self.proposed = row.read_f64();
        self.stop_at_end = row.read_bool();
        self.previous_norm = row.read_f64();
        self.rejected = row.read_bool();
        self.interval = row.read_usize();
        self.uniform = UniformSteps {
            start: row.read_f64(),
            end: row.read_f64(),
            size: row.read_f64(),
            n: row.read_f64(),
            done: row.read_f64(),
        };
    }

    /// Moves on to the end of an accepted step.
    #[inline]
    pub fn advance(&mut self, step: Step) {
        self.t = step.end;
    }
}

impl UniformSteps {
    /// Steps of at most `h`.
    fn new(start: f64, end: f64, h: f64) -> Self {
        // Rounding of the quotient must not add a step.
        let n = ((end - start).abs() / h * (1.0 - 1e-12)).ceil();
        // Steps too short for time to show them would be no steps.
        let resolution = 4.0 * f64::EPSILON * start.abs().max(end.abs());
        let n = n.min(((end - start).abs() / resolution).floor()).max(1.0);
        UniformSteps {
            start,
            end,
            size: (end - start) / n,
            n,
            done: 0.0,
        }
    }
}
