//! The smoothing spline of one component over all samples, with a smoothing of its own.

use ndarray::{ArrayView1, ArrayView2};

use super::{CrossValidation, SmoothingSpline, cross_validate};
use crate::{Error, Result};

/// The curve of one component over all samples.
#[derive(Debug, Clone)]
pub(crate) struct ComponentSpline {
    samples: Vec<Curve>,
}

#[derive(Debug, Clone)]
enum Curve {
    Constant(f64),
    Spline(Box<SmoothingSpline>),
}

impl ComponentSpline {
    /// Fits the curve to the times and values of each sample, with a smoothing chosen by generalised cross-validation over all of
    /// them; NaN is a missing value. A sample of one or two values is a constant, their mean; one of none is `default`.
    pub fn fit(samples: &[(Vec<f64>, Vec<f64>)], default: f64) -> Result<(Self, CrossValidation)> {
        let measured: Vec<(Vec<f64>, Vec<f64>)> = samples
            .iter()
            .map(|(t, y)| {
                let pairs = t.iter().zip(y).filter(|(_, y)| !y.is_nan());
                pairs.map(|(t, y)| (*t, *y)).unzip()
            })
            .collect();
        let found = cross_validate(&measured);
        let curve = Self::with_smoothing(&measured, found.alpha, default)?;
        Ok((curve, found))
    }

    /// Fits the curve with this smoothing α to times and values without missing ones.
    pub fn with_smoothing(
        samples: &[(Vec<f64>, Vec<f64>)],
        alpha: f64,
        default: f64,
    ) -> Result<Self> {
        let samples = samples
            .iter()
            .map(|(t, y)| match y.as_slice() {
                [] => Ok(Curve::Constant(default)),
                [one] => Ok(Curve::Constant(*one)),
                [one, two] => Ok(Curve::Constant((one + two) / 2.0)),
                y => {
                    let column = ArrayView2::from_shape((y.len(), 1), y)
                        .map_err(|e| Error::invalid(e.to_string()))?;
                    let sample = (ArrayView1::from(t), column);
                    Ok(Curve::Spline(Box::new(SmoothingSpline::ragged(
                        [sample],
                        alpha,
                    )?)))
                }
            })
            .collect::<Result<_>>()?;
        Ok(ComponentSpline { samples })
    }

    /// Returns the value at time t of a sample.
    pub fn value(&self, sample: usize, t: f64) -> f64 {
        match &self.samples[sample] {
            Curve::Constant(value) => *value,
            Curve::Spline(spline) => {
                let mut out = [0.0];
                spline.value_into(0, t, &mut out);
                out[0]
            }
        }
    }

    /// Returns the time derivative at time t of a sample.
    pub fn derivative(&self, sample: usize, t: f64) -> f64 {
        match &self.samples[sample] {
            Curve::Constant(_) => 0.0,
            Curve::Spline(spline) => {
                let mut out = [0.0];
                spline.derivative_into(0, t, &mut out);
                out[0]
            }
        }
    }
}
