//! Right-hand sides of ODEs: what an integrator needs of du/dt = f(t, u), whether f is a field, a closure or the augmented
//! system of the continuous adjoint.

use crate::field::native::{Evaluator, TangentLanes};

/// Storage of a right-hand side for its Jacobians, kept between them.
#[derive(Debug, Clone, Default)]
pub struct JacobianScratch {
    pub(crate) lanes: Option<TangentLanes>,
    pub(crate) values: Vec<f64>,
}

/// The right-hand side f of du/dt = f(t, u).
pub trait Rhs {
    /// Number of state variables.
    fn dof(&self) -> usize;

    /// Length of a slot: what an evaluation leaves behind for the Jacobian at its place.
    fn slot_len(&self) -> usize;

    /// Computes f(t, u) into `du`, `[dof]`. `sample` is the index of the sample of a field's signals; `slot` is storage.
    fn eval(&self, sample: usize, t: f64, u: &[f64], slot: &mut [f64], du: &mut [f64]);

    /// Computes f(t, u) into `du`, `[dof]`, and leaves in `slot` what [`Rhs::jacobian`] needs.
    fn eval_taped(&self, sample: usize, t: f64, u: &[f64], slot: &mut [f64], du: &mut [f64]);

    /// Computes ∂f/∂u, `[dof, dof]` row by row, and ∂f/∂t, `[dof]`, at the place (sample, t) of a taped evaluation.
    fn jacobian(
        &self,
        place: (usize, f64),
        slot: &[f64],
        scratch: &mut JacobianScratch,
        df_du: &mut [f64],
        df_dt: &mut [f64],
    );
}

impl Rhs for Evaluator {
    #[inline]
    fn dof(&self) -> usize {
        Evaluator::dof(self)
    }

    #[inline]
    fn slot_len(&self) -> usize {
        Evaluator::slot_len(self)
    }

    #[inline]
    fn eval(&self, sample: usize, t: f64, u: &[f64], slot: &mut [f64], du: &mut [f64]) {
        Evaluator::eval(self, sample, t, u, slot, du);
    }

    #[inline]
    fn eval_taped(&self, sample: usize, t: f64, u: &[f64], slot: &mut [f64], du: &mut [f64]) {
        Evaluator::eval_taped(self, sample, t, u, slot, du);
    }

    fn jacobian(
        &self,
        place: (usize, f64),
        slot: &[f64],
        scratch: &mut JacobianScratch,
        df_du: &mut [f64],
        df_dt: &mut [f64],
    ) {
        let dof = Evaluator::dof(self);
        let JacobianScratch { lanes, values } = scratch;
        let lanes = lanes.get_or_insert_with(|| self.tangent_lanes(dof + 1));
        Evaluator::jacobian(self, place, slot, lanes, values, df_du, df_dt);
    }
}
