//! Intervals, and what functions of one and two variables make of them.
//!
//! What holds for rounded numbers holds for these: their ends are rounded to nearest, not outwards, as the values are that they stand
//! for. An end that is not a number makes the interval all numbers.

use std::f64::consts::{FRAC_2_SQRT_PI, FRAC_PI_2, LN_10, PI, TAU};
use std::ops::{Add, Mul, Neg, Sub};

use super::super::op::Unary;

/// All numbers from `low` to `high`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Enclosure {
    pub low: f64,
    pub high: f64,
}

/// An enclosure of a value, and of its derivative by t.
pub(super) type ValueAndSlope = (Enclosure, Enclosure);

/// Nothing known of a value and its slope.
pub(super) const UNKNOWN: ValueAndSlope = (Enclosure::ALL, Enclosure::ALL);

impl Enclosure {
    pub const ALL: Self = Enclosure {
        low: f64::NEG_INFINITY,
        high: f64::INFINITY,
    };
    pub const ZERO: Self = Enclosure {
        low: 0.0,
        high: 0.0,
    };

    /// Returns the interval between two numbers in order.
    pub fn new(low: f64, high: f64) -> Self {
        // Also where one is not a number.
        match low <= high {
            true => Enclosure { low, high },
            false => Self::ALL,
        }
    }

    /// Returns the interval of one number.
    pub fn of(x: f64) -> Self {
        Self::new(x, x)
    }

    /// Returns the interval between two numbers in any order.
    pub fn between(a: f64, b: f64) -> Self {
        if a.is_nan() || b.is_nan() {
            return Self::ALL;
        }
        Self::new(a.min(b), a.max(b))
    }

    /// Returns the number if it is only one.
    pub fn single(self) -> Option<f64> {
        (self.low == self.high).then_some(self.low)
    }

    pub fn contains(self, x: f64) -> bool {
        self.low <= x && x <= self.high
    }

    /// Returns the smallest interval with both in it.
    pub fn hull(self, other: Self) -> Self {
        Self::new(self.low.min(other.low), self.high.max(other.high))
    }

    pub fn max(self, other: Self) -> Self {
        Self::new(self.low.max(other.low), self.high.max(other.high))
    }

    pub fn abs(self) -> Self {
        match self.contains(0.0) {
            true => Self::new(0.0, self.high.max(-self.low)),
            false => Self::between(self.low.abs(), self.high.abs()),
        }
    }

    pub fn square(self) -> Self {
        let abs = self.abs();
        Self::new(abs.low * abs.low, abs.high * abs.high)
    }

    /// Returns 1/x.
    pub fn reciprocal(self) -> Self {
        match self.contains(0.0) {
            true => Self::ALL,
            false => Self::between(1.0 / self.low, 1.0 / self.high),
        }
    }

    /// Returns the interval of an increasing function.
    fn increasing(self, f: impl Fn(f64) -> f64) -> Self {
        Self::new(f(self.low), f(self.high))
    }

    /// Returns the interval of a wave of period 2π that is highest at `top`.
    fn wave(self, f: impl Fn(f64) -> f64, top: f64) -> Self {
        if self.high - self.low >= TAU || !(self.low.is_finite() && self.high.is_finite()) {
            return Self::new(-1.0, 1.0);
        }
        let mut range = Self::between(f(self.low), f(self.high));
        let passes = |at: f64| ((self.high - at) / TAU).floor() > ((self.low - at) / TAU).floor();
        if passes(top) {
            range.high = 1.0;
        }
        if passes(top + PI) {
            range.low = -1.0;
        }
        range
    }

    fn sine(self) -> Self {
        self.wave(f64::sin, FRAC_PI_2)
    }

    fn cosine(self) -> Self {
        self.wave(f64::cos, 0.0)
    }

    /// Returns xʸ and its derivatives by x and by y.
    pub fn power(self, y: Self) -> (Self, Self, Self) {
        let positive = |y: Self| (y * self.increasing(f64::ln)).increasing(f64::exp);
        match y.single() {
            Some(n) if n == n.trunc() && n.abs() <= 32.0 => {
                let slope = Self::of(n) * self.whole_power(n as i32 - 1);
                (self.whole_power(n as i32), slope, Self::ALL)
            }
            Some(n) if self.low >= 0.0 && n > 0.0 => {
                let value = self.increasing(|x| x.powf(n));
                let slope = match n >= 1.0 {
                    true => self.increasing(|x| x.powf(n - 1.0)),
                    false => Self::between(self.high.powf(n - 1.0), self.low.powf(n - 1.0)),
                };
                (value, Self::of(n) * slope, Self::ALL)
            }
            _ if self.low > 0.0 => {
                let value = positive(y);
                let by_x = y * positive(y - Self::of(1.0));
                (value, by_x, value * self.increasing(f64::ln))
            }
            _ => (Self::ALL, Self::ALL, Self::ALL),
        }
    }

    fn whole_power(self, n: i32) -> Self {
        match (n, n % 2 == 0) {
            (0, _) => Self::of(1.0),
            (..0, _) => self.whole_power(-n).reciprocal(),
            (_, true) => self.abs().increasing(|x| x.powi(n)),
            (_, false) => self.increasing(|x| x.powi(n)),
        }
    }

    /// Returns the angle of the points (x, y), y being this.
    pub fn angle(self, x: Self) -> Self {
        if x.low <= 0.0 && self.contains(0.0) {
            return Self::new(-PI, PI);
        }
        let corners = [
            self.low.atan2(x.low),
            self.low.atan2(x.high),
            self.high.atan2(x.low),
            self.high.atan2(x.high),
        ];
        let of = |a: Self, b: f64| a.hull(Self::of(b));
        corners.into_iter().fold(Self::of(corners[0]), of)
    }

    /// Returns f(x) and f′(x).
    pub fn unary(self, f: Unary) -> (Self, Self) {
        let one = Self::of(1.0);
        let rising = || self.increasing(|x| f.value(x));
        let falling = || Self::new(f.value(self.high), f.value(self.low));
        // 1/√ of an interval.
        let root = |x: Self| match x.low > 0.0 {
            true => Self::new(1.0 / x.high.sqrt(), 1.0 / x.low.sqrt()),
            false => Self::ALL,
        };
        let steps = |value: Self| match value.single() {
            Some(_) => (value, Self::ZERO),
            None => (value, Self::ALL),
        };
        match f {
            Unary::Neg => (-self, Self::of(-1.0)),
            Unary::Abs => (self.abs(), sides(self, -1.0)),
            Unary::Relu => (rising(), sides(self, 0.0)),
            Unary::Sign | Unary::Floor | Unary::Ceil => steps(rising()),
            Unary::Sqrt => (rising(), Self::of(0.5) * root(self)),
            Unary::Square => (self.square(), Self::of(2.0) * self),
            Unary::Exp => (rising(), rising()),
            Unary::Expm1 => (rising(), self.increasing(f64::exp)),
            Unary::Log if self.low > 0.0 => (rising(), self.reciprocal()),
            Unary::Log10 if self.low > 0.0 => (rising(), (Self::of(LN_10) * self).reciprocal()),
            Unary::Log1p if self.low > -1.0 => (rising(), (one + self).reciprocal()),
            Unary::Log | Unary::Log10 | Unary::Log1p => (Self::ALL, Self::ALL),
            Unary::Sin => (self.sine(), self.cosine()),
            Unary::Cos => (self.cosine(), -self.sine()),
            Unary::Tan => {
                let branch = |x: f64| (x / PI + 0.5).floor();
                match self.high - self.low < PI && branch(self.low) == branch(self.high) {
                    true => (rising(), one + rising().square()),
                    false => (Self::ALL, Self::ALL),
                }
            }
            Unary::Asin => (rising(), root(one - self.square())),
            Unary::Acos => (falling(), -root(one - self.square())),
            Unary::Atan => (rising(), (one + self.square()).reciprocal()),
            Unary::Sinh => (rising(), self.abs().increasing(f64::cosh)),
            Unary::Cosh => (self.abs().increasing(f64::cosh), self.increasing(f64::sinh)),
            Unary::Tanh => (rising(), one - rising().square()),
            Unary::Asinh => (rising(), root(one + self.square())),
            Unary::Acosh if self.low >= 1.0 => (rising(), root(self.square() - one)),
            Unary::Acosh => (Self::ALL, Self::ALL),
            Unary::Atanh => (rising(), (one - self.square()).reciprocal()),
            Unary::Erf => {
                let bell = (-self.square()).increasing(f64::exp);
                (rising(), Self::of(FRAC_2_SQRT_PI) * bell)
            }
            Unary::Sigmoid => (rising(), rising() * (one - rising())),
            Unary::Softplus => (rising(), self.increasing(|x| Unary::Sigmoid.value(x))),
            Unary::Silu => valley(self, f, (-1.278_464_542_761_073_8, 0.1)),
            Unary::Gelu => valley(self, f, (-0.751_791_524_693_564_5, 0.13)),
        }
    }
}

/// Returns the derivative of |x|, or of max(x, 0): 1 above zero, `below` below.
fn sides(x: Enclosure, below: f64) -> Enclosure {
    match (x.low >= 0.0, x.high <= 0.0) {
        (true, _) => Enclosure::of(1.0),
        (_, true) => Enclosure::of(below),
        _ => Enclosure::new(below, 1.0),
    }
}

/// Returns the value of an activation that falls up to a place and rises from there, and a bound of its derivative, which is between
/// −`beyond` and 1 + `beyond`.
fn valley(x: Enclosure, f: Unary, (lowest, beyond): (f64, f64)) -> (Enclosure, Enclosure) {
    let mut value = Enclosure::between(f.value(x.low), f.value(x.high));
    if x.contains(lowest) {
        value.low = f.value(lowest);
    }
    let slope = match (x.high <= lowest, x.low >= lowest) {
        (true, _) => Enclosure::new(-beyond, 0.0),
        (_, true) => Enclosure::new(0.0, 1.0 + beyond),
        _ => Enclosure::new(-beyond, 1.0 + beyond),
    };
    (value, slope)
}

impl Add for Enclosure {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self::new(self.low + other.low, self.high + other.high)
    }
}

impl Sub for Enclosure {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self::new(self.low - other.high, self.high - other.low)
    }
}

impl Neg for Enclosure {
    type Output = Self;
    fn neg(self) -> Self {
        Self::new(-self.high, -self.low)
    }
}

impl Mul for Enclosure {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        if self == Self::ZERO || other == Self::ZERO {
            return Self::ZERO;
        }
        let a = Self::between(self.low * other.low, self.high * other.high);
        a.hull(Self::between(self.low * other.high, self.high * other.low))
    }
}

#[cfg(test)]
mod tests;
