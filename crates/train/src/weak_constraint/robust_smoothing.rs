//! Smoothing splines of data with outliers.
//!
//! The spline of y* = û + ω(r) (y − û), with r the residuals in units of their noise, is at its fixed point the spline that minimises
//! Σ ρ(r) and the roughness. Each round fits y* with a smoothing by cross-validation. Source: D. D. Cox, *Asymptotics for M-type
//! smoothing splines*, Ann. Stat. 11 (1983); P. J. Huber, *Robust smoothing*, in *Robustness in Statistics* (1979).

use super::nodes::SampleData;
use super::residual_loss::ResidualLoss;
use crate::Result;
use crate::smoothing::{ComponentSpline, CrossValidation};

const ROUNDS: usize = 40;
/// Relative change of the noise at which the rounds end.
const TOLERANCE: f64 = 1e-3;
/// Median of |x| over the standard deviation of a normal distribution.
const MEDIAN_OVER_SD: f64 = 0.674_489_750_196;

/// Times and values of each sample; NaN is a missing value.
type Samples = Vec<(Vec<f64>, Vec<f64>)>;

/// Returns the data with outliers drawn to the curves of the others.
pub(super) fn drawn_to_curves(
    samples: &[SampleData],
    dof: usize,
    columns: &[usize],
    loss: ResidualLoss,
) -> Result<Vec<SampleData>> {
    let mut drawn = samples.to_vec();
    for &j in columns {
        let values = samples.iter().map(|s| {
            let values = s.y.iter().skip(j).step_by(dof);
            (s.t.clone(), values.copied().collect())
        });
        let (without, ..) = fit(&values.collect(), loss)?;
        for (sample, (_, values)) in drawn.iter_mut().zip(without) {
            let to = sample.y.iter_mut().skip(j).step_by(dof);
            to.zip(values).for_each(|(to, value)| *to = value);
        }
    }
    Ok(drawn)
}

/// Fits the curve of one component, as [`ComponentSpline::fit`] does; the variance is that of the loss.
pub(super) fn fit_robustly(
    samples: &Samples,
    loss: ResidualLoss,
) -> Result<(ComponentSpline, CrossValidation)> {
    if loss == ResidualLoss::Gaussian {
        return ComponentSpline::fit(samples, 0.0);
    }
    let (_, curve, found) = fit(samples, loss)?;
    Ok((curve, found))
}

fn fit(
    samples: &Samples,
    loss: ResidualLoss,
) -> Result<(Samples, ComponentSpline, CrossValidation)> {
    let n = samples.iter().flat_map(|(_, y)| y).filter(|y| !y.is_nan());
    let n = n.count() as f64;
    let mut drawn = samples.clone();
    let (mut curve, mut found) = ComponentSpline::fit(&drawn, 0.0)?;
    let mut sigma = median_scale(&residuals(samples, &curve));
    for _ in 0..ROUNDS {
        let all = residuals(samples, &curve);
        let free = (n - found.degrees_of_freedom).max(0.05 * n);
        let squares = all.iter().flatten().filter(|e| !e.is_nan());
        let mean = squares.map(|e| loss.scale_square(e / sigma)).sum::<f64>() / free;
        // Data on a curve leave nothing to weigh.
        if !(sigma > 0.0 && mean > 0.0) {
            break;
        }
        let factor = mean.clamp(0.25, 4.0).sqrt();
        sigma *= factor;
        for ((_, to), ((_, y), e)) in drawn.iter_mut().zip(samples.iter().zip(&all)) {
            for ((to, y), e) in to.iter_mut().zip(y).zip(e) {
                *to = y - e + loss.weight(e / sigma) * e;
            }
        }
        (curve, found) = ComponentSpline::fit(&drawn, 0.0)?;
        if (factor - 1.0).abs() < TOLERANCE {
            break;
        }
    }
    found.variance = sigma * sigma;
    Ok((drawn, curve, found))
}

/// Returns the values less the curve, NaN where one is missing.
fn residuals(samples: &Samples, curve: &ComponentSpline) -> Vec<Vec<f64>> {
    let of = |(sample, (t, y)): (usize, &(Vec<f64>, Vec<f64>))| {
        let pairs = t.iter().zip(y);
        pairs.map(|(t, y)| y - curve.value(sample, *t)).collect()
    };
    samples.iter().enumerate().map(of).collect()
}

/// Returns the standard deviation of a normal distribution with the median of these sizes.
fn median_scale(residuals: &[Vec<f64>]) -> f64 {
    let sizes = residuals.iter().flatten().filter(|e| !e.is_nan());
    let mut sizes: Vec<f64> = sizes.map(|e| e.abs()).collect();
    sizes.sort_by(f64::total_cmp);
    sizes.get(sizes.len() / 2).copied().unwrap_or(0.0) / MEDIAN_OVER_SD
}
