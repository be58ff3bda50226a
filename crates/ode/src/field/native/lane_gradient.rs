//! The parameter gradients of samples side by side.
//!
//! The adjoints of a layer's packed weights are `[entry][lane]` where its outer products are added one at a time, so that one
//! instruction adds those of several samples; where they are batched they are `[lane][entry]`, since a product of matrices
//! is then computed for each lane.

use aligned_vec::{AVec, avec};

use super::outer_product_batch::OuterProductBatch;
use super::{Evaluator, LaneEvaluator, ParamGradient};

/// The gradients of `P` samples with respect to the parameters, each summed over the VJPs of its lane, and the work space of one
/// VJP.
#[derive(Debug, Clone)]
pub struct LaneGradient<const P: usize> {
    pub(super) buffer_adjoint: AVec<f64>,
    pub(super) static_adjoint: AVec<f64>,
    pub(super) packed: AVec<f64>,
    /// Outer products that are not yet added to `packed`, for each lane of each affine layer.
    pub(super) outer_products: Vec<OuterProductBatch>,
    pub(super) scratch: AVec<f64>,
}

impl<const P: usize> LaneEvaluator<'_, P> {
    /// Returns gradients of zero.
    pub fn zero_gradient(&self) -> LaneGradient<P> {
        let program = &self.alone().program;
        let batches = |affine| (0..P).map(move |_| OuterProductBatch::new(affine));
        LaneGradient {
            buffer_adjoint: avec![0.0; P * program.dynamic_code.n_values],
            static_adjoint: avec![0.0; P * program.static_code.n_values],
            packed: avec![0.0; P * program.n_packed],
            outer_products: program.affines.iter().flat_map(batches).collect(),
            scratch: avec![0.0; 2 * P * program.max_len],
        }
    }
}

impl<const P: usize> LaneGradient<P> {
    /// Moves the gradient of lane `p` to `to`, a gradient of the same evaluator, whose values are lost; that of the lane is zero
    /// afterwards.
    pub fn take_lane(&mut self, evaluator: &Evaluator, p: usize, to: &mut ParamGradient) {
        take_strided::<P>(&mut self.static_adjoint, p, &mut to.static_adjoint);
        let batches = self.outer_products.chunks_exact_mut(P);
        let layers = evaluator.program.affines.iter().zip(batches);
        for ((affine, batches), to_batch) in layers.zip(&mut to.outer_products) {
            let range = affine.packed_offset..affine.bias_range().end;
            let (from, to) = (
                &mut self.packed[P * range.start..P * range.end],
                &mut to.packed_adjoint[range.clone()],
            );
            if batches[p].is_batched() {
                let from = &mut from[p * range.len()..(p + 1) * range.len()];
                to.copy_from_slice(from);
                from.fill(0.0);
                std::mem::swap(&mut batches[p], to_batch);
                batches[p].clear();
            } else {
                take_strided::<P>(from, p, to);
            }
        }
    }
}

/// Moves lane `p` of `from` to `to`, leaving zeros.
fn take_strided<const P: usize>(from: &mut [f64], p: usize, to: &mut [f64]) {
    for (to, from) in to.iter_mut().zip(from.chunks_exact_mut(P)) {
        *to = std::mem::take(&mut from[p]);
    }
}
