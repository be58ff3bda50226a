//! Loops over samples side by side: every number has `P` contiguous lanes, one for each sample, so that one instruction computes
//! several samples and a weight is loaded once for all of them.
//!
//! Each lane has the operations of [`super::dense`] in the same order, so a sample's bits are those of the sample alone.

#[cfg(target_arch = "x86_64")]
use super::avx_lanes;
use super::dense::{HALF, LANES, SumStart};
use super::{Isa, each_lane, fma, strong_mul};

/// Returns numbers in the layout `[component][lane]`, component by component.
#[inline(always)]
pub(crate) fn lanes<const P: usize>(flat: &[f64]) -> &[[f64; P]] {
    flat.as_chunks().0
}

/// Returns [`lanes`] to be changed.
#[inline(always)]
pub(crate) fn lanes_mut<const P: usize>(flat: &mut [f64]) -> &mut [[f64; P]] {
    flat.as_chunks_mut().0
}

/// Computes out = f(x, y), component by component; an operand of one component is broadcast.
#[inline(always)]
pub(crate) fn zip<const P: usize>(
    x: &[f64],
    y: &[f64],
    out: &mut [f64],
    f: impl Fn(f64, f64) -> f64,
) {
    let (x, y, out) = (lanes::<P>(x), lanes::<P>(y), lanes_mut::<P>(out));
    for (i, out) in out.iter_mut().enumerate() {
        let (x, y) = (broadcast(x, i), broadcast(y, i));
        for p in 0..P {
            out[p] = f(x[p], y[p]);
        }
    }
}

/// Returns component `i` of an operand that is broadcast when it has one component.
#[inline(always)]
fn broadcast<const P: usize>(x: &[[f64; P]], i: usize) -> &[f64; P] {
    if x.len() == 1 { &x[0] } else { &x[i] }
}

/// Adds `partial(x, y, z) * bar`, 0 where a factor is 0, to `to`, summed over the components when the operand of `to` was
/// broadcast: a few are added one after the other, more are summed first.
#[inline(always)]
pub(crate) fn accumulate_partial<const P: usize>(
    (x, y, z): (&[f64], &[f64], &[f64]),
    bar: &[f64],
    to: &mut [f64],
    partial: impl Fn(f64, f64, f64) -> f64,
) {
    /// Largest number of components that are added one after the other.
    const FEW: usize = 4;
    let (x, y, z) = (lanes::<P>(x), lanes::<P>(y), lanes::<P>(z));
    let (bar, to) = (lanes::<P>(bar), lanes_mut::<P>(to));
    let terms = |i: usize| -> [f64; P] {
        let (x, y, z, bar) = (broadcast(x, i), broadcast(y, i), &z[i], &bar[i]);
        each_lane(|p| strong_mul(partial(x[p], y[p], z[p]), bar[p]))
    };
    match to {
        [to] if bar.len() > FEW => {
            let mut sum = [0.0; P];
            for i in 0..bar.len() {
                add(&terms(i), &mut sum);
            }
            add(&sum, to);
        }
        [to] => {
            for i in 0..bar.len() {
                add(&terms(i), to);
            }
        }
        _ => {
            for (i, to) in to.iter_mut().enumerate() {
                add(&terms(i), to);
            }
        }
    }
}

#[inline(always)]
fn add<const P: usize>(from: &[f64; P], to: &mut [f64; P]) {
    for p in 0..P {
        to[p] += from[p];
    }
}

/// Computes to += c x in every lane.
#[inline(always)]
fn axpy<const FMA: bool, const P: usize>(c: &[f64; P], x: &[f64; P], to: &mut [f64; P]) {
    for p in 0..P {
        to[p] = fma::<FMA>(c[p], x[p], to[p]);
    }
}

/// Copies lane `p` of `from`, `[number][lane]`, to `to`.
#[inline(always)]
pub(crate) fn gather<const P: usize>(from: &[f64], p: usize, to: &mut [f64]) {
    for (to, from) in to.iter_mut().zip(from.chunks_exact(P)) {
        *to = from[p];
    }
}

/// Copies `from` to lane `p` of `to`, `[number][lane]`.
#[inline(always)]
pub(crate) fn scatter<const P: usize>(from: &[f64], p: usize, to: &mut [f64]) {
    for (to, from) in to.chunks_exact_mut(P).zip(from) {
        to[p] = *from;
    }
}

/// Returns weight `i` of every lane. With `OWN` each lane has weights of its own, `[weight][lane]`, else all have the same.
#[inline(always)]
fn weight<const P: usize, const OWN: bool>(weights: &[f64], i: usize) -> [f64; P] {
    match OWN {
        true => lanes::<P>(weights)[i],
        false => [weights[i]; P],
    }
}

impl SumStart<'_> {
    /// Returns the initial value of component `i` in every lane; values are [weights](weight).
    #[inline(always)]
    fn lanes<const P: usize, const OWN: bool>(self, i: usize, y: &[f64; P]) -> [f64; P] {
        match self {
            SumStart::Zero => [0.0; P],
            SumStart::Current => *y,
            SumStart::Values(from) => weight::<P, OWN>(from, i),
        }
    }
}

/// Calls a function of [`avx_lanes`] with the number of registers for `P` lanes, where the code runs on AVX2 and FMA and the lanes
/// fill whole registers, and returns.
macro_rules! with_avx {
    ($isa:expr, $function:ident::<W $(, $generic:ident)*>($($arg:expr),*)) => {
        #[cfg(target_arch = "x86_64")]
        if FMA {
            // SAFETY: AVX2 and FMA are there as in `dense::partial_sums`, and AVX-512 where an evaluator takes `Isa::Avx512`; the
            // lengths are checked before.
            #[allow(unsafe_code)]
            match (P, $isa) {
                (8, Isa::Avx512) => {
                    return unsafe { avx_lanes::avx512::$function::<1 $(, $generic)*>($($arg),*) };
                }
                (8, _) => return unsafe { avx_lanes::avx2::$function::<2 $(, $generic)*>($($arg),*) },
                (4, _) => return unsafe { avx_lanes::avx2::$function::<1 $(, $generic)*>($($arg),*) },
                _ => {}
            }
        }
    };
}

/// Number of results of a product that stay in registers.
const BLOCK: usize = 8;

/// Checks the shapes of a product with rows of `n` values for each of `m` components, and with y of `len` components.
#[inline(always)]
fn check_shapes<const P: usize, const OWN: bool>(
    (rows, n, m): (&[f64], usize, usize),
    (start, times): (SumStart, &[f64]),
    len: usize,
) {
    let each = if OWN { P } else { 1 };
    assert!(rows.len() >= each * n * m && (times.is_empty() || times.len() == P * len));
    if let SumStart::Values(from) = start {
        assert!(from.len() == each * len);
    }
}

/// Computes [`super::dense::gemv_transposed`] in every lane: c, `times` and y are `[component][lane]`; rows and the values of
/// `start` are the same in all lanes, or with `OWN` `[weight][lane]`.
#[inline(always)]
pub(crate) fn gemv_transposed<const FMA: bool, const P: usize, const OWN: bool>(
    isa: Isa,
    c: &[f64],
    rows: &[f64],
    start: SumStart,
    times: &[f64],
    y: &mut [f64],
) {
    let n = y.len() / P;
    check_shapes::<P, OWN>((rows, n, c.len() / P), (start, times), n);
    let mut i = 0;
    while i + BLOCK <= n {
        gemv_transposed_block::<FMA, P, BLOCK, OWN>(isa, c, rows, start, times, (n, i), y);
        i += BLOCK;
    }
    while i < n {
        gemv_transposed_block::<FMA, P, 1, OWN>(isa, c, rows, start, times, (n, i), y);
        i += 1;
    }
}

/// Computes `N` results of [`gemv_transposed`], of n, from index `i` on.
#[inline(always)]
#[cfg_attr(not(target_arch = "x86_64"), allow(unused))]
fn gemv_transposed_block<const FMA: bool, const P: usize, const N: usize, const OWN: bool>(
    isa: Isa,
    c: &[f64],
    rows: &[f64],
    start: SumStart,
    times: &[f64],
    (n, i): (usize, usize),
    y: &mut [f64],
) {
    with_avx!(
        isa,
        gemv_transposed_block::<W, N, OWN>(c, rows, start, times, (n, i), y)
    );
    let (c, times, y) = (lanes::<P>(c), lanes::<P>(times), lanes_mut::<P>(y));
    let y = &mut y[i..i + N];
    let mut sums = [[0.0; P]; N];
    for k in 0..N {
        sums[k] = start.lanes::<P, OWN>(i + k, &y[k]);
    }
    for (j, c) in c.iter().enumerate() {
        for (k, sum) in sums.iter_mut().enumerate() {
            axpy::<FMA, P>(&weight::<P, OWN>(rows, j * n + i + k), c, sum);
        }
    }
    if let Some(times) = times.get(i..i + N) {
        for (sum, times) in sums.iter_mut().zip(times) {
            for p in 0..P {
                sum[p] *= times[p];
            }
        }
    }
    y.copy_from_slice(&sums);
}

/// Computes [`super::dense::gemv`] in every lane: x, `times` and y are `[component][lane]`; rows and the values of `start` are the
/// same in all lanes, or with `OWN` `[weight][lane]`.
#[inline(always)]
#[cfg_attr(not(target_arch = "x86_64"), allow(unused))]
pub(crate) fn gemv<const FMA: bool, const P: usize, const OWN: bool>(
    isa: Isa,
    rows: &[f64],
    x: &[f64],
    start: SumStart,
    times: &[f64],
    y: &mut [f64],
) {
    let (n, m) = (x.len() / P, y.len() / P);
    check_shapes::<P, OWN>((rows, n, m), (start, times), m);
    with_avx!(isa, gemv::<W, OWN>(rows, x, start, times, y));
    let (x, times, y) = (lanes::<P>(x), lanes::<P>(times), lanes_mut::<P>(y));
    for (j, y) in y.iter_mut().enumerate() {
        let dot = dot::<FMA, P, OWN>(rows, j * n, x);
        let mut sum = start.lanes::<P, OWN>(j, y);
        add(&dot, &mut sum);
        if let Some(times) = times.get(j) {
            for p in 0..P {
                sum[p] *= times[p];
            }
        }
        *y = sum;
    }
}

/// Returns [`super::dense::dot`] of the row of weights from index `row` on with every lane of x.
#[inline(always)]
fn dot<const FMA: bool, const P: usize, const OWN: bool>(
    weights: &[f64],
    row: usize,
    x: &[[f64; P]],
) -> [f64; P] {
    let term = |j: usize, sum: &mut [f64; P]| {
        axpy::<FMA, P>(&weight::<P, OWN>(weights, row + j), &x[j], sum);
    };
    let mut sums = [[0.0; P]; LANES];
    let mut j = 0;
    while j + LANES <= x.len() {
        for (k, sum) in sums.iter_mut().enumerate() {
            term(j + k, sum);
        }
        j += LANES;
    }
    if j + HALF <= x.len() {
        for (k, sum) in sums.iter_mut().take(HALF).enumerate() {
            term(j + k, sum);
        }
        j += HALF;
    }
    let mut rest = [0.0; P];
    while j < x.len() {
        term(j, &mut rest);
        j += 1;
    }
    let [a, b, c, d, e, f, g, h] = sums;
    each_lane(|p| ((a[p] + e[p]) + (c[p] + g[p])) + ((b[p] + f[p]) + (d[p] + h[p])) + rest[p])
}

/// Adds an outer product in every lane: M_ji += c_j x_i, and `bar` to the row that follows the matrix.
#[inline(always)]
pub(crate) fn add_outer_with_bias<const FMA: bool, const P: usize>(
    isa: Isa,
    c: &[f64],
    x: &[f64],
    bar: &[f64],
    packed: &mut [f64],
) {
    let (matrix, bias) = packed.split_at_mut(c.len() * x.len() / P);
    super::dense::add(bar, &mut bias[..bar.len()]);
    add_outer::<FMA, P>(isa, c, x, matrix);
}

/// Adds an outer product in every lane: M_ji += c_j x_i.
#[inline(always)]
#[cfg_attr(not(target_arch = "x86_64"), allow(unused))]
fn add_outer<const FMA: bool, const P: usize>(isa: Isa, c: &[f64], x: &[f64], matrix: &mut [f64]) {
    with_avx!(isa, add_outer::<W>(c, x, matrix));
    let (c, x, matrix) = (lanes::<P>(c), lanes::<P>(x), lanes_mut::<P>(matrix));
    for (c, row) in c.iter().zip(matrix.chunks_exact_mut(x.len())) {
        for (x, m) in x.iter().zip(row) {
            for p in 0..P {
                m[p] = fma::<FMA>(c[p], x[p], m[p]);
            }
        }
    }
}
