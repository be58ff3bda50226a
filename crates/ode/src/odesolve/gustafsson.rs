//! Gustafsson's predictive step-size control: it extrapolates the trend of the errors, so that an accepted step may be
//! followed by a smaller one. The rates of stiff problems often grow smoothly before a fast change; a controller that uses a
//! single error then rejects every other step.

use super::checkpoints::StateReader;

const MAX_FACTOR: f64 = 10.0;
const MIN_FACTOR: f64 = 0.2;
/// Range of factors for which the step size is not changed, so that the factorizations remain valid.
pub(super) const STEADY_RANGE: std::ops::Range<f64> = 0.85..1.2;

/// Gustafsson's predictive step-size controller, with its memory of the previous step.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct GustafssonController {
    /// Step size and error norm of the previous accepted step.
    previous: Option<(f64, f64)>,
    /// Whether the last attempt was rejected.
    pub rejected: bool,
}

impl GustafssonController {
    /// Adds the state of the controller to a checkpoint.
    pub fn save(&self, row: &mut Vec<f64>) {
        let (h, norm) = self.previous.unwrap_or_default();
        row.extend([h, norm]);
        row.extend([self.previous.is_some(), self.rejected].map(f64::from));
    }

    /// Restores the state of the controller from a checkpoint.
    pub fn load(&mut self, row: &mut StateReader) {
        let previous = (row.read_f64(), row.read_f64());
        self.previous = row.read_bool().then_some(previous);
        self.rejected = row.read_bool();
    }

    /// Whether no step has been accepted yet.
    pub fn is_first_step(&self) -> bool {
        self.previous.is_none()
    }

    /// Decides whether a step of size `h` with this error norm is accepted, and returns the size of the next one. The error
    /// behaves as h to the power of `order`; with `keep`, the size is not changed where it would change only little.
    pub fn adapt_step_size(
        &mut self,
        h: f64,
        norm: f64,
        order: usize,
        safety: f64,
        keep: bool,
    ) -> (bool, f64) {
        self.rejected = norm.is_nan() || norm > 1.0;
        if !norm.is_finite() {
            return (false, h * MIN_FACTOR);
        }
        let norm = norm.max(1e-10);
        let exponent = 1.0 / order as f64;
        let trend = match self.previous {
            Some((previous_h, error)) => h / previous_h * (error / norm).powf(exponent),
            None => 1.0,
        };
        let factor = safety * trend.min(1.0) * norm.powf(-exponent);
        if self.rejected {
            return (false, h * factor.clamp(MIN_FACTOR, 0.9));
        }
        self.previous = Some((h, norm));
        let factor = factor.clamp(MIN_FACTOR, MAX_FACTOR);
        let steady = keep && STEADY_RANGE.contains(&factor);
        (true, if steady { h } else { h * factor })
    }
}
