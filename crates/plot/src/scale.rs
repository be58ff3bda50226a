//! Scales and axes: from a value to a fraction between 0 and 1, and the range that suits the data.

use super::dates::DateScale;
use odesync_base::error::{Error, Result};

/// Largest magnitude of a finite value: beyond it a difference of two values may overflow, so it is treated as infinite.
const MAX_MAGNITUDE: f64 = 1e300;

/// The scale of an axis.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) enum Scale {
    #[default]
    Linear,
    Log,
    /// Linear within ± the threshold, which takes the length of a decade on either side of 0, and logarithmic beyond.
    SymLog(f64),
}

impl Scale {
    /// Whether `v` is in the domain of the scale: finite and, on a logarithmic scale, positive.
    pub fn in_domain(self, v: f64) -> bool {
        v.abs() <= MAX_MAGNITUDE && (self != Scale::Log || v > 0.0)
    }

    pub fn forward(self, v: f64) -> f64 {
        match self {
            Scale::Linear => v,
            Scale::Log => v.log10(),
            Scale::SymLog(threshold) => {
                let x = v / threshold;
                match x.abs() {
                    ..=1.0 => x,
                    size => x.signum() * (1.0 + size.log10()),
                }
            }
        }
    }

    /// Returns the value whose scaled coordinate ([`Scale::forward`]) is `at`.
    pub fn inverse(self, at: f64) -> f64 {
        match self {
            Scale::Linear => at,
            Scale::Log => 10f64.powf(at),
            Scale::SymLog(threshold) => match at.abs() {
                ..=1.0 => at * threshold,
                size => at.signum() * threshold * 10f64.powf(size - 1.0),
            },
        }
    }

    /// Creates the symlog scale: logarithmic with a linear part within ±`threshold`.
    ///
    /// # Errors
    ///
    /// A threshold that is not positive and finite.
    pub fn symlog(name: &str, threshold: f64) -> Result<Scale> {
        match threshold > 1e-290 && threshold < 1e290 {
            true => Ok(Scale::SymLog(threshold)),
            false => Err(Error::invalid(format!(
                "{name} is {threshold}; it takes the positive number below which the scale is linear"
            ))),
        }
    }
}

/// An axis with its range. `lo` and `hi` are scaled coordinates ([`Scale::forward`]): decimal logarithms on a logarithmic axis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Axis {
    pub scale: Scale,
    pub lo: f64,
    pub hi: f64,
    /// The dates of its values, where ticks show them.
    pub dates: Option<DateScale>,
}

impl Axis {
    /// Returns the axis that covers all `values` in the scale's domain, with `margin` (a part of the span) on either side; `None`
    /// if there are none.
    pub fn fit(scale: Scale, values: impl Iterator<Item = f64>, margin: f64) -> Option<Axis> {
        let (lo, hi) = values
            .filter(|v| scale.in_domain(*v))
            .map(|v| scale.forward(v))
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), v| {
                (lo.min(v), hi.max(v))
            });
        if lo > hi {
            return None;
        }
        let size = lo.abs().max(hi.abs());
        let span = hi - lo;
        // A span below 1e-12 of the values' size is rounding error, which ticks would resolve.
        let pad = if span > 1e-12 * size && span > 1e-290 {
            margin * span
        } else if scale != Scale::Linear {
            0.5
        } else if size > 1e-290 {
            0.1 * size
        } else {
            1.0
        };
        Some(Axis {
            scale,
            lo: lo - pad,
            hi: hi + pad,
            dates: None,
        })
    }

    /// Returns the axis from `lo` to `hi`, the range given by the user.
    pub fn from_range(scale: Scale, name: &str, (lo, hi): (f64, f64)) -> Result<Axis> {
        check_range(name, lo, hi)?;
        if scale == Scale::Log && lo <= 0.0 {
            return Err(Error::invalid(format!(
                "{name} starts at {lo}, but the axis is logarithmic: give it a positive start"
            )));
        }
        Ok(Axis {
            scale,
            lo: scale.forward(lo),
            hi: scale.forward(hi),
            dates: None,
        })
    }

    /// Returns the fraction of `v` along the axis, 0 at `lo` and 1 at `hi`; for a value outside a logarithmic scale's domain, a
    /// fraction far below 0.
    pub fn fraction(&self, v: f64) -> f64 {
        self.fraction_of_scaled(self.scale.forward(v))
    }

    /// Returns the value at a fraction along the axis.
    pub fn value(&self, fraction: f64) -> f64 {
        self.scale.inverse(self.lo + fraction * (self.hi - self.lo))
    }

    /// Returns the fraction along the axis of a scaled coordinate ([`Scale::forward`]).
    pub fn fraction_of_scaled(&self, at: f64) -> f64 {
        let fraction = (at - self.lo) / (self.hi - self.lo);
        // Far outside the axis only the direction matters; the clamp keeps later arithmetic finite.
        if fraction.is_nan() {
            -1e6
        } else {
            fraction.clamp(-1e6, 1e6)
        }
    }
}

/// Checks that `lo` to `hi` is a range that can have ticks.
pub(super) fn check_range(name: &str, lo: f64, hi: f64) -> Result<()> {
    let size = lo.abs().max(hi.abs());
    if hi > lo && size <= MAX_MAGNITUDE && hi - lo > 1e-12 * size {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "{name} is {lo} to {hi}; it takes two finite numbers, the smaller first"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_axis_covers_the_positive_values_only() {
        let axis = Axis::fit(
            Scale::Log,
            [-1.0, 0.0, 1e-3, 10.0, f64::NAN].into_iter(),
            0.0,
        );
        let axis = axis.expect("two values are positive");
        assert!((axis.lo + 3.0).abs() < 1e-12 && (axis.hi - 1.0).abs() < 1e-12);
        assert!((axis.fraction(0.1) - 0.5).abs() < 1e-12);
        assert!(Axis::fit(Scale::Log, [-1.0, 0.0].into_iter(), 0.0).is_none());
    }

    #[test]
    fn constant_data_gets_a_range_around_it() {
        for v in [0.0, 3.0, -1e-200, 1e299] {
            let axis = Axis::fit(Scale::Linear, [v, v].into_iter(), 0.05).expect("one value");
            assert!(axis.lo < v && v < axis.hi, "{v}: {axis:?}");
            assert!((axis.fraction(v) - 0.5).abs() < 1e-12);
        }
    }

    #[test]
    fn places_stay_finite_whatever_the_value() {
        let axis = Axis::from_range(Scale::Linear, "x_range", (0.0, 1e-250)).expect("a range");
        for v in [f64::INFINITY, -1e300, f64::NAN] {
            assert!(axis.fraction(v).is_finite());
        }
        assert!(Axis::from_range(Scale::Log, "y_range", (0.0, 1.0)).is_err());
        assert!(Axis::from_range(Scale::Linear, "y_range", (1.0, 1.0)).is_err());
        assert!(Axis::from_range(Scale::Linear, "y_range", (0.0, f64::NAN)).is_err());
    }
}
