//! Radau IIA of order 5.

use super::super::stage_system::RkMatrix;
use super::{Solver, SolverFamily};

/// Radau IIA: the implicit Runge-Kutta method of order 5 with three stages, L-stable and stiffly accurate. Events are
/// detected on its collocation polynomial, of order 3; an output time inside a step is reached by an additional step, of
/// order 5.
///
/// E. Hairer, G. Wanner, *Solving Ordinary Differential Equations II*, IV.8 (RADAU5).
pub const RADAU: Solver = Solver {
    name: "radau",
    order: 5,
    family: SolverFamily::Radau,
};

const SQRT_6: f64 = 2.449_489_742_783_178;

/// Nodes c_i.
pub(crate) const C: [f64; 3] = [(4.0 - SQRT_6) / 10.0, (4.0 + SQRT_6) / 10.0, 1.0];

/// Coefficients a_ij: Z_i = h Σ_j a_ij f(t + c_j h, u + Z_j).
pub(crate) const A: [[f64; 3]; 3] = [
    [
        (88.0 - 7.0 * SQRT_6) / 360.0,
        (296.0 - 169.0 * SQRT_6) / 1800.0,
        (-2.0 + 3.0 * SQRT_6) / 225.0,
    ],
    [
        (296.0 + 169.0 * SQRT_6) / 1800.0,
        (88.0 + 7.0 * SQRT_6) / 360.0,
        (-2.0 - 3.0 * SQRT_6) / 225.0,
    ],
    [(16.0 - SQRT_6) / 36.0, (16.0 + SQRT_6) / 36.0, 1.0 / 9.0],
];

/// Nodes and coefficients together.
pub(crate) const RK_MATRIX: RkMatrix = RkMatrix {
    c: &C,
    a: A.as_flattened(),
};

/// Weights of the stage increments in the error estimate (of order 3).
pub(crate) const ERROR_WEIGHTS: [f64; 3] = [
    (-13.0 - 7.0 * SQRT_6) / 3.0,
    (-13.0 + 7.0 * SQRT_6) / 3.0,
    -1.0 / 3.0,
];

/// Real eigenvalue of A⁻¹, 3 + 3^(2/3) − 3^(1/3).
pub(crate) const MU: f64 = 3.637_834_252_744_496;

/// Complex eigenvalue of A⁻¹ (real and imaginary part), 3 + (3^(1/3) − 3^(2/3)) / 2 − i (3^(5/6) + 3^(7/6)) / 2.
pub(crate) const MU_COMPLEX: (f64, f64) = (2.681_082_873_627_752, -3.050_430_199_247_411);

/// Transformation T that makes T⁻¹ A⁻¹ T block diagonal.
pub(crate) const T: [[f64; 3]; 3] = [
    [
        0.094_438_762_488_975_24,
        -0.141_255_295_020_954_21,
        0.030_029_194_105_147_42,
    ],
    [
        0.250_213_122_965_333_32,
        0.204_129_352_293_799_94,
        -0.382_942_112_757_261_92,
    ],
    [1.0, 1.0, 0.0],
];

/// Inverse transformation T⁻¹.
pub(crate) const T_INV: [[f64; 3]; 3] = [
    [
        4.178_718_591_551_904_28,
        0.327_682_820_761_062_37,
        0.523_376_445_499_449_51,
    ],
    [
        -4.178_718_591_551_904_28,
        -0.327_682_820_761_062_37,
        0.476_623_554_500_550_44,
    ],
    [
        0.502_872_634_945_786_82,
        -2.571_926_949_855_605_22,
        0.596_039_204_828_224_92,
    ],
];

/// Coefficients P_ij of the collocation polynomial: u(t + θ h) = u + Σ_i Z_i Σ_j P_ij θ^(j+1).
const P: [[f64; 3]; 3] = [
    [
        13.0 / 3.0 + 7.0 * SQRT_6 / 3.0,
        -23.0 / 3.0 - 22.0 * SQRT_6 / 3.0,
        10.0 / 3.0 + 5.0 * SQRT_6,
    ],
    [
        13.0 / 3.0 - 7.0 * SQRT_6 / 3.0,
        -23.0 / 3.0 + 22.0 * SQRT_6 / 3.0,
        10.0 / 3.0 - 5.0 * SQRT_6,
    ],
    [1.0 / 3.0, -8.0 / 3.0, 10.0 / 3.0],
];

/// Returns the weights of Z_1, Z_2, Z_3 in the collocation polynomial at θ.
pub(crate) fn interpolation_weights(theta: f64) -> [f64; 3] {
    P.map(|[a, b, c]| ((c * theta + b) * theta + a) * theta)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn product(a: &[[f64; 3]; 3], b: &[[f64; 3]; 3]) -> [[f64; 3]; 3] {
        std::array::from_fn(|i| std::array::from_fn(|j| (0..3).map(|k| a[i][k] * b[k][j]).sum()))
    }

    #[test]
    fn coefficients_are_those_of_collocation_and_of_its_transformation() {
        // Collocation at the nodes: Σ_j a_ij c_j^(q−1) = c_i^q / q up to q = 3; the last row has q up to 5.
        for (i, row) in A.iter().enumerate() {
            for q in 1..=if i == 2 { 5 } else { 3 } {
                let sum: f64 = (0..3).map(|j| row[j] * C[j].powi(q - 1)).sum();
                let want = C[i].powi(q) / f64::from(q);
                assert!((sum - want).abs() < 1e-15, "row {i}, {q}");
            }
        }
        // A T Λ = T, and T T⁻¹ = 1.
        let (a, b) = MU_COMPLEX;
        let lambda = [[MU, 0.0, 0.0], [0.0, a, -b], [0.0, b, a]];
        let left = product(&product(&A, &T), &lambda);
        let one = product(&T, &T_INV);
        for i in 0..3 {
            for j in 0..3 {
                assert!((left[i][j] - T[i][j]).abs() < 1e-14, "{left:?}");
                assert!((one[i][j] - f64::from(i == j)).abs() < 1e-14, "{one:?}");
            }
        }
        let third = 3.0_f64.cbrt();
        assert!((MU - (3.0 + third * third - third)).abs() < 1e-15);
        // The polynomial passes through the stages, and its derivative at the nodes fits the method.
        for (i, c) in C.iter().enumerate() {
            for (j, w) in interpolation_weights(*c).iter().enumerate() {
                assert!((w - f64::from(i == j)).abs() < 1e-14);
            }
        }
        // The estimate: E A is γ₀ (b̂ − b) without the weight of f(t, u), and exact to degree 2.
        for q in 1..=3 {
            let ea = |j: usize| (0..3).map(|i| ERROR_WEIGHTS[i] * A[i][j]).sum::<f64>();
            let sum: f64 = (0..3).map(|j| ea(j) * C[j].powi(q - 1)).sum();
            let of_start = if q == 1 { 1.0 } else { 0.0 };
            assert!((sum + of_start).abs() < 1e-13, "{q}: {sum}");
        }
    }
}
