//! The exact discrete adjoint of taped steps, by the kind of method that took them.

use super::adjoint::{self, adams, bdf, esdirk, radau, rosenbrock};
use super::solver::{Solver, SolverFamily};
use super::vector_ops;
use super::workspace::Workspace;
use crate::field::native::{Evaluator, ParamGradient};

/// Where the parameters' gradient is summed up.
pub(crate) struct GradientAccumulator {
    pub gradient: ParamGradient,
    /// What has the layout of the parameter values already; empty for nothing.
    pub values: Vec<f64>,
}

impl GradientAccumulator {
    /// Nothing yet.
    pub fn new(evaluator: &Evaluator) -> Self {
        GradientAccumulator {
            gradient: evaluator.zero_gradient(),
            values: vec![],
        }
    }

    /// Adds what has the layout of the parameter values.
    pub fn add_values(&mut self, values: &[f64]) {
        self.values.resize(values.len().max(self.values.len()), 0.0);
        vector_ops::add(values, &mut self.values);
    }
}

/// Walks back over the taped steps of `work`: `bars` is ∂L/∂u of its solution, `[time, dof]`; ∂L/∂u at its start is returned.
///
/// `history` is ∂L/∂ of what a multistep method hands on at the end beside the state, and on return of what it was handed at
/// the start; empty means nothing. One-step methods leave it alone.
pub(crate) fn backward(
    evaluator: &Evaluator,
    method: &Solver,
    sample: usize,
    work: &Workspace,
    (bars, history): (&[f64], &mut Vec<f64>),
    sums: &mut GradientAccumulator,
) -> Vec<f64> {
    let gradient = &mut sums.gradient;
    match method.family {
        SolverFamily::ExplicitRungeKutta(tableau) => {
            adjoint::backward(evaluator, tableau, sample, work, bars, gradient)
        }
        SolverFamily::Radau => radau::backward(evaluator, sample, work, bars, gradient),
        SolverFamily::Esdirk(tableau) => {
            esdirk::backward(evaluator, tableau, sample, work, bars, gradient)
        }
        SolverFamily::Rosenbrock(tableau) => {
            let (u0, values) =
                rosenbrock::backward(evaluator, tableau, sample, work, bars, gradient);
            sums.add_values(&values);
            u0
        }
        SolverFamily::Bdf => bdf::backward(evaluator, sample, work, (bars, history), gradient),
        SolverFamily::Adams(tableau) => {
            let bars = (bars, history);
            adams::backward(evaluator, tableau, sample, work, bars, gradient)
        }
        // It was taken apart into the others.
        SolverFamily::Auto { .. } => vec![0.0; evaluator.dof()],
    }
}
