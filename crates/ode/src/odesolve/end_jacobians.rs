//! Jacobians of the end states of a batch.

use rayon::prelude::*;

use super::engine::NativeEngine;
use super::vector_ops::{add, all_finite};
use crate::{Error, Result};

/// Derivatives of the state at the last output time of one problem, by the exact discrete adjoint of the steps taken.
#[derive(Debug, Clone, PartialEq)]
pub struct EndJacobian {
    /// Derivative with respect to the initial state, `[dof, dof]` row by row.
    pub du_du0: Vec<f64>,
    /// Derivative with respect to the values of all parameter blocks, `[dof, values]` row by row.
    pub du_dvalues: Vec<f64>,
}

impl NativeEngine {
    /// Returns, for each problem of the last `forward` with `keep`, what `map` makes of its index and the derivatives of its end
    /// state. Problems are differentiated in parallel, each by one reverse sweep for each state variable; the results do not
    /// depend on the number of threads.
    ///
    /// ```
    /// use odesync_ode::odesolve::{Engine, NativeEngine, Problem, SolveOptions};
    /// // du/dt = −k u: u(1) = e⁻ᵏ u0, so ∂u/∂u0 = e⁻ᵏ and ∂u/∂k = −e⁻ᵏ u0.
    /// let decay = odesync_ode::field::system(1, &[("k", 2.0)], |_, u, p| vec![-p.get("k") * u.at(0)])?;
    /// let (u0, t) = ([3.0], [0.0, 1.0]);
    /// let problem = Problem { u0: &u0, t: &t, sample: 0 };
    /// let mut engine = NativeEngine::default();
    /// engine.forward(&decay, &[problem], &SolveOptions::default(), None, true)?;
    /// let jacobians = engine.end_jacobians(|_, jacobian| jacobian)?;
    /// assert!((jacobians[0].du_du0[0] - (-2.0_f64).exp()).abs() < 1e-6);
    /// assert!((jacobians[0].du_dvalues[0] + 3.0 * (-2.0_f64).exp()).abs() < 1e-6);
    /// # Ok::<(), odesync_ode::Error>(())
    /// ```
    ///
    /// # Errors
    /// No solve was kept, or a derivative is not finite ([`FailureReason::GradientNotFinite`]).
    ///
    /// [`FailureReason::GradientNotFinite`]: super::FailureReason::GradientNotFinite
    pub fn end_jacobians<T: Send>(
        &self,
        map: impl Fn(usize, EndJacobian) -> T + Sync,
    ) -> Result<Vec<T>> {
        let Some(context) = &self.backward_context else {
            return Err(Error::invalid(
                "derivatives of the end states need a solve that was kept for them",
            ));
        };
        (0..context.n_problems())
            .into_par_iter()
            .map(|i| Ok(map(i, self.end_jacobian(i)?)))
            .collect()
    }

    /// Computes the derivatives of the end state of problem `i`.
    fn end_jacobian(&self, i: usize) -> Result<EndJacobian> {
        let Some(context) = &self.backward_context else {
            return Err(Error::invalid("no solve was kept"));
        };
        let work = &self.workspaces[i];
        let dof = context.evaluator.dof();
        let mut jacobian = EndJacobian {
            du_du0: vec![],
            du_dvalues: vec![],
        };
        let mut bars = vec![0.0; work.u.len()];
        for row in 0..dof {
            let last = bars.len() - dof + row;
            bars[last] = 1.0;
            let (accumulator, u0_bar) = context.backward(i, work, &bars, &self.pool)?;
            bars[last] = 0.0;
            let mut values = context.evaluator.parameter_gradient(accumulator.gradient);
            // Contributions in the layout of the values may be fewer: they are empty for zero.
            let n = accumulator.values.len();
            add(&accumulator.values, &mut values[..n]);
            jacobian.du_du0.extend(u0_bar);
            jacobian.du_dvalues.extend(values);
        }
        if all_finite(&jacobian.du_du0) && all_finite(&jacobian.du_dvalues) {
            return Ok(jacobian);
        }
        Err(context.gradient_failure(i).into())
    }
}
