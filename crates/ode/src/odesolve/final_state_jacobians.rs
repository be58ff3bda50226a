//! Jacobians of the end states of a batch.

use super::engine::NativeEngine;
use super::solution_jacobians::SolutionJacobian;
use crate::{Error, Result};

/// Derivatives of the state at the last output time of one problem, exact for the steps that were taken.
#[derive(Debug, Clone, PartialEq)]
pub struct FinalStateJacobian {
    /// Derivative with respect to the initial state, `[dof, dof]` row by row.
    pub du_du0: Vec<f64>,
    /// Derivative with respect to the trainable parameters, in the order of [`VectorField::params`], `[dof, n_params]` row by
    /// row.
    ///
    /// [`VectorField::params`]: crate::field::VectorField::params
    pub du_dparams: Vec<f64>,
}

impl NativeEngine {
    /// Returns, for each problem of the last `forward` with `keep`, what `map` makes of its index and the derivatives of its end
    /// state. Problems are differentiated in parallel, each by one reverse sweep for each state variable, or by tangents
    /// where there are few parameters; the results do not depend on the number of threads.
    ///
    /// ```
    /// use odesync_ode::odesolve::{Engine, NativeEngine, Problem, SolveOptions};
    /// // du/dt = −k u: u(1) = e⁻ᵏ u0, so ∂u/∂u0 = e⁻ᵏ and ∂u/∂k = −e⁻ᵏ u0.
    /// let decay = odesync_ode::field::system(1, &[("k", 2.0)], |_, u, p| vec![-p.get("k") * u.at(0)])?.trainable(&["k"])?;
    /// let (u0, t) = ([3.0], [0.0, 1.0]);
    /// let problem = Problem { u0: &u0, t: &t, sample: 0 };
    /// let mut engine = NativeEngine::default();
    /// engine.forward(&decay, &[problem], &SolveOptions::default(), None, true)?;
    /// let jacobians = engine.final_state_jacobians(|_, jacobian| jacobian)?;
    /// assert!((jacobians[0].du_du0[0] - (-2.0_f64).exp()).abs() < 1e-6);
    /// assert!((jacobians[0].du_dparams[0] + 3.0 * (-2.0_f64).exp()).abs() < 1e-6);
    /// # Ok::<(), odesync_ode::Error>(())
    /// ```
    ///
    /// # Errors
    /// No solve was kept, a trainable parameter moves a time at which the field jumps, or a derivative is not finite ([`FailureReason::GradientNotFinite`]).
    ///
    /// [`FailureReason::GradientNotFinite`]: super::FailureReason::GradientNotFinite
    pub fn final_state_jacobians<T: Send>(
        &self,
        map: impl Fn(usize, FinalStateJacobian) -> T + Sync,
    ) -> Result<Vec<T>> {
        let Some(context) = &self.backward_context else {
            return Err(Error::invalid(
                "derivatives of the end states need a solve that was kept for them",
            ));
        };
        if context.is_in_pieces() {
            return Err(Error::invalid(
                "derivatives of end states are those of smooth solves: leave doses, events with a jump and switches: true out, or train \
                 by another method, such as vanilla()",
            ));
        }
        if context.is_switching() {
            return Err(Error::invalid(
                "a trainable parameter moves a time at which the equations switch, and derivatives of end states hold such times fixed: \
                 freeze it, or train by another method, such as vanilla()",
            ));
        }
        let dof = context.evaluator.dof();
        let rows = |i: usize| {
            let n = self.workspaces[i].u.len();
            (n.saturating_sub(dof)..n).collect()
        };
        self.jacobians_of_rows((context, dof), rows, |i, jacobian| {
            let SolutionJacobian { du_du0, du_dparams } = jacobian;
            map(i, FinalStateJacobian { du_du0, du_dparams })
        })
    }
}
