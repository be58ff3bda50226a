//! The ridge problem of a Gauss-Newton step in the parameters: min |ν − X δ|² + α |w + δ|² + α μ |δ|².
//!
//! X is `[n, P]`, n data by P parameters. With a = α (1 + μ) and h = ν + X w/(1 + μ) the solution is
//! δ = −w/(1 + μ) + Xᵀ (a I + X Xᵀ)⁻¹ h = −w/(1 + μ) + (a I + XᵀX)⁻¹ Xᵀ h; the smaller of the two matrices is formed and factorised.

use faer::linalg::matmul::triangular::{BlockStructure, matmul as triangular_matmul};
use faer::linalg::solvers::Llt;
use faer::prelude::Solve;
use faer::{Accum, Mat, MatRef, Par, Side};

/// Whitened data of the linearised problem, with the smaller Gram matrix.
pub(super) struct Ridge {
    /// X, `[n, P]` row by row.
    x: Vec<f64>,
    nu: Vec<f64>,
    n: usize,
    p: usize,
    /// X Xᵀ where n ≤ P, else XᵀX; lower triangle.
    gram: Mat<f64>,
}

impl Ridge {
    /// Forms the Gram matrix of `x`, `[n, P]` row by row, with the right-hand side `nu`, `[n]`.
    pub fn new(x: Vec<f64>, nu: Vec<f64>) -> Self {
        let n = nu.len();
        let p = if n == 0 { 0 } else { x.len() / n };
        let size = n.min(p);
        let mut gram = Mat::zeros(size, size);
        let rows = MatRef::from_row_major_slice(&x, n, p);
        let (left, right) = match n <= p {
            true => (rows, rows.transpose()),
            false => (rows.transpose(), rows),
        };
        triangular_matmul(
            gram.as_mut(),
            BlockStructure::TriangularLower,
            Accum::Replace,
            left,
            BlockStructure::Rectangular,
            right,
            BlockStructure::Rectangular,
            1.0,
            Par::Seq,
        );
        Ridge { x, nu, n, p, gram }
    }

    /// Whether the matrix is of the size of the data.
    fn is_dual(&self) -> bool {
        self.n <= self.p
    }

    fn rows(&self) -> MatRef<'_, f64> {
        MatRef::from_row_major_slice(&self.x, self.n, self.p)
    }

    /// Factorises the Gram matrix plus `a` times the identity; `None` where it is not positive definite in float64.
    fn factorize(&self, a: f64) -> Option<Llt<f64>> {
        let mut shifted = self.gram.clone();
        for i in 0..shifted.nrows() {
            shifted[(i, i)] += a;
        }
        shifted.as_ref().llt(Side::Lower).ok()
    }

    /// Returns X v.
    fn times(&self, v: &[f64]) -> Vec<f64> {
        let dot = |row: &[f64]| row.iter().zip(v).map(|(x, v)| x * v).sum();
        self.x.chunks_exact(self.p.max(1)).map(dot).collect()
    }

    /// Returns Xᵀ v.
    fn transpose_times(&self, v: &[f64]) -> Vec<f64> {
        let mut out = vec![0.0; self.p];
        for (row, v) in self.x.chunks_exact(self.p.max(1)).zip(v) {
            for (out, x) in out.iter_mut().zip(row) {
                *out += x * v;
            }
        }
        out
    }

    /// Returns ν − X δ, whitened innovations after a step δ.
    pub fn residual(&self, delta: &[f64]) -> Vec<f64> {
        let change = self.times(delta);
        self.nu.iter().zip(change).map(|(nu, c)| nu - c).collect()
    }

    /// Returns the step δ at w; `None` where the matrix is not positive definite.
    pub fn step(&self, w: &[f64], alpha: f64, mu: f64) -> Option<Vec<f64>> {
        let shrink = 1.0 / (1.0 + mu);
        let h: Vec<f64> = (self.nu.iter().zip(self.times(w)))
            .map(|(nu, xw)| nu + xw * shrink)
            .collect();
        let factor = self.factorize(alpha * (1.0 + mu))?;
        let right = if self.is_dual() {
            h
        } else {
            self.transpose_times(&h)
        };
        let mut solution = Mat::from_fn(right.len(), 1, |i, _| right[i]);
        factor.solve_in_place(solution.as_mut());
        let solution: Vec<f64> = (0..right.len()).map(|i| solution[(i, 0)]).collect();
        let mut delta = match self.is_dual() {
            true => self.transpose_times(&solution),
            false => solution,
        };
        for (delta, w) in delta.iter_mut().zip(w) {
            *delta -= w * shrink;
        }
        delta.iter().all(|d| d.is_finite()).then_some(delta)
    }

    /// Returns γ = tr(X Xᵀ (α I + X Xᵀ)⁻¹), the effective number of parameters, and log det(I + X Xᵀ/α).
    pub fn evidence_terms(&self, alpha: f64) -> Option<(f64, f64)> {
        let factor = self.factorize(alpha)?;
        let lower = factor.L();
        let size = lower.nrows();
        let mut inverse = Mat::<f64>::zeros(size, size);
        faer::linalg::triangular_inverse::invert_lower_triangular(
            inverse.as_mut(),
            lower,
            Par::Seq,
        );
        let mut trace = 0.0;
        let mut log_det = 0.0;
        for j in 0..size {
            log_det += 2.0 * lower[(j, j)].ln();
            for i in j..size {
                trace += inverse[(i, j)] * inverse[(i, j)];
            }
        }
        let gamma = size as f64 - alpha * trace;
        Some((gamma, log_det - size as f64 * alpha.ln()))
    }

    /// Returns the diagonal of Φ C Φᵀ with the parameters' covariance C = (α I + XᵀX)⁻¹; `phi` is `[m, P]` row by row.
    pub fn variances(&self, alpha: f64, phi: &[f64]) -> Option<Vec<f64>> {
        let m = phi.len() / self.p.max(1);
        let factor = self.factorize(alpha)?;
        let phi = MatRef::from_row_major_slice(phi, m, self.p);
        let mut right = match self.is_dual() {
            true => self.rows() * phi.transpose(),
            false => phi.transpose().to_owned(),
        };
        faer::linalg::triangular_solve::solve_lower_triangular_in_place(
            factor.L(),
            right.as_mut(),
            Par::Seq,
        );
        let squares = |column: faer::ColRef<'_, f64>| column.iter().map(|x| x * x).sum::<f64>();
        let explained = (0..m).map(|i| squares(right.col(i)));
        Some(match self.is_dual() {
            true => explained
                .enumerate()
                .map(|(i, explained)| {
                    let all: f64 = phi.row(i).iter().map(|x| x * x).sum();
                    (all - explained) / alpha
                })
                .collect(),
            false => explained.collect(),
        })
    }

    /// Returns a row of X, `[P]`.
    pub fn row(&self, i: usize) -> &[f64] {
        &self.x[i * self.p..(i + 1) * self.p]
    }
}
