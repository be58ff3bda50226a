//! Products of matrices with samples side by side, written with intrinsics, because the compiler packs the lanes of arrays into
//! registers of half the width. They are written once, for registers of four lanes (AVX2) and of eight (AVX-512).
//!
//! Every vector has `W` registers of lanes a component; the operations and their order are those of [`super::sample_lanes`].

/// Defines the products for the register of a module, which imports the intrinsics under the names used here.
macro_rules! lane_products {
    ($features:literal) => {
        /// Computes `N` results of a product from index `i` on, `y_i = (start_i + Σ_j c_j M_ji) times_i`; `times` may be empty.
        ///
        /// # Safety
        /// `rows` holds a row of n weights for every component of c. y and `times` have n components of `W` registers, as have the weights
        /// of `start`, and i + `N` ≤ n. A weight is one number, with `OWN` `W` registers.
        #[inline]
        #[target_feature(enable = $features)]
        #[allow(unsafe_code)]
        pub(crate) unsafe fn gemv_transposed_block<
            const W: usize,
            const N: usize,
            const OWN: bool,
        >(
            c: &[f64],
            rows: &[f64],
            start: SumStart,
            times: &[f64],
            (n, i): (usize, usize),
            y: &mut [f64],
        ) {
            let p = W * WIDTH;
            let weights = if OWN { rows.len() / p } else { rows.len() };
            debug_assert!(i + N <= n && y.len() == n * p && weights * p >= c.len() * n);
            debug_assert!(times.is_empty() || times.len() == y.len());
            let mut sums = [[setzero(); W]; N];
            // SAFETY: components i to i + N of y, of `times` and of every row are there, as the caller guarantees.
            unsafe {
                for (k, sums) in sums.iter_mut().enumerate() {
                    for (w, sum) in sums.iter_mut().enumerate() {
                        *sum = match start {
                            SumStart::Zero => setzero(),
                            SumStart::Current => load(y, (i + k) * p + w * WIDTH),
                            SumStart::Values(from) => weight::<W, OWN>(from, i + k, w),
                        };
                    }
                }
                for j in 0..c.len() / p {
                    let mut x = [setzero(); W];
                    for (w, x) in x.iter_mut().enumerate() {
                        *x = load(c, j * p + w * WIDTH);
                    }
                    for (k, sums) in sums.iter_mut().enumerate() {
                        for (w, (sum, x)) in sums.iter_mut().zip(x).enumerate() {
                            let weight = weight::<W, OWN>(rows, j * n + i + k, w);
                            *sum = fmadd(weight, x, *sum);
                        }
                    }
                }
                for (k, sums) in sums.iter_mut().enumerate() {
                    for (w, sum) in sums.iter_mut().enumerate() {
                        let at = (i + k) * p + w * WIDTH;
                        if !times.is_empty() {
                            *sum = mul(*sum, load(times, at));
                        }
                        storeu(y.as_mut_ptr().add(at), *sum);
                    }
                }
            }
        }

        /// Computes the inner product of the row of weights from index `row` on with register `w` of every component of x, as
        /// [`super::dense::dot`].
        ///
        /// # Safety
        /// x has `W` registers a component, and the row a weight for each component; w < `W`.
        #[inline]
        #[target_feature(enable = $features)]
        #[allow(unsafe_code)]
        unsafe fn dot<const W: usize, const OWN: bool>(
            weights: &[f64],
            row: usize,
            x: &[f64],
            w: usize,
        ) -> Register {
            let p = W * WIDTH;
            let n = x.len() / p;
            debug_assert!(x.len() == n * p && w < W);
            let mut sums = [setzero(); LANES];
            let mut rest = setzero();
            // SAFETY: every component is below n.
            unsafe {
                let term = |j: usize, sum| {
                    let weight = weight::<W, OWN>(weights, row + j, w);
                    fmadd(weight, load(x, j * p + w * WIDTH), sum)
                };
                let mut j = 0;
                while j + LANES <= n {
                    for (k, sum) in sums.iter_mut().enumerate() {
                        *sum = term(j + k, *sum);
                    }
                    j += LANES;
                }
                if j + HALF <= n {
                    for (k, sum) in sums.iter_mut().take(HALF).enumerate() {
                        *sum = term(j + k, *sum);
                    }
                    j += HALF;
                }
                while j < n {
                    rest = term(j, rest);
                    j += 1;
                }
            }
            let [a, b, c, d, e, f, g, h] = sums;
            let even = add(add(a, e), add(c, g));
            let odd = add(add(b, f), add(d, h));
            add(add(even, odd), rest)
        }

        /// Computes `y_j = (start_j + M_j · x) times_j` for each row M_j; `times` may be empty.
        ///
        /// # Safety
        /// `rows` holds a row of weights, one for each component of x, for each component of y. x, y and `times` have `W` registers a
        /// component, and `start` has a weight for each component of y. A weight is one number, with `OWN` `W` registers.
        #[inline]
        #[target_feature(enable = $features)]
        #[allow(unsafe_code)]
        pub(crate) unsafe fn gemv<const W: usize, const OWN: bool>(
            rows: &[f64],
            x: &[f64],
            start: SumStart,
            times: &[f64],
            y: &mut [f64],
        ) {
            let p = W * WIDTH;
            let (n, m) = (x.len() / p, y.len() / p);
            let weights = if OWN { rows.len() / p } else { rows.len() };
            debug_assert!(weights >= n * m && (times.is_empty() || times.len() == y.len()));
            for j in 0..m {
                for w in 0..W {
                    let at = j * p + w * WIDTH;
                    // SAFETY: the register at `at` lies in y, whose length is the length of `times` where that is not empty.
                    unsafe {
                        let start = match start {
                            SumStart::Zero => setzero(),
                            SumStart::Current => load(y, at),
                            SumStart::Values(from) => weight::<W, OWN>(from, j, w),
                        };
                        let mut sum = add(start, dot::<W, OWN>(rows, j * n, x, w));
                        if !times.is_empty() {
                            sum = mul(sum, load(times, at));
                        }
                        storeu(y.as_mut_ptr().add(at), sum);
                    }
                }
            }
        }

        /// Computes `M_ji += c_j x_i` in every lane.
        ///
        /// # Safety
        /// c, x and the matrix, a row of the components of x for each component of c, have `W` registers a component.
        #[inline]
        #[target_feature(enable = $features)]
        #[allow(unsafe_code)]
        pub(crate) unsafe fn add_outer<const W: usize>(c: &[f64], x: &[f64], matrix: &mut [f64]) {
            let p = W * WIDTH;
            let (n, m) = (x.len() / p, c.len() / p);
            debug_assert!(matrix.len() >= n * m * p);
            let to = matrix.as_mut_ptr();
            for j in 0..m {
                // SAFETY: component (j, i) of the matrix is there for every component j of c and i of x.
                unsafe {
                    let mut cs = [setzero(); W];
                    for (w, c_w) in cs.iter_mut().enumerate() {
                        *c_w = load(c, j * p + w * WIDTH);
                    }
                    for i in 0..n {
                        for (w, c) in cs.iter().enumerate() {
                            let at = to.add((j * n + i) * p + w * WIDTH);
                            let x = load(x, i * p + w * WIDTH);
                            storeu(at, fmadd(*c, x, loadu(at)));
                        }
                    }
                }
            }
        }

        /// Returns the register that begins at index `at`.
        ///
        /// # Safety
        /// x holds the register.
        #[inline]
        #[target_feature(enable = $features)]
        #[allow(unsafe_code)]
        unsafe fn load(x: &[f64], at: usize) -> Register {
            debug_assert!(at + WIDTH <= x.len());
            // SAFETY: the caller guarantees it.
            unsafe { loadu(x.as_ptr().add(at)) }
        }

        /// Returns weight `at` in register `w` of the lanes: one number in all of them, or with `OWN` that of each lane.
        ///
        /// # Safety
        /// The weight is there: one number, with `OWN` `W` registers; w < `W`.
        #[inline]
        #[target_feature(enable = $features)]
        #[allow(unsafe_code)]
        unsafe fn weight<const W: usize, const OWN: bool>(
            weights: &[f64],
            at: usize,
            w: usize,
        ) -> Register {
            // SAFETY: the caller guarantees it.
            unsafe {
                if OWN {
                    return load(weights, (at * W + w) * WIDTH);
                }
                debug_assert!(at < weights.len());
                all(*weights.get_unchecked(at))
            }
        }
    };
}

/// Registers of four lanes.
pub(crate) mod avx2 {
    use crate::field::kernels::dense::{HALF, LANES, SumStart};
    use std::arch::x86_64::{
        __m256d as Register, _mm256_add_pd as add, _mm256_fmadd_pd as fmadd,
        _mm256_loadu_pd as loadu, _mm256_mul_pd as mul, _mm256_set1_pd as all,
        _mm256_setzero_pd as setzero, _mm256_storeu_pd as storeu,
    };

    /// Number of lanes in a register.
    const WIDTH: usize = 4;

    lane_products!("avx2,fma");
}

/// Registers of eight lanes.
pub(crate) mod avx512 {
    use crate::field::kernels::dense::{HALF, LANES, SumStart};
    use std::arch::x86_64::{
        __m512d as Register, _mm512_add_pd as add, _mm512_fmadd_pd as fmadd,
        _mm512_loadu_pd as loadu, _mm512_mul_pd as mul, _mm512_set1_pd as all,
        _mm512_setzero_pd as setzero, _mm512_storeu_pd as storeu,
    };

    /// Number of lanes in a register.
    const WIDTH: usize = 8;

    lane_products!("avx512f,avx512dq,avx512vl,avx2,fma");
}
