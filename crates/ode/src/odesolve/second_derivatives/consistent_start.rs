//! Tangents of a [consistent](super::super::consistency) initial state and of its adjoint, where there is a singular mass matrix.
//!
//! The consistent state u of a given one changes by `(M + P J) u̇ = M u̇₀ − P ∂f/∂θ θ̇`. Its adjoint is pulled back by
//! `(M + P J)ᵀ κ = ū` to Mᵀ κ and to −(∂f/∂θ)ᵀ P κ of the parameters; the tangents of both need the second derivatives in
//! `(M + P J)ᵀ κ̇ = ū˙ − J̇ᵀ P κ`.

use super::super::consistency::Consistency;
use super::super::mass_matrix::MassMatrix;
use super::super::vector_ops::add;
use super::implicit::solve_each_lane;
use crate::field::native::{DualCotangent, Evaluator, ParamGradientTangents, TangentLanes};

/// The start of a solve with a singular mass matrix.
pub(super) struct ConsistentStart<'a> {
    pub evaluator: &'a Evaluator,
    pub mass: &'a MassMatrix,
    /// Sample and time.
    pub place: (usize, f64),
    /// Consistent state, `[dof]`.
    pub u: &'a [f64],
}

impl ConsistentStart<'_> {
    /// Returns the equations of the start; `None` where they are singular.
    fn consistency(&self) -> Option<Consistency<'_>> {
        let mut consistency = Consistency::new(self.evaluator, self.mass);
        let linearized = consistency.linearize(self.evaluator, self.place, self.u);
        linearized.is_ok().then_some(consistency)
    }

    /// Returns the tangents of the consistent state from those of the given one, `[dof, w]`; NaN where the equations are singular.
    pub fn forward(&self, u0_dot: &[f64], lanes: &mut TangentLanes) -> Vec<f64> {
        let w = lanes.width();
        let Some(consistency) = self.consistency() else {
            return vec![f64::NAN; u0_dot.len()];
        };
        let (zero_dot, mut f_dot) = (vec![0.0; u0_dot.len()], vec![0.0; u0_dot.len()]);
        let slot = &consistency.slot;
        self.evaluator
            .jvp_lanes(self.place, slot, &zero_dot, &[], lanes, &mut f_dot);
        let mut u_dot = u0_dot.to_vec();
        solve_each_lane(&mut f_dot, w, &mut vec![], |x| {
            self.mass.split_algebraic(x);
        });
        solve_each_lane(&mut u_dot, w, &mut vec![], |x| {
            let given = x.to_vec();
            self.mass.product(&given, x);
        });
        u_dot.iter_mut().zip(&f_dot).for_each(|(u, f)| *u -= f);
        solve_each_lane(&mut u_dot, w, &mut vec![], |x| consistency.lu.solve(x));
        u_dot
    }

    /// Turns the tangents of the adjoint of the consistent state, which follow the adjoint in `mu`, into those of the given one; adds
    /// the tangents of the parameters' part to `sums`. `u_dot` are the tangents of the consistent state.
    pub fn backward(
        &self,
        u_dot: &[f64],
        mu: &mut [f64],
        lanes: &mut TangentLanes,
        sums: &mut ParamGradientTangents,
    ) {
        let (dof, w) = (self.u.len(), lanes.width());
        let Some(consistency) = self.consistency() else {
            return mu.fill(f64::NAN);
        };
        let slot = &consistency.slot;
        let minus_algebraic = |x: &mut [f64]| {
            self.mass.split_algebraic(x);
            x.iter_mut().for_each(|x| *x = -*x);
        };
        let (bar, bar_dot) = mu.split_at_mut(dof);
        consistency.lu.solve_transposed(bar);
        minus_algebraic(bar);
        let (zero, zero_dot) = (vec![0.0; dof], vec![0.0; dof * w]);
        let mut scratch = vec![0.0; dof * w];
        let mut pull = |bars: (&[f64], &[f64]), by_u: &mut [f64]| {
            self.evaluator
                .jvp_lanes(self.place, slot, u_dot, &[], lanes, &mut scratch);
            let (value, tangents) = by_u.split_at_mut(dof);
            let u = DualCotangent { value, tangents };
            self.evaluator
                .vjp_with_tangents(self.place, slot, lanes, bars, u, None, sums);
        };
        let mut by_u = vec![0.0; dof + dof * w];
        pull((bar, &zero_dot), &mut by_u);
        add(&by_u[dof..], bar_dot);
        solve_each_lane(bar_dot, w, &mut vec![], |x| {
            consistency.lu.solve_transposed(x);
        });
        let mut kappa_dot = bar_dot.to_vec();
        solve_each_lane(&mut kappa_dot, w, &mut vec![], minus_algebraic);
        pull((&zero, &kappa_dot), &mut by_u);
        solve_each_lane(bar_dot, w, &mut vec![], |x| {
            let kappa = x.to_vec();
            x.fill(0.0);
            self.mass.add_transposed_product(1.0, &kappa, x);
        });
    }
}
