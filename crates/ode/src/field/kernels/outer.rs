//! Sums of outer products c xᵀ, added one at a time, or many at once as a product of matrices.

use aligned_vec::{AVec, avec};

#[cfg(target_arch = "x86_64")]
use super::avx;
use super::dense::{CHUNK, add, axpy};
use super::fma;

/// Adds an outer product to a matrix: M_j += c_j x for each row M_j of length `x.len()`, several rows at a time, so that x is
/// read less often.
#[inline(always)]
pub(crate) fn add_outer<const FMA: bool>(mut c: &[f64], x: &[f64], mut rows: &mut [f64]) {
    while !c.is_empty() && !x.is_empty() {
        let count = c.len().min(3);
        let (now, rest) = std::mem::take(&mut rows).split_at_mut(count * x.len());
        match *c {
            [c0] => axpy::<FMA>(c0, x, now),
            [c0, c1] => add_scaled_rows::<FMA, 2>([c0, c1], x, now),
            [c0, c1, c2, ..] => add_scaled_rows::<FMA, 3>([c0, c1, c2], x, now),
            [] => {}
        }
        (c, rows) = (&c[count..], rest);
    }
}

/// Adds an outer product to a matrix, as [`add_outer`], and x to the row that follows the matrix.
#[inline(always)]
pub(crate) fn add_outer_with_bias<const FMA: bool>(c: &[f64], x: &[f64], rows: &mut [f64]) {
    match *c {
        [c0] => add_scaled_rows::<FMA, 2>([c0, 1.0], x, rows),
        [c0, c1] => add_scaled_rows::<FMA, 3>([c0, c1, 1.0], x, rows),
        [c0, c1, c2] => add_scaled_rows::<FMA, 4>([c0, c1, c2, 1.0], x, rows),
        _ => {
            let (matrix, sum) = rows.split_at_mut(c.len() * x.len());
            add_outer::<FMA>(c, x, matrix);
            add(x, &mut sum[..x.len()]);
        }
    }
}

/// Computes M_r += c_r x for `ROWS` rows M_r of length `x.len()`.
#[inline(always)]
fn add_scaled_rows<const FMA: bool, const ROWS: usize>(
    c: [f64; ROWS],
    x: &[f64],
    rows: &mut [f64],
) {
    let n = x.len();
    let rows = &mut rows[..ROWS * n];
    let mut done = 0;
    #[cfg(target_arch = "x86_64")]
    if FMA {
        // SAFETY: AVX and FMA are there as in `dense::partial_sums`; there are `ROWS` rows of the length of x.
        #[allow(unsafe_code)]
        unsafe {
            done = avx::add_scaled_rows(c, x, rows);
        }
    }
    for (i, x) in x.iter().enumerate().skip(done) {
        for (r, c) in c.iter().enumerate() {
            rows[r * n + i] = fma::<FMA>(*c, *x, rows[r * n + i]);
        }
    }
}

/// Number of rows of the blocks of [`add_outer_products`].
pub(crate) const BLOCK_HEIGHT: usize = 4;
/// Number of columns of the blocks of [`add_outer_products`].
pub(crate) const BLOCK_WIDTH: usize = 8;

/// Vectors of one length, packed in panels: a panel holds the same `W` components of all vectors, so that a product of matrices
/// reads memory in order.
#[derive(Debug, Clone)]
pub(crate) struct PackedPanels<const W: usize> {
    n: usize,
    capacity: usize,
    data: AVec<[f64; W]>,
}

impl<const W: usize> PackedPanels<W> {
    /// Allocates the panels of `rows` vectors of length n.
    pub fn new(rows: usize, n: usize) -> Self {
        let mut panels = PackedPanels {
            n,
            capacity: rows,
            data: avec![],
        };
        panels.data = avec![[0.0; W]; n.div_ceil(W) * panels.stride()];
        panels
    }

    /// Returns the distance between panels. It is a little more than their length, since at a power of two the panels would share
    /// the same few places of a cache.
    fn stride(&self) -> usize {
        self.capacity + 1
    }

    /// Sets the vector of this index.
    #[inline(always)]
    pub fn set(&mut self, row: usize, from: &[f64]) {
        let (whole, rest) = from.as_chunks::<W>();
        let stride = self.stride();
        let mut panels = self.data.chunks_exact_mut(stride);
        for (part, panel) in whole.iter().zip(&mut panels) {
            panel[row] = *part;
        }
        let Some(last) = panels.next() else {
            return;
        };
        match (
            rest.as_array::<CHUNK>(),
            last[row].first_chunk_mut::<CHUNK>(),
        ) {
            // A copy of fixed length needs no function call.
            (Some(rest), Some(to)) => *to = *rest,
            _ => last[row][..rest.len()].copy_from_slice(rest),
        }
    }

    /// Returns the components of the first `count` vectors in one panel.
    #[inline(always)]
    fn panel(&self, i: usize, count: usize) -> &[[f64; W]] {
        &self.data[i * self.stride()..][..count]
    }
}

/// Computes M += Σ c xᵀ over the first `count` vectors: a block of M stays in registers while all outer products are added to
/// it, in order.
#[inline(always)]
pub(crate) fn add_outer_products<const FMA: bool>(
    c: &PackedPanels<BLOCK_HEIGHT>,
    x: &PackedPanels<BLOCK_WIDTH>,
    count: usize,
    matrix: &mut [f64],
) {
    let (m, n) = (c.n, x.n);
    for (p, i) in (0..m).step_by(BLOCK_HEIGHT).enumerate() {
        let height = BLOCK_HEIGHT.min(m - i);
        let c = c.panel(p, count);
        for (q, j) in (0..n).step_by(BLOCK_WIDTH).enumerate() {
            let width = BLOCK_WIDTH.min(n - j);
            let (x, to) = (x.panel(q, count), &mut matrix[i * n + j..]);
            add_outer_block::<FMA>(c, x, n, (height, width), to);
        }
    }
}

/// Computes M += Σ c xᵀ for a block of M of this height and width, which starts at `to[0]` with rows n apart.
#[inline(always)]
fn add_outer_block<const FMA: bool>(
    c: &[[f64; BLOCK_HEIGHT]],
    x: &[[f64; BLOCK_WIDTH]],
    n: usize,
    (height, width): (usize, usize),
    to: &mut [f64],
) {
    #[cfg(target_arch = "x86_64")]
    if FMA && height == BLOCK_HEIGHT && width.is_multiple_of(CHUNK) {
        assert!(to.len() >= (BLOCK_HEIGHT - 1) * n + width);
        // SAFETY: AVX and FMA are there as in `dense::partial_sums`; `to` holds the whole block.
        #[allow(unsafe_code)]
        return unsafe {
            match width == BLOCK_WIDTH {
                true => avx::add_outer_block::<2>(c, x, n, to),
                false => avx::add_outer_block::<1>(c, x, n, to),
            }
        };
    }
    for (c, x) in c.iter().zip(x) {
        for (r, c) in c.iter().enumerate().take(height) {
            axpy::<FMA>(*c, &x[..width], &mut to[r * n..][..width]);
        }
    }
}
