//! The inner loops of the native evaluator, written as plain loops that the compiler turns into SIMD code.
//!
//! Every kernel is `#[inline(always)]` and generic in `FMA`; the evaluator is compiled once for each [`Isa`], and the
//! kernels with it. The order of operations does not depend on the width of the registers, so two instruction sets with
//! fused multiply-add give the same bits.

pub(crate) mod activation;
pub(crate) mod dense;
pub(crate) mod exp;

use std::sync::OnceLock;

use crate::error::unknown;
use crate::{Error, Result};

/// The instruction set the native engine computes with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isa {
    /// What the target guarantees (SSE2 on x86-64).
    Portable,
    /// x86-64 with AVX2 and FMA.
    Avx2,
}

impl Isa {
    /// The one in use: the best this processor has, or what the environment variable `ODESYNC_ISA` pins
    /// (`portable` or `avx2`), so that results can be repeated bit for bit on another machine.
    pub fn current() -> Isa {
        static ISA: OnceLock<Isa> = OnceLock::new();
        *ISA.get_or_init(|| match Isa::pinned() {
            Ok(Some(isa)) => isa,
            _ if Isa::has_avx2() => Isa::Avx2,
            _ => Isa::Portable,
        })
    }

    /// What the environment variable `ODESYNC_ISA` pins, if it is set.
    ///
    /// # Errors
    /// A name that is none, or an instruction set that this processor does not have.
    pub fn pinned() -> Result<Option<Isa>> {
        match std::env::var("ODESYNC_ISA") {
            Err(_) => Ok(None),
            Ok(name) if name.is_empty() => Ok(None),
            Ok(name) if name == "portable" => Ok(Some(Isa::Portable)),
            Ok(name) if name == "avx2" && Isa::has_avx2() => Ok(Some(Isa::Avx2)),
            Ok(name) if name == "avx2" => Err(Error::invalid(
                "ODESYNC_ISA=avx2: this processor has no AVX2 and FMA; leave it out, or pin portable",
            )),
            Ok(name) => Err(unknown("value of ODESYNC_ISA", &name, ["portable", "avx2"])),
        }
    }

    /// Those that this processor has.
    pub fn available() -> Vec<Isa> {
        let mut all = vec![Isa::Portable];
        if Isa::has_avx2() {
            all.push(Isa::Avx2);
        }
        all
    }

    /// Name, as in `ODESYNC_ISA`.
    pub fn name(self) -> &'static str {
        match self {
            Isa::Portable => "portable",
            Isa::Avx2 => "avx2",
        }
    }

    /// Whether this processor has AVX2 and FMA.
    pub fn has_avx2() -> bool {
        #[cfg(target_arch = "x86_64")]
        {
            std::arch::is_x86_feature_detected!("avx2")
                && std::arch::is_x86_feature_detected!("fma")
        }
        #[cfg(not(target_arch = "x86_64"))]
        {
            false
        }
    }
}

/// Whether fused multiply-add is an instruction of the baseline target, so that [`Isa::Portable`] may use it.
pub(crate) const BASELINE_FMA: bool = cfg!(any(target_feature = "fma", target_arch = "aarch64"));

/// `a * b + c`, fused where the instruction exists (the library call that emulates it is very slow).
#[inline(always)]
pub(crate) fn fma<const FMA: bool>(a: f64, b: f64, c: f64) -> f64 {
    if FMA { a.mul_add(b, c) } else { a * b + c }
}
