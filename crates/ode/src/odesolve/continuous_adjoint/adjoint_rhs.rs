//! The right-hand side of the adjoint along a solution that is known: `dλ/dt = −(∂f/∂u(t, u(t)))ᵀ λ`.

use std::cell::RefCell;

use super::super::rhs::{JacobianScratch, Rhs};
use super::AdjointSlope;
use super::hermite_path::HermitePath;
use crate::field::native::{DualCotangent, Evaluator};

/// The adjoint of a field along a solution, of `dof` variables. It is linear in λ.
pub(super) struct AdjointRhs<'a> {
    evaluator: &'a Evaluator,
    path: &'a HermitePath,
    slope: RefCell<AdjointSlope>,
}

impl<'a> AdjointRhs<'a> {
    pub fn new(evaluator: &'a Evaluator, path: &'a HermitePath) -> Self {
        AdjointRhs {
            evaluator,
            path,
            slope: RefCell::new(AdjointSlope::new(evaluator)),
        }
    }
}

impl Rhs for AdjointRhs<'_> {
    fn dof(&self) -> usize {
        self.evaluator.dof()
    }

    /// The slot of the field, then λ.
    fn slot_len(&self) -> usize {
        self.evaluator.slot_len() + self.dof()
    }

    fn eval(&self, sample: usize, t: f64, lambda: &[f64], slot: &mut [f64], dlambda: &mut [f64]) {
        let mut slope = self.slope.borrow_mut();
        let AdjointSlope { u, f, .. } = &mut *slope;
        self.path.state(t, u);
        self.evaluator.eval_taped(sample, t, u, slot, f);
        slope.compute(self.evaluator, (sample, t), slot, lambda, dlambda);
    }

    fn eval_taped(
        &self,
        sample: usize,
        t: f64,
        lambda: &[f64],
        slot: &mut [f64],
        dlambda: &mut [f64],
    ) {
        slot[self.evaluator.slot_len()..].copy_from_slice(lambda);
        self.eval(sample, t, lambda, slot, dlambda);
    }

    /// Computes −(∂f/∂u)ᵀ, and the derivative of −(∂f/∂u)ᵀ λ with respect to t, on which f and u(t) depend.
    fn jacobian(
        &self,
        (sample, t): (usize, f64),
        slot: &[f64],
        scratch: &mut JacobianScratch,
        jacobian: &mut [f64],
        by_time: &mut [f64],
    ) {
        let dof = self.dof();
        let (slot, lambda) = slot.split_at(self.evaluator.slot_len());
        let JacobianScratch { lanes, values, .. } = scratch;
        let lanes = lanes.get_or_insert_with(|| self.evaluator.tangent_lanes(dof + 1));
        let place = (sample, t);
        self.evaluator
            .jacobian(place, slot, lanes, values, jacobian, by_time);
        for row in 0..dof {
            for column in 0..row {
                jacobian.swap(row * dof + column, column * dof + row);
            }
        }
        for x in jacobian.iter_mut() {
            *x = -*x;
        }
        let w = lanes.width();
        let mut own = self.slope.borrow_mut();
        let AdjointSlope {
            u: du,
            unused_tangents,
            ..
        } = &mut *own;
        let sums =
            unused_tangents.get_or_insert_with(|| self.evaluator.zero_gradient_tangents(lanes));
        self.path.slope(t, du);
        values.clear();
        values.resize(dof * (1 + 4 * w) + w, 0.0);
        let (u_bar, rest) = values.split_at_mut(dof);
        let (u_dot, rest) = rest.split_at_mut(dof * w);
        let (f_dot, rest) = rest.split_at_mut(dof * w);
        let (lambda_dot, rest) = rest.split_at_mut(dof * w);
        let (u_bar_dot, t_dot) = rest.split_at_mut(dof * w);
        for (lanes, du) in u_dot.chunks_exact_mut(w).zip(du.iter()) {
            lanes[0] = *du;
        }
        t_dot[0] = 1.0;
        self.evaluator
            .jvp_lanes(place, slot, u_dot, t_dot, lanes, f_dot);
        let cotangent = DualCotangent {
            value: u_bar,
            tangents: u_bar_dot,
        };
        let bars = (lambda, &*lambda_dot);
        self.evaluator
            .vjp_with_tangents(place, slot, lanes, bars, cotangent, None, sums);
        for (by_time, lanes) in by_time.iter_mut().zip(u_bar_dot.chunks_exact(w)) {
            *by_time = -lanes[0];
        }
    }
}
