//! Loops written with AVX intrinsics, because the compiler uses registers of half the width for partial sums, or spills them to
//! memory.
//!
//! They run only on processors with AVX2 and FMA.

use super::activation::{INV_SQRT_2PI, TAIL_CUTOFF, TAIL_DENOMINATOR, TAIL_NUMERATOR};
use super::dense::{HALF, LANES, SumStart};
use super::exp::{EXP_COEFFICIENTS, LN2_HIGH, LN2_LOW, ROUND};
use super::outer::{BLOCK_HEIGHT, BLOCK_WIDTH};
use std::arch::x86_64::{
    __m256d, _CMP_GT_OQ, _mm256_add_epi64, _mm256_andnot_pd, _mm256_blendv_pd, _mm256_broadcast_sd,
    _mm256_castpd_si256, _mm256_castsi256_pd, _mm256_cmp_pd, _mm256_div_pd, _mm256_fmadd_pd,
    _mm256_fmsub_pd, _mm256_fnmadd_pd, _mm256_loadu_pd, _mm256_min_pd, _mm256_mul_pd,
    _mm256_set1_epi64x, _mm256_set1_pd, _mm256_setzero_pd, _mm256_slli_epi64, _mm256_storeu_pd,
    _mm256_sub_pd,
};

/// Returns the partial sums of the inner products of rows with x, whose length is a multiple of four.
///
/// # Safety
/// Every row is at least as long as x.
#[inline]
#[target_feature(enable = "avx,fma")]
#[allow(unsafe_code)]
pub(crate) unsafe fn partial_sums<const ROWS: usize>(
    rows: [&[f64]; ROWS],
    x: &[f64],
) -> [[f64; LANES]; ROWS] {
    debug_assert!(rows.iter().all(|row| row.len() >= x.len()));
    let mut sums = [[_mm256_setzero_pd(); 2]; ROWS];
    for k in (0..x.len() / LANES * LANES).step_by(LANES) {
        for r in 0..ROWS {
            for (half, sum) in sums[r].iter_mut().enumerate() {
                let at = k + 4 * half;
                // SAFETY: at + 4 ≤ k + 8 ≤ x.len(), and every row is at least that long.
                let (a, b) = unsafe {
                    (
                        _mm256_loadu_pd(rows[r].as_ptr().add(at)),
                        _mm256_loadu_pd(x.as_ptr().add(at)),
                    )
                };
                *sum = _mm256_fmadd_pd(a, b, *sum);
            }
        }
    }
    let left = x.len() / LANES * LANES;
    if left + HALF <= x.len() {
        for r in 0..ROWS {
            // SAFETY: left + 4 ≤ x.len(), and every row is at least that long.
            let (a, b) = unsafe {
                (
                    _mm256_loadu_pd(rows[r].as_ptr().add(left)),
                    _mm256_loadu_pd(x.as_ptr().add(left)),
                )
            };
            sums[r][0] = _mm256_fmadd_pd(a, b, sums[r][0]);
        }
    }
    let mut out = [[0.0; LANES]; ROWS];
    for r in 0..ROWS {
        // SAFETY: four numbers fit into each half of `out[r]`.
        unsafe {
            _mm256_storeu_pd(out[r].as_mut_ptr(), sums[r][0]);
            _mm256_storeu_pd(out[r].as_mut_ptr().add(HALF), sums[r][1]);
        }
    }
    out
}

/// Computes y = start + Σ_j c_j M_j, then multiplies y by `times` where that is not empty; strips of y stay in registers while
/// all rows are added to them.
///
/// # Safety
/// `rows` holds a row of length `y.len()` for every c; the values of [`SumStart::Values`], and `times` where it is not empty, are
/// as long as y.
#[inline]
#[target_feature(enable = "avx,fma")]
#[allow(unsafe_code)]
pub(crate) unsafe fn gemv_transposed(
    c: &[f64],
    rows: &[f64],
    start: SumStart,
    times: &[f64],
    y: &mut [f64],
) {
    let n = y.len();
    // Registers in a strip: up to thirteen of the sixteen (one holds c, two are spare). Longer vectors are split into strips of
    // eight, and a remainder of fourteen or fifteen into two strips of nearly one length.
    let (mut at, mut left) = (0, n / HALF);
    while left > 0 {
        let width = match left {
            0..=13 => left,
            14 | 15 => left.div_ceil(2),
            _ => 8,
        };
        macro_rules! strips {
            ($($width:literal),*) => {
                match width {
                    // SAFETY: at + 4 width ≤ n, and the caller guarantees the rest.
                    $($width => unsafe { gemv_transposed_strip::<$width>(c, rows, start, times, at, y) },)*
                    _ => {}
                }
            };
        }
        strips!(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13);
        at += HALF * width;
        left -= width;
    }
    for i in at..n {
        let mut sum = match start {
            SumStart::Zero => 0.0,
            SumStart::Current => y[i],
            SumStart::Values(from) => from[i],
        };
        for (j, &c) in c.iter().enumerate() {
            sum = c.mul_add(rows[j * n + i], sum);
        }
        y[i] = times.get(i).map_or(sum, |times| sum * times);
    }
}

/// Computes [`gemv_transposed`] for the strip of `W` registers of y that starts at index `at`.
///
/// # Safety
/// The conditions of [`gemv_transposed`], and at + 4 W ≤ n = `y.len()`.
#[inline]
#[target_feature(enable = "avx,fma")]
#[allow(unsafe_code)]
unsafe fn gemv_transposed_strip<const W: usize>(
    c: &[f64],
    rows: &[f64],
    start: SumStart,
    times: &[f64],
    at: usize,
    y: &mut [f64],
) {
    let n = y.len();
    debug_assert!(rows.len() >= c.len() * n && at + HALF * W <= n);
    debug_assert!(times.is_empty() || times.len() == n);
    // SAFETY: every access is inside row j, inside y, or inside a slice as long as y, as the caller guarantees.
    unsafe {
        let from = match start {
            SumStart::Zero => None,
            SumStart::Current => Some(y.as_ptr()),
            SumStart::Values(from) => {
                debug_assert!(from.len() == n);
                Some(from.as_ptr())
            }
        };
        let mut sums = [_mm256_setzero_pd(); W];
        if let Some(from) = from {
            for (k, sum) in sums.iter_mut().enumerate() {
                *sum = _mm256_loadu_pd(from.add(at + HALF * k));
            }
        }
        for (j, c) in c.iter().enumerate() {
            let c = _mm256_broadcast_sd(c);
            let row = rows.as_ptr().add(j * n + at);
            for (k, sum) in sums.iter_mut().enumerate() {
                *sum = _mm256_fmadd_pd(c, _mm256_loadu_pd(row.add(HALF * k)), *sum);
            }
        }
        if !times.is_empty() {
            for (k, sum) in sums.iter_mut().enumerate() {
                let times = _mm256_loadu_pd(times.as_ptr().add(at + HALF * k));
                *sum = _mm256_mul_pd(*sum, times);
            }
        }
        for (k, sum) in sums.iter().enumerate() {
            _mm256_storeu_pd(y.as_mut_ptr().add(at + HALF * k), *sum);
        }
    }
}

/// Computes M_r += c_r x for each row M_r, in whole registers, and returns the number of values of x processed.
///
/// # Safety
/// `rows` holds `ROWS` rows of the length of x.
#[inline]
#[target_feature(enable = "avx,fma")]
#[allow(unsafe_code)]
pub(crate) unsafe fn add_scaled_rows<const ROWS: usize>(
    c: [f64; ROWS],
    x: &[f64],
    rows: &mut [f64],
) -> usize {
    debug_assert!(rows.len() >= ROWS * x.len());
    let n = x.len();
    let whole = n / HALF * HALF;
    let rows = rows.as_mut_ptr();
    for i in (0..whole).step_by(HALF) {
        // SAFETY: i + 4 ≤ n, the length of every row and of x.
        unsafe {
            let x = _mm256_loadu_pd(x.as_ptr().add(i));
            for (r, c) in c.iter().enumerate() {
                let row = rows.add(r * n + i);
                let sum = _mm256_fmadd_pd(_mm256_set1_pd(*c), x, _mm256_loadu_pd(row));
                _mm256_storeu_pd(row, sum);
            }
        }
    }
    whole
}

/// Computes M += Σ c xᵀ for a block of M, which stays in registers: `BLOCK_HEIGHT` rows, n apart, of `HALVES` registers each.
///
/// # Safety
/// `to` starts with the block and has at least its length, (`BLOCK_HEIGHT` − 1) n + 4 `HALVES`.
#[inline]
#[target_feature(enable = "avx,fma")]
#[allow(unsafe_code)]
pub(crate) unsafe fn add_outer_block<const HALVES: usize>(
    c: &[[f64; BLOCK_HEIGHT]],
    x: &[[f64; BLOCK_WIDTH]],
    n: usize,
    to: &mut [f64],
) {
    const { assert!(HALVES * HALF <= BLOCK_WIDTH) };
    debug_assert!(to.len() >= (BLOCK_HEIGHT - 1) * n + HALVES * HALF);
    let to = to.as_mut_ptr();
    let mut sums = [[_mm256_setzero_pd(); HALVES]; BLOCK_HEIGHT];
    // SAFETY: every access to M is inside the block, as the caller guarantees; every half of x is four of `BLOCK_WIDTH` numbers.
    unsafe {
        for (r, sums) in sums.iter_mut().enumerate() {
            for (half, sum) in sums.iter_mut().enumerate() {
                *sum = _mm256_loadu_pd(to.add(r * n + HALF * half));
            }
        }
        for (c, x) in c.iter().zip(x) {
            let mut x_halves = [_mm256_setzero_pd(); HALVES];
            for (half, x_half) in x_halves.iter_mut().enumerate() {
                *x_half = _mm256_loadu_pd(x.as_ptr().add(HALF * half));
            }
            for (c, sums) in c.iter().zip(&mut sums) {
                let c = _mm256_broadcast_sd(c);
                for (sum, x_half) in sums.iter_mut().zip(x_halves) {
                    *sum = _mm256_fmadd_pd(c, x_half, *sum);
                }
            }
        }
        for (r, sums) in sums.iter().enumerate() {
            for (half, sum) in sums.iter().enumerate() {
                _mm256_storeu_pd(to.add(r * n + HALF * half), *sum);
            }
        }
    }
}

/// Computes GELU, and with `TAPE` its derivative, of the numbers in whole registers, and returns the number of values processed.
/// The operations and their order are those of the GELU of one number. Two registers are processed at a time: while an operation
/// of one waits for its operands, the other one proceeds, and each constant is loaded once for both.
///
/// # Safety
/// y is as long as x, and with `TAPE` so is d.
#[inline]
#[target_feature(enable = "avx2,fma")]
#[allow(unsafe_code)]
pub(crate) unsafe fn gelu<const TAPE: bool>(x: &[f64], y: &mut [f64], d: &mut [f64]) -> usize {
    assert!(y.len() >= x.len() && (!TAPE || d.len() >= x.len()));
    let n = x.len() / HALF * HALF;
    let mut at = 0;
    while at < n {
        // SAFETY: at + 4 W ≤ n, which is no longer than x, y and d.
        unsafe {
            if at + 2 * HALF <= n {
                gelu_block::<2, TAPE>(x, y, d, at);
                at += 2 * HALF;
            } else {
                gelu_block::<1, TAPE>(x, y, d, at);
                at += HALF;
            }
        }
    }
    n
}

/// Computes [`gelu`] for the `W` registers that start at index `at`.
///
/// # Safety
/// at + 4 W is no more than the lengths of x, y and, with `TAPE`, d.
#[inline]
#[target_feature(enable = "avx2,fma")]
#[allow(unsafe_code)]
unsafe fn gelu_block<const W: usize, const TAPE: bool>(
    x: &[f64],
    y: &mut [f64],
    d: &mut [f64],
    at: usize,
) {
    let all = _mm256_set1_pd;
    let zero = [_mm256_setzero_pd(); W];
    let (mut v, mut a, mut square, mut far) = (zero, zero, zero, zero);
    let (mut r, mut r_square, mut scale) = (zero, zero, zero);
    for w in 0..W {
        // SAFETY: at + 4 W ≤ x.len().
        v[w] = unsafe { _mm256_loadu_pd(x.as_ptr().add(at + HALF * w)) };
        // Where one operand is NaN, the instruction returns the second one, so that NaN stays NaN.
        let size = _mm256_andnot_pd(all(-0.0), v[w]);
        a[w] = _mm256_min_pd(all(TAIL_CUTOFF), size);
        far[w] = _mm256_cmp_pd::<_CMP_GT_OQ>(size, all(TAIL_CUTOFF));
        square[w] = _mm256_mul_pd(a[w], a[w]);
        let half = _mm256_mul_pd(all(-0.5), a[w]);
        // −½ is a power of two, so that −½ a² log₂ e may be rounded in any order.
        let shifted = _mm256_fmadd_pd(square[w], all(-0.5 * std::f64::consts::LOG2_E), all(ROUND));
        let k = _mm256_sub_pd(shifted, all(ROUND));
        let high = _mm256_fmsub_pd(half, a[w], _mm256_mul_pd(k, all(LN2_HIGH)));
        r[w] = _mm256_fnmadd_pd(k, all(LN2_LOW), high);
        r_square[w] = _mm256_mul_pd(r[w], r[w]);
        let exponent = _mm256_add_epi64(_mm256_castpd_si256(shifted), _mm256_set1_epi64x(1023));
        scale[w] = _mm256_castsi256_pd(_mm256_slli_epi64::<52>(exponent));
    }
    let e = polynomial(&EXP_COEFFICIENTS, r, r_square);
    let below = polynomial(&TAIL_DENOMINATOR, a, square);
    let above = polynomial(&TAIL_NUMERATOR, a, square);
    for w in 0..W {
        let e = _mm256_fmadd_pd(e[w], r_square[w], r[w]);
        let e = _mm256_andnot_pd(far[w], _mm256_fmadd_pd(e, scale[w], scale[w]));
        let tail = _mm256_div_pd(_mm256_mul_pd(e, above[w]), below[w]);
        // The blend selects by the sign bit of v.
        let cdf = _mm256_blendv_pd(_mm256_sub_pd(all(1.0), tail), tail, v[w]);
        let density = _mm256_mul_pd(e, all(INV_SQRT_2PI));
        // SAFETY: at + 4 W is no more than the length of y and, with `TAPE`, of d.
        unsafe {
            let to = at + HALF * w;
            _mm256_storeu_pd(y.as_mut_ptr().add(to), _mm256_mul_pd(v[w], cdf));
            if TAPE {
                let derivative = _mm256_fmadd_pd(v[w], density, cdf);
                _mm256_storeu_pd(d.as_mut_ptr().add(to), derivative);
            }
        }
    }
}

/// Evaluates [`super::polynomial`] for `W` registers.
#[inline]
#[target_feature(enable = "avx,fma")]
fn polynomial<const N: usize, const W: usize>(
    c: &[f64; N],
    x: [__m256d; W],
    square: [__m256d; W],
) -> [__m256d; W] {
    let mut high = [_mm256_set1_pd(c[N - 1]); W];
    let mut low = [_mm256_set1_pd(c[N - 2]); W];
    let mut i = N - 2;
    while i >= 2 {
        i -= 2;
        let (odd, even) = (_mm256_set1_pd(c[i + 1]), _mm256_set1_pd(c[i]));
        for w in 0..W {
            high[w] = _mm256_fmadd_pd(high[w], square[w], odd);
        }
        for w in 0..W {
            low[w] = _mm256_fmadd_pd(low[w], square[w], even);
        }
    }
    for w in 0..W {
        high[w] = if i == 1 {
            let even = _mm256_fmadd_pd(high[w], square[w], _mm256_set1_pd(c[0]));
            _mm256_fmadd_pd(low[w], x[w], even)
        } else {
            _mm256_fmadd_pd(high[w], x[w], low[w])
        };
    }
    high
}
