//! The controller of one solve: the choice among the controllers, and their memory of the previous steps.

use super::checkpoints::StateReader;
use super::control::{Controller, SAFETY, integral_factor, pi_factor};
use super::gustafsson::{GustafssonController, STEADY_RANGE};

/// Step-size controller with its memory.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StepController {
    choice: Controller,
    gustafsson: GustafssonController,
    /// Error norm of the last accepted step.
    previous_norm: f64,
    /// Whether the last attempt was rejected.
    pub rejected: bool,
    first: bool,
}

impl StepController {
    /// Creates the controller that the options name, or the solver's own.
    pub fn new(choice: Option<Controller>, default: Controller) -> Self {
        StepController {
            choice: choice.unwrap_or(default),
            gustafsson: GustafssonController::default(),
            // As in Hairer's codes; a smaller value would restrict the second step too much.
            previous_norm: 1e-4,
            rejected: false,
            first: true,
        }
    }

    /// Whether no step has been accepted yet.
    pub fn is_first_step(&self) -> bool {
        self.first
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
        let factor = match self.choice {
            Controller::Integral => integral_factor(norm, order),
            Controller::ProportionalIntegral => pi_factor(norm, self.previous_norm, order),
            Controller::Gustafsson => {
                let norm = if norm <= 1.0 && !finite() {
                    f64::NAN
                } else {
                    norm
                };
                let next = self
                    .gustafsson
                    .adapt_step_size(h, norm, order, safety, keep);
                self.rejected = !next.0;
                self.first &= self.rejected;
                return next;
            }
        };
        let factor = if safety == SAFETY {
            factor
        } else {
            factor * (safety / SAFETY)
        };
        let mut size = h * factor;
        if norm <= 1.0 && finite() {
            if self.choice == Controller::ProportionalIntegral {
                if self.rejected {
                    size = size.min(h);
                }
                self.previous_norm = norm.max(1e-4);
            }
            (self.rejected, self.first) = (false, false);
            return (
                true,
                if keep && STEADY_RANGE.contains(&factor) {
                    h
                } else {
                    size
                },
            );
        }
        self.rejected = true;
        (false, size.min(h * 0.9))
    }

    /// Adds the state of the controller to a checkpoint.
    pub fn save(&self, row: &mut Vec<f64>) {
        match self.choice {
            Controller::Gustafsson => self.gustafsson.save(row),
            _ => {
                let flags = f64::from(self.rejected) + 2.0 * f64::from(self.first);
                row.extend([self.previous_norm, flags]);
            }
        }
    }

    /// Restores the state of the controller from a checkpoint.
    pub fn load(&mut self, row: &mut StateReader) {
        match self.choice {
            Controller::Gustafsson => {
                self.gustafsson.load(row);
                self.rejected = self.gustafsson.rejected;
                self.first = self.gustafsson.is_first_step();
            }
            _ => {
                self.previous_norm = row.read_f64();
                let flags = row.read_usize();
                (self.rejected, self.first) = (flags % 2 == 1, flags >= 2);
            }
        }
    }
}
