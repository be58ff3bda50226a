//! The step sequencer: it determines the next step of a solve, independently of the arithmetic of the stages, so that every
//! engine follows the same rules.
//!
//! Adaptive steps are chosen by the error estimate. Steps end exactly at breakpoints; the steps before one are of equal size
//! as long as the proposed size does not change. The last step may go beyond the last output time, whose solution is
//! evaluated from the dense output, unless the field is not finite there. Fixed steps divide each interval between output
//! times and breakpoints equally.

use super::checkpoints::StateReader;
use super::control::{Controller, SAFETY};
use super::options::SolveOptions;
use super::recorded_steps::{OutputPosition, Step};
use super::step_controller::StepController;
use odesync_base::failure::{FailureReason, SolveFailure};

/// Factor by which a step may be longer than proposed where that saves a step before a tstop. The error of a method of order
/// 5 grows by a tenth, which is less than the safety factor of the controllers allows.
const STEP_STRETCH: f64 = 1.02;

/// Maximum number of steps of equal size before a tstop. With so few steps [`STEP_STRETCH`] cannot save another one once the
/// first is taken, so their size does not change.
const MAX_EQUALIZED_STEPS: f64 = 50.0;

/// Largest size, relative to the time or the span, of a step between two tstops that is not divided. Where a field jumps, a step
/// that short crosses the jump: what it adds to the state is below rounding, whatever its error estimate says of it.
const INDIVISIBLE: f64 = 16.0 * f64::EPSILON;

/// Smallest step, as a part of the time span, from which on a step that is too small is blamed on the distance of the time from
/// zero rather than on the field.
const UNRESOLVED: f64 = 1e-9;

/// Sequencer of the steps of one solve: the current time and the sizes of the steps.
#[derive(Debug)]
pub struct StepSequencer<'a> {
    times: &'a [f64],
    options: &'a SolveOptions,
    /// Times at which a step must end: the breakpoints strictly inside the time span, in the direction of integration.
    pub tstops: Vec<f64>,
    next_tstop: usize,
    /// Current time of the solve.
    pub t: f64,
    /// Size of the last attempted step, for [`StepSequencer::failure`].
    pub attempted_h: f64,
    /// Index of the next output time.
    next_save: usize,
    attempts: usize,
    sign: f64,
    t_end: f64,
    fixed: bool,
    /// Size of the next adaptive step, before it is clipped to a tstop.
    proposed: f64,
    /// Whether the attempted step ends at a tstop.
    clipped: bool,
    stop_at_end: bool,
    /// Whether the attempted step lies between two tstops so close that time does not resolve a shorter one.
    indivisible: bool,
    /// Controller of explicit Runge-Kutta methods; the others have one of their own.
    controller: StepController,
    /// Index of the output time at the end of the current interval of fixed steps.
    interval: usize,
    uniform: UniformSteps,
}

/// Equal steps from `start` to `end`, of which `done` of `n` have been attempted.
#[derive(Debug, Default)]
struct UniformSteps {
    start: f64,
    end: f64,
    size: f64,
    n: f64,
    done: f64,
}

impl<'a> StepSequencer<'a> {
    /// Creates a sequencer at the first of the output times. `tstops` is storage to reuse.
    pub fn new(
        times: &'a [f64],
        options: &'a SolveOptions,
        breakpoints: &[f64],
        mut tstops: Vec<f64>,
    ) -> Self {
        let (first, last) = (times[0], times[times.len() - 1]);
        let (low, high) = (first.min(last), first.max(last));
        tstops.clear();
        if options.breakpoints.of_field() {
            let inside = |b: &f64| *b > low && *b < high;
            tstops.extend(breakpoints.iter().copied().filter(inside));
            // The right-hand side may jump at a time that was given: an indivisible step crosses it.
            let width = INDIVISIBLE / 4.0 * low.abs().max(high.abs()).max(high - low);
            let given = options.breakpoints.given().iter();
            let around = given.flat_map(|b| [b - width, b + width]);
            tstops.extend(around.filter(inside));
            if !options.breakpoints.given().is_empty() {
                tstops.sort_by(f64::total_cmp);
            }
            tstops.dedup();
            if last < first {
                tstops.reverse();
            }
        }
        StepSequencer {
            times,
            options,
            tstops,
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
            // A field driven by data is defined only up to the end of the data, so no step goes beyond it.
            stop_at_end: options.breakpoints.of_field()
                && !(breakpoints.is_empty() && options.breakpoints.given().is_empty()),
            indivisible: false,
            controller: StepController::new(options.controller, Controller::Integral),
            interval: 1,
            uniform: UniformSteps::default(),
        }
    }

    /// Sets the size of the first adaptive step.
    pub fn set_initial_step(&mut self, size: f64) {
        self.proposed = size;
    }

    /// Returns the time from the first output time to the last.
    pub fn span(&self) -> f64 {
        (self.t_end - self.times[0]).abs()
    }

    /// Returns a step size that is at least the smallest one that time resolves here.
    pub fn at_least_resolved(&self, size: f64) -> f64 {
        size.max(smallest_step(self.t))
    }

    /// Makes the last step end at the last output time, rather than beyond it.
    pub fn stop_at_end(&mut self) {
        self.stop_at_end = true;
    }

    /// Returns the size of the next adaptive step, before it is clipped to a tstop.
    pub fn proposed(&self) -> f64 {
        self.proposed
    }

    /// Whether the attempted step is clipped to a tstop, before the end of the proposed step.
    pub fn clipped(&self) -> bool {
        self.clipped
    }

    /// Whether the attempted step is too short to be divided, so that it is accepted whatever its error estimate is.
    pub fn is_indivisible(&self) -> bool {
        self.indivisible
    }

    /// Whether a step is as short as one that crosses a jump of the field, taken or replayed.
    pub fn is_crossing(&self, step: Step) -> bool {
        step.h().abs() <= INDIVISIBLE * step.t.abs().max(self.span())
    }

    /// Whether the current time is a tstop.
    pub fn at_tstop(&self) -> bool {
        let passed = self.next_tstop.checked_sub(1);
        passed.and_then(|i| self.tstops.get(i)) == Some(&self.t)
    }

    /// Returns the direction of integration: 1 forwards, −1 backwards in time.
    pub fn sign(&self) -> f64 {
        self.sign
    }

    /// Returns the next step to attempt; `None` when every output time has been passed. `finite` tells whether the results of
    /// the last attempt were finite.
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
            // A step of a large model takes long, and the look at a flag nothing.
            if self.options.is_interrupted() {
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
        let tstop = match self.tstops.get(self.next_tstop) {
            Some(&tstop) => Some(tstop),
            None => self.stop_at_end.then_some(self.t_end),
        };
        let (t, sign) = (self.t, self.sign);
        let mut longest = STEP_STRETCH * self.proposed;
        if let Some(max_step) = self.options.max_step {
            self.proposed = self.proposed.min(max_step);
            // Rounding of the time must not add a step.
            longest = longest.min(max_step * (1.0 + 1e-9));
        }
        let remaining = tstop.map_or(f64::INFINITY, |tstop| (tstop - t) * sign);
        let end = match tstop {
            Some(tstop) if remaining <= longest => tstop,
            // The last steps before a tstop are of equal size. Otherwise the last one would be very short, and those before
            // it no less likely to be rejected. The steps are not equalized far from the tstop: every step would then be
            // slightly longer than the one before, which prevents methods from exploiting constant step sizes (a higher
            // order, one factorization for many steps).
            Some(_) => match (remaining / longest).ceil() {
                n if n <= MAX_EQUALIZED_STEPS => t + sign * remaining / n,
                _ => t + sign * self.proposed,
            },
            None => t + sign * self.proposed,
        };
        self.clipped = remaining <= longest;
        let step = Step { t, end };
        self.indivisible = self.clipped && step.h().abs() <= INDIVISIBLE * t.abs().max(self.span());
        let h = step.h().abs();
        // False for NaN. Steps of equal size before a tstop are at least half of what was proposed, and no reason to stop.
        let resolved = self.proposed >= smallest_step(t) && h > 0.0;
        if !self.clipped && !resolved {
            self.attempted_h = step.h();
            // A solve that cannot take its first step could where numbers are closer together, near 0.
            let at_start = self.times.first() == Some(&t) && t != 0.0;
            return Err(match finite() {
                false => FailureReason::NotFinite,
                true if at_start || smallest_step(t) > UNRESOLVED * self.span() => {
                    FailureReason::TimeUnresolved
                }
                true => FailureReason::StepTooSmall,
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
            if let Some(&tstop) = self.tstops.get(self.next_tstop)
                && (tstop - to) * (to - from) <= 0.0
            {
                self.next_tstop += 1;
                end = tstop;
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
        let uniform = &mut self.uniform;
        uniform.done += 1.0;
        Some(Step {
            t: self.t,
            end: if uniform.done == uniform.n {
                uniform.end
            } else {
                uniform.start + uniform.done * uniform.size
            },
        })
    }

    /// Decides whether an adaptive step with this error norm is accepted (`finite`: whether all its stages are finite), and
    /// sets the size of the next step. A step that was clipped to a tstop does not reduce the proposed size.
    #[inline]
    pub fn adapt_step_size(
        &mut self,
        step: Step,
        norm: f64,
        finite: impl FnOnce() -> bool,
    ) -> bool {
        if self.indivisible && norm.is_finite() {
            self.record_step(true, 0.0);
            return true;
        }
        let order = self.options.solver.order;
        let h = step.h().abs();
        let next = self
            .controller
            .adapt_step_size(h, norm, (order, SAFETY), false, finite);
        self.record_step(next.0, next.1);
        if !next.0 && !norm.is_finite() {
            self.clamp_to_end(step);
        }
        next.0
    }

    /// Rejects an adaptive step whose end is not finite.
    pub fn reject_nonfinite(&mut self, step: Step) {
        self.adapt_step_size(step, f64::NAN, || false);
    }

    /// Makes the next step end at the last output time where a failed step went beyond it: the field may not be defined
    /// there.
    pub fn clamp_to_end(&mut self, step: Step) {
        if (step.end - self.t_end) * self.sign > 0.0 {
            self.stop_at_end = true;
        }
    }

    /// Records whether an adaptive step was accepted, and the size of the next step, which is positive.
    pub fn record_step(&mut self, accepted: bool, size: f64) {
        self.proposed = if accepted && self.clipped {
            self.next_tstop += 1;
            self.proposed.max(size)
        } else {
            size
        };
    }

    /// Whether the next output time lies in this step.
    #[inline]
    pub fn reaches_output(&self, step: Step) -> bool {
        // The product with h covers both directions of integration.
        let is_beyond = |t: &f64| (t - step.end) * step.h() > 0.0;
        let next = self.times.get(self.next_save);
        next.is_some_and(|t| !is_beyond(t))
    }

    /// Returns the location of the next output time if it lies in this accepted step, the `index`th.
    #[inline]
    pub fn next_output(&mut self, index: usize, step: Step) -> Option<OutputPosition> {
        if !self.reaches_output(step) {
            return None;
        }
        let &t = self.times.get(self.next_save)?;
        let h = step.h();
        self.next_save += 1;
        Some(if t == step.end {
            OutputPosition::End(index)
        } else {
            OutputPosition::Inside(index, (t - step.t) / h)
        })
    }

    /// Adds the state of the sequencer, which determines the following steps, to a checkpoint.
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
            self.interval as f64,
        ]);
        self.controller.save(row);
        row.extend([start, end, size, n, done]);
    }

    /// Restores the state of the sequencer from a checkpoint.
    pub(crate) fn load(&mut self, row: &mut StateReader) {
        self.t = row.read_f64();
        self.next_tstop = row.read_usize();
        self.next_save = row.read_usize();
        self.proposed = row.read_f64();
        self.stop_at_end = row.read_bool();
        self.interval = row.read_usize();
        self.controller.load(row);
        self.uniform = UniformSteps {
            start: row.read_f64(),
            end: row.read_f64(),
            size: row.read_f64(),
            n: row.read_f64(),
            done: row.read_f64(),
        };
    }

    /// Creates the failure of the solve at the current time, with this state and this sample of the field's signals.
    pub fn failure(&self, reason: FailureReason, state: &[f64], sample: usize) -> SolveFailure {
        SolveFailure {
            reason,
            t: self.t,
            step: self.attempted_h,
            state: state.to_vec(),
            sample,
            method: self.options.running_method(),
        }
    }

    /// Advances the current time to the end of an accepted step.
    #[inline]
    pub fn advance(&mut self, step: Step) {
        self.t = step.end;
    }
}

/// Returns the smallest size of a step at time t. Numbers are up to ε |t| apart there, so it is some of them.
fn smallest_step(t: f64) -> f64 {
    4.0 * f64::EPSILON * t.abs()
}

impl UniformSteps {
    /// Divides the interval from `start` to `end` into equal steps of at most `h`.
    fn new(start: f64, end: f64, h: f64) -> Self {
        // Rounding of the quotient must not add a step.
        let n = ((end - start).abs() / h * (1.0 - 1e-12)).ceil();
        // Steps below the resolution of floating-point time would not advance it.
        let resolution = smallest_step(start).max(smallest_step(end));
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
