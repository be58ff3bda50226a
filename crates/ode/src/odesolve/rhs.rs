//! Right-hand sides of ODEs: what an integrator needs of du/dt = f(t, u), whether f is a field, a closure or the augmented
//! system of the continuous adjoint.

use super::tolerance::AbsoluteTolerance;
use crate::field::native::{Evaluator, TangentLanes};

/// The sizes of a difference where state and slope say none: the state at which both tolerances are equal, and the span.
#[derive(Debug, Clone)]
pub(crate) struct DifferenceScales {
    pub atol: AbsoluteTolerance,
    pub rtol: f64,
    /// Time that the solve takes, in the system's unit.
    pub span: f64,
}

impl DifferenceScales {
    fn state(&self, i: usize) -> f64 {
        self.atol.at(i) / self.rtol.max(f64::EPSILON)
    }
}

/// Storage of a right-hand side for its Jacobians, kept between them.
#[derive(Debug, Clone, Default)]
pub struct JacobianScratch {
    pub(crate) lanes: Option<TangentLanes>,
    pub(crate) values: Vec<f64>,
    /// Sizes of differences in a solve; `None` outside one.
    pub(crate) scales: Option<DifferenceScales>,
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
        let JacobianScratch { lanes, values, .. } = scratch;
        let lanes = lanes.get_or_insert_with(|| self.tangent_lanes(dof + 1));
        Evaluator::jacobian(self, place, slot, lanes, values, df_du, df_dt);
    }
}

/// Computes the Jacobian of a right-hand side at (sample, t) and `u` by central differences, with an error of about 1e-10 of its
/// size.
///
/// A variable moves in proportion to its size, and where it is zero to that of the largest; time moves in proportion to the time in
/// which the state changes by its own size. Where the whole state is zero, or does not change, the sizes are those that the solve
/// gives: the state at which its absolute and relative tolerance are equal, and its span. Outside a solve they are 1.
pub fn difference_jacobian<R: Rhs + ?Sized>(
    rhs: &R,
    (sample, t): (usize, f64),
    u: &[f64],
    scratch: &mut JacobianScratch,
    df_du: &mut [f64],
    df_dt: &mut [f64],
) {
    let dof = u.len();
    let JacobianScratch { values, scales, .. } = scratch;
    values.clear();
    values.resize(3 * dof + rhs.slot_len(), 0.0);
    let (moved, rest) = values.split_at_mut(dof);
    let (up, rest) = rest.split_at_mut(dof);
    let (down, slot) = rest.split_at_mut(dof);
    let largest = |x: &[f64]| x.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
    let relative = f64::EPSILON.cbrt();
    // A variable that is zero moves by the scale of the others; the differences have no unit of their own.
    let scale = largest(u);
    moved.copy_from_slice(u);
    for i in 0..dof {
        let size = if u[i] != 0.0 { u[i].abs() } else { scale };
        let delta = relative
            * match scales {
                _ if size > 0.0 => size,
                Some(scales) => scales.state(i),
                None => 1.0,
            };
        let (above, below) = (u[i] + delta, u[i] - delta);
        moved[i] = above;
        rhs.eval(sample, t, moved, slot, up);
        moved[i] = below;
        rhs.eval(sample, t, moved, slot, down);
        moved[i] = u[i];
        for row in 0..dof {
            df_du[row * dof + i] = (up[row] - down[row]) / (above - below);
        }
    }
    // The time in which the state changes by its own size.
    rhs.eval(sample, t, u, slot, up);
    let rate = largest(up) / scale;
    let span = if rate > 0.0 && rate.is_finite() {
        1.0 / rate
    } else {
        scales
            .as_ref()
            .map_or(t.abs().max(1.0), |scales| scales.span)
    };
    let delta = (relative * span).max(4.0 * f64::EPSILON * t.abs());
    let (above, below) = (t + delta, t - delta);
    rhs.eval(sample, above, u, slot, up);
    rhs.eval(sample, below, u, slot, down);
    for row in 0..dof {
        df_dt[row] = (up[row] - down[row]) / (above - below);
    }
}
