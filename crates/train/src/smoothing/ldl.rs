//! Banded linear system of the smoothing spline (Reinsch's algorithm).
//!
//! With h_i = t_{i+1} − t_i, Q (n × (n−2)) the second-difference matrix and R the (n−2) × (n−2) tridiagonal matrix of
//! Green & Silverman (1994), section 2.1.2, the second derivatives γ at the inner knots solve
//! (R + α QᵀQ) γ = Qᵀ y, and the values at the knots are g = y − α Q γ.
//!
//! The condition of the matrix grows like α / h³: a gap of 5·10⁻⁴ at α = 10 costs eight digits. So for α > 0 the
//! solution is refined with residuals in double-double, taken from Q and R themselves since rounding the entries of
//! R + α QᵀQ is what does the harm. That gives γ and g to float64's accuracy as long as the condition is below 10¹⁶.

use super::double_double::DoubleDouble;

/// Maximum number of refinements; each gains at least one digit, or the refinement is stopped.
const MAX_REFINEMENTS: usize = 20;

/// Factors L D Lᵀ of R + α QᵀQ for one set of knots; one factorisation serves every component measured at these knots.
pub(super) struct LdlFactor {
    alpha: f64,
    h: Vec<f64>,
    /// Diagonal of D.
    d: Vec<f64>,
    /// First subdiagonal of L.
    l1: Vec<f64>,
    /// Second subdiagonal of L.
    l2: Vec<f64>,
}

impl LdlFactor {
    /// Factorises the matrix for increasing knots in O(n).
    pub(super) fn new(knots: &[f64], alpha: f64) -> Self {
        let h: Vec<f64> = knots.windows(2).map(|k| k[1] - k[0]).collect();
        let inner = knots.len().saturating_sub(2);
        let (mut d, mut l1, mut l2) = (vec![0.0; inner], vec![0.0; inner], vec![0.0; inner]);
        for j in 0..inner {
            let [mut a0, mut a1, mut a2] = matrix_row(&h, alpha, j);
            if j >= 1 {
                a0 -= d[j - 1] * l1[j - 1] * l1[j - 1];
                a1 -= d[j - 1] * l1[j - 1] * l2[j - 1];
            }
            if j >= 2 {
                a0 -= d[j - 2] * l2[j - 2] * l2[j - 2];
            }
            if j + 1 >= inner {
                a1 = 0.0;
            }
            if j + 2 >= inner {
                a2 = 0.0;
            }
            d[j] = a0;
            l1[j] = a1 / a0;
            l2[j] = a2 / a0;
        }
        Self {
            alpha,
            h,
            d,
            l1,
            l2,
        }
    }

    /// Computes values g and second derivatives γ at all knots for the data `y` at the knots in O(n); `None` where the condition
    /// of the matrix is too large for float64.
    pub(super) fn solve(&self, y: &[f64]) -> Option<(Vec<f64>, Vec<f64>)> {
        let n = y.len();
        let inner = self.d.len();
        if !self.d.iter().all(|d| *d > 0.0 && d.is_finite()) {
            return None;
        }
        // γ of inner knot j has index j + 1; the two zeros at the ends are the natural end conditions.
        let mut gamma = vec![DoubleDouble::default(); n];
        if inner == 0 {
            return Some((y.to_vec(), high_parts(&gamma)));
        }
        let size = max_abs(y);
        let mut before = f64::INFINITY;
        for _ in 0..MAX_REFINEMENTS {
            let mut change = vec![0.0; n];
            self.residual(&self.values(y, &gamma), &gamma, &mut change[1..=inner]);
            self.solve_ldl(&mut change[1..=inner]);
            for (gamma, change) in gamma.iter_mut().zip(&change) {
                *gamma = *gamma + DoubleDouble::from(*change);
            }
            let value_change = max_abs(&self.penalty_term(&change));
            let change = max_abs(&change);
            let converged = change <= 1e-14 * max_abs(&high_parts(&gamma)) + f64::MIN_POSITIVE
                && value_change <= 1e-14 * size;
            if converged || self.alpha == 0.0 {
                let g = self.values(y, &gamma);
                return Some((high_parts(&g), high_parts(&gamma)));
            }
            if change > 0.1 * before || change.is_nan() {
                return None;
            }
            before = change;
        }
        None
    }

    /// Computes the sum of squares of the residual y − g, and the trace of the matrix that maps y to g, in O(n) and without
    /// refinement. The trace is n − α tr((R + α QᵀQ)⁻¹ QᵀQ), for which the central bands of the inverse suffice (M. F.
    /// Hutchinson, F. R. de Hoog, *Smoothing noisy data with spline functions*, Numer. Math. 47, 1985).
    pub(super) fn residual_and_trace(&self, y: &[f64]) -> (f64, f64) {
        let (n, inner) = (y.len(), self.d.len());
        if inner == 0 {
            return (0.0, n as f64);
        }
        let mut gamma = vec![0.0; n];
        let zero = vec![DoubleDouble::default(); n];
        let data: Vec<DoubleDouble> = y.iter().map(|y| DoubleDouble::from(*y)).collect();
        self.residual(&data, &zero, &mut gamma[1..=inner]);
        self.solve_ldl(&mut gamma[1..=inner]);
        let residual = self.penalty_term(&gamma).iter().map(|r| r * r).sum();
        // Entries (j, j), (j, j + 1) and (j, j + 2) of the inverse, from the last row up.
        let (mut below, mut below2) = ([0.0; 3], [0.0; 3]);
        let mut trace = 0.0;
        for j in (0..inner).rev() {
            let (l1, l2) = (self.l1[j], self.l2[j]);
            let second = -l1 * below[1] - l2 * below2[0];
            let first = -l1 * below[0] - l2 * below[1];
            let diagonal = 1.0 / self.d[j] - l1 * first - l2 * second;
            let [with, without] = [1.0, 0.0].map(|alpha| matrix_row(&self.h, alpha, j));
            let [q0, q1, q2] = [0, 1, 2].map(|i| with[i] - without[i]);
            trace += diagonal * q0;
            if j + 1 < inner {
                trace += 2.0 * first * q1;
            }
            if j + 2 < inner {
                trace += 2.0 * second * q2;
            }
            (below2, below) = (below, [diagonal, first, second]);
        }
        (residual, n as f64 - self.alpha * trace)
    }

    /// Computes α Q γ in float64.
    fn penalty_term(&self, gamma: &[f64]) -> Vec<f64> {
        let slopes = (gamma.windows(2).zip(&self.h)).map(|(g, h)| (g[1] - g[0]) / h);
        let mut left = 0.0;
        (slopes.chain([0.0]))
            .map(|right| {
                let bend = right - left;
                left = right;
                self.alpha * bend
            })
            .collect()
    }

    /// Computes g = y − α Q γ.
    fn values(&self, y: &[f64], gamma: &[DoubleDouble]) -> Vec<DoubleDouble> {
        let mut left = DoubleDouble::default();
        (0..y.len())
            .map(|i| {
                let right = match self.h.get(i) {
                    Some(h) => (gamma[i + 1] - gamma[i]) / *h,
                    None => DoubleDouble::default(),
                };
                let g = DoubleDouble::from(y[i]) - (right - left) * self.alpha;
                left = right;
                g
            })
            .collect()
    }

    /// Computes the residual Qᵀ g − R γ at the inner knots, which is Qᵀ y − (R + α QᵀQ) γ.
    fn residual(&self, g: &[DoubleDouble], gamma: &[DoubleDouble], out: &mut [f64]) {
        for (j, out) in out.iter_mut().enumerate() {
            let (p, q) = (self.h[j], self.h[j + 1]);
            let bend = (g[j + 2] - g[j + 1]) / q - (g[j + 1] - g[j]) / p;
            let middle = gamma[j + 1] * 2.0;
            let rest = ((gamma[j] + middle) * p + (middle + gamma[j + 2]) * q) / 6.0;
            *out = (bend - rest).high;
        }
    }

    /// Solves L D Lᵀ x = b in place.
    fn solve_ldl(&self, x: &mut [f64]) {
        let n = x.len();
        for j in 0..n {
            if j >= 1 {
                x[j] -= self.l1[j - 1] * x[j - 1];
            }
            if j >= 2 {
                x[j] -= self.l2[j - 2] * x[j - 2];
            }
        }
        for j in (0..n).rev() {
            x[j] /= self.d[j];
            if j + 1 < n {
                x[j] -= self.l1[j] * x[j + 1];
            }
            if j + 2 < n {
                x[j] -= self.l2[j] * x[j + 2];
            }
        }
    }
}

fn max_abs(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |m: f64, v| m.max(v.abs()))
}

fn high_parts(values: &[DoubleDouble]) -> Vec<f64> {
    values.iter().map(|v| v.high).collect()
}

/// Returns the diagonal entry and the two entries right of it in row `j` of R + α QᵀQ (entries beyond the last column are
/// meaningless).
fn matrix_row(h: &[f64], alpha: f64, j: usize) -> [f64; 3] {
    let mut entries = [(h[j] + h[j + 1]) / 3.0, h[j + 1] / 6.0, 0.0];
    if alpha > 0.0 {
        let inverse = |i: usize| h.get(i).map_or(0.0, |h| 1.0 / h);
        let (p, q, r) = (inverse(j), inverse(j + 1), inverse(j + 2));
        entries[0] += alpha * (p * p + (p + q) * (p + q) + q * q);
        entries[1] -= alpha * q * (p + 2.0 * q + r);
        entries[2] = alpha * q * r;
    }
    entries
}
