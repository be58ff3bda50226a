//! Dense linear algebra for small matrices: sums of scaled vectors, inner products.

#[cfg(target_arch = "x86_64")]
use super::avx;
use super::{copy, fma, strong_fma, strong_mul};

/// Number of values that a loop processes at once. A loop over single values is compiled to steps of up to sixteen values, and
/// the remainder of a hidden layer would be processed one value at a time.
pub(crate) const CHUNK: usize = 4;

/// Computes y += a x.
#[inline(always)]
pub(crate) fn axpy<const FMA: bool>(a: f64, x: &[f64], y: &mut [f64]) {
    let (x, x_rest) = x.as_chunks::<CHUNK>();
    let (y, y_rest) = y.as_chunks_mut::<CHUNK>();
    for (y, x) in y.iter_mut().zip(x) {
        for i in 0..CHUNK {
            y[i] = fma::<FMA>(a, x[i], y[i]);
        }
    }
    for (y, &x) in y_rest.iter_mut().zip(x_rest) {
        *y = fma::<FMA>(a, x, *y);
    }
}

/// Computes z = x y, component by component, with 0 where a factor is 0 and the other not finite.
#[inline(always)]
pub(crate) fn mul_elementwise(x: &[f64], y: &[f64], z: &mut [f64]) {
    let (x, x_rest) = x.as_chunks::<CHUNK>();
    let (y, y_rest) = y.as_chunks::<CHUNK>();
    let (z, z_rest) = z.as_chunks_mut::<CHUNK>();
    for ((z, x), y) in z.iter_mut().zip(x).zip(y) {
        for i in 0..CHUNK {
            z[i] = strong_mul(x[i], y[i]);
        }
    }
    for ((z, &x), &y) in z_rest.iter_mut().zip(x_rest).zip(y_rest) {
        *z = strong_mul(x, y);
    }
}

/// Computes z += x y, component by component, adding 0 where a factor is 0 and the other not finite.
#[inline(always)]
pub(crate) fn add_mul_elementwise<const FMA: bool>(x: &[f64], y: &[f64], z: &mut [f64]) {
    let (x, x_rest) = x.as_chunks::<CHUNK>();
    let (y, y_rest) = y.as_chunks::<CHUNK>();
    let (z, z_rest) = z.as_chunks_mut::<CHUNK>();
    for ((z, x), y) in z.iter_mut().zip(x).zip(y) {
        for i in 0..CHUNK {
            z[i] = strong_fma::<FMA>(x[i], y[i], z[i]);
        }
    }
    for ((z, &x), &y) in z_rest.iter_mut().zip(x_rest).zip(y_rest) {
        *z = strong_fma::<FMA>(x, y, *z);
    }
}

/// Computes y += x.
#[inline(always)]
pub(crate) fn add(x: &[f64], y: &mut [f64]) {
    let (x, x_rest) = x.as_chunks::<CHUNK>();
    let (y, y_rest) = y.as_chunks_mut::<CHUNK>();
    for (y, x) in y.iter_mut().zip(x) {
        for i in 0..CHUNK {
            y[i] += x[i];
        }
    }
    for (y, &x) in y_rest.iter_mut().zip(x_rest) {
        *y += x;
    }
}

/// Number of partial sums of an inner product.
pub(crate) const LANES: usize = 8;
/// Number of partial sums in a register.
pub(crate) const HALF: usize = LANES / 2;

/// Returns the inner product Σ x_i y_i, by eight partial sums in the same order on every instruction set.
#[inline(always)]
pub(crate) fn dot<const FMA: bool>(x: &[f64], y: &[f64]) -> f64 {
    let n = x.len().min(y.len());
    let [dot] = dot_rows::<FMA, 1>([&x[..n]], &y[..n]);
    dot
}

/// Returns the inner products of several rows, of the length of x, with x, each as [`dot`]. The sums of different rows are
/// independent of each other, and x is read once.
#[inline(always)]
fn dot_rows<const FMA: bool, const ROWS: usize>(rows: [&[f64]; ROWS], x: &[f64]) -> [f64; ROWS] {
    let whole = x.len() / HALF * HALF;
    let (mut starts, mut ends) = (rows, rows);
    for r in 0..ROWS {
        (starts[r], ends[r]) = rows[r][..x.len()].split_at(whole);
    }
    let (x, x_rest) = x.split_at(whole);
    let sums = partial_sums::<FMA, ROWS>(starts, x);
    let mut dots = [0.0; ROWS];
    for r in 0..ROWS {
        let mut rest = 0.0;
        for (&row, &x) in ends[r].iter().zip(x_rest) {
            rest = fma::<FMA>(row, x, rest);
        }
        let [a, b, c, d, e, f, g, h] = sums[r];
        dots[r] = ((a + e) + (c + g)) + ((b + f) + (d + h)) + rest;
    }
    dots
}

/// Returns the partial sums of the inner products of rows with x, whose length is a multiple of four: eight values at a time, and
/// four remaining ones to the first four sums.
#[inline(always)]
fn partial_sums<const FMA: bool, const ROWS: usize>(
    rows: [&[f64]; ROWS],
    x: &[f64],
) -> [[f64; LANES]; ROWS] {
    #[cfg(target_arch = "x86_64")]
    if FMA {
        // SAFETY: on x86-64 `FMA` is true only in code that is compiled for processors with FMA, and so AVX, and runs only on
        // those; the rows are as long as x.
        #[allow(unsafe_code)]
        return unsafe { avx::partial_sums(rows, x) };
    }
    let mut sums = [[0.0; LANES]; ROWS];
    let (x, x_left) = x.as_chunks::<LANES>();
    for (sums, row) in sums.iter_mut().zip(rows) {
        let (row, row_left) = row.as_chunks::<LANES>();
        for (row, x) in row.iter().zip(x) {
            for i in 0..LANES {
                sums[i] = fma::<FMA>(row[i], x[i], sums[i]);
            }
        }
        for ((sum, row), x) in sums.iter_mut().zip(row_left).zip(x_left) {
            *sum = fma::<FMA>(*row, *x, *sum);
        }
    }
    sums
}

/// Largest number of entries of a matrix that is read in strips of columns; a larger one is faster read row after row.
#[cfg(target_arch = "x86_64")]
const MAX_CACHED_ENTRIES: usize = 16_384;

/// Returns row j of a matrix with rows of length n.
#[inline(always)]
fn row(rows: &[f64], n: usize, j: usize) -> &[f64] {
    &rows[j * n..(j + 1) * n]
}

/// The initial value of a sum.
#[derive(Debug, Clone, Copy)]
pub(crate) enum SumStart<'a> {
    /// Zero.
    Zero,
    /// The current value of the result.
    Current,
    /// Other values, as many as the result has.
    Values(&'a [f64]),
}

impl SumStart<'_> {
    /// Writes the initial value into `y`.
    #[inline(always)]
    fn initialize(self, y: &mut [f64]) {
        match self {
            SumStart::Zero => y.fill(0.0),
            SumStart::Current => {}
            SumStart::Values(from) => copy(from, y),
        }
    }
}

/// Computes y = y · times, component by component, where `times` is not empty.
#[inline(always)]
fn mul_assign_elementwise(times: &[f64], y: &mut [f64]) {
    for (y, t) in y.iter_mut().zip(times) {
        *y *= t;
    }
}

/// Computes y = start + Σ_j c_j M_j with rows M_j of length `y.len()`, in the order of j, then multiplies y by `times`,
/// component by component, where that is not empty.
#[inline(always)]
pub(crate) fn gemv_transposed<const FMA: bool>(
    c: &[f64],
    rows: &[f64],
    start: SumStart,
    times: &[f64],
    y: &mut [f64],
) {
    #[cfg(target_arch = "x86_64")]
    if FMA && c.len() * y.len() <= MAX_CACHED_ENTRIES {
        assert!(rows.len() >= c.len() * y.len());
        assert!(times.is_empty() || times.len() == y.len());
        if let SumStart::Values(from) = start {
            assert!(from.len() == y.len());
        }
        // SAFETY: AVX and FMA are there as in `partial_sums`; there is a row for each c, and `start` and `times` are as long as
        // y.
        #[allow(unsafe_code)]
        return unsafe { avx::gemv_transposed(c, rows, start, times, y) };
    }
    start.initialize(y);
    let n = y.len();
    let mut j = 0;
    // Four rows at a time, so that y is read and written less often.
    while j + 4 <= c.len() {
        let (r0, r1) = (row(rows, n, j), row(rows, n, j + 1));
        let (r2, r3) = (row(rows, n, j + 2), row(rows, n, j + 3));
        let (c0, c1, c2, c3) = (c[j], c[j + 1], c[j + 2], c[j + 3]);
        for ((((y, &a), &b), &d), &e) in y.iter_mut().zip(r0).zip(r1).zip(r2).zip(r3) {
            *y = fma::<FMA>(
                c3,
                e,
                fma::<FMA>(c2, d, fma::<FMA>(c1, b, fma::<FMA>(c0, a, *y))),
            );
        }
        j += 4;
    }
    for (j, &c) in c.iter().enumerate().skip(j) {
        axpy::<FMA>(c, row(rows, n, j), y);
    }
    mul_assign_elementwise(times, y);
}

/// Computes y_j = start_j + M_j · x for each row M_j of length `x.len()`, several rows at a time, then multiplies y by `times`,
/// component by component, where that is not empty.
#[inline(always)]
pub(crate) fn gemv<const FMA: bool>(
    rows: &[f64],
    x: &[f64],
    start: SumStart,
    times: &[f64],
    y: &mut [f64],
) {
    start.initialize(y);
    add_gemv::<FMA>(rows, x, y);
    mul_assign_elementwise(times, y);
}

#[inline(always)]
fn add_gemv<const FMA: bool>(rows: &[f64], x: &[f64], y: &mut [f64]) {
    let row = |j: usize| row(rows, x.len(), j);
    let mut j = 0;
    while j + 4 <= y.len() {
        add_sums(
            dot_rows::<FMA, 4>([row(j), row(j + 1), row(j + 2), row(j + 3)], x),
            &mut y[j..],
        );
        j += 4;
    }
    match y.len() - j {
        3 => add_sums(
            dot_rows::<FMA, 3>([row(j), row(j + 1), row(j + 2)], x),
            &mut y[j..],
        ),
        2 => add_sums(dot_rows::<FMA, 2>([row(j), row(j + 1)], x), &mut y[j..]),
        1 => y[j] += dot::<FMA>(row(j), x),
        _ => {}
    }
}

#[inline(always)]
fn add_sums<const N: usize>(sums: [f64; N], y: &mut [f64]) {
    for (y, sum) in y.iter_mut().zip(sums) {
        *y += sum;
    }
}
