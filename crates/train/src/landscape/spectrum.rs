//! Eigenvalues, eigenvectors and the trace of a Hessian.

use nalgebra::{DMatrix, SymmetricEigen};
use ndarray::Array2;

use super::hessian::{Hessian, HessianPart};
use super::lanczos::lanczos;
use crate::{Error, Result};
use odesync_base::memory::check_memory;
use odesync_base::random::Generator;
use odesync_base::text::count_of;

/// Maximum number of parameters up to which eigenvalues and trace are computed from the dense matrix.
pub const DENSE_LIMIT: usize = 3000;

/// Number of probes for the trace of a large Hessian.
const TRACE_PROBES: usize = 100;

/// Eigenvalues with their eigenvectors.
#[derive(Debug, Clone)]
pub struct Eigenpairs {
    /// Eigenvalues, the largest magnitude first, `[k]`.
    pub values: Vec<f64>,
    /// Eigenvectors of length 1, one a row, `[k, n]`; the component of the largest magnitude is positive.
    pub vectors: Array2<f64>,
}

/// Trace of a Hessian, or an estimate of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TraceEstimate {
    /// The trace, or an estimate of it.
    pub value: f64,
    /// Standard error of the estimate; 0 where the trace is exact.
    pub standard_error: f64,
}

impl Hessian {
    /// Computes the `count` eigenpairs of largest magnitude: from the dense matrix up to [`DENSE_LIMIT`] parameters, above that
    /// by the Lanczos method with full reorthogonalisation.
    ///
    /// # Errors
    /// More pairs than parameters, a Hessian that is not finite, a Lanczos iteration that does not converge, or an interrupt.
    pub fn eigenpairs(&self, count: usize) -> Result<Eigenpairs> {
        let n = self.n();
        if count == 0 || count > n {
            return Err(Error::invalid(format!(
                "the Hessian has {}: ask for 1 to {n}, not {count}",
                count_of(n, "eigenpair")
            )));
        }
        if n > DENSE_LIMIT {
            return lanczos(n, count, |v| self.apply(v));
        }
        let all = self.eigendecomposition()?;
        Ok(Eigenpairs {
            values: all.values[..count].to_vec(),
            vectors: all.vectors.slice(ndarray::s![..count, ..]).to_owned(),
        })
    }

    /// Computes all eigenvalues, increasing, `[n]`.
    ///
    /// # Errors
    /// More than [`DENSE_LIMIT`] parameters, a Hessian that is not finite, or an interrupt.
    pub fn spectrum(&self) -> Result<Vec<f64>> {
        if self.n() > DENSE_LIMIT {
            return Err(Error::invalid(format!(
                "all eigenvalues are computed for up to {DENSE_LIMIT} parameters, and there are {}; eigenpairs(k) gives the largest",
                self.n()
            )));
        }
        let mut values = self.eigendecomposition()?.values.clone();
        values.sort_by(f64::total_cmp);
        Ok(values)
    }

    /// Computes the trace: exactly up to [`DENSE_LIMIT`] parameters, above that an estimate from 100 probes with seed 0.
    ///
    /// # Errors
    /// A Hessian that is not finite, or an interrupt.
    pub fn trace(&self) -> Result<TraceEstimate> {
        let n = self.n();
        if n > DENSE_LIMIT {
            return self.trace_estimate(TRACE_PROBES, 0);
        }
        let keep = |first: usize, columns: Vec<Vec<f64>>| {
            let diagonal = columns.iter().enumerate().map(|(i, c)| c[first + i]);
            diagonal.collect()
        };
        let diagonal = self.products_in_blocks(
            n,
            &|r| self.unit_vectors(r),
            HessianPart::Full,
            &keep,
            &|_, _| {},
        )?;
        let value = check_finite(diagonal.iter().sum())?;
        Ok(TraceEstimate {
            value,
            standard_error: 0.0,
        })
    }

    /// Estimates the trace by Hutchinson's method: the mean of zᵀHz over random vectors z of ±1, with its standard error.
    ///
    /// # Errors
    /// Fewer than two probes, a Hessian that is not finite, or an interrupt.
    pub fn trace_estimate(&self, probes: usize, seed: u64) -> Result<TraceEstimate> {
        // Block indices, block results, and their concatenation.
        check_memory(
            probes.saturating_mul(4 * size_of::<f64>()),
            format_args!("the results of {probes} probes"),
            "ask for fewer",
        )?;
        if probes < 2 {
            return Err(Error::invalid(format!(
                "an estimate of the trace with its error needs at least 2 probes, not {probes}"
            )));
        }
        let vector = |probe: usize| -> Vec<f64> {
            // A generator for each probe, so that a probe does not depend on its block.
            let mut generator = Generator::manual_seed(seed.wrapping_add(probe as u64));
            let sign = |x: f32| if x < 0.5 { -1.0 } else { 1.0 };
            let draws = generator.uniform(0.0, 1.0, self.n());
            draws.into_iter().map(sign).collect()
        };
        let keep = |first: usize, products: Vec<Vec<f64>>| {
            let form = |(i, product): (usize, &Vec<f64>)| {
                let z = vector(first + i);
                z.iter().zip(product).map(|(z, h)| z * h).sum::<f64>()
            };
            products.iter().enumerate().map(form).collect()
        };
        let vectors = |range: std::ops::Range<usize>| range.map(vector).collect();
        let forms =
            self.products_in_blocks(probes, &vectors, HessianPart::Full, &keep, &|_, _| {})?;
        let count = probes as f64;
        let value = check_finite(forms.iter().sum::<f64>() / count)?;
        let variance = forms.iter().map(|f| (f - value).powi(2)).sum::<f64>() / (count - 1.0);
        Ok(TraceEstimate {
            value,
            standard_error: (variance / count).sqrt(),
        })
    }

    fn eigendecomposition(&self) -> Result<&Eigenpairs> {
        if let Some(all) = self.eigendecomposition.get() {
            return Ok(all);
        }
        let matrix = self.matrix()?;
        // The decomposition of a matrix that is not finite would never end.
        check_finite(matrix.iter().map(|x| x.abs()).sum())?;
        let n = self.n();
        let all = symmetric_eigen(&DMatrix::from_iterator(n, n, matrix.iter().copied()));
        Ok(self.eigendecomposition.get_or_init(|| all))
    }
}

fn check_finite(x: f64) -> Result<f64> {
    if x.is_finite() {
        return Ok(x);
    }
    Err(Error::invalid(
        "the Hessian is not finite: a function of the model has no second derivative at these parameters",
    ))
}

/// Computes all eigenpairs of a symmetric matrix, the largest magnitude first.
pub(super) fn symmetric_eigen(matrix: &DMatrix<f64>) -> Eigenpairs {
    let n = matrix.nrows();
    let eigen = SymmetricEigen::new(matrix.clone());
    let mut order: Vec<usize> = (0..n).collect();
    let magnitude = |i: &usize| eigen.eigenvalues[*i].abs();
    order.sort_by(|i, j| magnitude(j).total_cmp(&magnitude(i)));
    let mut vectors = Array2::zeros((n, n));
    for (mut row, i) in vectors.outer_iter_mut().zip(&order) {
        let column: Vec<f64> = eigen.eigenvectors.column(*i).iter().copied().collect();
        let column = fix_sign(column);
        for (to, from) in row.iter_mut().zip(column) {
            *to = from;
        }
    }
    Eigenpairs {
        values: order.iter().map(|i| eigen.eigenvalues[*i]).collect(),
        vectors,
    }
}

/// Returns the vector or its negative, so that the component of the largest magnitude is positive.
pub(super) fn fix_sign(mut v: Vec<f64>) -> Vec<f64> {
    let largest = v
        .iter()
        .fold(0.0_f64, |m, x| if x.abs() > m.abs() { *x } else { m });
    if largest < 0.0 {
        v.iter_mut().for_each(|x| *x = -*x);
    }
    v
}
