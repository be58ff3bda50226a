//! Hessian operators: second derivatives of a loss at a point, as products with vectors.

use std::sync::Arc;

use ndarray::Array2;

use super::loss::{LossFunction, evaluate_points};
use crate::{Error, Result};
use odesync_base::text::{count_of, were};

/// Method by which second derivatives are computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DerivativeKind {
    /// Exact derivatives, up to rounding.
    Exact,
    /// Central differences of exact gradients: errors of about 1e-10 of the largest entry.
    GradientDifferences,
    /// Central differences of values: errors of about 1e-7 of the loss, more where the loss itself is not exact.
    ValueDifferences,
}

impl DerivativeKind {
    /// Returns the name: `exact`, `differences of gradients` or `differences of values`.
    pub fn name(self) -> &'static str {
        match self {
            DerivativeKind::Exact => "exact",
            DerivativeKind::GradientDifferences => "differences of gradients",
            DerivativeKind::ValueDifferences => "differences of values",
        }
    }
}

/// Second derivatives of a loss at one point, as products with vectors.
pub trait HessianOperator: Send + Sync {
    /// Returns the number of parameters n.
    fn n(&self) -> usize;

    /// Returns the loss at the point.
    fn loss(&self) -> f64;

    /// Computes H v for at most [`MAX_LANES`](odesync_ode::field::native::MAX_LANES) vectors of length n. If `parallel`, no other
    /// call is in progress, and the work of this one may be spread over the threads.
    ///
    /// # Errors
    /// An interrupt, or any error that ends the computation.
    fn hvp(&self, vectors: &[Vec<f64>], parallel: bool) -> Result<Vec<Vec<f64>>>;

    /// Computes the Gauss-Newton part G v of the products.
    ///
    /// # Errors
    /// Those of [`HessianOperator::hvp`]; a loss that is not a sum of squares has no Gauss-Newton part.
    fn gauss_newton_vp(&self, _vectors: &[Vec<f64>], _parallel: bool) -> Result<Vec<Vec<f64>>> {
        Err(Error::invalid(
            "a Gauss-Newton product needs residuals, which only the loss of a training method has",
        ))
    }

    /// Returns how the second derivatives are computed.
    fn derivative_kind(&self) -> DerivativeKind {
        DerivativeKind::Exact
    }
}

/// A Hessian given by its matrix.
pub(super) struct DenseHessian {
    pub matrix: Array2<f64>,
    pub loss: f64,
    pub derivative_kind: DerivativeKind,
}

impl HessianOperator for DenseHessian {
    fn n(&self) -> usize {
        self.matrix.nrows()
    }

    fn loss(&self) -> f64 {
        self.loss
    }

    fn hvp(&self, vectors: &[Vec<f64>], _parallel: bool) -> Result<Vec<Vec<f64>>> {
        let product = |v: &Vec<f64>| {
            let row = |row: ndarray::ArrayView1<f64>| row.iter().zip(v).map(|(h, v)| h * v).sum();
            self.matrix.outer_iter().map(row).collect()
        };
        Ok(vectors.iter().map(product).collect())
    }

    fn derivative_kind(&self) -> DerivativeKind {
        self.derivative_kind
    }
}

/// Hessian by central differences of gradients, H v ≈ (∇L(θ + h v) − ∇L(θ − h v)) / 2h.
pub(super) struct FiniteDifferenceHessian {
    pub function: Arc<dyn LossFunction>,
    pub params: Vec<f64>,
    pub loss: f64,
}

impl FiniteDifferenceHessian {
    fn product(&self, v: &[f64]) -> Result<Vec<f64>> {
        let norm = |x: &[f64]| x.iter().map(|x| x * x).sum::<f64>().sqrt();
        let length = norm(v);
        if length == 0.0 {
            return Ok(vec![0.0; v.len()]);
        }
        let h = f64::EPSILON.cbrt() * norm(&self.params).max(1.0) / length;
        let at = |h: f64| -> Result<Vec<f64>> {
            let shifted: Vec<f64> = self.params.iter().zip(v).map(|(p, v)| p + h * v).collect();
            let gradient = self.function.gradient(&shifted)?;
            gradient.ok_or_else(|| Error::invalid("the loss has a gradient at some points only"))
        };
        let (after, before) = (at(h)?, at(-h)?);
        let difference = |(a, b): (&f64, &f64)| (a - b) / (2.0 * h);
        Ok(after.iter().zip(&before).map(difference).collect())
    }
}

impl HessianOperator for FiniteDifferenceHessian {
    fn n(&self) -> usize {
        self.params.len()
    }

    fn loss(&self) -> f64 {
        self.loss
    }

    fn hvp(&self, vectors: &[Vec<f64>], _parallel: bool) -> Result<Vec<Vec<f64>>> {
        vectors.iter().map(|v| self.product(v)).collect()
    }

    fn derivative_kind(&self) -> DerivativeKind {
        DerivativeKind::GradientDifferences
    }
}

/// Step of second differences, relative to a parameter's magnitude where that is above 1. Rounding of the loss (ε) and the
/// truncation error of the formula (h²) balance at h = ε^¼.
pub const SECOND_DIFFERENCE_STEP: f64 = 1.2e-4;

/// Maximum number of evaluations for second differences.
const MAX_EVALUATIONS: usize = 20_000_000;

/// Computes a Hessian and the loss at θ by central second differences of values: ∂²L/∂θᵢ² from L at θ ± h eᵢ, and ∂²L/∂θᵢ∂θⱼ from
/// L at θ ± hᵢ eᵢ ± hⱼ eⱼ, hᵢ = `step` · max(1, |θᵢ|), 2 n² + 1 values in total. `evaluate` returns the loss at a number of
/// points.
///
/// # Errors
/// A step that is not a positive number, too many parameters, or those of `evaluate`.
pub fn second_differences<E: From<Error>>(
    params: &[f64],
    step: f64,
    evaluate: impl FnOnce(
        usize,
        &(dyn Fn(usize) -> Vec<f64> + Sync),
    ) -> std::result::Result<Vec<f64>, E>,
) -> std::result::Result<(Array2<f64>, f64), E> {
    let n = params.len();
    if !(step > 0.0 && step.is_finite()) {
        let message = format!("the step of the differences must be a positive number, not {step}");
        return Err(Error::invalid(message).into());
    }
    let count = n.saturating_mul(n).saturating_mul(2).saturating_add(1);
    if count > MAX_EVALUATIONS {
        return Err(Error::invalid(format!(
            "second differences of {n} parameters would take {count} values of the loss; give its derivatives"
        ))
        .into());
    }
    let h: Vec<f64> = params.iter().map(|p| step * p.abs().max(1.0)).collect();
    let pairs: Vec<(usize, usize)> = (0..n).flat_map(|i| (0..i).map(move |j| (i, j))).collect();
    let signs = [(1.0, 1.0), (1.0, -1.0), (-1.0, 1.0), (-1.0, -1.0)];
    let point = |k: usize| {
        let mut p = params.to_vec();
        match k.checked_sub(1) {
            None => {}
            Some(k) if k < 2 * n => p[k / 2] += [h[k / 2], -h[k / 2]][k % 2],
            Some(k) => {
                let ((i, j), (a, b)) = (pairs[(k - 2 * n) / 4], signs[(k - 2 * n) % 4]);
                p[i] += a * h[i];
                p[j] += b * h[j];
            }
        }
        p
    };
    let values = evaluate(count, &point)?;
    let mut matrix = Array2::zeros((n, n));
    for i in 0..n {
        let (after, before) = (values[1 + 2 * i], values[2 + 2 * i]);
        matrix[[i, i]] = (after - 2.0 * values[0] + before) / (h[i] * h[i]);
    }
    for ((i, j), v) in pairs.iter().zip(values[1 + 2 * n..].chunks_exact(4)) {
        let mixed = (v[0] - v[1] - v[2] + v[3]) / (4.0 * h[*i] * h[*j]);
        matrix[[*i, *j]] = mixed;
        matrix[[*j, *i]] = mixed;
    }
    Ok((matrix, values[0]))
}

/// Returns the operator of the best second derivatives that a loss provides at θ.
pub(super) fn best_operator(
    function: Arc<dyn LossFunction>,
    params: &[f64],
) -> Result<Box<dyn HessianOperator>> {
    if params.len() != function.n() {
        return Err(Error::invalid(format!(
            "the loss has {}, and {} given",
            count_of(function.n(), "parameter"),
            were(params.len())
        )));
    }
    if let Some(exact) = function.hessian(params)? {
        return Ok(exact);
    }
    if function.gradient(params)?.is_some() {
        return Ok(Box::new(FiniteDifferenceHessian {
            loss: function.value(params)?,
            params: params.to_vec(),
            function,
        }));
    }
    let (matrix, loss) = second_differences(params, SECOND_DIFFERENCE_STEP, |count, point| {
        evaluate_points(function.as_ref(), count, point, &|_, _| {})
    })?;
    Ok(Box::new(DenseHessian {
        matrix,
        loss,
        derivative_kind: DerivativeKind::ValueDifferences,
    }))
}
