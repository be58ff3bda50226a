//! Contributions to the gradient of wide layers that wait to be added together, as a product of matrices.
//!
//! A single one is an outer product: it reads and writes the whole matrix for one multiplication an entry. Several of them
//! at once read and write it once.

use super::super::kernels::dense::add;
use super::super::kernels::outer::{self, HEIGHT, Panels, WIDTH};
use super::program::Affine;

/// A layer with fewer weights takes each outer product at once: its matrix stays in the fastest memory anyway.
const WIDE: usize = 256;
/// How many outer products wait.
const ROWS: usize = 32;

/// The waiting outer products c xᵀ of one layer, in its bound matrix's shape.
#[derive(Debug, Clone)]
pub(super) struct Pending {
    /// None for a layer that does not wait.
    panels: Option<(Panels<HEIGHT>, Panels<WIDTH>)>,
    count: usize,
}

impl Pending {
    pub fn new(affine: &Affine) -> Self {
        let (height, width) = affine.shape();
        let wide = height * width >= WIDE;
        Pending {
            panels: wide.then(|| (Panels::new(ROWS, height), Panels::new(ROWS, width))),
            count: 0,
        }
    }

    /// Adds the adjoint of the output of a layer to that of its bias, and its outer product with the input to that of its
    /// weights, now or later.
    #[inline(always)]
    pub fn add<const FMA: bool>(
        &mut self,
        affine: &Affine,
        bar: &[f64],
        input: &[f64],
        bound: &mut [f64],
    ) {
        let (c, x) = match affine.by_input {
            true => (input, bar),
            false => (bar, input),
        };
        let bound = &mut bound[affine.bound..affine.bias_range().end];
        let Some((left, right)) = &mut self.panels else {
            if affine.by_input {
                outer::add_outer_and_sum::<FMA>(c, x, bound);
            } else {
                let (matrix, bias) = bound.split_at_mut(c.len() * x.len());
                add(bar, bias);
                outer::add_outer::<FMA>(c, x, matrix);
            }
            return;
        };
        let (matrix, bias) = bound.split_at_mut(affine.matrix().len());
        add(bar, bias);
        left.set(self.count, c);
        right.set(self.count, x);
        self.count += 1;
        if self.count == ROWS {
            self.flush::<FMA>(matrix);
        }
    }

    /// Adds all that waits.
    #[inline(always)]
    pub fn flush<const FMA: bool>(&mut self, matrix: &mut [f64]) {
        if let (Some((left, right)), 1..) = (&self.panels, self.count) {
            outer::add_product::<FMA>(left, right, self.count, matrix);
            self.count = 0;
        }
    }

    /// Forgets what waits.
    pub fn clear(&mut self) {
        self.count = 0;
    }
}

/// Adds to `bound` all that waits for any layer.
#[inline(always)]
pub(super) fn run<const FMA: bool>(affines: &[Affine], pending: &mut [Pending], bound: &mut [f64]) {
    for (affine, pending) in affines.iter().zip(pending) {
        pending.flush::<FMA>(&mut bound[affine.matrix()]);
    }
}
