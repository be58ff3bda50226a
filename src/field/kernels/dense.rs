//! Dense linear algebra of small matrices: sums of scaled vectors and inner products.

use super::fma;

/// y += a x.
#[inline(always)]
pub(crate) fn axpy<const FMA: bool>(a: f64, x: &[f64], y: &mut [f64]) {
    for (y, &x) in y.iter_mut().zip(x) {
        *y = fma::<FMA>(a, x, *y);
    }
}

/// Σ x_i y_i over eight running sums, in the same order on every instruction set.
#[inline(always)]
pub(crate) fn dot<const FMA: bool>(x: &[f64], y: &[f64]) -> f64 {
    const LANES: usize = 8;
    let n = x.len().min(y.len());
    let (x, y) = (&x[..n], &y[..n]);
    let mut sums = [0.0; LANES];
    let (xs, ys) = (x.chunks_exact(LANES), y.chunks_exact(LANES));
    let (x_rest, y_rest) = (xs.remainder(), ys.remainder());
    for (x, y) in xs.zip(ys) {
        for i in 0..LANES {
            sums[i] = fma::<FMA>(x[i], y[i], sums[i]);
        }
    }
    let mut rest = 0.0;
    for (&x, &y) in x_rest.iter().zip(y_rest) {
        rest = fma::<FMA>(x, y, rest);
    }
    let [a, b, c, d, e, f, g, h] = sums;
    ((a + e) + (c + g)) + ((b + f) + (d + h)) + rest
}

/// y += Σ_j c_j M_j, rows M_j of length `y.len()`, four rows at a time so that y is read and written less often.
#[inline(always)]
pub(crate) fn combine_rows<const FMA: bool>(c: &[f64], rows: &[f64], y: &mut [f64]) {
    let n = y.len();
    let mut j = 0;
    while j + 4 <= c.len() {
        let block = &rows[j * n..(j + 4) * n];
        let (r0, rest) = block.split_at(n);
        let (r1, rest) = rest.split_at(n);
        let (r2, r3) = rest.split_at(n);
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
    while j < c.len() {
        axpy::<FMA>(c[j], &rows[j * n..(j + 1) * n], y);
        j += 1;
    }
}

/// y_j += M_j · x for each row M_j of length `x.len()`.
#[inline(always)]
pub(crate) fn row_products<const FMA: bool>(rows: &[f64], x: &[f64], y: &mut [f64]) {
    for (y, row) in y.iter_mut().zip(rows.chunks_exact(x.len())) {
        *y += dot::<FMA>(row, x);
    }
}

/// M_j += c_j x for each row M_j of length `x.len()`.
#[inline(always)]
pub(crate) fn add_outer<const FMA: bool>(c: &[f64], x: &[f64], rows: &mut [f64]) {
    for (&c, row) in c.iter().zip(rows.chunks_exact_mut(x.len())) {
        axpy::<FMA>(c, x, row);
    }
}
