//! Gustafsson's predictive step-size control: a trend of the errors goes on, and a step that was accepted may be followed by
//! a smaller one. Stiff problems often approach a fast change on smoothly growing rates, where a control that looks at one
//! error alone rejects every other step.

use super::checkpoints::Row;

const GROWTH: f64 = 10.0;
const SHRINK: f64 = 0.2;
/// A step size that would change by a factor in this range is kept, and the factorisations with it.
const KEPT: std::ops::Range<f64> = 0.85..1.2;

/// What the control remembers.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Predictive {
    /// Step size and error norm of the step before.
    last: Option<(f64, f64)>,
    /// Whether the last attempt was rejected.
    pub rejected: bool,
}

impl Predictive {
    /// Adds what it remembers to a checkpoint.
    pub fn save(&self, row: &mut Vec<f64>) {
        let (h, norm) = self.last.unwrap_or_default();
        row.extend([h, norm]);
        row.extend([self.last.is_some(), self.rejected].map(f64::from));
    }

    /// Takes it back.
    pub fn load(&mut self, row: &mut Row) {
        let last = (row.number(), row.number());
        self.last = row.flag().then_some(last);
        self.rejected = row.flag();
    }

    /// Whether no step has been accepted yet.
    pub fn first(&self) -> bool {
        self.last.is_none()
    }

    /// Whether a step of size `h` with this error norm is accepted, and the size of the next one. The error behaves as
    /// h to the power of `order`; with `keep`, a size that would change little stays as it is.
    pub fn judge(
        &mut self,
        h: f64,
        norm: f64,
        order: usize,
        safety: f64,
        keep: bool,
    ) -> (bool, f64) {
        self.rejected = norm.is_nan() || norm > 1.0;
        if !norm.is_finite() {
            return (false, h * SHRINK);
        }
        let norm = norm.max(1e-10);
        let exponent = 1.0 / order as f64;
        let trend = match self.last {
            Some((before, error)) => h / before * (error / norm).powf(exponent),
            None => 1.0,
        };
        let factor = safety * trend.min(1.0) * norm.powf(-exponent);
        if self.rejected {
            return (false, h * factor.clamp(SHRINK, 0.9));
        }
        self.last = Some((h, norm));
        let factor = factor.clamp(SHRINK, GROWTH);
        let kept = keep && KEPT.contains(&factor);
        (true, if kept { h } else { h * factor })
    }
}
