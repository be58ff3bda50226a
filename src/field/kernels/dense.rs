//! Dense linear algebra of small matrices: sums of scaled vectors, inner products, sums of outer products.

use super::fma;

/// y += a x.
#[inline(always)]
pub(crate) fn axpy<const FMA: bool>(a: f64, x: &[f64], y: &mut [f64]) {
    for (y, &x) in y.iter_mut().zip(x) {
        *y = fma::<FMA>(a, x, *y);
    }
}

/// Number of running sums of an inner product.
const LANES: usize = 8;
/// Of them in a register.
const HALF: usize = LANES / 2;

/// Σ x_i y_i over eight running sums, in the same order on every instruction set.
#[inline(always)]
pub(crate) fn dot<const FMA: bool>(x: &[f64], y: &[f64]) -> f64 {
    let n = x.len().min(y.len());
    let [dot] = dots::<FMA, 1>([&x[..n]], &y[..n]);
    dot
}

/// [`dot`] of several rows, of the length of x, with x: their sums do not wait for each other, and x is read once.
#[inline(always)]
fn dots<const FMA: bool, const ROWS: usize>(rows: [&[f64]; ROWS], x: &[f64]) -> [f64; ROWS] {
    let whole = x.len() / HALF * HALF;
    let (mut starts, mut ends) = (rows, rows);
    for r in 0..ROWS {
        (starts[r], ends[r]) = rows[r][..x.len()].split_at(whole);
    }
    let (x, x_rest) = x.split_at(whole);
    let sums = lanes::<FMA, ROWS>(starts, x);
    let mut dots = [0.0; ROWS];
    for r in 0..ROWS {
        let mut rest = 0.0;
        for (&row, &x) in ends[r].iter().zip(x_rest) {
            rest = fma::<FMA>(row, x, rest);
        }
        let [a, b, c, d, e, f, g, h] = sums[r];
        dots[r] = ((a + e) + (c + g)) + ((b + f) + (d + h)) + rest;
    }
    dots
}

/// The running sums of rows of the length of x, a multiple of four: eight at a time, and the four that may be left to the first
/// four sums.
#[inline(always)]
fn lanes<const FMA: bool, const ROWS: usize>(
    rows: [&[f64]; ROWS],
    x: &[f64],
) -> [[f64; LANES]; ROWS] {
    #[cfg(target_arch = "x86_64")]
    if FMA {
        // SAFETY: on x86-64 `FMA` is true only in code that is compiled for processors with FMA, and so AVX, and runs on those
        // alone; the rows are as long as x.
        #[allow(unsafe_code)]
        return unsafe { avx::lanes(rows, x) };
    }
    let mut sums = [[0.0; LANES]; ROWS];
    let (x, x_left) = x.as_chunks::<LANES>();
    for (sums, row) in sums.iter_mut().zip(rows) {
        let (row, row_left) = row.as_chunks::<LANES>();
        for (row, x) in row.iter().zip(x) {
            for i in 0..LANES {
                sums[i] = fma::<FMA>(row[i], x[i], sums[i]);
            }
        }
        for ((sum, row), x) in sums.iter_mut().zip(row_left).zip(x_left) {
            *sum = fma::<FMA>(*row, *x, *sum);
        }
    }
    sums
}

/// By hand, because the compiler takes registers of half the width for these sums.
#[cfg(target_arch = "x86_64")]
mod avx {
    use super::{HALF, HEIGHT, LANES, WIDTH};
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
    pub(super) unsafe fn lanes<const ROWS: usize>(
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

    /// The sums and Σ c xᵀ.
    #[inline]
    #[target_feature(enable = "avx,fma")]
    #[allow(unsafe_code)]
    pub(super) fn block(
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
}

/// Row j of a matrix with rows of length n.
#[inline(always)]
fn row(rows: &[f64], n: usize, j: usize) -> &[f64] {
    &rows[j * n..(j + 1) * n]
}

/// y += Σ_j c_j M_j, rows M_j of length `y.len()`; several rows at a time, so that y is read and written less often.
#[inline(always)]
pub(crate) fn combine_rows<const FMA: bool>(c: &[f64], rows: &[f64], y: &mut [f64]) {
    let n = y.len();
    let mut j = 0;
    while j + 4 <= c.len() {
        let (r0, r1, r2, r3) = (
            row(rows, n, j),
            row(rows, n, j + 1),
            row(rows, n, j + 2),
            row(rows, n, j + 3),
        );
        let (c0, c1, c2, c3) = (c[j], c[j + 1], c[j + 2], c[j + 3]);
        for ((((y, &a), &b), &d), &e) in y.iter_mut().zip(r0).zip(r1).zip(r2).zip(r3) {
            *y = fma::<FMA>(
                c3,
                e,
                fma::<FMA>(c2, d, fma::<FMA>(c1, b, fma::<FMA>(c0, a, *y))),
            );
        }
        j += 4;
    }
    let row = |i: usize| row(rows, n, j + i);
    match c[j..] {
        [c0, c1, c2] => {
            for (((y, &a), &b), &d) in y.iter_mut().zip(row(0)).zip(row(1)).zip(row(2)) {
                *y = fma::<FMA>(c2, d, fma::<FMA>(c1, b, fma::<FMA>(c0, a, *y)));
            }
        }
        [c0, c1] => {
            for ((y, &a), &b) in y.iter_mut().zip(row(0)).zip(row(1)) {
                *y = fma::<FMA>(c1, b, fma::<FMA>(c0, a, *y));
            }
        }
        [c0] => axpy::<FMA>(c0, row(0), y),
        _ => {}
    }
}

/// y_j += M_j · x for each row M_j of length `x.len()`, several rows at a time.
#[inline(always)]
pub(crate) fn row_products<const FMA: bool>(rows: &[f64], x: &[f64], y: &mut [f64]) {
    let row = |j: usize| row(rows, x.len(), j);
    let mut j = 0;
    while j + 4 <= y.len() {
        add_to(
            dots::<FMA, 4>([row(j), row(j + 1), row(j + 2), row(j + 3)], x),
            &mut y[j..],
        );
        j += 4;
    }
    match y.len() - j {
        3 => add_to(
            dots::<FMA, 3>([row(j), row(j + 1), row(j + 2)], x),
            &mut y[j..],
        ),
        2 => add_to(dots::<FMA, 2>([row(j), row(j + 1)], x), &mut y[j..]),
        1 => y[j] += dot::<FMA>(row(j), x),
        _ => {}
    }
}

#[inline(always)]
fn add_to<const N: usize>(sums: [f64; N], y: &mut [f64]) {
    for (y, sum) in y.iter_mut().zip(sums) {
        *y += sum;
    }
}

/// M_j += c_j x for each row M_j of length `x.len()`.
#[inline(always)]
pub(crate) fn add_outer<const FMA: bool>(c: &[f64], x: &[f64], rows: &mut [f64]) {
    for (&c, row) in c.iter().zip(rows.chunks_exact_mut(x.len())) {
        axpy::<FMA>(c, x, row);
    }
}

/// Height and width of the blocks of [`add_product`].
pub(crate) const HEIGHT: usize = 4;
pub(crate) const WIDTH: usize = 8;

/// Vectors of one length that wait to be multiplied, in panels: `W` components of all of them lie together, so that a product
/// reads what it needs in order.
#[derive(Debug, Clone)]
pub(crate) struct Panels<const W: usize> {
    n: usize,
    rows: usize,
    all: Vec<[f64; W]>,
}

impl<const W: usize> Panels<W> {
    /// Room for `rows` vectors of length n.
    pub fn new(rows: usize, n: usize) -> Self {
        let mut panels = Panels {
            n,
            rows,
            all: vec![],
        };
        panels.all = vec![[0.0; W]; n.div_ceil(W) * panels.step()];
        panels
    }

    /// Panels begin a little more than their length apart: a power of two would put them into the same few places of a cache.
    fn step(&self) -> usize {
        self.rows + 1
    }

    /// Sets the vector of this index.
    #[inline(always)]
    pub fn set(&mut self, row: usize, from: &[f64]) {
        let step = self.step();
        let mut at = row;
        let (whole, rest) = from.as_chunks::<W>();
        for part in whole {
            self.all[at] = *part;
            at += step;
        }
        if !rest.is_empty() {
            self.all[at][..rest.len()].copy_from_slice(rest);
        }
    }

    /// The first `count` vectors of one panel.
    #[inline(always)]
    fn panel(&self, i: usize, count: usize) -> &[[f64; W]] {
        &self.all[i * self.step()..][..count]
    }
}

/// M += Σ c xᵀ over the first `count` vectors: a block of M stays in registers while all of them are added to it, in order.
#[inline(always)]
pub(crate) fn add_product<const FMA: bool>(
    c: &Panels<HEIGHT>,
    x: &Panels<WIDTH>,
    count: usize,
    matrix: &mut [f64],
) {
    let (m, n) = (c.n, x.n);
    for (p, i) in (0..m).step_by(HEIGHT).enumerate() {
        let height = HEIGHT.min(m - i);
        let c = c.panel(p, count);
        for (q, j) in (0..n).step_by(WIDTH).enumerate() {
            let width = WIDTH.min(n - j);
            let mut sums = [[0.0; WIDTH]; HEIGHT];
            for (r, sums) in sums.iter_mut().enumerate().take(height) {
                let row = &matrix[(i + r) * n + j..][..width];
                match row.as_array::<WIDTH>() {
                    Some(row) => *sums = *row,
                    None => sums[..width].copy_from_slice(row),
                }
            }
            let sums = block::<FMA>(c, x.panel(q, count), sums);
            for (r, sums) in sums.iter().enumerate().take(height) {
                let row = &mut matrix[(i + r) * n + j..][..width];
                match row.as_mut_array::<WIDTH>() {
                    Some(row) => *row = *sums,
                    None => row.copy_from_slice(&sums[..width]),
                }
            }
        }
    }
}

/// The sums and Σ c xᵀ.
#[inline(always)]
fn block<const FMA: bool>(
    c: &[[f64; HEIGHT]],
    x: &[[f64; WIDTH]],
    mut sums: [[f64; WIDTH]; HEIGHT],
) -> [[f64; WIDTH]; HEIGHT] {
    #[cfg(target_arch = "x86_64")]
    if FMA {
        // SAFETY: as in `lanes`.
        #[allow(unsafe_code)]
        return unsafe { avx::block(c, x, sums) };
    }
    for (c, x) in c.iter().zip(x) {
        for (sums, &c) in sums.iter_mut().zip(c) {
            axpy::<FMA>(c, x, sums);
        }
    }
    sums
}
