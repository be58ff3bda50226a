//! The loops of the evaluator compiled for each instruction set, and the choice among them at run time.

use super::super::kernels::{BASELINE_FMA, Isa};
use super::forward::{self, EvalContext};
use super::forward_over_reverse::{self, ValueTangents};
use super::jvp::{self, InputTangents};
use super::outer_product_batch::{self, OuterProductBatch};
use super::program::{AffineLayer, InstructionList};
use super::vjp::{self, AdjointBuffers};

/// Declares the functions: each of them the same code as `MODULE::run`, compiled once more for every instruction set.
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
    /// [`forward::run`].
    fn forward[TAPE: bool](code: &InstructionList, inputs: &EvalContext, buffer: &mut [f64]) = forward;
    /// [`vjp::run`].
    fn vjp[](code: &InstructionList, inputs: &EvalContext, buffer: &[f64], adjoints: &mut AdjointBuffers) = vjp;
    /// [`outer_product_batch::run`].
    fn flush[](affines: &[AffineLayer], waiting: &mut [OuterProductBatch], bound: &mut [f64]) = outer_product_batch;
    /// [`jvp::run`].
    fn jvp[P: usize](
        code: &InstructionList,
        inputs: &EvalContext,
        buffer: &[f64],
        tangents: &InputTangents<P>,
        rate: &mut [f64],
        own: &mut [[f64; P]]
    ) = jvp;
    /// [`forward_over_reverse::run`].
    fn forward_over_reverse[P: usize](
        code: &InstructionList,
        inputs: &EvalContext,
        buffer: &[f64],
        moved: &ValueTangents<P>,
        scratch: &mut [f64],
        adjoints: &mut forward_over_reverse::AdjointTangentBuffers<P>
    ) = forward_over_reverse;
}
