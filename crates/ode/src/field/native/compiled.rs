//! The loops of the evaluator compiled for each instruction set, and the choice among them at run time.

use super::super::kernels::{BASELINE_FMA, Isa};
use super::jvp::{self, Tangents};
use super::pending::{self, Pending};
use super::program::{Affine, Code};
use super::second::{self, Moved};
use super::value::{self, Inputs};
use super::vjp::{self, Adjoints};

/// Declares the functions: each of them the same code as `MODULE::run`, compiled once more for every instruction set.
macro_rules! compiled {
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

compiled! {
    /// [`value::run`].
    fn value[TAPE: bool](code: &Code, inputs: &Inputs, buffer: &mut [f64]) = value;
    /// [`vjp::run`].
    fn vjp[](code: &Code, inputs: &Inputs, buffer: &[f64], adjoints: &mut Adjoints) = vjp;
    /// [`pending::run`].
    fn flush[](affines: &[Affine], waiting: &mut [Pending], bound: &mut [f64]) = pending;
    /// [`jvp::run`].
    fn jvp[P: usize](
        code: &Code,
        inputs: &Inputs,
        buffer: &[f64],
        tangents: &Tangents<P>,
        rate: &mut [f64],
        own: &mut [[f64; P]]
    ) = jvp;
    /// [`second::run`].
    fn second[P: usize](
        code: &Code,
        inputs: &Inputs,
        buffer: &[f64],
        moved: &Moved<P>,
        scratch: &mut [f64],
        adjoints: &mut second::Adjoints<P>
    ) = second;
}
