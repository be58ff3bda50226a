//! Lanczos method with full reorthogonalisation.

use nalgebra::DMatrix;
use ndarray::Array2;

use super::spectrum::{Eigenpairs, fix_sign, symmetric_eigen};
use crate::{Error, Result};
use odesync_base::memory::check_memory;
use odesync_base::random::Generator;

/// Tolerance of an eigenpair: its residual ‖H v − θ v‖ is below this fraction of the largest |θ|.
const TOLERANCE: f64 = 1e-9;

/// Computes the `count` eigenpairs of largest magnitude of a symmetric operator of n variables.
///
/// C. Lanczos, J. Res. Nat. Bur. Standards 45 (1950); B. N. Parlett, *The Symmetric Eigenvalue Problem* (1980), chapter 13. The
/// whole basis is stored, and every new vector is orthogonalised against it twice.
///
/// # Errors
/// A product that fails or is not finite, or pairs that have not converged within `40 count + 400` products.
pub(super) fn lanczos(
    n: usize,
    count: usize,
    mut apply: impl FnMut(&[f64]) -> Result<Vec<f64>>,
) -> Result<Eigenpairs> {
    let max_steps = n.min(40 * count + 400);
    check_memory(
        max_steps.saturating_mul(n).saturating_mul(size_of::<f64>()),
        format_args!("{count} eigenpairs of {n} parameters"),
        "ask for fewer",
    )?;
    let mut generator = Generator::manual_seed(0);
    let mut krylov = Krylov::default();
    let mut next = random_vector(n, &mut generator);
    normalise(&mut next);
    loop {
        let product = apply(&next)?;
        let (mut w, mut beta) = krylov.extend(next, product)?;
        let m = krylov.basis.len();
        if m < n && beta <= krylov.breakdown_tolerance() {
            // The basis spans an invariant subspace; a new direction finds the eigenvectors outside of it.
            beta = 0.0;
            w = random_vector(n, &mut generator);
            orthogonalise(&mut w, &krylov.basis);
            normalise(&mut w);
        }
        let complete = m == n;
        if m >= count && (complete || m == max_steps || m.is_multiple_of(10)) {
            let ritz = krylov.ritz();
            let residual = |i: usize| beta * ritz.vectors[[i, m - 1]].abs();
            let converged = |i: &usize| residual(*i) <= TOLERANCE * ritz.values[0].abs();
            let n_converged = (0..count).take_while(converged).count();
            if complete || n_converged == count && (beta > 0.0 || m == max_steps) {
                return Ok(lift_ritz_vectors(&ritz, &krylov.basis, count));
            }
            if m == max_steps {
                return Err(Error::invalid(format!(
                    "after {m} Hessian-vector products {n_converged} of {count} eigenpairs are known to {TOLERANCE:e}: the next ones lie \
                     too close together; ask for {}",
                    n_converged.max(1)
                )));
            }
        }
        krylov.off_diagonal.push(beta);
        next = w;
    }
}

/// Krylov space: the operator in an orthonormal basis of it, a symmetric tridiagonal matrix.
#[derive(Default)]
pub(super) struct Krylov {
    basis: Vec<Vec<f64>>,
    diagonal: Vec<f64>,
    /// Off-diagonal entries; the caller adds one before the next vector.
    pub off_diagonal: Vec<f64>,
}

impl Krylov {
    /// Adds a vector of length 1, given the operator's product with it; returns the next vector, normalised, and the length it
    /// had.
    pub fn extend(&mut self, vector: Vec<f64>, mut product: Vec<f64>) -> Result<(Vec<f64>, f64)> {
        let alpha = dot(&product, &vector);
        self.basis.push(vector);
        self.diagonal.push(alpha);
        orthogonalise(&mut product, &self.basis);
        let beta = normalise(&mut product);
        if !(alpha.is_finite() && beta.is_finite()) {
            return Err(Error::invalid("the operator is not finite, or too large"));
        }
        Ok((product, beta))
    }

    /// Returns the length below which a next vector consists of rounding errors only.
    pub fn breakdown_tolerance(&self) -> f64 {
        let entries = self.diagonal.iter().chain(&self.off_diagonal);
        1e-14 * entries.fold(f64::MIN_POSITIVE, |s, x| s.max(x.abs()))
    }

    /// Returns the eigenpairs of the tridiagonal matrix, the largest magnitude first.
    pub fn ritz(&self) -> Eigenpairs {
        let diagonal = nalgebra::DVector::from_vec(self.diagonal.clone());
        let mut t = DMatrix::from_diagonal(&diagonal);
        for (i, b) in self
            .off_diagonal
            .iter()
            .take(self.diagonal.len() - 1)
            .enumerate()
        {
            (t[(i, i + 1)], t[(i + 1, i)]) = (*b, *b);
        }
        symmetric_eigen(&t)
    }
}

/// Computes eigenvectors of the operator from those of the tridiagonal matrix.
fn lift_ritz_vectors(ritz: &Eigenpairs, basis: &[Vec<f64>], count: usize) -> Eigenpairs {
    let n = basis[0].len();
    let mut vectors = Array2::zeros((count, n));
    for (i, mut row) in vectors.outer_iter_mut().enumerate() {
        let mut v = vec![0.0; n];
        for (weight, b) in ritz.vectors.row(i).iter().zip(basis) {
            v.iter_mut().zip(b).for_each(|(v, b)| *v += weight * b);
        }
        normalise(&mut v);
        for (to, from) in row.iter_mut().zip(fix_sign(v)) {
            *to = from;
        }
    }
    Eigenpairs {
        values: ritz.values[..count].to_vec(),
        vectors,
    }
}

fn random_vector(n: usize, generator: &mut Generator) -> Vec<f64> {
    generator.uniform_f64(-1.0, 1.0, n)
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Scales a vector to length 1 (a zero vector is unchanged) and returns its previous length.
pub(super) fn normalise(v: &mut [f64]) -> f64 {
    let norm = dot(v, v).sqrt();
    if norm > 0.0 {
        v.iter_mut().for_each(|x| *x /= norm);
    }
    norm
}

/// Orthogonalises `w` against the basis, twice, which is enough (Parlett, section 6.9).
fn orthogonalise(w: &mut [f64], basis: &[Vec<f64>]) {
    for _ in 0..2 {
        for b in basis {
            let c = dot(w, b);
            w.iter_mut().zip(b).for_each(|(w, b)| *w -= c * b);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the operator Q diag(values) Q with Q = 1 − 2 q qᵀ, whose eigenvectors are known.
    fn operator(values: &[f64]) -> impl Fn(&[f64]) -> Result<Vec<f64>> {
        let n = values.len();
        let values = values.to_vec();
        let mut q: Vec<f64> = (0..n).map(|i| (1.3 * i as f64 + 0.2).sin()).collect();
        normalise(&mut q);
        move |v| {
            let reflect = |v: &[f64]| -> Vec<f64> {
                let c = 2.0 * dot(v, &q);
                v.iter().zip(&q).map(|(v, q)| v - c * q).collect()
            };
            let scaled: Vec<f64> = reflect(v).iter().zip(&values).map(|(v, d)| v * d).collect();
            Ok(reflect(&scaled))
        }
    }

    fn check(values: &[f64], count: usize) {
        let apply = operator(values);
        let found = lanczos(values.len(), count, &apply).unwrap();
        let mut want = values.to_vec();
        want.sort_by(|a, b| b.abs().total_cmp(&a.abs()));
        for i in 0..count {
            assert!(
                (found.values[i] - want[i]).abs() <= 1e-10 * want[0].abs(),
                "{i}: {} {}",
                found.values[i],
                want[i]
            );
            let v: Vec<f64> = found.vectors.row(i).to_vec();
            let residual: f64 = apply(&v)
                .unwrap()
                .iter()
                .zip(&v)
                .map(|(h, v)| (h - found.values[i] * v).powi(2))
                .sum();
            assert!(residual.sqrt() <= 1e-8 * want[0].abs());
        }
    }

    #[test]
    fn the_largest_of_both_signs() {
        let values: Vec<f64> = (0..400)
            .map(|i| match i {
                7 => -90.0,
                200 => 120.0,
                311 => 75.0,
                _ => (0.37 * f64::from(i)).sin(),
            })
            .collect();
        check(&values, 3);
    }

    /// A Krylov space contains each distinct eigenvalue once; the other eigenvectors are found from a new direction.
    #[test]
    fn few_distinct_eigenvalues_and_all_pairs_of_a_small_operator() {
        check(&[3.0, 3.0, 3.0, -1.0, 0.0, 0.0], 6);
        check(&[0.0; 4], 2);
        check(&[2.0], 1);
    }
}
