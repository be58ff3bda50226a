//! Loops written with AVX intrinsics, because the compiler uses registers of half the width for partial sums, or spills them to
//! memory.
//!
//! They run only on processors with AVX2 and FMA.

use super::dense::{HALF, LANES, SumStart};
use super::outer::{BLOCK_HEIGHT, BLOCK_WIDTH};
use std::arch::x86_64::{
    _mm256_broadcast_sd, _mm256_fmadd_pd, _mm256_loadu_pd, _mm256_mul_pd, _mm256_set1_pd,
    _mm256_setzero_pd, _mm256_storeu_pd,
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
