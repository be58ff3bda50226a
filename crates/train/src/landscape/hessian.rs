//! Hessian of a loss: matrix-vector products and the dense matrix.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use ndarray::Array2;
use rayon::prelude::*;

use super::hessian_operator::{self, DenseHessian, DerivativeKind, HessianOperator};
use super::loss::LossFunction;
use super::spectrum::{DENSE_LIMIT, Eigenpairs};
use super::training_loss::{LossOptions, TrainingLoss};
use crate::datasets::Dataset;
use crate::{Error, Result};
use odesync_base::memory::check_memory;
use odesync_base::text::count_of;
use odesync_ode::field::VectorField;
use odesync_ode::field::native::MAX_LANES;

/// The Hessian H = ∂²L/∂θ² of a loss at a point, as an operator.
///
/// For a training loss, θ has the layout of its gradient: the model's trainable parameters, then the shooting corrections (at
/// zero), then the initial states where they are trained. The steps of the solves are chosen once, at θ, and held fixed: the
/// operator is the exact second derivative of the loss on these steps, and symmetric up to rounding.
///
/// ```
/// use odesync_train::landscape::{Hessian, LossOptions};
/// # use odesync_ode::dynamics::lotka_volterra;
/// # use odesync_train::datasets::Dataset;
/// let system = lotka_volterra()?.trainable(&["a"])?;
/// let t: Vec<f64> = (0..20).map(|i| 0.1 * f64::from(i)).collect();
/// let u = odesync_ode::odesolve::solve(&system, &[1.0, 1.0], &t, &Default::default())?.u;
/// let data = Dataset::single(t.into(), u, None)?;
/// let h = Hessian::new(&system, &data, &LossOptions::default())?;
/// assert!(h.apply(&[1.0])?[0] > 0.0); // the data are the model's own: a minimum
/// # Ok::<(), odesync_train::Error>(())
/// ```
pub struct Hessian {
    operator: Box<dyn HessianOperator>,
    /// Dense matrix, computed on first use.
    dense_matrix: OnceLock<Array2<f64>>,
    /// Eigenvalues and eigenvectors of the dense matrix, computed on first use.
    pub(super) eigendecomposition: OnceLock<Eigenpairs>,
}

/// Part of the second derivative: all of it, or its Gauss-Newton part JᵀJ, which leaves out the second derivatives of the
/// solution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HessianPart {
    Full,
    GaussNewton,
}

impl Hessian {
    /// Creates the Hessian of a training loss at the model's parameters: solves the model against the data and stores what the
    /// products need.
    ///
    /// # Errors
    /// Arguments that do not fit, a solve that failed or would take too much memory, or a solver that is not a Runge-Kutta
    /// method.
    pub fn new(model: &VectorField, data: &Dataset, options: &LossOptions) -> Result<Self> {
        let loss = TrainingLoss::new(model, data, options)?;
        let params = loss.params().to_vec();
        Self::from_loss(Arc::new(loss), &params)
    }

    /// Creates the Hessian of any loss at any parameters, from the best derivatives that the loss provides
    /// ([`Hessian::derivative_kind`]).
    ///
    /// # Errors
    /// A number of parameters other than the loss's, or an error of the loss.
    pub fn from_loss(loss: Arc<dyn LossFunction>, params: &[f64]) -> Result<Self> {
        Ok(Self::from_operator(hessian_operator::best_operator(
            loss, params,
        )?))
    }

    /// Creates the Hessian from a known matrix `[n, n]`, of which the symmetric part is used. `loss` is the loss at the point,
    /// and `derivatives` states how the matrix was computed.
    ///
    /// # Errors
    /// A matrix that is not square, is empty, or contains numbers that are not finite.
    pub fn from_matrix(
        matrix: &Array2<f64>,
        loss: f64,
        derivatives: DerivativeKind,
    ) -> Result<Self> {
        if matrix.nrows() != matrix.ncols() || matrix.is_empty() {
            return Err(Error::invalid(format!(
                "a Hessian is a square matrix, not one of shape {:?}",
                matrix.shape()
            )));
        }
        if matrix.iter().any(|x| !x.is_finite()) {
            return Err(Error::invalid(
                "the Hessian holds numbers that are not finite: the loss has no second derivatives there, or a solve failed",
            ));
        }
        let matrix = (matrix + &matrix.t()) / 2.0;
        Ok(Self::from_operator(Box::new(DenseHessian {
            matrix,
            loss,
            derivative_kind: derivatives,
        })))
    }

    fn from_operator(operator: Box<dyn HessianOperator>) -> Self {
        Hessian {
            operator,
            dense_matrix: OnceLock::new(),
            eigendecomposition: OnceLock::new(),
        }
    }

    /// Returns the number of parameters n.
    pub fn n(&self) -> usize {
        self.operator.n()
    }

    /// Returns the loss at θ.
    pub fn loss(&self) -> f64 {
        self.operator.loss()
    }

    /// Returns how the second derivatives are computed.
    pub fn derivative_kind(&self) -> DerivativeKind {
        self.operator.derivative_kind()
    }

    /// Computes the Hessian-vector product H v.
    ///
    /// # Errors
    /// A vector of a length other than n, a number in it that is not finite, or an interrupt.
    pub fn apply(&self, v: &[f64]) -> Result<Vec<f64>> {
        self.product(v, HessianPart::Full)
    }

    /// Computes H v for many vectors, several of them in one sweep over the solves.
    ///
    /// # Errors
    /// Those of [`Hessian::apply`].
    pub fn apply_many(&self, vectors: &[Vec<f64>]) -> Result<Vec<Vec<f64>>> {
        self.products(vectors, HessianPart::Full)
    }

    /// Computes the Gauss-Newton product G v for the loss of a training method: the product with the Hessian that the loss has if
    /// the solution is replaced by its linearisation in the parameters. For a mean of m squared residuals r it is 2/m JᵀJ v,
    /// J = ∂r/∂θ. G is positive semidefinite, and equal to H where the loss vanishes.
    ///
    /// # Errors
    /// Those of [`Hessian::apply`].
    pub fn gauss_newton(&self, v: &[f64]) -> Result<Vec<f64>> {
        self.product(v, HessianPart::GaussNewton)
    }

    /// Computes G v for many vectors.
    ///
    /// # Errors
    /// Those of [`Hessian::apply`].
    pub fn gauss_newton_many(&self, vectors: &[Vec<f64>]) -> Result<Vec<Vec<f64>>> {
        self.products(vectors, HessianPart::GaussNewton)
    }

    /// Computes the dense matrix, `[n, n]`, made symmetric: the two entries of a pair, which differ by rounding errors, are averaged.
    ///
    /// # Errors
    /// A matrix that would take too much memory, or an interrupt.
    pub fn matrix(&self) -> Result<Array2<f64>> {
        self.matrix_with_progress(&|_, _| {})
    }

    /// Computes the dense matrix as [`Hessian::matrix`]; `progress(done, n)` is called as columns are done, from several threads.
    ///
    /// # Errors
    /// Those of [`Hessian::matrix`].
    pub fn matrix_with_progress(
        &self,
        progress: &(dyn Fn(usize, usize) + Sync),
    ) -> Result<Array2<f64>> {
        if let Some(matrix) = self.dense_matrix.get() {
            return Ok(matrix.clone());
        }
        let n = self.n();
        check_memory(
            n.saturating_mul(n).saturating_mul(2 * size_of::<f64>()),
            format_args!("the dense Hessian of {n} parameters"),
            "use apply, eigenpairs or trace, which need no matrix",
        )?;
        let keep = |_: usize, columns: Vec<Vec<f64>>| columns;
        let columns = self.products_in_blocks(
            n,
            &|r| self.unit_vectors(r),
            HessianPart::Full,
            &keep,
            progress,
        )?;
        let mut matrix = Array2::zeros((n, n));
        for (row, column) in matrix.outer_iter_mut().zip(&columns) {
            row.into_iter()
                .zip(column)
                .for_each(|(to, from)| *to = *from);
        }
        for i in 0..n {
            for j in 0..i {
                let mean = 0.5 * (matrix[[i, j]] + matrix[[j, i]]);
                matrix[[i, j]] = mean;
                matrix[[j, i]] = mean;
            }
        }
        if n <= DENSE_LIMIT {
            return Ok(self.dense_matrix.get_or_init(|| matrix).clone());
        }
        Ok(matrix)
    }

    fn product(&self, v: &[f64], kind: HessianPart) -> Result<Vec<f64>> {
        let mut all = self.products(&[v.to_vec()], kind)?;
        Ok(all.pop().unwrap_or_default())
    }

    fn products(&self, vectors: &[Vec<f64>], kind: HessianPart) -> Result<Vec<Vec<f64>>> {
        for v in vectors {
            if v.len() != self.n() {
                return Err(Error::invalid(format!(
                    "the Hessian is that of {}, the vector has {}",
                    count_of(self.n(), "parameter"),
                    count_of(v.len(), "number")
                )));
            }
            if let Some(i) = v.iter().position(|x| !x.is_finite()) {
                return Err(Error::invalid(format!(
                    "the vector must be finite, and its number {i} is {}",
                    v[i]
                )));
            }
        }
        let keep = |_: usize, products: Vec<Vec<f64>>| products;
        let part = |range: Range<usize>| vectors[range].to_vec();
        self.products_in_blocks(vectors.len(), &part, kind, &keep, &|_, _| {})
    }

    /// Computes products with `count` vectors, block by block: `map` converts the index of a block's first vector and the block's
    /// products to results.
    pub(super) fn products_in_blocks<T: Send>(
        &self,
        count: usize,
        vectors: &(dyn Fn(Range<usize>) -> Vec<Vec<f64>> + Sync),
        kind: HessianPart,
        map: &(dyn Fn(usize, Vec<Vec<f64>>) -> Vec<T> + Sync),
        progress: &(dyn Fn(usize, usize) + Sync),
    ) -> Result<Vec<T>> {
        let starts: Vec<usize> = (0..count).step_by(MAX_LANES).collect();
        let parallel = starts.len() < rayon::current_num_threads();
        let done = AtomicUsize::new(0);
        let blocks = starts
            .into_par_iter()
            .map(|first| {
                let range = first..count.min(first + MAX_LANES);
                let part = vectors(range.clone());
                let products = match kind {
                    HessianPart::Full => self.operator.hvp(&part, parallel)?,
                    HessianPart::GaussNewton => self.operator.gauss_newton_vp(&part, parallel)?,
                };
                progress(
                    done.fetch_add(range.len(), Ordering::Relaxed) + range.len(),
                    count,
                );
                Ok(map(first, products))
            })
            .collect::<Result<Vec<_>>>()?;
        Ok(blocks.into_iter().flatten().collect())
    }

    /// Returns the unit vectors of a range of parameters.
    pub(super) fn unit_vectors(&self, range: Range<usize>) -> Vec<Vec<f64>> {
        let unit = |i: usize| {
            let mut e = vec![0.0; self.n()];
            e[i] = 1.0;
            e
        };
        range.map(unit).collect()
    }
}

impl std::fmt::Debug for Hessian {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hessian")
            .field("n", &self.n())
            .field("loss", &self.loss())
            .field("derivatives", &self.derivative_kind())
            .finish_non_exhaustive()
    }
}
