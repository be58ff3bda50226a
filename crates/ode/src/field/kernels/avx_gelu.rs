//! GELU with its derivative, written once for registers of four numbers (AVX2) and of eight (AVX-512).
//!
//! The operations and their order are those of the GELU of one number, so that both give its bits.

/// Defines the functions for the register of a module, which imports the intrinsics under the names used here.
macro_rules! gelu_functions {
    ($features:literal) => {
        /// Computes GELU, and with `TAPE` its derivative, of the numbers in whole registers, and returns the number of values
        /// processed. Two registers are processed at a time: while an operation of one waits for its operands, the other one
        /// proceeds, and each constant is loaded once for both.
        ///
        /// # Safety
        /// y is as long as x, and with `TAPE` so is d.
        #[inline]
        #[target_feature(enable = $features)]
        #[allow(unsafe_code)]
        pub(crate) unsafe fn gelu<const TAPE: bool>(
            x: &[f64],
            y: &mut [f64],
            d: &mut [f64],
        ) -> usize {
            assert!(y.len() >= x.len() && (!TAPE || d.len() >= x.len()));
            let n = x.len() / WIDTH * WIDTH;
            let mut at = 0;
            while at < n {
                // SAFETY: the registers that begin at `at` end at n at most, which is no longer than x, y and d.
                unsafe {
                    if at + 2 * WIDTH <= n {
                        block::<2, TAPE>(x, y, d, at);
                        at += 2 * WIDTH;
                    } else {
                        block::<1, TAPE>(x, y, d, at);
                        at += WIDTH;
                    }
                }
            }
            n
        }

        /// Computes [`gelu`] for the `W` registers that start at index `at`.
        ///
        /// # Safety
        /// x, y and, with `TAPE`, d hold these registers.
        #[inline]
        #[target_feature(enable = $features)]
        #[allow(unsafe_code)]
        unsafe fn block<const W: usize, const TAPE: bool>(
            x: &[f64],
            y: &mut [f64],
            d: &mut [f64],
            at: usize,
        ) {
            let zero = [setzero(); W];
            let (mut v, mut a, mut square, mut size) = (zero, zero, zero, zero);
            let (mut r, mut r_square, mut scale) = (zero, zero, zero);
            for w in 0..W {
                // SAFETY: x holds this register.
                v[w] = unsafe { loadu(x.as_ptr().add(at + WIDTH * w)) };
                // Where one operand is NaN, the instruction returns the second one, so that NaN stays NaN.
                size[w] = abs(v[w]);
                a[w] = min(all(TAIL_CUTOFF), size[w]);
                square[w] = mul(a[w], a[w]);
                let half = mul(all(-0.5), a[w]);
                // −½ is a power of two, so that −½ a² log₂ e may be rounded in any order.
                let shifted = fmadd(square[w], all(-0.5 * std::f64::consts::LOG2_E), all(ROUND));
                let k = sub(shifted, all(ROUND));
                let high = fmsub(half, a[w], mul(k, all(LN2_HIGH)));
                r[w] = fnmadd(k, all(LN2_LOW), high);
                r_square[w] = mul(r[w], r[w]);
                let exponent = add_integers(as_integers(shifted), all_integers(1023));
                scale[w] = as_numbers(shift_left::<52>(exponent));
            }
            let e = polynomial(&EXP_COEFFICIENTS, r, r_square);
            let below = polynomial(&TAIL_DENOMINATOR, a, square);
            let above = polynomial(&TAIL_NUMERATOR, a, square);
            for w in 0..W {
                let e = fmadd(e[w], r_square[w], r[w]);
                let e = zero_beyond(size[w], TAIL_CUTOFF, fmadd(e, scale[w], scale[w]));
                let tail = div(mul(e, above[w]), below[w]);
                let cdf = select_by_sign(v[w], tail, sub(all(1.0), tail));
                let density = mul(e, all(INV_SQRT_2PI));
                // SAFETY: y and, with `TAPE`, d hold this register.
                unsafe {
                    let to = at + WIDTH * w;
                    storeu(y.as_mut_ptr().add(to), mul(v[w], cdf));
                    if TAPE {
                        storeu(d.as_mut_ptr().add(to), fmadd(v[w], density, cdf));
                    }
                }
            }
        }

        /// Evaluates [`polynomial`](crate::field::kernels::polynomial) for `W` registers.
        #[inline]
        #[target_feature(enable = $features)]
        fn polynomial<const N: usize, const W: usize>(
            c: &[f64; N],
            x: [Register; W],
            square: [Register; W],
        ) -> [Register; W] {
            let mut high = [all(c[N - 1]); W];
            let mut low = [all(c[N - 2]); W];
            let mut i = N - 2;
            while i >= 2 {
                i -= 2;
                let (odd, even) = (all(c[i + 1]), all(c[i]));
                for w in 0..W {
                    high[w] = fmadd(high[w], square[w], odd);
                }
                for w in 0..W {
                    low[w] = fmadd(low[w], square[w], even);
                }
            }
            for w in 0..W {
                high[w] = if i == 1 {
                    let even = fmadd(high[w], square[w], all(c[0]));
                    fmadd(low[w], x[w], even)
                } else {
                    fmadd(high[w], x[w], low[w])
                };
            }
            high
        }
    };
}

/// Registers of four numbers.
pub(crate) mod avx2 {
    use crate::field::kernels::exp::{EXP_COEFFICIENTS, LN2_HIGH, LN2_LOW, ROUND};
    use crate::field::kernels::normal_tail::{
        INV_SQRT_2PI, TAIL_CUTOFF, TAIL_DENOMINATOR, TAIL_NUMERATOR,
    };
    use std::arch::x86_64::{
        __m256d as Register, _CMP_GT_OQ, _mm256_add_epi64 as add_integers, _mm256_andnot_pd,
        _mm256_blendv_pd, _mm256_castpd_si256 as as_integers, _mm256_castsi256_pd as as_numbers,
        _mm256_cmp_pd, _mm256_div_pd as div, _mm256_fmadd_pd as fmadd, _mm256_fmsub_pd as fmsub,
        _mm256_fnmadd_pd as fnmadd, _mm256_loadu_pd as loadu, _mm256_min_pd as min,
        _mm256_mul_pd as mul, _mm256_set1_epi64x as all_integers, _mm256_set1_pd as all,
        _mm256_setzero_pd as setzero, _mm256_slli_epi64 as shift_left, _mm256_storeu_pd as storeu,
        _mm256_sub_pd as sub,
    };

    const WIDTH: usize = 4;

    #[inline]
    #[target_feature(enable = "avx2,fma")]
    fn abs(x: Register) -> Register {
        _mm256_andnot_pd(all(-0.0), x)
    }

    /// Returns x, and 0 where `size` is beyond the bound.
    #[inline]
    #[target_feature(enable = "avx2,fma")]
    fn zero_beyond(size: Register, bound: f64, x: Register) -> Register {
        _mm256_andnot_pd(_mm256_cmp_pd::<_CMP_GT_OQ>(size, all(bound)), x)
    }

    /// Returns `negative` where the sign bit of `sign` is set, else `positive`.
    #[inline]
    #[target_feature(enable = "avx2,fma")]
    fn select_by_sign(sign: Register, negative: Register, positive: Register) -> Register {
        _mm256_blendv_pd(positive, negative, sign)
    }

    gelu_functions!("avx2,fma");
}

/// Registers of eight numbers.
pub(crate) mod avx512 {
    use crate::field::kernels::exp::{EXP_COEFFICIENTS, LN2_HIGH, LN2_LOW, ROUND};
    use crate::field::kernels::normal_tail::{
        INV_SQRT_2PI, TAIL_CUTOFF, TAIL_DENOMINATOR, TAIL_NUMERATOR,
    };
    use std::arch::x86_64::{
        __m512d as Register, _CMP_GT_OQ, _mm512_abs_pd as abs, _mm512_add_epi64 as add_integers,
        _mm512_castpd_si512 as as_integers, _mm512_castsi512_pd as as_numbers, _mm512_cmp_pd_mask,
        _mm512_div_pd as div, _mm512_fmadd_pd as fmadd, _mm512_fmsub_pd as fmsub,
        _mm512_fnmadd_pd as fnmadd, _mm512_loadu_pd as loadu, _mm512_mask_blend_pd,
        _mm512_maskz_mov_pd, _mm512_min_pd as min, _mm512_movepi64_mask, _mm512_mul_pd as mul,
        _mm512_set1_epi64 as all_integers, _mm512_set1_pd as all, _mm512_setzero_pd as setzero,
        _mm512_slli_epi64 as shift_left, _mm512_storeu_pd as storeu, _mm512_sub_pd as sub,
    };

    const WIDTH: usize = 8;

    /// Returns x, and 0 where `size` is beyond the bound.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512vl,avx2,fma")]
    fn zero_beyond(size: Register, bound: f64, x: Register) -> Register {
        _mm512_maskz_mov_pd(!_mm512_cmp_pd_mask::<_CMP_GT_OQ>(size, all(bound)), x)
    }

    /// Returns `negative` where the sign bit of `sign` is set, else `positive`.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,avx512vl,avx2,fma")]
    fn select_by_sign(sign: Register, negative: Register, positive: Register) -> Register {
        _mm512_mask_blend_pd(_mm512_movepi64_mask(as_integers(sign)), positive, negative)
    }

    gelu_functions!("avx512f,avx512dq,avx512vl,avx2,fma");
}
