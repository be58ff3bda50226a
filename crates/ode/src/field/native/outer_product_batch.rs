//! Batches of outer products, the contributions to the weight gradient of wide layers, added at once as a product of matrices.
//!
//! Adding a single outer product reads and writes the whole matrix for one multiplication an entry. Adding several of them at
//! once reads and writes it once.

use super::super::kernels::dense::add;
use super::super::kernels::outer::{self, BLOCK_HEIGHT, BLOCK_WIDTH, PackedPanels};
use super::program::AffineLayer;

/// Smallest number of weights of a layer whose outer products are batched. A smaller matrix stays in the fastest memory anyway,
/// so each of its outer products is added at once.
const MIN_BATCHED_WEIGHTS: usize = 256;
/// Number of outer products in a full batch.
const BATCH_SIZE: usize = 32;

/// A batch of outer products c xᵀ of one layer, in the shape of its packed matrix, that are not yet added to the gradient.
#[derive(Debug, Clone)]
pub(super) struct OuterProductBatch {
    /// The vectors c and x of the batch; `None` for a layer whose outer products are not batched.
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

    /// Adds the adjoint `bar` of a layer's output to the adjoint of its bias in `packed`, and the outer product of `bar` and the
    /// layer's input to the adjoint of its weights, at once or when the batch is full or flushed.
    #[inline(always)]
    pub fn add<const FMA: bool>(
        &mut self,
        affine: &AffineLayer,
        bar: &[f64],
        input: &[f64],
        packed: &mut [f64],
    ) {
        let packed = &mut packed[affine.packed_offset..affine.bias_range().end];
        self.add_to::<FMA>(affine, bar, input, packed);
    }

    /// Whether outer products wait for a full batch.
    pub fn is_batched(&self) -> bool {
        self.panels.is_some()
    }

    /// Does [`OuterProductBatch::add`] where `packed` is that of this layer alone.
    #[inline(always)]
    pub fn add_to<const FMA: bool>(
        &mut self,
        affine: &AffineLayer,
        bar: &[f64],
        input: &[f64],
        packed: &mut [f64],
    ) {
        let (c, x) = match affine.input_major {
            true => (input, bar),
            false => (bar, input),
        };
        let Some((left, right)) = &mut self.panels else {
            if affine.input_major {
                outer::add_outer_with_bias::<FMA>(c, x, packed);
            } else {
                let (matrix, bias) = packed.split_at_mut(c.len() * x.len());
                add(bar, bias);
                outer::add_outer::<FMA>(c, x, matrix);
            }
            return;
        };
        let (matrix, bias) = packed.split_at_mut(affine.weight_range().len());
        add(bar, bias);
        left.set(self.count, c);
        right.set(self.count, x);
        self.count += 1;
        if self.count == BATCH_SIZE {
            self.flush::<FMA>(matrix);
        }
    }

    /// Adds all outer products of the batch to `matrix`, and empties the batch.
    #[inline(always)]
    pub fn flush<const FMA: bool>(&mut self, matrix: &mut [f64]) {
        if let (Some((left, right)), 1..) = (&self.panels, self.count) {
            outer::add_outer_products::<FMA>(left, right, self.count, matrix);
            self.count = 0;
        }
    }

    /// Empties the batch without adding its outer products.
    pub fn clear(&mut self) {
        self.count = 0;
    }
}

/// Flushes the batches of all layers into `packed`, the adjoint of the packed weights.
#[inline(always)]
pub(super) fn run<const FMA: bool>(
    affines: &[AffineLayer],
    batches: &mut [OuterProductBatch],
    packed: &mut [f64],
) {
    for (affine, batch) in affines.iter().zip(batches) {
        batch.flush::<FMA>(&mut packed[affine.weight_range()]);
    }
}
