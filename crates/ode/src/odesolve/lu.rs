//! LU decomposition with row pivoting, real and complex, in reused storage: a solver factors thousands of small matrices, and
//! nalgebra's decomposition takes its matrix by value and allocates a new permutation every time.

use nalgebra::ComplexField;
use odesync_base::interrupt;

use super::vector_ops::with_length;

/// Rows and columns from which on a decomposition looks whether it is to stop.
const LARGE: usize = 256;

/// LU decomposition P A = L U of a square matrix.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lu<T> {
    n: usize,
    /// L below the diagonal (the diagonal of L is 1), U on and above it; row by row.
    m: Vec<T>,
    /// Pivots: row k was exchanged with row `pivots[k]`.
    pivots: Vec<usize>,
}

impl<T: ComplexField<RealField = f64> + Copy> Lu<T> {
    /// Factors the `n × n` matrix with these entries (row, column); returns false where it is singular or not finite.
    pub fn factor(&mut self, n: usize, entry: impl Fn(usize, usize) -> T) -> bool {
        self.n = n;
        self.m.clear();
        self.pivots.clear();
        for r in 0..n {
            self.m.extend((0..n).map(|c| entry(r, c)));
        }
        let m = &mut self.m;
        for k in 0..n {
            // Of a large matrix each round takes long; the solve then fails, and whoever asked to stop is answered.
            // A thread of the pool may have the flag of work that is done.
            if n >= LARGE && rayon::current_thread_index().is_none() && interrupt::is_requested() {
                return false;
            }
            let (mut best, mut size) = (k, m[k * n + k].norm1());
            for r in k + 1..n {
                let other = m[r * n + k].norm1();
                if other > size {
                    (best, size) = (r, other);
                }
            }
            if !(size > 0.0 && size.is_finite()) {
                return false;
            }
            self.pivots.push(best);
            let (top, below) = m.split_at_mut((k + 1) * n);
            let pivot = &mut top[k * n..];
            if best > k {
                pivot.swap_with_slice(&mut below[(best - k - 1) * n..(best - k) * n]);
            }
            let inverse = pivot[k].recip();
            for row in below.chunks_exact_mut(n) {
                let l = row[k] * inverse;
                row[k] = l;
                if l != T::zero() {
                    for (x, p) in row[k + 1..].iter_mut().zip(&pivot[k + 1..]) {
                        *x -= l * *p;
                    }
                }
            }
        }
        true
    }

    /// Computes A⁻¹ x in place of x.
    pub fn solve(&self, x: &mut [T]) {
        with_length!(self.n, |n| self.solve_of(n, x));
    }

    #[inline(always)]
    fn solve_of(&self, n: usize, x: &mut [T]) {
        let x = &mut x[..n];
        for (k, &other) in self.pivots.iter().enumerate() {
            x.swap(k, other);
        }
        for r in 1..n {
            let (done, rest) = x.split_at_mut(r);
            for (l, x) in self.m[r * n..].iter().zip(done.iter()) {
                rest[0] -= *l * *x;
            }
        }
        for r in (0..n).rev() {
            let (rest, done) = x.split_at_mut(r + 1);
            for (u, x) in self.m[r * n + r + 1..(r + 1) * n].iter().zip(done.iter()) {
                rest[r] -= *u * *x;
            }
            rest[r] /= self.m[r * n + r];
        }
    }

    /// Computes A⁻ᵀ x in place of x (without conjugation).
    pub fn solve_transposed(&self, x: &mut [T]) {
        let n = self.n;
        for r in 0..n {
            let (now, rest) = x[r..].split_at_mut(1);
            now[0] /= self.m[r * n + r];
            for (u, x) in self.m[r * n + r + 1..(r + 1) * n].iter().zip(rest) {
                *x -= *u * now[0];
            }
        }
        for r in (1..n).rev() {
            let (before, now) = x.split_at_mut(r);
            for (l, x) in self.m[r * n..].iter().zip(before) {
                *x -= *l * now[0];
            }
        }
        for (k, &other) in self.pivots.iter().enumerate().rev() {
            x.swap(k, other);
        }
    }
}

impl Lu<f64> {
    /// Factors a matrix, given row by row; returns false where it is singular up to rounding, each row measured by its largest entry.
    pub fn factor_regular(&mut self, n: usize, matrix: &[f64]) -> bool {
        let largest = |row: &[f64]| row.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
        let sizes: Vec<f64> = matrix.chunks_exact(n).map(largest).collect();
        if !self.factor(n, |r, c| matrix[r * n + c] / sizes[r]) {
            return false;
        }
        let negligible = 64.0 * n as f64 * f64::EPSILON;
        let pivots = (0..n).map(|k| self.m[k * n + k].abs());
        pivots.fold(f64::INFINITY, f64::min) > negligible
            && self.factor(n, |r, c| matrix[r * n + c])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nalgebra::{Complex, DMatrix, DVector};

    #[test]
    fn agrees_with_nalgebra() {
        for n in [1, 2, 3, 7, 20] {
            let real = DMatrix::from_fn(n, n, |r, c| ((r * 7 + c * 3) as f64 * 1.3).sin());
            let b = DVector::from_fn(n, |r, _| (r as f64 + 0.5).cos());
            let complex = DMatrix::from_fn(n, n, |r, c| {
                let diagonal = if r == c { 0.7 } else { 0.0 };
                Complex::new(diagonal + real[(r, c)], (r as f64 - 2.0 * c as f64).cos())
            });
            let bc = b.map(|x| Complex::new(x, 1.0 - x));
            let mut lu = Lu::default();
            assert!(lu.factor(n, |r, c| complex[(r, c)]));
            let (mut x, mut xt) = (bc.clone(), bc.clone());
            lu.solve(x.as_mut_slice());
            lu.solve_transposed(xt.as_mut_slice());
            assert!((&x - complex.clone().lu().solve(&bc).unwrap()).norm() < 1e-10 * x.norm());
            assert!((complex.transpose() * xt - &bc).norm() < 1e-10);
            let shifted = real + DMatrix::identity(n, n) * 0.3;
            let mut lu = Lu::default();
            assert!(lu.factor(n, |r, c| shifted[(r, c)]));
            let (mut x, mut xt) = (b.clone(), b.clone());
            lu.solve(x.as_mut_slice());
            lu.solve_transposed(xt.as_mut_slice());
            assert!((&shifted * x - &b).norm() < 1e-10);
            assert!((shifted.transpose() * xt - &b).norm() < 1e-10);
        }
        let mut lu = Lu::default();
        assert!(!lu.factor(2, |_, c| [1.0, 2.0][c]), "singular");
        assert!(!lu.factor(1, |_, _| f64::NAN));
    }
}
