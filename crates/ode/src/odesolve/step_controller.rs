//! The step-size controller of one solve: the rules of the [`Controller`]s, with their memory of the previous step.

use super::checkpoints::StateReader;
use super::control::{Controller, MAX_FACTOR, MIN_FACTOR, SAFETY, integral_factor, pi_factor};

/// Range of factors for which the step size is not changed, so that the factorizations remain valid.
const STEADY_RANGE: std::ops::Range<f64> = 0.85..1.2;

/// Step-size controller with its memory.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct StepController {
    choice: Controller,
    /// Step size and error norm of the last accepted step.
    previous: Option<(f64, f64)>,
    /// Whether the last attempt was rejected.
    pub rejected: bool,
}

impl StepController {
    /// Creates the controller that the options name, or the solver's own.
    pub fn new(choice: Option<Controller>, default: Controller) -> Self {
        StepController {
            choice: choice.unwrap_or(default),
            previous: None,
            rejected: false,
        }
    }

    /// Whether no step has been accepted yet.
    pub fn is_first_step(&self) -> bool {
        self.previous.is_none()
    }

    /// Decides whether a step of size `h` with this error norm is accepted (`finite`: whether all that it computed is finite), and
    /// returns the size of the next one. The error behaves as h to the power of `order`; with `keep`, the size is not changed where
    /// it would change only little.
    #[inline]
    pub fn adapt_step_size(
        &mut self,
        h: f64,
        norm: f64,
        (order, safety): (usize, f64),
        keep: bool,
        finite: impl FnOnce() -> bool,
    ) -> (bool, f64) {
        let accepted = norm <= 1.0 && finite();
        let (factor, size) = match self.choice {
            Controller::Gustafsson => {
                let factor = match accepted || norm > 1.0 {
                    true => self.predictive_factor(h, norm, order, safety, accepted),
                    false => MIN_FACTOR,
                };
                (factor, h * factor)
            }
            choice => {
                let factor = match choice {
                    Controller::Integral => integral_factor(norm, order),
                    _ => pi_factor(norm, self.previous_norm(), order),
                };
                let factor = match safety == SAFETY {
                    true => factor,
                    false => factor * (safety / SAFETY),
                };
                let size = h * factor;
                let no_longer = match accepted {
                    true if choice == Controller::ProportionalIntegral && self.rejected => h,
                    true => f64::INFINITY,
                    false => h * 0.9,
                };
                (factor, size.min(no_longer))
            }
        };
        self.rejected = !accepted;
        if accepted {
            self.previous = Some((h, norm));
        }
        let steady = accepted && keep && STEADY_RANGE.contains(&factor);
        (accepted, if steady { h } else { size })
    }

    /// Returns the error norm of the last accepted step for proportional-integral control. As in Hairer's codes it is at least
    /// 1e-4, which is also its value before the first step; a smaller value would restrict the next step too much.
    fn previous_norm(&self) -> f64 {
        self.previous.map_or(1e-4, |(_, norm)| norm.max(1e-4))
    }

    /// Returns the factor by predictive control, which extrapolates the trend of the errors, so that an accepted step may be
    /// followed by a smaller one. The rates of stiff problems often grow smoothly before a fast change; a controller that uses a
    /// single error then rejects every other step.
    fn predictive_factor(
        &self,
        h: f64,
        norm: f64,
        order: usize,
        safety: f64,
        accepted: bool,
    ) -> f64 {
        if norm == f64::INFINITY {
            return MIN_FACTOR;
        }
        let norm = norm.max(1e-10);
        let exponent = 1.0 / order as f64;
        let trend = match self.previous {
            Some((previous_h, error)) => h / previous_h * (error.max(1e-10) / norm).powf(exponent),
            None => 1.0,
        };
        let factor = safety * trend.min(1.0) * norm.powf(-exponent);
        factor.clamp(MIN_FACTOR, if accepted { MAX_FACTOR } else { 0.9 })
    }

    /// Adds the state of the controller to a checkpoint; the size of the previous step, which one controller alone needs, only there.
    pub fn save(&self, row: &mut Vec<f64>) {
        let (h, norm) = self.previous.unwrap_or_default();
        if self.choice == Controller::Gustafsson {
            row.push(h);
        }
        row.extend([
            norm,
            f64::from(self.rejected) + 2.0 * f64::from(self.is_first_step()),
        ]);
    }

    /// Restores the state of the controller from a checkpoint.
    pub fn load(&mut self, row: &mut StateReader) {
        let h = match self.choice {
            Controller::Gustafsson => row.read_f64(),
            _ => 0.0,
        };
        let (norm, flags) = (row.read_f64(), row.read_usize());
        self.rejected = flags % 2 == 1;
        self.previous = (flags < 2).then_some((h, norm));
    }
}
