//! Loops over tangent lanes: every value has `P` contiguous tangents, so that one instruction computes several lanes.

use super::{each_lane, fma, strong_fma, strong_mul};

/// Computes to += c from, in every lane.
#[inline(always)]
pub(crate) fn axpy_lanes<const FMA: bool, const P: usize>(
    c: f64,
    from: &[f64; P],
    to: &mut [f64; P],
) {
    for p in 0..P {
        to[p] = fma::<FMA>(c, from[p], to[p]);
    }
}

/// Computes to += c from, in every lane, adding 0 where a factor is 0 and the other not finite.
#[inline(always)]
pub(crate) fn axpy_strong_zero<const FMA: bool, const P: usize>(
    c: f64,
    from: &[f64; P],
    to: &mut [f64; P],
) {
    if is_ordinary(c) {
        return axpy_lanes::<FMA, P>(c, from, to);
    }
    for p in 0..P {
        to[p] = strong_fma::<FMA>(c, from[p], to[p]);
    }
}

/// Whether c is neither 0 nor infinite nor NaN: then its products need no care, and the test of one number saves those of `P`.
#[inline(always)]
fn is_ordinary(c: f64) -> bool {
    c.is_finite() && c != 0.0
}

/// Bits of the exponent of a number: none in 0 and in subnormal numbers, all in infinity and NaN.
const EXPONENT: u64 = 0x7ff << 52;
/// The smallest exponent of a normal number.
const LEAST: u64 = 1 << 52;

/// Whether all numbers are normal, so neither 0 nor infinite nor NaN: then no product with them needs care. A step down from the least
/// exponent and a step up from the largest reach the sign's bit, so that one look at it tells of all numbers, without a branch for each.
#[inline(always)]
pub(crate) fn are_normal(c: &[f64]) -> bool {
    let exponents = c.iter().map(|c| c.to_bits() & EXPONENT);
    let steps = exponents.fold(0, |steps, e| {
        steps | e.wrapping_sub(LEAST) | e.wrapping_add(LEAST)
    });
    steps >> 63 == 0
}

/// Returns c x in every lane, with 0 where a factor is 0 and the other not finite.
#[inline(always)]
pub(crate) fn scale_strong_zero<const P: usize>(c: f64, x: &[f64; P]) -> [f64; P] {
    if is_ordinary(c) {
        return each_lane(|p| c * x[p]);
    }
    each_lane(|p| strong_mul(c, x[p]))
}

/// The layout of a matrix in memory.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum MatrixLayout {
    /// `[result][operand]`: a contiguous row for each component of the result.
    RowMajor,
    /// `[operand][result]`: a contiguous column for each component of the operand.
    ColumnMajor,
}

/// Computes y_i += Σ_j M_ij x_j in every lane; four results at a time, which stay in registers.
#[inline(always)]
pub(crate) fn gemv_tangent_vector<const FMA: bool, const P: usize>(
    matrix: &[f64],
    layout: MatrixLayout,
    x: &[[f64; P]],
    y: &mut [[f64; P]],
) {
    const BLOCK: usize = 4;
    let (n, m) = (x.len(), y.len());
    let mut i = 0;
    while i + BLOCK <= m {
        let mut sums = [[0.0; P]; BLOCK];
        match layout {
            MatrixLayout::RowMajor => {
                let row = |r: usize| &matrix[(i + r) * n..(i + r + 1) * n];
                let rows = [row(0), row(1), row(2), row(3)];
                for (j, x) in x.iter().enumerate() {
                    for (sum, row) in sums.iter_mut().zip(rows) {
                        axpy_lanes::<FMA, P>(row[j], x, sum);
                    }
                }
            }
            MatrixLayout::ColumnMajor => {
                for (x, column) in x.iter().zip(matrix.chunks_exact(m)) {
                    for (sum, c) in sums.iter_mut().zip(&column[i..i + BLOCK]) {
                        axpy_lanes::<FMA, P>(*c, x, sum);
                    }
                }
            }
        }
        for (y, sum) in y[i..i + BLOCK].iter_mut().zip(&sums) {
            axpy_lanes::<FMA, P>(1.0, sum, y);
        }
        i += BLOCK;
    }
    while i < m {
        let mut sum = [0.0; P];
        for (j, x) in x.iter().enumerate() {
            let c = match layout {
                MatrixLayout::RowMajor => matrix[i * n + j],
                MatrixLayout::ColumnMajor => matrix[j * m + i],
            };
            axpy_lanes::<FMA, P>(c, x, &mut sum);
        }
        axpy_lanes::<FMA, P>(1.0, &sum, &mut y[i]);
        i += 1;
    }
}

/// Computes y_i += Σ_j Ṁ_ij x_j in every lane: the matrix has tangents, and x is the same in all lanes.
#[inline(always)]
pub(crate) fn gemv_tangent_matrix<const FMA: bool, const P: usize>(
    matrix: &[[f64; P]],
    layout: MatrixLayout,
    x: &[f64],
    y: &mut [[f64; P]],
) {
    match layout {
        MatrixLayout::RowMajor => {
            for (y, row) in y.iter_mut().zip(matrix.chunks_exact(x.len())) {
                // Two independent sums, so that an addition need not wait for the one before.
                let mut sums = [[0.0; P]; 2];
                let (pairs, rest) = row.as_chunks::<2>();
                let (xs, x_rest) = x.as_chunks::<2>();
                for (m, x) in pairs.iter().zip(xs) {
                    axpy_lanes::<FMA, P>(x[0], &m[0], &mut sums[0]);
                    axpy_lanes::<FMA, P>(x[1], &m[1], &mut sums[1]);
                }
                for (m, x) in rest.iter().zip(x_rest) {
                    axpy_lanes::<FMA, P>(*x, m, &mut sums[0]);
                }
                for sum in &sums {
                    axpy_lanes::<FMA, P>(1.0, sum, y);
                }
            }
        }
        MatrixLayout::ColumnMajor => {
            for (x, column) in x.iter().zip(matrix.chunks_exact(y.len())) {
                for (y, m) in y.iter_mut().zip(column) {
                    axpy_lanes::<FMA, P>(*x, m, y);
                }
            }
        }
    }
}

/// Adds the tangents of an outer product a bᵀ to the matrix: M_ij += a_i ḃ_j + ȧ_i b_j in every lane.
#[inline(always)]
pub(crate) fn add_outer_tangent<const FMA: bool, const P: usize>(
    (a, a_dot): (&[f64], &[[f64; P]]),
    (b, b_dot): (&[f64], &[[f64; P]]),
    matrix: &mut [[f64; P]],
) {
    for ((&a, &a_dot), row) in a
        .iter()
        .zip(a_dot)
        .zip(matrix.chunks_exact_mut(b_dot.len()))
    {
        for ((&b, b_dot), m) in b.iter().zip(b_dot).zip(row) {
            axpy_lanes::<FMA, P>(a, b_dot, m);
            axpy_lanes::<FMA, P>(b, &a_dot, m);
            keep_lanes_together();
        }
    }
}

/// Called at the end of a loop's body: keeps the compiler from making vectors of one lane of several numbers, which lie apart and have to
/// be gathered and scattered, where the lanes of one number are a vector that lies in memory as it is. It is no instruction.
#[inline(always)]
fn keep_lanes_together() {
    std::sync::atomic::compiler_fence(std::sync::atomic::Ordering::SeqCst);
}
