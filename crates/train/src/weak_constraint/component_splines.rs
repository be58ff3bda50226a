//! Smoothing splines of the measured components, each with its own smoothing, over all samples.

use ndarray::{Array2, ArrayView1, ArrayView2};

use crate::Result;
use crate::smoothing::{CrossValidation, SmoothingSpline, cross_validate};

/// The curve of one component over all samples.
#[derive(Debug, Clone)]
pub(super) struct ComponentSpline {
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
                        .unwrap_or_else(|_| ArrayView2::from(&[[]] as &[[f64; 0]; 1]));
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

/// Curves of all state variables, in standardised units.
#[derive(Debug, Clone)]
pub(super) struct StateCurve {
    /// Curve of each state variable, `[dof]`.
    pub components: Vec<ComponentSpline>,
}

impl StateCurve {
    /// Returns the states at these times of a sample, `[time, dof]`.
    pub fn values(&self, sample: usize, t: &[f64]) -> Array2<f64> {
        Array2::from_shape_fn((t.len(), self.components.len()), |(i, j)| {
            self.components[j].value(sample, t[i])
        })
    }

    /// Returns their time derivatives at these times of a sample, `[time, dof]`.
    pub fn derivatives(&self, sample: usize, t: &[f64]) -> Array2<f64> {
        Array2::from_shape_fn((t.len(), self.components.len()), |(i, j)| {
            self.components[j].derivative(sample, t[i])
        })
    }
}
