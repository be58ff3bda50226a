//! Loops written by hand, because the compiler takes registers of half the width for running sums, or keeps them in memory.
//!
//! All of them run on processors with AVX and FMA alone.

use super::dense::{HALF, LANES};
use super::outer::{HEIGHT, WIDTH};
use std::arch::x86_64::{
    _mm256_broadcast_sd, _mm256_fmadd_pd, _mm256_loadu_pd, _mm256_setzero_pd, _mm256_storeu_pd,
};

/// The running sums of rows that are as long as x, a multiple of four.
///
/// # Safety
/// Every row is at least as long as x.
#[inline]
#[target_feature(enable = "avx,fma")]
#[allow(unsafe_code)]
pub(crate) unsafe fn lanes<const ROWS: usize>(
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

/// y += Σ_j c_j M_j: strips of y stay in registers while all rows are added to them.
///
/// # Safety
/// `rows` holds a row of length `y.len()` for every c.
#[inline]
#[target_feature(enable = "avx,fma")]
#[allow(unsafe_code)]
pub(crate) unsafe fn combine_rows(c: &[f64], rows: &[f64], y: &mut [f64]) {
    let n = y.len();
    // Registers in a strip: eight, and what is left in parts of nearly one length.
    let (mut at, mut left) = (0, n / HALF);
    while left > 0 {
        let width = if left > 8 && left < 16 {
            left.div_ceil(2)
        } else {
            left.min(8)
        };
        // SAFETY: at + 4 width ≤ n.
        unsafe {
            match width {
                8 => strip::<8>(c, rows, n, at, y),
                7 => strip::<7>(c, rows, n, at, y),
                6 => strip::<6>(c, rows, n, at, y),
                5 => strip::<5>(c, rows, n, at, y),
                4 => strip::<4>(c, rows, n, at, y),
                3 => strip::<3>(c, rows, n, at, y),
                2 => strip::<2>(c, rows, n, at, y),
                _ => strip::<1>(c, rows, n, at, y),
            }
        }
        at += HALF * width;
        left -= width;
    }
    for i in at..n {
        for (j, &c) in c.iter().enumerate() {
            y[i] = c.mul_add(rows[j * n + i], y[i]);
        }
    }
}

/// The part of [`combine_rows`] for `W` registers of y from `at`.
///
/// # Safety
/// `rows` holds a row of length n for every c, and at + 4 W ≤ n = `y.len()`.
#[inline]
#[target_feature(enable = "avx,fma")]
#[allow(unsafe_code)]
unsafe fn strip<const W: usize>(c: &[f64], rows: &[f64], n: usize, at: usize, y: &mut [f64]) {
    debug_assert!(rows.len() >= c.len() * n && at + HALF * W <= n && y.len() == n);
    // SAFETY: every access is inside row j or y, by what the caller promises.
    unsafe {
        let mut sums = [_mm256_setzero_pd(); W];
        for (k, sum) in sums.iter_mut().enumerate() {
            *sum = _mm256_loadu_pd(y.as_ptr().add(at + HALF * k));
        }
        for (j, c) in c.iter().enumerate() {
            let c = _mm256_broadcast_sd(c);
            let row = rows.as_ptr().add(j * n + at);
            for (k, sum) in sums.iter_mut().enumerate() {
                *sum = _mm256_fmadd_pd(c, _mm256_loadu_pd(row.add(HALF * k)), *sum);
            }
        }
        for (k, sum) in sums.iter().enumerate() {
            _mm256_storeu_pd(y.as_mut_ptr().add(at + HALF * k), *sum);
        }
    }
}

/// The sums and Σ c xᵀ.
#[inline]
#[target_feature(enable = "avx,fma")]
#[allow(unsafe_code)]
pub(crate) fn block(
    c: &[[f64; HEIGHT]],
    x: &[[f64; WIDTH]],
    mut sums: [[f64; WIDTH]; HEIGHT],
) -> [[f64; WIDTH]; HEIGHT] {
    let mut held = [[_mm256_setzero_pd(); 2]; HEIGHT];
    // SAFETY: each half of a vector of `WIDTH` numbers is four of them.
    unsafe {
        for r in 0..HEIGHT {
            held[r][0] = _mm256_loadu_pd(sums[r].as_ptr());
            held[r][1] = _mm256_loadu_pd(sums[r].as_ptr().add(4));
        }
        for (c, x) in c.iter().zip(x) {
            let (low, high) = (
                _mm256_loadu_pd(x.as_ptr()),
                _mm256_loadu_pd(x.as_ptr().add(4)),
            );
            for r in 0..HEIGHT {
                let c = _mm256_broadcast_sd(&c[r]);
                held[r][0] = _mm256_fmadd_pd(c, low, held[r][0]);
                held[r][1] = _mm256_fmadd_pd(c, high, held[r][1]);
            }
        }
        for r in 0..HEIGHT {
            _mm256_storeu_pd(sums[r].as_mut_ptr(), held[r][0]);
            _mm256_storeu_pd(sums[r].as_mut_ptr().add(4), held[r][1]);
        }
    }
    sums
}
