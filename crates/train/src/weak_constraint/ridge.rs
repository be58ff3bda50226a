//! The ridge problem of a Gauss-Newton step in the parameters: min |ν − X δ|² + α |w + δ|² + α μ |δ|².
//!
//! X is `[n, P]`, n data by P parameters. With a = α (1 + μ) and h = ν + X w/(1 + μ) the solution is
//! δ = −w/(1 + μ) + Xᵀ (a I + X Xᵀ)⁻¹ h = −w/(1 + μ) + (a I + XᵀX)⁻¹ Xᵀ h; the smaller of the two matrices is formed and factorised.
//! Where parameters have priors of their own, the columns of X are scaled so that all priors are alike, and the problem is this one.

use faer::linalg::matmul::matmul;
use faer::{Accum, ColRef, Mat, MatRef, Par};
use rayon::prelude::*;

use super::parameter_prior::RidgePrior;
use super::tiled_cholesky::{TiledCholesky, TiledSymmetric};

/// Columns that a triangular system is solved for at a time.
const SOLVED_COLUMNS: usize = 64;

/// What the evidence needs of a ridge problem.
#[derive(Debug, Clone, Copy)]
pub(super) struct EvidenceTerms {
    /// Effective number of parameters γ = tr(X Xᵀ (α I + X Xᵀ)⁻¹).
    pub gamma: f64,
    /// The part of γ of parameters whose prior is that of α.
    pub of_alpha: f64,
    /// log det(I + X Xᵀ/α).
    pub log_det: f64,
}

/// Whitened data of the linearised problem, with the smaller Gram matrix.
pub(super) struct Ridge {
    /// X, `[n, P]` row by row.
    x: Vec<f64>,
    nu: Vec<f64>,
    n: usize,
    p: usize,
    /// X Xᵀ where n ≤ P, else XᵀX.
    gram: TiledSymmetric,
}

impl Ridge {
    /// Forms the Gram matrix of `x`, `[n, P]` row by row, with the right-hand side `nu`, `[n]`.
    pub fn new(x: Vec<f64>, nu: Vec<f64>) -> Self {
        let n = nu.len();
        let p = x.len().checked_div(n).unwrap_or(0);
        let rows = MatRef::from_row_major_slice(&x, n, p);
        let gram = TiledSymmetric::product(if n <= p { rows } else { rows.transpose() });
        Ridge { x, nu, n, p, gram }
    }

    /// Whether the matrix is of the size of the data.
    fn is_dual(&self) -> bool {
        self.n <= self.p
    }

    fn rows(&self) -> MatRef<'_, f64> {
        MatRef::from_row_major_slice(&self.x, self.n, self.p)
    }

    /// Returns ν − X δ, whitened innovations after a step δ.
    pub fn residual(&self, delta: &[f64]) -> Vec<f64> {
        let change = product(self.rows(), delta);
        self.nu.iter().zip(change).map(|(nu, c)| nu - c).collect()
    }

    /// Returns the problem in parameters that are these factors of the others, `[P]`.
    fn scaled(&self, scales: &[f64]) -> Self {
        let mut x = self.x.clone();
        for row in x.chunks_exact_mut(self.p.max(1)) {
            row.iter_mut()
                .zip(scales)
                .for_each(|(x, scale)| *x *= scale);
        }
        Ridge::new(x, self.nu.clone())
    }

    /// Returns the step δ at w; `None` where the matrix is not positive definite.
    pub fn step(&self, w: &[f64], prior: RidgePrior, mu: f64) -> Option<Vec<f64>> {
        if prior.own.is_empty() {
            return self.uniform_step(w, prior.alpha, mu);
        }
        let (scales, w) = prior.damped(w, mu);
        let step = self.scaled(&scales).uniform_step(&w, prior.alpha, mu)?;
        Some(step.iter().zip(scales).map(|(d, s)| d * s).collect())
    }

    fn uniform_step(&self, w: &[f64], alpha: f64, mu: f64) -> Option<Vec<f64>> {
        let shrink = 1.0 / (1.0 + mu);
        let h: Vec<f64> = (self.nu.iter().zip(product(self.rows(), w)))
            .map(|(nu, xw)| nu + xw * shrink)
            .collect();
        let factor = self.gram.factorize(alpha * (1.0 + mu))?;
        let transpose = self.rows().transpose();
        let mut delta = match self.is_dual() {
            true => product(transpose, &solve(&factor, &h)),
            false => solve(&factor, &product(transpose, &h)),
        };
        for (delta, w) in delta.iter_mut().zip(w) {
            *delta -= w * shrink;
        }
        delta.iter().all(|d| d.is_finite()).then_some(delta)
    }

    /// Returns the terms of the evidence.
    pub fn evidence_terms(&self, prior: RidgePrior) -> Option<EvidenceTerms> {
        if prior.own.is_empty() {
            return self.uniform_evidence(prior.alpha);
        }
        let scaled = self.scaled(&prior.scales(self.p));
        let mut terms = scaled.uniform_evidence(prior.alpha)?;
        let mut phi = vec![0.0; prior.own.len() * self.p];
        for (row, own) in prior.own.iter().enumerate() {
            phi[row * self.p + own.place] = 1.0;
        }
        let variances = scaled.uniform_variances(prior.alpha, &phi)?;
        let of_own: f64 = variances.iter().map(|v| 1.0 - prior.alpha * v).sum();
        terms.of_alpha -= of_own;
        Some(terms)
    }

    fn uniform_evidence(&self, alpha: f64) -> Option<EvidenceTerms> {
        let factor = self.gram.factorize(alpha)?;
        let size = self.gram.size() as f64;
        let gamma = size - alpha * factor.trace_of_inverse();
        Some(EvidenceTerms {
            gamma,
            of_alpha: gamma,
            log_det: factor.log_det() - size * alpha.ln(),
        })
    }

    /// Returns the diagonal of Φ C Φᵀ with the parameters' covariance C = (Λ + XᵀX)⁻¹, Λ the precision of their prior; `phi` is
    /// `[m, P]` row by row.
    pub fn variances(&self, prior: RidgePrior, phi: &[f64]) -> Option<Vec<f64>> {
        if prior.own.is_empty() {
            return self.uniform_variances(prior.alpha, phi);
        }
        let scales = prior.scales(self.p);
        let mut scaled = phi.to_vec();
        for row in scaled.chunks_exact_mut(self.p.max(1)) {
            row.iter_mut()
                .zip(&scales)
                .for_each(|(x, scale)| *x *= scale);
        }
        self.scaled(&scales).uniform_variances(prior.alpha, &scaled)
    }

    fn uniform_variances(&self, alpha: f64, phi: &[f64]) -> Option<Vec<f64>> {
        let m = phi.len() / self.p.max(1);
        let factor = self.gram.factorize(alpha)?;
        let phi = MatRef::from_row_major_slice(phi, m, self.p);
        let chunks: Vec<usize> = (0..m).step_by(SOLVED_COLUMNS).collect();
        let explained = chunks.into_par_iter().flat_map_iter(|start| {
            let phi = phi.subrows(start, SOLVED_COLUMNS.min(m - start));
            let mut right = match self.is_dual() {
                true => self.rows() * phi.transpose(),
                false => phi.transpose().to_owned(),
            };
            factor.solve_lower(right.as_mut());
            let squares = |i| right.col(i).squared_norm_l2();
            (0..right.ncols()).map(squares).collect::<Vec<f64>>()
        });
        let mut variances: Vec<f64> = explained.collect();
        if self.is_dual() {
            for (i, variance) in variances.iter_mut().enumerate() {
                *variance = (phi.row(i).squared_norm_l2() - *variance) / alpha;
            }
        }
        Some(variances)
    }

    /// Returns a row of X, `[P]`.
    pub fn row(&self, i: usize) -> &[f64] {
        &self.x[i * self.p..(i + 1) * self.p]
    }
}

/// Returns the δ that minimises |ν − X δ|² + |δ|², for X `[n, P]` row by row; `None` where it is not finite.
pub(crate) fn ridge_solution(x: Vec<f64>, nu: Vec<f64>) -> Option<Vec<f64>> {
    let ridge = Ridge::new(x, nu);
    ridge.uniform_step(&vec![0.0; ridge.p], 1.0, 0.0)
}

/// Returns M v.
pub(super) fn product(matrix: MatRef<'_, f64>, v: &[f64]) -> Vec<f64> {
    let mut out = vec![0.0; matrix.nrows()];
    let to = faer::ColMut::from_slice_mut(&mut out);
    matmul(
        to,
        Accum::Replace,
        matrix,
        ColRef::from_slice(v),
        1.0,
        Par::Seq,
    );
    out
}

/// Returns (L Lᵀ)⁻¹ v.
fn solve(factor: &TiledCholesky, v: &[f64]) -> Vec<f64> {
    let mut solution = Mat::from_fn(v.len(), 1, |i, _| v[i]);
    factor.solve(solution.as_mut());
    (0..v.len()).map(|i| solution[(i, 0)]).collect()
}
