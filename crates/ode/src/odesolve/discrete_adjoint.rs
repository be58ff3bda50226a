//! The exact discrete adjoint of taped steps, dispatched by the family of the method that took them.

use super::adjoint::{adams, bdf, esdirk, explicit_rk, radau, rosenbrock};
use super::gradient_accumulator::GradientAccumulator;
use super::mass_matrix::MassMatrix;
use super::solver::{Solver, SolverFamily};
use super::workspace::Workspace;
use crate::field::native::Evaluator;

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
