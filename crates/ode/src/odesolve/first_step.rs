//! The size of the first step: torchdiffeq's rule (after Hairer, Nørsett, Wanner, *Solving Ordinary Differential Equations I*,
//! II.4), in a unit of time of the problem's own where its time is far from 1.

use std::ops::RangeInclusive;

use super::tolerance::AbsoluteTolerance;

/// Times, as powers of two, that are ordinary: a problem with such a time takes the published rule as it is. Shorter ones matter
/// less than longer ones, because no first step is longer than the time in which the state changes by its own size.
const ORDINARY: RangeInclusive<i32> = -20..=6;

/// Spans, as powers of two, that are ordinary where state or slope vanish.
const ORDINARY_SPAN: RangeInclusive<i32> = -2..=4;

/// Estimate of the initial step size, from the norms of u, f and the change of f over a trial step, scaled by the tolerances
/// at u.
///
/// The published rule has constants with a unit of time, and compares a norm of f, which is a rate, with a norm of f′, the square
/// of one. It is applied with the time in which the state changes by its own size as the unit, or the span where that is shorter; but
/// with the unit 1 where this time is an ordinary one, between 2⁻²⁰ and 2⁷. So a problem written in another unit of time takes the same
/// steps (the very same ones where the factor is a power of two) as long as it is no ordinary one, and differs from an ordinary one
/// by its first step only. Where state or slope vanish there is nothing but the span, which is ordinary between 1/4 and 32.
pub struct FirstStep {
    scale: Vec<f64>,
    /// Unit of time of the rule.
    unit: f64,
    /// Size of the trial step, in the system's unit of time.
    pub trial: f64,
    /// Norm of f, in the rule's unit of time.
    d1: f64,
}

impl FirstStep {
    /// Starts the estimate from u(t₀) and f(t₀, u), for a solve over `span` of time: `trial` is the size of the Euler step at
    /// whose end the field is to be evaluated next.
    pub fn new(u: &[f64], f: &[f64], rtol: f64, atol: &AbsoluteTolerance, span: f64) -> Self {
        let scale = |(i, u): (usize, &f64)| atol.at(i) + rtol * u.abs();
        let scale: Vec<f64> = u.iter().enumerate().map(scale).collect();
        let (d0, rate) = (rms(u, &scale), rms(f, &scale));
        let vanishes = d0 < 1e-5 || rate * span < 1e-5;
        let (time, ordinary) = match vanishes {
            true => (span, ORDINARY_SPAN),
            false => (span.min(d0 / rate), ORDINARY),
        };
        let unit = match exponent(time) {
            Some(n) if !ordinary.contains(&n) => time,
            _ => 1.0,
        };
        let trial = match vanishes {
            true => 1e-6,
            false => 0.01 * d0 / (rate * unit),
        };
        FirstStep {
            scale,
            unit,
            trial: trial * unit,
            d1: rate * unit,
        }
    }

    /// Returns the initial step size, from the change of f over the trial step.
    pub fn size(&self, change: &[f64], order: usize) -> f64 {
        let trial = self.trial / self.unit;
        let d2 = rms(change, &self.scale) * self.unit / trial;
        let h = if self.d1 <= 1e-15 && d2 <= 1e-15 {
            (trial * 1e-3).max(1e-6)
        } else {
            (0.01 / self.d1.max(d2)).powf(1.0 / order as f64)
        };
        let h = if h.is_nan() {
            trial
        } else {
            h.min(100.0 * trial)
        };
        h * self.unit
    }
}

/// Returns the exponent of the power of two at or below a time; `None` where it is no time.
fn exponent(time: f64) -> Option<i32> {
    const FRACTION_BITS: u32 = f64::MANTISSA_DIGITS - 1;
    let biased = (time.to_bits() >> FRACTION_BITS) as i32;
    (time.is_normal() && time > 0.0).then_some(biased - (f64::MAX_EXP - 1))
}

fn rms(x: &[f64], scale: &[f64]) -> f64 {
    let sum: f64 = x.iter().zip(scale).map(|(x, s)| (x / s) * (x / s)).sum();
    (sum / x.len() as f64).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rule_is_the_published_one_for_ordinary_times_and_scales_for_others() {
        // u' = −u/τ from 1: d0 = d1 τ = d2 τ², so h = (0.01/d1)^(1/5) for τ = 1.
        let size = |tau: f64| {
            let (u, f) = ([1.0], [-1.0 / tau]);
            let first = FirstStep::new(&u, &f, 1e-7, &1e-9.into(), 10.0 * tau);
            first.size(&[0.01 / tau], 5)
        };
        let d1: f64 = 1.0 / (1e-9 + 1e-7);
        assert_eq!(size(1.0), (0.01 / d1).powf(0.2));
        assert_eq!(size(2.0), (0.01 / (d1 / 2.0)).powf(0.2));
        for n in [-300, -100, -21, 7, 20, 100, 300] {
            assert_eq!(size(2.0_f64.powi(n)), size(1.0) * 2.0_f64.powi(n), "{n}");
        }
        assert_eq!([10.0, 1.0, 0.3].map(exponent), [3, 0, -2].map(Some));
        assert_eq!([0.0, f64::INFINITY, f64::NAN].map(exponent), [None; 3]);
    }
}
