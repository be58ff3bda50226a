//! The gradient with respect to the parameters, as a reverse sweep adds it up.

use super::vector_ops;
use crate::field::native::{Evaluator, ParamGradient};

/// Accumulator of the gradient with respect to the parameters.
pub(crate) struct GradientAccumulator {
    pub gradient: ParamGradient,
    /// Contributions that already have the layout of the parameter values; empty for zero.
    pub values: Vec<f64>,
}

impl GradientAccumulator {
    /// Creates an accumulator of zero.
    pub fn new(evaluator: &Evaluator) -> Self {
        GradientAccumulator {
            gradient: evaluator.zero_gradient(),
            values: vec![],
        }
    }

    /// Adds a contribution that has the layout of the parameter values.
    pub fn add_values(&mut self, values: &[f64]) {
        self.values.resize(values.len().max(self.values.len()), 0.0);
        vector_ops::add(values, &mut self.values);
    }

    /// Writes the gradient with respect to the values of all parameter blocks into `all`, and sets the accumulator to zero.
    pub fn take(&mut self, evaluator: &Evaluator, all: &mut [f64]) {
        evaluator.take_parameter_gradient(&mut self.gradient, all);
        // Contributions in the layout of the values may be fewer: they are empty for zero.
        all.iter_mut()
            .zip(&self.values)
            .for_each(|(to, from)| *to += from);
        self.values.clear();
    }
}
