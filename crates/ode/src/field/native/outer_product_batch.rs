//! Contributions to the gradient of wide layers that wait to be added together, as a product of matrices.
//!
//! A single one is an outer product: it reads and writes the whole matrix for one multiplication an entry. Several of them
//! at once read and write it once.

use super::super::kernels::dense::add;
use super::super::kernels::outer::{self, BLOCK_HEIGHT, BLOCK_WIDTH, PackedPanels};
use super::program::AffineLayer;

/// A layer with fewer weights takes each outer product at once: its matrix stays in the fastest memory anyway.
const MIN_BATCHED_WEIGHTS: usize = 256;
/// How many outer products wait.
const BATCH_SIZE: usize = 32;

/// The waiting outer products c xᵀ of one layer, in its bound matrix's shape.
#[derive(Debug, Clone)]
pub(super) struct OuterProductBatch {
    /// None for a layer that does not wait.
    panels: Option<(PackedPanels<BLOCK_HEIGHT>, PackedPanels<BLOCK_WIDTH>)>,
    count: usize,
}

impl OuterProductBatch {
    pub fn new(affine: &AffineLayer) -> Self {
        let (height, width) = affine.packed_shape();
        let wide = height * width >= MIN_BATCHED_WEIGHTS;
        OuterProductBatch {
            panels: wide.then(|| {
                (
                    PackedPanels::new(BATCH_SIZE, height),
                    PackedPanels::new(BATCH_SIZE, width),
                )
            }),
            count: 0,
        }
    }

    /// Adds the adjoint of the output of a layer to that of its bias, and its outer product with the input to that of its
    /// weights, now or later.
    #[inline(always)]
    pub fn add<const FMA: bool>(
        &mut self,
        affine: &AffineLayer,
        bar: &[f64],
        input: &[f64],
        bound: &mut [f64],
    ) {
        let (c, x) = match affine.input_major {
            true => (input, bar),
            false => (bar, input),
        };
        let bound = &mut bound[affine.packed_offset..affine.bias_range().end];
        let Some((left, right)) = &mut self.panels else {
            if affine.input_major {
                outer::add_outer_with_bias::<FMA>(c, x, bound);
            } else {
                let (matrix, bias) = bound.split_at_mut(c.len() * x.len());
                add(bar, bias);
                outer::add_outer::<FMA>(c, x, matrix);
            }
            return;
        };
        let (matrix, bias) = bound.split_at_mut(affine.weight_range().len());
        add(bar, bias);
        left.set(self.count, c);
        right.set(self.count, x);
        self.count += 1;
        if self.count == BATCH_SIZE {
            self.flush::<FMA>(matrix);
        }
    }

    /// Adds all that waits.
    #[inline(always)]
    pub fn flush<const FMA: bool>(&mut self, matrix: &mut [f64]) {
        if let (Some((left, right)), 1..) = (&self.panels, self.count) {
            outer::add_outer_products::<FMA>(left, right, self.count, matrix);
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
pub(super) fn run<const FMA: bool>(
    affines: &[AffineLayer],
    pending: &mut [OuterProductBatch],
    bound: &mut [f64],
) {
    for (affine, pending) in affines.iter().zip(pending) {
        pending.flush::<FMA>(&mut bound[affine.weight_range()]);
    }
}
