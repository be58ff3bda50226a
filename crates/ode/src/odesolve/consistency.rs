//! Consistent states and slopes of `M du/dt = f(t, u)` (Hairer, Wanner, *Solving Ordinary Differential Equations II*, VI.1).
//!
//! A state is consistent where it satisfies the algebraic equations, `P f(t, u) = 0` with the projector P of the
//! [mass matrix](super::mass_matrix). Newton's method keeps M u: `(M + P J) δ = −P f`. The slope of a consistent state satisfies the
//! derivative of the algebraic equations too, `(M + P J) u' = (I − P) f − P ∂f/∂t`. The matrix M + P J is regular where the index
//! is 1. For a regular M it is M, and every state is consistent.

use super::gradient_accumulator::GradientAccumulator;
use super::jacobian::Jacobian;
use super::lu::Lu;
use super::mass_matrix::MassMatrix;
use super::newton::converged_to_roundoff;
use super::rhs::{DifferenceScales, Rhs};
use super::vector_ops::{add_scaled, all_finite};
use crate::field::native::{DualCotangent, Evaluator, ParamGradient};
use odesync_base::failure::FailureReason;

const MAX_ITERATIONS: usize = 50;
/// Number of times that a Newton increment is halved before the iteration gives up.
const MAX_HALVINGS: i32 = 20;

/// The linearized equations of consistent states at one place.
pub(crate) struct Consistency<'a> {
    pub mass: &'a MassMatrix,
    jacobian: Jacobian,
    pub lu: Lu<f64>,
    pub slot: Vec<f64>,
    f: Vec<f64>,
}

impl<'a> Consistency<'a> {
    pub fn new<R: Rhs + ?Sized>(rhs: &R, mass: &'a MassMatrix) -> Self {
        let mut jacobian = Jacobian::default();
        jacobian.bind(rhs, None);
        Consistency {
            mass,
            jacobian,
            lu: Lu::default(),
            slot: vec![0.0; rhs.slot_len()],
            f: vec![0.0; rhs.dof()],
        }
    }

    /// Gives the sizes of differences; see [`Jacobian::set_scales`].
    pub fn set_scales(&mut self, scales: &DifferenceScales) {
        self.jacobian.set_scales(scales);
    }

    /// Evaluates f and its Jacobian at a place and factors M + P J.
    ///
    /// # Errors
    /// A field or a Jacobian that is not finite, or a singular matrix.
    pub fn linearize<R: Rhs + ?Sized>(
        &mut self,
        rhs: &R,
        (sample, t): (usize, f64),
        u: &[f64],
    ) -> Result<(), FailureReason> {
        rhs.eval_taped(sample, t, u, &mut self.slot, &mut self.f);
        match all_finite(&self.f) {
            true => self.factor(rhs, (sample, t)),
            false => Err(FailureReason::NotFinite),
        }
    }

    /// Factors M + P J with the Jacobian of the taped evaluation in `slot`.
    fn factor<R: Rhs + ?Sized>(
        &mut self,
        rhs: &R,
        place: (usize, f64),
    ) -> Result<(), FailureReason> {
        let dof = rhs.dof();
        let Consistency {
            mass,
            jacobian,
            lu,
            slot,
            ..
        } = self;
        if mass.is_singular() {
            jacobian.fill(rhs, place, slot);
            if !jacobian.is_finite() {
                return Err(FailureReason::JacobianNotFinite);
            }
        }
        let mut matrix: Vec<f64> = mass.values().to_vec();
        if mass.is_singular() {
            for (r, row) in matrix.chunks_exact_mut(dof).enumerate() {
                for s in 0..dof {
                    let p = mass.algebraic_at(r, s);
                    if p != 0.0 {
                        add_scaled(p, &jacobian.df_du()[s * dof..(s + 1) * dof], row);
                    }
                }
            }
        }
        match lu.factor_regular(dof, &matrix) {
            true => Ok(()),
            false => Err(FailureReason::AlgebraicSingular),
        }
    }

    /// Makes a state consistent; one that is so already is left as it is.
    ///
    /// # Errors
    /// Algebraic equations that are singular at the state, or whose solution is not found.
    pub fn solve_state<R: Rhs + ?Sized>(
        &mut self,
        rhs: &R,
        place: (usize, f64),
        u: &mut [f64],
    ) -> Result<(), FailureReason> {
        if !self.mass.is_singular() {
            return Ok(());
        }
        let size = |x: &[f64], u: &[f64]| {
            let largest = u.iter().fold(0.0, |m: f64, x| m.max(x.abs()));
            let scaled =
                |(x, u): (&f64, &f64)| x.abs() / (u.abs() + 1e-3 * largest + f64::MIN_POSITIVE);
            x.iter().zip(u).map(scaled).fold(0.0, f64::max)
        };
        let mut trial = vec![0.0; u.len()];
        for iteration in 0..MAX_ITERATIONS {
            self.linearize(rhs, place, u)?;
            let mut delta = self.increment();
            if converged_to_roundoff(&delta, u) && iteration == 0 {
                return Ok(());
            }
            let norm = size(&delta, u);
            // The next increment with the same matrix must be shorter (Deuflhard's natural monotonicity test).
            let mut halvings = 0;
            loop {
                for ((trial, u), delta) in trial.iter_mut().zip(u.iter()).zip(&delta) {
                    *trial = u + delta;
                }
                rhs.eval(place.0, place.1, &trial, &mut self.slot, &mut self.f);
                let next = self.increment();
                let shorter = all_finite(&next) && size(&next, u) < norm;
                if shorter || converged_to_roundoff(&delta, &trial) || norm < 1e-10 {
                    break;
                }
                halvings += 1;
                if halvings > MAX_HALVINGS {
                    return Err(FailureReason::NoConsistentState);
                }
                delta.iter_mut().for_each(|x| *x *= 0.5);
            }
            u.copy_from_slice(&trial);
            // At the level of rounding the increments do not decrease any more.
            if converged_to_roundoff(&delta, u) || norm < 1e-10 {
                return Ok(());
            }
        }
        Err(FailureReason::NoConsistentState)
    }

    /// Returns −(M + P J)⁻¹ P f of the last evaluation.
    fn increment(&self) -> Vec<f64> {
        let mut delta = self.f.clone();
        self.mass.split_algebraic(&mut delta);
        self.lu.solve(&mut delta);
        delta.iter_mut().for_each(|x| *x = -*x);
        delta
    }

    /// Computes du/dt at a consistent state.
    ///
    /// # Errors
    /// A field or a Jacobian that is not finite, or algebraic equations that are singular at the state.
    pub fn slope<R: Rhs + ?Sized>(
        &mut self,
        rhs: &R,
        place: (usize, f64),
        u: &[f64],
        slope: &mut [f64],
    ) -> Result<(), FailureReason> {
        self.linearize(rhs, place, u)?;
        self.frozen_slope(rhs, place, u, slope);
        Ok(())
    }

    /// Computes du/dt at a state near the last one that was linearized, with the matrix and ∂f/∂t of that one.
    pub fn frozen_slope<R: Rhs + ?Sized>(
        &mut self,
        rhs: &R,
        place: (usize, f64),
        u: &[f64],
        slope: &mut [f64],
    ) {
        rhs.eval_taped(place.0, place.1, u, &mut self.slot, &mut self.f);
        let mut by_time = self.jacobian.df_dt().to_vec();
        self.mass.split_algebraic(&mut by_time);
        let differential = self.mass.split_algebraic(&mut self.f);
        slope.copy_from_slice(&differential);
        add_scaled(-1.0, &by_time, slope);
        self.lu.solve(slope);
    }

    /// Pulls the adjoint of a state that was made consistent back to the state that was given: with `(M + P J)ᵀ κ = ū` it is `Mᵀ κ`,
    /// and `−(∂f/∂θ)ᵀ P κ` is added to `gradient`. `u` is the consistent state; where the equations are singular there the adjoint is
    /// NaN.
    pub fn pull_back_state(
        &mut self,
        evaluator: &Evaluator,
        place: (usize, f64),
        u: &[f64],
        bar: &mut [f64],
        gradient: &mut ParamGradient,
    ) {
        if !self.mass.is_singular() {
            return;
        }
        if self.linearize(evaluator, place, u).is_err() {
            return bar.fill(f64::NAN);
        }
        self.lu.solve_transposed(bar);
        let kappa = bar.to_vec();
        let mut of_algebraic = kappa.clone();
        self.mass.split_algebraic(&mut of_algebraic);
        of_algebraic.iter_mut().for_each(|x| *x = -*x);
        bar.fill(0.0);
        evaluator.vjp(place, &self.slot, &of_algebraic, bar, None, gradient);
        bar.fill(0.0);
        self.mass.add_transposed_product(1.0, &kappa, bar);
    }

    /// Turns the adjoint of du/dt at a consistent state, whose evaluation left `slot`, into that of f, where nothing depends on the
    /// algebraic part of du/dt; NaN where the equations are singular there.
    pub fn adjoint_of_f(
        &mut self,
        evaluator: &Evaluator,
        place: (usize, f64),
        slot: &[f64],
        bar: &mut [f64],
    ) {
        self.slot.copy_from_slice(slot);
        match self.factor(evaluator, place) {
            Err(_) => bar.fill(f64::NAN),
            Ok(()) => {
                self.lu.solve_transposed(bar);
                let mut of_algebraic = bar.to_vec();
                let rest = self.mass.split_algebraic(&mut of_algebraic);
                bar.copy_from_slice(&rest);
            }
        }
    }

    /// Pulls the adjoint of the slope of a consistent state back: adds its part to the adjoint of the state, `mu`, and to the gradient
    /// of the parameters. With `(M + P J)ᵀ κ = bar` these are the derivatives of `κᵀ (I − P) f − κᵀ P (J u' + ∂f/∂t)` at fixed κ and
    /// u': the second term is the tangent, along (u', 1), of the vector-Jacobian product with P κ.
    pub fn pull_back_slope(
        &mut self,
        evaluator: &Evaluator,
        place: (usize, f64),
        u: &[f64],
        bar: &[f64],
        (mu, accumulator): (&mut [f64], &mut GradientAccumulator),
    ) {
        let mut slope = vec![0.0; u.len()];
        if self.slope(evaluator, place, u, &mut slope).is_err() {
            return mu.fill(f64::NAN);
        }
        let slot = &self.slot;
        let mut of_algebraic = bar.to_vec();
        self.lu.solve_transposed(&mut of_algebraic);
        let of_differential = self.mass.split_algebraic(&mut of_algebraic);
        let gradient = &mut accumulator.gradient;
        evaluator.vjp(place, slot, &of_differential, mu, None, gradient);
        if !self.mass.is_singular() {
            return;
        }
        of_algebraic.iter_mut().for_each(|x| *x = -*x);
        let mut lanes = evaluator.tangent_lanes(1);
        let mut sums = evaluator.zero_gradient_tangents(&lanes);
        let (mut unused, zero_dot) = (vec![0.0; u.len()], vec![0.0; u.len()]);
        evaluator.jvp_lanes(place, slot, &slope, &[1.0], &mut lanes, &mut unused);
        let cotangent = DualCotangent {
            value: &mut unused,
            tangents: mu,
        };
        let bars = (&of_algebraic[..], &zero_dot[..]);
        evaluator.vjp_with_tangents(place, slot, &mut lanes, bars, cotangent, None, &mut sums);
        accumulator.add_values(&evaluator.parameter_gradient_tangents(&mut lanes, &mut sums));
    }
}
