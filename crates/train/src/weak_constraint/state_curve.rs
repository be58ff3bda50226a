//! The curves of all state variables.

use ndarray::Array2;

use crate::smoothing::ComponentSpline;

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
