//! Run-time dispatch of the evaluator's loops, which are compiled for each instruction set.

use super::super::kernels::{BASELINE_FMA, Isa};
use super::super::op::Unary;
use super::forward::{self, EvalContext};
use super::forward_over_reverse::{self, ValueTangents};
use super::jvp::{self, InputTangents};
use super::lane_sums::{add_outer, weighted_sum};
use super::outer_product_batch::{self, OuterProductBatch};
use super::program::{AffineLayer, InstructionList};
use super::scalar_code::plain_code::{self, PlainCode, PlainInputs};
use super::scalar_code::taped::{self as scalar_taped, TapedInputs};
use super::scalar_code::vjp::{self as scalar_vjp, AdjointCode};
use super::scalar_code::{ScalarCode, jvp as scalar_jvp, unary_number};
use super::vjp::{self, AdjointBuffers};

/// Declares functions with the code of `MODULE::run`, each compiled for every instruction set.
macro_rules! multiversioned {
    ($($(#[$doc:meta])* fn $name:ident[$($generic:ident: $kind:ty),*]($($arg:ident: $type:ty),*) = $module:ident;)*) => {
        $(
            $(#[$doc])*
            #[inline]
            pub(super) fn $name<$(const $generic: $kind),*>(isa: Isa, $($arg: $type),*) {
                match isa {
                    #[cfg(target_arch = "x86_64")]
                    Isa::Avx2 => {
                        // SAFETY: an evaluator takes `Isa::Avx2` only where `Isa::available` says that the processor has
                        // every feature that the function is compiled for.
                        #[allow(unsafe_code)]
                        unsafe { avx2::$name::<$($generic),*>($($arg),*) }
                    }
                    #[cfg(target_arch = "x86_64")]
                    Isa::Avx512 => {
                        // SAFETY: as above, for `Isa::Avx512`.
                        #[allow(unsafe_code)]
                        unsafe { avx512::$name::<$($generic),*>($($arg),*) }
                    }
                    _ => $module::run::<BASELINE_FMA, $($generic),*>($($arg),*),
                }
            }
        )*

        #[cfg(target_arch = "x86_64")]
        mod avx2 {
            use super::*;
            $(
                #[target_feature(enable = "avx2,fma")]
                pub(super) fn $name<$(const $generic: $kind),*>($($arg: $type),*) {
                    $module::run::<true, $($generic),*>($($arg),*);
                }
            )*
        }

        #[cfg(target_arch = "x86_64")]
        mod avx512 {
            use super::*;
            $(
                #[target_feature(enable = "avx512f,avx512dq,avx512vl,avx2,fma")]
                pub(super) fn $name<$(const $generic: $kind),*>($($arg: $type),*) {
                    $module::run::<true, $($generic),*>($($arg),*);
                }
            )*
        }
    };
}

multiversioned! {
    /// Calls [`forward::run`], compiled for the instruction set.
    fn forward[TAPE: bool, P: usize](code: &InstructionList, inputs: &EvalContext<P>, buffer: &mut [f64]) = forward;
    /// Calls [`plain_code::run`], compiled for the instruction set.
    fn plain[](code: &PlainCode, inputs: &PlainInputs, frame: &mut [f64], out: &mut [f64]) = plain_code;
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
    /// Calls [`unary_number::run`], compiled for the instruction set.
    fn unary[](running: Isa, f: Unary, x: f64, y: &mut f64, d: Option<&mut f64>) = unary_number;
    /// Calls [`vjp::run`], compiled for the instruction set.
    fn vjp[P: usize](code: &InstructionList, inputs: &EvalContext<P>, buffer: &[f64], adjoints: &mut AdjointBuffers<P>) = vjp;
    /// Calls [`weighted_sum::run`], compiled for the instruction set.
    fn weighted_sum[P: usize](u: &[f64], h: &[f64; P], a: &[f64], k: &[f64], out: &mut [f64]) = weighted_sum;
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
