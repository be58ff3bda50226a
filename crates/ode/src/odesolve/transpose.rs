//! The exact discrete adjoint of taped steps, by the kind of method that took them.

use super::adjoint::{self, adams, bdf, esdirk, radau, rosenbrock};
use super::method::{Family, Method};
use super::sums;
use super::workspace::Workspace;
use crate::field::native::{Evaluator, Gradient};

/// Where the parameters' gradient is summed up.
pub(crate) struct Sums {
    pub gradient: Gradient,
    /// What has the layout of the parameter values already; empty for nothing.
    pub values: Vec<f64>,
}

impl Sums {
    /// Nothing yet.
    pub fn new(evaluator: &Evaluator) -> Self {
        Sums {
            gradient: evaluator.gradient(),
            values: vec![],
        }
    }

    /// Adds what has the layout of the parameter values.
    pub fn add_values(&mut self, values: &[f64]) {
        self.values.resize(values.len().max(self.values.len()), 0.0);
        sums::add(values, &mut self.values);
    }
}

/// Walks back over the taped steps of `work`: `bars` is ∂L/∂u of its solution, `[time, dof]`; ∂L/∂u at its start is returned.
///
/// `history` is ∂L/∂ of what a multistep method hands on at the end beside the state, and on return of what it was handed at
/// the start; empty means nothing. One-step methods leave it alone.
pub(crate) fn backward(
    evaluator: &Evaluator,
    method: &Method,
    sample: usize,
    work: &Workspace,
    (bars, history): (&[f64], &mut Vec<f64>),
    sums: &mut Sums,
) -> Vec<f64> {
    let gradient = &mut sums.gradient;
    match method.family {
        Family::ExplicitRungeKutta(tableau) => {
            adjoint::backward(evaluator, tableau, sample, work, bars, gradient)
        }
        Family::Radau => radau::backward(evaluator, sample, work, bars, gradient),
        Family::Esdirk(tableau) => {
            esdirk::backward(evaluator, tableau, sample, work, bars, gradient)
        }
        Family::Rosenbrock(tableau) => {
            let (u0, values) =
                rosenbrock::backward(evaluator, tableau, sample, work, bars, gradient);
            sums.add_values(&values);
            u0
        }
        Family::Bdf => bdf::backward(evaluator, sample, work, (bars, history), gradient),
        Family::Adams(tableau) => {
            let bars = (bars, history);
            adams::backward(evaluator, tableau, sample, work, bars, gradient)
        }
        // It was taken apart into the others.
        Family::Auto { .. } => vec![0.0; evaluator.dof()],
    }
}
