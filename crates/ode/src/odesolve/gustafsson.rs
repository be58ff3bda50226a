//! Gustafsson's predictive step-size control: a trend of the errors goes on, and a step that was accepted may be followed by
//! a smaller one. Stiff problems often approach a fast change on smoothly growing rates, where a control that looks at one
//! error alone rejects every other step.

use super::checkpoints::StateReader;

const MAX_FACTOR: f64 = 10.0;
const MIN_FACTOR: f64 = 0.2;
/// A step size that would change by a factor in this range is kept, and the factorisations with it.
const STEADY_RANGE: std::ops::Range<f64> = 0.85..1.2;

/// What the control remembers.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct GustafssonController {
    /// Step size and error norm of the step before.
    previous: Option<(f64, f64)>,
    /// Whether the last attempt was rejected.
    pub rejected: bool,
}

impl GustafssonController {
    /// Adds what it remembers to a checkpoint.
    pub fn save(&self, row: &mut Vec<f64>) {
        let (h, norm) = self.previous.unwrap_or_default();
        row.extend([h, norm]);
        row.extend([self.previous.is_some(), self.rejected].map(f64::from));
    }

    /// Takes it back.
    pub fn load(&mut self, row: &mut StateReader) {
        let last = (row.read_f64(), row.read_f64());
        self.previous = row.read_bool().then_some(last);
        self.rejected = row.read_bool();
    }

    /// Whether no step has been accepted yet.
    pub fn is_first_step(&self) -> bool {
        self.previous.is_none()
    }

    /// Whether a step of size `h` with this error norm is accepted, and the size of the next one. The error behaves as
    /// h to the power of `order`; with `keep`, a size that would change little stays as it is.
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
            Some((before, error)) => h / before * (error / norm).powf(exponent),
            None => 1.0,
        };
        let factor = safety * trend.min(1.0) * norm.powf(-exponent);
        if self.rejected {
            return (false, h * factor.clamp(MIN_FACTOR, 0.9));
        }
        self.previous = Some((h, norm));
        let factor = factor.clamp(MIN_FACTOR, MAX_FACTOR);
        let kept = keep && STEADY_RANGE.contains(&factor);
        (true, if kept { h } else { h * factor })
    }
}
