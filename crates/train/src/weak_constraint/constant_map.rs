//! The map from a standardised parameter w to a constant of an equation, and what is known of the constant beside the data.
//!
//! Near its first value a constant moves in proportion to w. Without bounds it is p₀ sinh(a + w)/sinh(a), a = asinh 1, far above p₀ on
//! a logarithmic scale and free to change its sign; within bounds the logarithm of the distance from one of them, or the logit
//! between two, moves by w, as in B. Carpenter et al., *Stan: a probabilistic programming language*, J. Stat. Softw. 76 (2017),
//! reference manual, chapter on constraint transforms.

use odesync_ode::field::ConstantSpec;

use super::parameter_prior::LinearPrior;

/// asinh 1, where sinh is 1.
const A: f64 = 0.881_373_587_019_543;

/// The transform of a constant.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Transform {
    /// w itself, for a constant that begins at 0.
    Identity,
    /// p₀ sinh(a + w).
    Sinh,
    /// The distance from a bound, that at the start times e^w; negative below an upper bound.
    Distance { bound: f64, first: f64 },
    /// The logit between two bounds, that at the start plus w.
    Logit { min: f64, width: f64, first: f64 },
    /// The same of the logarithm of a constant with bounds above 0.
    LogLogit { min: f64, width: f64, first: f64 },
}

/// A constant: its place among the trainable parameters, its first value and what is known of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Constant {
    pub place: usize,
    /// First value p₀.
    pub start: f64,
    spec: ConstantSpec,
    transform: Transform,
    /// Whether α's prior does not hold for it either.
    pub is_flat: bool,
    /// Whether it stays where it is.
    pub is_held: bool,
}

impl Constant {
    /// Creates the map of a constant; `start` lies between the bounds.
    pub fn new(place: usize, start: f64, spec: ConstantSpec) -> Self {
        let logit = |min: f64, max: f64, x: f64| ((x - min) / (max - x)).ln();
        let transform = match spec.bounds() {
            (None, None) if start == 0.0 => Transform::Identity,
            (None, None) => Transform::Sinh,
            (Some(bound), None) | (None, Some(bound)) => Transform::Distance {
                bound,
                first: start - bound,
            },
            (Some(min), Some(max)) if spec.log && min > 0.0 => {
                let (min, max) = (min.ln(), max.ln());
                Transform::LogLogit {
                    min,
                    width: max - min,
                    first: logit(min, max, start.ln()),
                }
            }
            (Some(min), Some(max)) => Transform::Logit {
                min,
                width: max - min,
                first: logit(min, max, start),
            },
        };
        Constant {
            place,
            start,
            spec,
            transform,
            is_flat: false,
            is_held: false,
        }
    }

    /// Returns the constant at w. It never reaches a bound, however large w is.
    pub fn value(&self, w: f64) -> f64 {
        let value = match self.transform {
            Transform::Identity => return w,
            Transform::Sinh => return self.start * (A + w).sinh(),
            Transform::Distance { bound, first } => bound + first * w.exp(),
            Transform::Logit { min, width, first } => min + width * sigmoid(first + w),
            Transform::LogLogit { min, width, first } => (min + width * sigmoid(first + w)).exp(),
        };
        let (min, max) = self.spec.bounds();
        let above = min.map_or(value, |min| value.max(min.next_up()));
        max.map_or(above, |max| above.min(max.next_down()))
    }

    /// Returns the derivative of the constant with respect to w.
    pub fn slope(&self, w: f64) -> f64 {
        match self.transform {
            Transform::Identity => 1.0,
            Transform::Sinh => self.start * (A + w).cosh(),
            Transform::Distance { first, .. } => first * w.exp(),
            Transform::Logit { width, first, .. } => width * sigmoid_slope(first + w),
            Transform::LogLogit { width, first, .. } => {
                self.value(w) * width * sigmoid_slope(first + w)
            }
        }
    }

    /// Returns the w of a value; `None` where the value is not between the bounds.
    pub fn inverse(&self, value: f64) -> Option<f64> {
        let logit = |x: f64, min: f64, width: f64| ((x - min) / (min + width - x)).ln();
        let w = match self.transform {
            Transform::Identity => value,
            Transform::Sinh => (value / self.start).asinh() - A,
            Transform::Distance { bound, first } => ((value - bound) / first).ln(),
            Transform::Logit { min, width, first } => logit(value, min, width) - first,
            Transform::LogLogit { min, width, first } => logit(value.ln(), min, width) - first,
        };
        w.is_finite().then_some(w)
    }

    /// Returns the standardised residual (p − mean)/sd of the constant's own prior and its derivative with respect to w; `None` of a
    /// constant whose prior is that of α.
    pub fn own_prior(&self, w: f64) -> Option<LinearPrior> {
        let (residual, slope) = match self.spec.prior {
            Some((mean, sd)) => ((self.value(w) - mean) / sd, self.slope(w) / sd),
            None if self.is_flat => (0.0, 0.0),
            None => return None,
        };
        Some(LinearPrior {
            place: self.place,
            residual,
            slope: if self.is_held { 0.0 } else { slope },
        })
    }

    /// Returns the logarithm of the probability that the constant's own normal prior has between the bounds.
    pub fn log_prior_mass(&self) -> f64 {
        let Some((mean, sd)) = self.spec.prior else {
            return 0.0;
        };
        let below = |x: f64| 0.5 * libm::erfc((mean - x) / (sd * std::f64::consts::SQRT_2));
        let (min, max) = self.spec.bounds();
        let mass = max.map_or(1.0, below) - min.map_or(0.0, below);
        mass.max(f64::MIN_POSITIVE).ln()
    }
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// Returns the derivative of the sigmoid.
fn sigmoid_slope(x: f64) -> f64 {
    sigmoid(x) * sigmoid(-x)
}
