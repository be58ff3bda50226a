//! The smoothing of a spline chosen by generalised cross-validation.
//!
//! With residuals y − S(α) y and trace tr S(α), both summed over all samples, the score is
//! n Σ(y − S y)² / (n − 1.2 tr S)². The factor 1.2 guards against the undersmoothing of plain cross-validation.
//!
//! Source: P. Craven, G. Wahba, *Smoothing noisy data with spline functions*, Numer. Math. 31 (1979); Y.-J. Kim, C. Gu,
//! *Smoothing spline Gaussian regression*, J. R. Stat. Soc. B 66 (2004), section 3.2.

use super::ldl::LdlFactor;

/// Factor of the trace in the score.
const TRACE_FACTOR: f64 = 1.2;
/// Number of values of α that are tried.
const N_ALPHAS: usize = 113;

/// The result of a generalised cross-validation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CrossValidation {
    /// Smoothing α of the smallest score.
    pub alpha: f64,
    /// Estimate of the noise's variance: Σ(y − S y)² / (n − tr S).
    pub variance: f64,
    /// Degrees of freedom of the spline: tr S.
    pub degrees_of_freedom: f64,
}

/// Chooses the smoothing α of the spline of one component by generalised cross-validation. `samples` are the times and values
/// of each sample, without missing values; the times increase. α has the unit of time³, the range that is tried follows the
/// spacing of the times.
///
/// ```
/// use odesync_train::smoothing::cross_validate;
/// // A parabola with alternating errors of ±0.1.
/// let t: Vec<f64> = (0..60).map(|i| i as f64 * 0.1).collect();
/// let y: Vec<f64> = t.iter().enumerate().map(|(i, t)| t * t + if i % 2 == 0 { 0.1 } else { -0.1 }).collect();
/// let found = cross_validate(&[(t, y)]);
/// assert!((found.variance.sqrt() - 0.1).abs() < 0.02);
/// ```
pub fn cross_validate(samples: &[(Vec<f64>, Vec<f64>)]) -> CrossValidation {
    let n: usize = samples.iter().map(|(t, _)| t.len()).sum();
    let gaps = samples.iter().flat_map(|(t, _)| t.windows(2));
    let (sum, count) = gaps.fold((0.0, 0), |(sum, count), gap| {
        (sum + (gap[1] - gap[0]), count + 1)
    });
    let mean_gap = if count > 0 {
        sum / f64::from(count)
    } else {
        1.0
    };
    let n_values = n as f64;
    let time_unit = unit_of_large_gaps(mean_gap);
    let samples: Vec<(Vec<f64>, &[f64])> = samples
        .iter()
        .map(|(t, y)| (t.iter().map(|t| t / time_unit).collect(), y.as_slice()))
        .collect();
    let unit = (mean_gap / time_unit).powi(3) * n_values;
    let mut best: Option<(f64, CrossValidation)> = None;
    for i in 0..N_ALPHAS {
        let exponent = -10.0 + 14.0 * i as f64 / (N_ALPHAS - 1) as f64;
        let alpha = 10.0_f64.powf(exponent) * unit;
        let (mut residual, mut trace) = (0.0, 0.0);
        for (t, y) in &samples {
            let (part, part_trace) = LdlFactor::new(t, alpha).residual_and_trace(y);
            residual += part;
            trace += part_trace;
        }
        let rest = n_values - TRACE_FACTOR * trace;
        let score = match rest > 0.0 {
            true => n_values * residual / (rest * rest),
            false => f64::INFINITY,
        };
        if best.as_ref().is_none_or(|(least, _)| score < *least) {
            let found = CrossValidation {
                alpha: alpha * time_unit.powi(3),
                variance: residual / (n_values - trace).max(1e-9),
                degrees_of_freedom: trace,
            };
            best = Some((score, found));
        }
    }
    match best {
        Some((_, found)) => found,
        None => CrossValidation {
            alpha: unit * time_unit.powi(3),
            variance: 0.0,
            degrees_of_freedom: n_values,
        },
    }
}

/// Returns the unit in which times with large gaps are measured while splines are compared: weeks in seconds, for example. Beside a gap h the
/// trace loses entries of the size h⁻², a part of h³ of their digits. A power of two changes nothing else, and small gaps keep the unit 1.
fn unit_of_large_gaps(mean_gap: f64) -> f64 {
    match mean_gap > 16.0 {
        true => 2.0_f64.powi(mean_gap.log2() as i32),
        false => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_of_time_does_not_matter() {
        let wave = |scale: f64| {
            let t: Vec<f64> = (0..40)
                .map(|i| (0.1 + 0.5 * f64::from(i)) * scale)
                .collect();
            let y = (0..40).map(|i| (0.25 * f64::from(i)).sin() + 0.1 * f64::from(i * i % 7));
            let found = cross_validate(&[(t, y.collect())]);
            (
                found.alpha / scale.powi(3),
                found.variance,
                found.degrees_of_freedom,
            )
        };
        let want = wave(1.0);
        assert!(want.2 > 3.0 && want.2 < 39.0, "{want:?}");
        for scale in [1e-9, 1e-3, 60.0, 86_400.0, 31_557_600.0, 1e12] {
            let (alpha, variance, freedom) = wave(scale);
            for (value, want) in [(alpha, want.0), (variance, want.1), (freedom, want.2)] {
                assert!(
                    (value - want).abs() < 1e-8 * want,
                    "{scale}: {value} {want}"
                );
            }
        }
    }

    #[test]
    fn residual_and_trace_are_those_of_the_linear_map() {
        let t = [0.0, 0.3, 0.5, 1.1, 1.2, 2.0, 2.6];
        let y = [1.0, -0.4, 0.2, 2.0, 0.7, -1.0, 0.3];
        for alpha in [1e-6, 0.01, 1.0, 1e3] {
            let factor = LdlFactor::new(&t, alpha);
            let (residual, trace) = factor.residual_and_trace(&y);
            let values = |y: &[f64]| factor.solve(y).unwrap().0;
            let want: f64 = values(&y)
                .iter()
                .zip(&y)
                .map(|(g, y)| (y - g).powi(2))
                .sum();
            assert!(
                (residual - want).abs() < 1e-10 * want.max(1e-6),
                "{alpha}: {residual} {want}"
            );
            let want: f64 = (0..t.len())
                .map(|i| {
                    let mut unit = [0.0; 7];
                    unit[i] = 1.0;
                    values(&unit)[i]
                })
                .sum();
            assert!((trace - want).abs() < 1e-9, "{alpha}: {trace} {want}");
        }
    }
}
