//! The inner loops of the native evaluator, most of them plain loops that the compiler turns into SIMD code.
//!
//! Every kernel is `#[inline(always)]` and generic in `FMA`; the evaluator is compiled once for each [`Isa`], and the
//! kernels with it. The order of operations does not depend on the width of the registers, so two instruction sets with
//! fused multiply-add give the same bits.

pub(crate) mod activation;
#[cfg(target_arch = "x86_64")]
mod avx;
#[cfg(target_arch = "x86_64")]
mod avx_gelu;
#[cfg(target_arch = "x86_64")]
mod avx_lanes;
pub(crate) mod dense;
pub(crate) mod exp;
pub mod normal_tail;
pub(crate) mod outer;
pub(crate) mod sample_lanes;
pub(crate) mod tangent_ops;

use std::sync::OnceLock;

use crate::{Error, Result};
use odesync_base::error::unknown;

/// An instruction set that the native engine computes with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isa {
    /// The instructions that the compilation target guarantees (SSE2 on x86-64).
    Portable,
    /// x86-64 with AVX2 and FMA.
    Avx2,
    /// x86-64 with AVX-512 (F, DQ and VL), AVX2 and FMA; its results are bit for bit those of [`Isa::Avx2`].
    Avx512,
}

impl Isa {
    /// All instruction sets, the best one first.
    pub const ALL: [Isa; 3] = [Isa::Avx512, Isa::Avx2, Isa::Portable];

    /// Returns the instruction set in use: the best that this processor has, or the one that the environment variable
    /// `ODESYNC_ISA` pins (`portable`, `avx2` or `avx512`), so that results can be repeated bit for bit on another machine.
    pub fn current() -> Isa {
        static ISA: OnceLock<Isa> = OnceLock::new();
        *ISA.get_or_init(|| match Isa::pinned() {
            Ok(Some(isa)) => isa,
            _ => Isa::ALL
                .into_iter()
                .find(|isa| isa.available())
                .unwrap_or(Isa::Portable),
        })
    }

    /// Returns the instruction set that the environment variable `ODESYNC_ISA` pins, if it is set.
    ///
    /// # Errors
    /// An unknown name, or an instruction set that this processor does not have.
    pub fn pinned() -> Result<Option<Isa>> {
        let name = match std::env::var("ODESYNC_ISA") {
            Ok(name) if !name.is_empty() => name,
            _ => return Ok(None),
        };
        match Isa::ALL.into_iter().find(|isa| isa.name() == name) {
            Some(isa) if isa.available() => Ok(Some(isa)),
            Some(_) => Err(Error::invalid(format!(
                "ODESYNC_ISA={name}: this processor does not have those instructions; leave it out, or pin portable"
            ))),
            None => Err(unknown(
                "value of ODESYNC_ISA",
                &name,
                Isa::ALL.map(Isa::name),
            )),
        }
    }

    /// Returns the name of the instruction set, as in `ODESYNC_ISA`.
    pub fn name(self) -> &'static str {
        match self {
            Isa::Portable => "portable",
            Isa::Avx2 => "avx2",
            Isa::Avx512 => "avx512",
        }
    }

    /// Returns whether this processor has the instruction set.
    pub fn available(self) -> bool {
        match self {
            Isa::Portable => true,
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => {
                std::arch::is_x86_feature_detected!("avx2")
                    && std::arch::is_x86_feature_detected!("fma")
            }
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => {
                Isa::Avx2.available()
                    && std::arch::is_x86_feature_detected!("avx512f")
                    && std::arch::is_x86_feature_detected!("avx512dq")
                    && std::arch::is_x86_feature_detected!("avx512vl")
            }
            #[cfg(not(target_arch = "x86_64"))]
            Isa::Avx2 | Isa::Avx512 => false,
        }
    }
}

/// Whether fused multiply-add is an instruction of the baseline target, so that [`Isa::Portable`] may use it.
pub(crate) const BASELINE_FMA: bool = cfg!(any(target_feature = "fma", target_arch = "aarch64"));

/// Returns `a * b + c`, fused where the instruction exists (the library call that emulates it is very slow).
#[inline(always)]
pub(crate) fn fma<const FMA: bool>(a: f64, b: f64, c: f64) -> f64 {
    if FMA { a.mul_add(b, c) } else { a * b + c }
}

/// Returns a b, with 0 where a or b is 0 even when the other is not finite. A branch that is not taken has a weight of 0 in every
/// derivative, and contributes nothing, whatever its own derivative is.
#[inline(always)]
pub(crate) fn strong_mul(a: f64, b: f64) -> f64 {
    let product = a * b;
    match product.is_nan() && (a == 0.0 || b == 0.0) {
        true => 0.0,
        false => product,
    }
}

/// Returns a b + c as [`fma`], and c where a or b is 0 even when the other is not finite.
#[inline(always)]
pub(crate) fn strong_fma<const FMA: bool>(a: f64, b: f64, c: f64) -> f64 {
    let sum = fma::<FMA>(a, b, c);
    match sum.is_nan() && (a == 0.0 || b == 0.0) {
        true => c,
        false => sum,
    }
}

/// Returns f of each lane. Unlike `std::array::from_fn` and `array::map` it is always inlined, and so compiled with the instructions
/// of its caller.
#[inline(always)]
pub(crate) fn each_lane<const P: usize>(f: impl Fn(usize) -> f64) -> [f64; P] {
    let mut lanes = [0.0; P];
    for (p, lane) in lanes.iter_mut().enumerate() {
        *lane = f(p);
    }
    lanes
}

/// Evaluates a polynomial at x, with the coefficient of the lowest power first; `square` is x². Even and odd powers have a Horner
/// chain each, which are independent of each other.
#[inline(always)]
pub(crate) fn polynomial<const FMA: bool, const N: usize>(
    c: &[f64; N],
    x: f64,
    square: f64,
) -> f64 {
    let (mut high, mut low) = (c[N - 1], c[N - 2]);
    let mut i = N - 2;
    while i >= 2 {
        i -= 2;
        high = fma::<FMA>(high, square, c[i + 1]);
        low = fma::<FMA>(low, square, c[i]);
    }
    // For an odd number of coefficients the lowest one remains, and the chains of even and odd powers are swapped.
    if i == 1 {
        let even = fma::<FMA>(high, square, c[0]);
        return fma::<FMA>(low, x, even);
    }
    fma::<FMA>(high, x, low)
}

/// Whether every number is finite.
pub fn all_finite(x: &[f64]) -> bool {
    // Without a jump for each number.
    let finite = |x: &[f64]| x.iter().fold(true, |all, x| all & x.is_finite());
    let (chunks, rest) = x.as_chunks::<8>();
    chunks.iter().all(|chunk| finite(chunk)) && finite(rest)
}

/// Copies `from` to `to`; up to three numbers without a function call.
#[inline(always)]
pub(crate) fn copy(from: &[f64], to: &mut [f64]) {
    match (from, &mut *to) {
        ([a], [x]) => *x = *a,
        ([a, b], [x, y]) => (*x, *y) = (*a, *b),
        ([a, b, c], [x, y, z]) => (*x, *y, *z) = (*a, *b, *c),
        _ => to.copy_from_slice(from),
    }
}

/// Writes two numbers with one store. What is read as one register right after it was written by two stores has to wait until
/// both have reached the cache; this is ten times as long as to read what one store wrote.
#[inline(always)]
pub(crate) fn store_pair(pair: [f64; 2], to: &mut [f64; 2]) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_mm_set_pd, _mm_storeu_pd};
        // SAFETY: `to` has room for two numbers, and every processor of this architecture has SSE2.
        #[allow(unsafe_code)]
        unsafe {
            _mm_storeu_pd(to.as_mut_ptr(), _mm_set_pd(pair[1], pair[0]));
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        *to = pair;
    }
}
