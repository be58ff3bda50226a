//! Sums of outer products c xᵀ: one at a time, or many at once as a product of matrices.

use aligned_vec::{AVec, avec};

#[cfg(target_arch = "x86_64")]
use super::avx;
use super::dense::{CHUNK, axpy};
use super::fma;

/// M_j += c_j x for each row M_j of length `x.len()`, several rows at a time, so that x is read less often.
#[inline(always)]
pub(crate) fn add_outer<const FMA: bool>(mut c: &[f64], x: &[f64], mut rows: &mut [f64]) {
    while !c.is_empty() && !x.is_empty() {
        let count = c.len().min(3);
        let (now, rest) = std::mem::take(&mut rows).split_at_mut(count * x.len());
        match *c {
            [c0] => axpy::<FMA>(c0, x, now),
            [c0, c1] => add_rows::<FMA, 2>([c0, c1], x, now),
            [c0, c1, c2, ..] => add_rows::<FMA, 3>([c0, c1, c2], x, now),
            [] => {}
        }
        (c, rows) = (&c[count..], rest);
    }
}

/// [`add_outer`] of `ROWS` rows.
#[inline(always)]
fn add_rows<const FMA: bool, const ROWS: usize>(c: [f64; ROWS], x: &[f64], rows: &mut [f64]) {
    let n = x.len();
    let (whole, rest) = x.as_chunks::<CHUNK>();
    let rows = &mut rows[..ROWS * n];
    for (k, x) in whole.iter().enumerate() {
        for (r, c) in c.iter().enumerate() {
            if let Some(row) = rows[r * n + k * CHUNK..].first_chunk_mut::<CHUNK>() {
                for i in 0..CHUNK {
                    row[i] = fma::<FMA>(*c, x[i], row[i]);
                }
            }
        }
    }
    for (i, x) in (n - rest.len()..).zip(rest) {
        for (r, c) in c.iter().enumerate() {
            rows[r * n + i] = fma::<FMA>(*c, *x, rows[r * n + i]);
        }
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
    all: AVec<[f64; W]>,
}

impl<const W: usize> Panels<W> {
    /// Room for `rows` vectors of length n.
    pub fn new(rows: usize, n: usize) -> Self {
        let mut panels = Panels {
            n,
            rows,
            all: avec![],
        };
        panels.all = avec![[0.0; W]; n.div_ceil(W) * panels.step()];
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
