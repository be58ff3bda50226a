//! The right-hand side of state and adjoint together: x = (u, λ), `dx/dt = (f(t, u), −(∂f/∂u)ᵀ λ)`.

use std::cell::RefCell;

use super::super::rhs::{JacobianScratch, Rhs, difference_jacobian};
use super::AdjointSlope;
use crate::field::native::Evaluator;

/// State and adjoint of a field as one right-hand side, of 2 `dof` variables.
pub(super) struct AugmentedRhs<'a> {
    evaluator: &'a Evaluator,
    slope: RefCell<AdjointSlope>,
}

impl<'a> AugmentedRhs<'a> {
    pub fn new(evaluator: &'a Evaluator) -> Self {
        AugmentedRhs {
            evaluator,
            slope: RefCell::new(AdjointSlope::new(evaluator)),
        }
    }
}

impl Rhs for AugmentedRhs<'_> {
    fn dof(&self) -> usize {
        2 * self.evaluator.dof()
    }

    /// The slot of the field, then x.
    fn slot_len(&self) -> usize {
        self.evaluator.slot_len() + self.dof()
    }

    fn eval(&self, sample: usize, t: f64, x: &[f64], slot: &mut [f64], dx: &mut [f64]) {
        let (u, lambda) = x.split_at(self.evaluator.dof());
        let (f, lambda_dot) = dx.split_at_mut(u.len());
        self.evaluator.eval_taped(sample, t, u, slot, f);
        let mut slope = self.slope.borrow_mut();
        slope.compute(self.evaluator, (sample, t), slot, lambda, lambda_dot);
    }

    fn eval_taped(&self, sample: usize, t: f64, x: &[f64], slot: &mut [f64], dx: &mut [f64]) {
        slot[self.evaluator.slot_len()..].copy_from_slice(x);
        self.eval(sample, t, x, slot, dx);
    }

    fn jacobian(
        &self,
        place: (usize, f64),
        slot: &[f64],
        scratch: &mut JacobianScratch,
        df_du: &mut [f64],
        df_dt: &mut [f64],
    ) {
        let x = &slot[self.evaluator.slot_len()..];
        difference_jacobian(self, place, x, scratch, df_du, df_dt);
    }
}
