//! Backward differences: their change to another spacing, and the polynomial that they define.

use super::solvers::bdf::MAX_ORDER;

/// A matrix on the differences up to the largest order.
type DifferenceMatrix = [[f64; MAX_ORDER + 1]; MAX_ORDER + 1];

/// Matrix from differences to the values of their polynomial at j steps of their own spacing back, `(−1)^i C(j, i)`; zero where
/// i > j. It is its own inverse.
const SAME_SPACING: DifferenceMatrix = values_matrix(MAX_ORDER, 1.0);

/// Returns the matrix from differences to the values of their polynomial at j steps of `factor` times their spacing back, up to
/// an order.
const fn values_matrix(order: usize, factor: f64) -> DifferenceMatrix {
    let mut m = [[0.0; MAX_ORDER + 1]; MAX_ORDER + 1];
    m[0] = [1.0; MAX_ORDER + 1];
    let mut i = 1;
    while i <= order {
        let mut j = 1;
        while j <= MAX_ORDER {
            m[i][j] = m[i - 1][j] * (i as f64 - 1.0 - factor * j as f64) / i as f64;
            j += 1;
        }
        i += 1;
    }
    m
}

/// Returns the matrix that changes differences of one spacing to those of `factor` times this spacing, up to an order:
/// `D'_j = Σ_i m_ij D_i`. The entries beyond the order are those of the largest.
pub(super) fn respacing_matrix(factor: f64) -> DifferenceMatrix {
    // Of constant size, so that no loop is left of it.
    let values = values_matrix(MAX_ORDER, factor);
    let mut m = [[0.0; MAX_ORDER + 1]; MAX_ORDER + 1];
    for (m, values) in m.iter_mut().zip(values) {
        for k in 0..=MAX_ORDER {
            for j in k..=MAX_ORDER {
                m[j] += values[k] * SAME_SPACING[k][j];
            }
        }
    }
    m
}

/// Returns the weight of D_j, at the end of a step, in the dense output at θ of that step.
pub(super) fn interpolation_weight(j: usize, theta: f64) -> f64 {
    (0..j)
        .map(|i| (theta - 1.0 + i as f64) / (i as f64 + 1.0))
        .product()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_of_another_spacing_are_those_of_the_same_polynomial() {
        // ∇^j of x⁴ at x = 2, spaced by 1, then by 0.3.
        let table = |h: f64| {
            let mut row: Vec<f64> = (0..5).map(|i| (2.0 - h * f64::from(i)).powi(4)).collect();
            (0..5)
                .map(|_| {
                    let first = row[0];
                    row = row.windows(2).map(|pair| pair[0] - pair[1]).collect();
                    first
                })
                .collect::<Vec<f64>>()
        };
        let (from, to) = (table(1.0), table(0.3));
        let m = respacing_matrix(0.3);
        for j in 0..5 {
            let got: f64 = (0..5).map(|i| m[i][j] * from[i]).sum();
            assert!((got - to[j]).abs() < 1e-12, "{j}: {got} {}", to[j]);
        }
    }
}
