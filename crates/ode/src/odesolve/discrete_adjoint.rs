//! The exact discrete adjoint of taped steps, dispatched by the family of the method that took them.

use super::adjoint::{adams, bdf, esdirk, explicit_rk, radau, rosenbrock};
use super::mass_matrix::MassMatrix;
use super::solver::{Solver, SolverFamily};
use super::vector_ops;
use super::workspace::Workspace;
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

/// Computes the discrete adjoint of the taped steps of `work`, by a method with a mass matrix where there is one. `bars` is ∂L/∂u of its solution, `[time, dof]`; returns ∂L/∂u
/// at its start.
///
/// `history` is the adjoint of a multistep method's history (differences or slopes) at the end of the steps, and on return
/// the one at their start; empty means zero. One-step methods do not use it.
pub(crate) fn backward(
    evaluator: &Evaluator,
    (method, mass): (&Solver, Option<&MassMatrix>),
    sample: usize,
    work: &Workspace,
    (bars, history): (&[f64], &mut Vec<f64>),
    accumulator: &mut GradientAccumulator,
) -> Vec<f64> {
    let gradient = &mut accumulator.gradient;
    match method.family {
        SolverFamily::ExplicitRungeKutta(tableau) => {
            explicit_rk::backward(evaluator, tableau, sample, work, bars, gradient)
        }
        SolverFamily::Radau => radau::backward(evaluator, mass, sample, work, bars, gradient),
        SolverFamily::Esdirk(tableau) => {
            esdirk::backward(evaluator, (tableau, mass), sample, work, bars, gradient)
        }
        SolverFamily::Rosenbrock(tableau) => {
            let (u0, values) =
                rosenbrock::backward(evaluator, (tableau, mass), sample, work, bars, gradient);
            accumulator.add_values(&values);
            u0
        }
        SolverFamily::Bdf => {
            bdf::backward(evaluator, mass, sample, work, (bars, history), accumulator)
        }
        SolverFamily::Adams(tableau) => {
            let bars = (bars, history);
            adams::backward(evaluator, tableau, sample, work, bars, gradient)
        }
        // Solves by `auto` are split into segments of the other families.
        SolverFamily::Auto { .. } => vec![0.0; evaluator.dof()],
    }
}
