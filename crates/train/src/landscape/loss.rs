//! Loss functions of their parameters.

use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::hessian_operator::HessianOperator;
use crate::{Error, Result};

/// A loss L(θ) of n parameters θ, which is evaluated from several threads at a time.
///
/// Only the value is required. Derivatives that a loss does not provide are computed by central differences.
///
/// ```
/// use std::sync::Arc;
/// use odesync_train::landscape::{Hessian, LossFunction};
///
/// /// Rosenbrock's function.
/// struct Valley;
/// impl LossFunction for Valley {
///     fn n(&self) -> usize {
///         2
///     }
///     fn value(&self, p: &[f64]) -> odesync_train::Result<f64> {
///         Ok((1.0 - p[0]).powi(2) + 100.0 * (p[1] - p[0] * p[0]).powi(2))
///     }
/// }
/// let h = Hessian::from_loss(Arc::new(Valley), &[1.0, 1.0])?.matrix()?;
/// assert!((h[[0, 0]] - 802.0).abs() < 1e-3 && (h[[0, 1]] + 400.0).abs() < 1e-3);
/// # Ok::<(), odesync_train::Error>(())
/// ```
pub trait LossFunction: Send + Sync {
    /// Returns the number of parameters n.
    fn n(&self) -> usize;

    /// Returns L(θ) for θ of length n.
    ///
    /// # Errors
    /// [`Error::Solve`] where the loss has no value (such a grid point is NaN), [`Error::Interrupted`], or any error that must
    /// end the computation.
    fn value(&self, params: &[f64]) -> Result<f64>;

    /// Returns L(θ) at several θ, NaN where [`LossFunction::value`] gives [`Error::Solve`]. `on_done` is called as each is done, from any
    /// thread. The default evaluates them one by one, in parallel.
    ///
    /// # Errors
    /// Any other error of [`LossFunction::value`].
    fn values(&self, points: &[Vec<f64>], on_done: &(dyn Fn() + Sync)) -> Result<Vec<f64>> {
        one_by_one(self, points, on_done)
    }

    /// Returns the gradient ∂L/∂θ, `[n]`; `None` if it is not provided.
    ///
    /// # Errors
    /// Those of [`LossFunction::value`].
    fn gradient(&self, _params: &[f64]) -> Result<Option<Vec<f64>>> {
        Ok(None)
    }

    /// Returns the exact Hessian at θ; `None` if it is not provided.
    ///
    /// # Errors
    /// Those of [`LossFunction::value`].
    fn hessian(&self, _params: &[f64]) -> Result<Option<Box<dyn HessianOperator>>> {
        Ok(None)
    }
}

/// Evaluates a loss at several points in parallel, each by itself, as [`LossFunction::values`] says.
pub(super) fn one_by_one<L: LossFunction + ?Sized>(
    loss: &L,
    points: &[Vec<f64>],
    on_done: &(dyn Fn() + Sync),
) -> Result<Vec<f64>> {
    let value = |params: &Vec<f64>| {
        let value = solve_failure_to_nan(loss.value(params))?;
        on_done();
        Ok(value)
    };
    // The cost differs a lot between points.
    points.par_iter().with_max_len(1).map(value).collect()
}

/// Number of points whose parameters are in memory at a time.
pub(super) const CHUNK: usize = 256;

/// Evaluates a loss at `count` points in parallel; NaN where a solve failed. `progress(done, count)` is called as they are done,
/// from several threads.
pub(super) fn evaluate_points(
    loss: &dyn LossFunction,
    count: usize,
    point: &(dyn Fn(usize) -> Vec<f64> + Sync),
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Vec<f64>> {
    let done = AtomicUsize::new(0);
    let on_done = || progress(done.fetch_add(1, Ordering::Relaxed) + 1, count);
    let mut values = vec![];
    for start in (0..count).step_by(CHUNK) {
        let points = (start..count.min(start + CHUNK)).into_par_iter().map(point);
        let points: Vec<Vec<f64>> = points.collect();
        values.extend(loss.values(&points, &on_done)?);
    }
    Ok(values)
}

/// Replaces the error of a failed solve by NaN.
///
/// # Errors
/// Any other error.
pub fn solve_failure_to_nan(value: Result<f64>) -> Result<f64> {
    match value {
        Err(Error::Solve(_)) => Ok(f64::NAN),
        value => value,
    }
}

/// Loss defined by a Rust function; its derivatives are computed by differences.
///
/// ```
/// use odesync_train::landscape::{FnLoss, LossFunction};
/// let loss = FnLoss::new(2, |p| Ok(p[0] * p[0] + p[1].cos()));
/// assert_eq!(loss.value(&[2.0, 0.0])?, 5.0);
/// # Ok::<(), odesync_train::Error>(())
/// ```
pub struct FnLoss<F> {
    n: usize,
    function: F,
}

impl<F: Fn(&[f64]) -> Result<f64> + Send + Sync> FnLoss<F> {
    /// Creates a loss of `n` parameters.
    pub fn new(n: usize, function: F) -> Self {
        FnLoss { n, function }
    }
}

impl<F: Fn(&[f64]) -> Result<f64> + Send + Sync> LossFunction for FnLoss<F> {
    fn n(&self) -> usize {
        self.n
    }

    fn value(&self, params: &[f64]) -> Result<f64> {
        (self.function)(params)
    }
}
