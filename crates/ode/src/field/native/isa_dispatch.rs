//! Run-time dispatch of the evaluator's loops, which are compiled for each instruction set.

use super::super::kernels::Isa;
use super::forward::{self, EvalContext};
use super::forward_over_reverse::{self, ValueTangents};
use super::jvp::{self, InputTangents};
use super::lane_sums::error_norm::StepEnds;
use super::lane_sums::{Slopes, add_outer, all_finite, error_norm, weighted_sum};
use super::multiversioned::multiversioned;
use super::outer_product_batch::{self, OuterProductBatch};
use super::plain_code::{self, PlainCode, PlainInputs};
use super::program::{AffineLayer, InstructionList};
use super::scalar_code::ScalarCode;
use super::scalar_jvp;
use super::scalar_taped::{self, TapedInputs};
use super::scalar_vjp::{self, AdjointCode};
use super::vjp::{self, AdjointBuffers};

multiversioned! {
    /// Calls [`forward::run`], compiled for the instruction set.
    fn forward[TAPE: bool, P: usize](code: &InstructionList, inputs: &EvalContext<P>, buffer: &mut [f64]) = forward;
    /// Calls [`plain_code::run`], compiled for the instruction set.
    fn plain[P: usize](code: &PlainCode, inputs: &PlainInputs<P>, frame: &mut [f64], out: &mut [f64]) = plain_code;
    /// Calls [`scalar_taped::run`], compiled for the instruction set.
    fn scalar_taped[](code: &ScalarCode, inputs: &TapedInputs, slot: &mut [f64]) = scalar_taped;
    /// Calls [`scalar_vjp::run`], compiled for the instruction set.
    fn scalar_vjp[](code: &AdjointCode, static_buffer: &[f64], slot: &[f64], adjoints: &mut AdjointBuffers<1>) = scalar_vjp;
    /// Calls [`scalar_jvp::run`], compiled for the instruction set.
    fn scalar_jvp[P: usize](
        code: &ScalarCode,
        static_buffer: &[f64],
        slot: &[f64],
        tangents: &InputTangents<P>,
        out_tangents: &mut [[f64; P]]
    ) = scalar_jvp;
    /// Calls [`vjp::run`], compiled for the instruction set.
    fn vjp[P: usize](code: &InstructionList, inputs: &EvalContext<P>, buffer: &[f64], adjoints: &mut AdjointBuffers<P>) = vjp;
    /// Calls [`weighted_sum::run`], compiled for the instruction set.
    fn weighted_sum[P: usize](u: &[f64], slopes: &Slopes<P>, out: &mut [f64]) = weighted_sum;
    /// Calls [`error_norm::run`], compiled for the instruction set.
    fn error_norm[P: usize](ends: &StepEnds, slopes: &Slopes<P>, norms: &mut [f64; P]) = error_norm;
    /// Calls [`all_finite::run`], compiled for the instruction set.
    fn all_finite[P: usize](x: &[f64], finite: &mut [bool; P]) = all_finite;
    /// Calls [`add_outer::run`], compiled for the instruction set.
    fn add_outer[P: usize](h: &[f64; P], a: &[f64], x: &[f64], to: &mut [f64]) = add_outer;
    /// Calls [`outer_product_batch::run`], compiled for the instruction set.
    fn flush[](affines: &[AffineLayer], batches: &mut [OuterProductBatch], packed: &mut [f64]) = outer_product_batch;
    /// Calls [`jvp::run`], compiled for the instruction set.
    fn jvp[P: usize](
        code: &InstructionList,
        inputs: &EvalContext<1>,
        buffer: &[f64],
        tangents: &InputTangents<P>,
        signal_dt: &mut [f64],
        out_tangents: &mut [[f64; P]]
    ) = jvp;
    /// Calls [`forward_over_reverse::run`], compiled for the instruction set.
    fn forward_over_reverse[P: usize](
        code: &InstructionList,
        inputs: &EvalContext<1>,
        buffer: &[f64],
        tangents: &ValueTangents<P>,
        scratch: &mut [f64],
        adjoints: &mut forward_over_reverse::AdjointTangentBuffers<P>
    ) = forward_over_reverse;
}
