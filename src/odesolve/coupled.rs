//! The stages of an implicit Runge-Kutta step as one system, with the Jacobian of each: what exact Newton iteration, the exact
//! adjoint and the tangents of a step solve.

use super::jacobian::Jacobian;
use super::linear::Lu;
use super::plan::Step;
use crate::field::native::Evaluator;

/// Nodes, `[stages]`, and coefficients, `[stages, stages]` row by row: `Z_i = h Σ_j a_ij f(t + c_j h, u + Z_j)`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stages<'a> {
    pub c: &'a [f64],
    pub a: &'a [f64],
}

impl Stages<'_> {
    /// a_ij.
    pub fn a(&self, i: usize, j: usize) -> f64 {
        self.a[i * self.c.len() + j]
    }
}

/// The stages' equations with the Jacobian of every stage.
#[derive(Debug, Clone, Default)]
pub(crate) struct Coupled {
    jacobians: Vec<Jacobian>,
    pub lu: Lu<f64>,
}

impl Coupled {
    /// Makes room for this many stages of this field.
    pub fn bind(&mut self, evaluator: &Evaluator, stages: usize) {
        self.jacobians.resize_with(stages, Jacobian::default);
        for jacobian in &mut self.jacobians {
            jacobian.bind(evaluator);
        }
    }

    /// Factors I − h A ⊗ J_j, the jth stage having left its slot at `slots[j]`; false where it is singular.
    pub fn factor(
        &mut self,
        evaluator: &Evaluator,
        (sample, step): (usize, Step),
        stages: Stages,
        slots: &[&[f64]],
    ) -> bool {
        let dof = evaluator.dof();
        for ((jacobian, c), slot) in self.jacobians.iter_mut().zip(stages.c).zip(slots) {
            jacobian.fill(evaluator, (sample, step.node(*c)), slot);
        }
        let (h, jacobians) = (step.h(), &self.jacobians);
        self.lu.factor(stages.c.len() * dof, |r, c| {
            let (i, j) = (r / dof, c / dof);
            f64::from(r == c) - h * stages.a(i, j) * jacobians[j].at(r % dof, c % dof)
        })
    }
}
