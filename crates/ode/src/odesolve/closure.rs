//! Right-hand sides given as closures.

use super::rhs::{JacobianScratch, Rhs, difference_jacobian};

/// The derivatives of a state: `(t, u, du)`, with du/dt to be written into `du`.
type Slope<'a> = dyn Fn(f64, &[f64], &mut [f64]) + 'a;

/// The Jacobian of a right-hand side: `(t, u, df_du, df_dt)`, with ∂f/∂u, `[dof, dof]` row by row, and ∂f/∂t, `[dof]`, to be
/// written; both are zero before.
type SlopeJacobian<'a> = dyn Fn(f64, &[f64], &mut [f64], &mut [f64]) + 'a;

/// A right-hand side du/dt = f(t, u) given as a closure. Implicit solvers take its Jacobian by central differences, unless it is
/// given too.
///
/// ```
/// use odesync_ode::odesolve::{FnRhs, SolveOptions, solve_rhs};
///
/// // A stiff relaxation towards cos t, with its Jacobian.
/// let k = 1e4;
/// let rhs = FnRhs::new(1, |t, u, du| du[0] = k * (t.cos() - u[0])).jacobian(|t, _u, df_du, df_dt| {
///     df_du[0] = -k;
///     df_dt[0] = -k * t.sin();
/// });
/// let options = SolveOptions::default().solver("radau")?;
/// let solution = solve_rhs(&rhs, &[1.0], &[0.0, 2.0], &options)?;
/// assert!((solution.u[[1, 0]] - 2.0_f64.cos()).abs() < 1e-3);
/// # Ok::<(), odesync_ode::Error>(())
/// ```
pub struct FnRhs<'a> {
    dof: usize,
    slope: Box<Slope<'a>>,
    jacobian: Option<Box<SlopeJacobian<'a>>>,
}

impl<'a> FnRhs<'a> {
    /// Creates the right-hand side of `dof` state variables from a closure `(t, u, du)` that writes du/dt into `du`.
    pub fn new(dof: usize, f: impl Fn(f64, &[f64], &mut [f64]) + 'a) -> Self {
        FnRhs {
            dof,
            slope: Box::new(f),
            jacobian: None,
        }
    }

    /// Gives the Jacobian: a closure `(t, u, df_du, df_dt)` that writes ∂f/∂u, `[dof, dof]` row by row, and ∂f/∂t, `[dof]`. Both
    /// are zero before the call.
    #[must_use]
    pub fn jacobian(mut self, f: impl Fn(f64, &[f64], &mut [f64], &mut [f64]) + 'a) -> Self {
        self.jacobian = Some(Box::new(f));
        self
    }
}

impl Rhs for FnRhs<'_> {
    fn dof(&self) -> usize {
        self.dof
    }

    /// The state.
    fn slot_len(&self) -> usize {
        self.dof
    }

    fn eval(&self, _sample: usize, t: f64, u: &[f64], _slot: &mut [f64], du: &mut [f64]) {
        (self.slope)(t, u, du);
    }

    fn eval_taped(&self, _sample: usize, t: f64, u: &[f64], slot: &mut [f64], du: &mut [f64]) {
        slot[..self.dof].copy_from_slice(u);
        (self.slope)(t, u, du);
    }

    fn jacobian(
        &self,
        (sample, t): (usize, f64),
        slot: &[f64],
        scratch: &mut JacobianScratch,
        df_du: &mut [f64],
        df_dt: &mut [f64],
    ) {
        let u = &slot[..self.dof];
        match &self.jacobian {
            Some(jacobian) => {
                df_du.fill(0.0);
                df_dt.fill(0.0);
                jacobian(t, u, df_du, df_dt);
            }
            None => difference_jacobian(self, (sample, t), u, scratch, df_du, df_dt),
        }
    }
}
