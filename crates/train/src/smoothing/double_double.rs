//! Double-double arithmetic: sums, products and quotients to about 32 digits, a number being the unevaluated sum of two float64.
//!
//! Source: T. J. Dekker, *A floating-point technique for extending the available precision*, Numer. Math. 18 (1971).

use std::ops::{Add, Div, Mul, Sub};

/// Double-double number high + low, with |low| at most half a unit in the last place of high.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct DoubleDouble {
    pub(super) high: f64,
    low: f64,
}

impl From<f64> for DoubleDouble {
    fn from(high: f64) -> Self {
        Self { high, low: 0.0 }
    }
}

/// Adds two float64 with |a| ≥ |b| exactly.
fn quick_sum(a: f64, b: f64) -> DoubleDouble {
    let high = a + b;
    DoubleDouble {
        high,
        low: b - (high - a),
    }
}

impl Add for DoubleDouble {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        let high = self.high + other.high;
        let part = high - self.high;
        let error = (self.high - (high - part)) + (other.high - part);
        quick_sum(high, error + self.low + other.low)
    }
}

impl Sub for DoubleDouble {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self + Self {
            high: -other.high,
            low: -other.low,
        }
    }
}

impl Mul<f64> for DoubleDouble {
    type Output = Self;

    fn mul(self, factor: f64) -> Self {
        let high = self.high * factor;
        let error = self.high.mul_add(factor, -high);
        quick_sum(high, self.low.mul_add(factor, error))
    }
}

impl Div<f64> for DoubleDouble {
    type Output = Self;

    fn div(self, divisor: f64) -> Self {
        let high = self.high / divisor;
        let rest = (-high).mul_add(divisor, self.high) + self.low;
        quick_sum(high, rest / divisor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_what_float64_loses() {
        let one = DoubleDouble::from(1.0);
        let third = one / 3.0;
        let rest = one - third * 3.0;
        assert!(rest.high.abs() < 1e-31);
        assert!((third - DoubleDouble::from(1.0 / 3.0)).high != 0.0);
        let tiny = DoubleDouble::from(1e-25);
        let difference = (one + tiny - one).high;
        assert!((difference - 1e-25).abs() < 1e-32, "{difference:e}");
    }
}
