//! Loops that are compiled for each instruction set.

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
                    _ => $module::run::<{ $crate::field::kernels::BASELINE_FMA }, $($generic),*>($($arg),*),
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

pub(super) use multiversioned;
