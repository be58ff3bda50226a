//! The VJP of an affine layer for samples side by side.

use super::super::kernels::dense::SumStart;
use super::super::kernels::{self, Isa, sample_lanes};
use super::forward::EvalContext;
use super::outer_product_batch::OuterProductBatch;
use super::program::AffineLayer;
use super::vjp::affine_vjp;

/// Where the adjoint of a layer in `P` lanes goes to.
pub(super) struct LayerAdjoint<'a, const P: usize> {
    /// Adjoints of the packed weights and biases of all layers, see [`super::lane_gradient`].
    pub packed: &'a mut [f64],
    /// The layer's outer products that are not yet added to `packed`, for each lane.
    pub batches: &'a mut [OuterProductBatch],
    /// Scratch space for two vectors in every lane.
    pub scratch: &'a mut [f64],
    pub live: [bool; P],
}

impl<const P: usize> LayerAdjoint<'_, P> {
    /// Adds the parameters' part of the layer's VJP, and computes that of its operand, `(start + Wᵀ z̄) · times`, into `x_bar`;
    /// all vectors are `[component][lane]`. In a lane that takes no part, and in one where the layer lies in a branch that is not
    /// taken and its input or its weights are not finite, the VJP contributes nothing.
    #[inline(always)]
    pub fn pull_back<const FMA: bool>(
        mut self,
        inputs: &EvalContext<P>,
        affine: &AffineLayer,
        (bar, input): (&[f64], &[f64]),
        (start, times): (SumStart, &[f64]),
        x_bar: &mut [f64],
    ) {
        let weights = &inputs.packed[affine.weight_range()];
        let contributes = self.contributing(bar, [input, times], weights);
        self.add_outer::<FMA>(inputs.isa, affine, (bar, input), contributes);
        if contributes == [true; P] {
            return affine_vjp::<FMA, P>(inputs, affine, bar, start, times, x_bar);
        }
        // What the other lanes had before stays there.
        let before = &mut self.scratch[..x_bar.len()];
        match start {
            SumStart::Current => before.copy_from_slice(x_bar),
            SumStart::Zero | SumStart::Values(_) => before.fill(0.0),
        }
        affine_vjp::<FMA, P>(inputs, affine, bar, start, times, x_bar);
        for (to, before) in x_bar.chunks_exact_mut(P).zip(before.chunks_exact(P)) {
            for p in 0..P {
                if !contributes[p] {
                    to[p] = before[p];
                }
            }
        }
    }

    /// Returns in which lanes the layer contributes anything.
    #[inline(always)]
    fn contributing(&self, bar: &[f64], factors: [&[f64]; 2], weights: &[f64]) -> [bool; P] {
        let mut nonzero = [false; P];
        for bar in sample_lanes::lanes::<P>(bar) {
            for p in 0..P {
                nonzero[p] |= bar[p] != 0.0;
            }
            if nonzero == [true; P] {
                break;
            }
        }
        let finite = |x: &[f64], p: usize| x.iter().skip(p).step_by(P).all(|x| x.is_finite());
        let all_finite = |p| factors.iter().all(|x| finite(x, p)) && kernels::all_finite(weights);
        std::array::from_fn(|p| self.live[p] && (nonzero[p] || all_finite(p)))
    }

    /// Adds the outer product of the layer's adjoint and input, and the adjoint of its bias, in these lanes.
    #[inline(always)]
    fn add_outer<const FMA: bool>(
        &mut self,
        isa: Isa,
        affine: &AffineLayer,
        (bar, input): (&[f64], &[f64]),
        contributes: [bool; P],
    ) {
        let range = affine.packed_offset..affine.bias_range().end;
        let len = range.len();
        let packed = &mut self.packed[P * range.start..P * range.end];
        let (lane_bar, lane_input) = self.scratch.split_at_mut(bar.len());
        let lane_input = &mut lane_input[..input.len()];
        if self.batches.iter().any(OuterProductBatch::is_batched) {
            let lanes = packed.chunks_exact_mut(len).zip(self.batches.iter_mut());
            let (n_bar, n_input) = (bar.len() / P, input.len() / P);
            for (p, (packed, batch)) in lanes.enumerate().filter(|(p, _)| contributes[*p]) {
                let (bar_p, input_p) = (&mut lane_bar[..n_bar], &mut lane_input[..n_input]);
                sample_lanes::gather::<P>(bar, p, bar_p);
                sample_lanes::gather::<P>(input, p, input_p);
                batch.add_to::<FMA>(affine, bar_p, input_p, packed);
            }
            return;
        }
        let (mut bar, mut input) = (bar, input);
        if contributes != [true; P] {
            // A product with zeros adds nothing.
            select(bar, contributes, lane_bar);
            select(input, contributes, lane_input);
            (bar, input) = (lane_bar, lane_input);
        }
        let (c, x) = match affine.input_major {
            true => (input, bar),
            false => (bar, input),
        };
        sample_lanes::add_outer_with_bias::<FMA, P>(isa, c, x, bar, packed);
    }
}

/// Copies the chosen lanes of `from` to `to`, whose other lanes become zero.
#[inline(always)]
fn select<const P: usize>(from: &[f64], chosen: [bool; P], to: &mut [f64]) {
    for (to, from) in to.chunks_exact_mut(P).zip(from.chunks_exact(P)) {
        for p in 0..P {
            to[p] = if chosen[p] { from[p] } else { 0.0 };
        }
    }
}
