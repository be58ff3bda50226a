//! Sums of scaled vectors of the state's length, optimized for small lengths: two or three components are common.

pub use crate::field::kernels::all_finite;

/// Evaluates an expression of a length as in `with_length!(dof, |n| …)`, in code of its own for each small length, so that no loop over
/// a state of a few variables counts.
macro_rules! with_length {
    ($length:expr, |$n:ident| $call:expr) => {{
        #[allow(unused_macros)]
        macro_rules! at {
            ($constant:literal) => {{
                const LENGTH: usize = $constant;
                let $n = LENGTH;
                $call
            }};
        }
        match $length {
            1 => at!(1),
            2 => at!(2),
            3 => at!(3),
            4 => at!(4),
            $n => $call,
        }
    }};
}
pub(super) use with_length;

/// Computes `out = u + h Σ_j a_j k_j`.
#[inline(always)]
pub(crate) fn weighted_sum(u: &[f64], h: f64, a: &[f64], k: &[f64], dof: usize, out: &mut [f64]) {
    match dof {
        1 => weighted_sum_small::<1>(Some(u), h, a, k, out),
        2 => weighted_sum_small::<2>(Some(u), h, a, k, out),
        3 => weighted_sum_small::<3>(Some(u), h, a, k, out),
        4 => weighted_sum_small::<4>(Some(u), h, a, k, out),
        _ => {
            out.copy_from_slice(u);
            add_weighted_sum(h, a, k, dof, out);
        }
    }
}

/// Computes `out = u + h Σ_j a_j k_j` for N components, where `u` is `out` itself if it is not given. The sums stay in registers.
#[inline(always)]
fn weighted_sum_small<const N: usize>(
    u: Option<&[f64]>,
    h: f64,
    a: &[f64],
    k: &[f64],
    out: &mut [f64],
) {
    let Some(out) = out.as_mut_array::<N>() else {
        return;
    };
    let Some(u) = u.map_or(Some(&*out), |u| u.as_array::<N>()) else {
        return;
    };
    let mut sum = *u;
    for (&a, k) in a.iter().zip(k.as_chunks::<N>().0) {
        if a != 0.0 {
            for i in 0..N {
                sum[i] += h * a * k[i];
            }
        }
    }
    *out = sum;
}

/// Computes `out += h Σ_j a_j k_j`.
#[inline(always)]
pub(crate) fn add_weighted_sum(h: f64, a: &[f64], k: &[f64], dof: usize, out: &mut [f64]) {
    match dof {
        1 => return weighted_sum_small::<1>(None, h, a, k, out),
        2 => return weighted_sum_small::<2>(None, h, a, k, out),
        3 => return weighted_sum_small::<3>(None, h, a, k, out),
        4 => return weighted_sum_small::<4>(None, h, a, k, out),
        _ => {}
    }
    for (&a, k) in a.iter().zip(k.chunks_exact(dof)) {
        if a != 0.0 {
            for (out, k) in out.iter_mut().zip(k) {
                *out += h * a * k;
            }
        }
    }
}

/// Computes `to_i += h a_i x` for the ith block of `to`: the transpose of [`add_weighted_sum`].
#[inline]
pub(crate) fn add_outer(h: f64, a: &[f64], x: &[f64], to: &mut [f64]) {
    for (&a, to) in a.iter().zip(to.chunks_exact_mut(x.len())) {
        if a != 0.0 {
            add_scaled(h * a, x, to);
        }
    }
}

/// Computes `to += from`.
pub(crate) fn add(from: &[f64], to: &mut [f64]) {
    add_scaled(1.0, from, to);
}

/// Computes `to += scale from`; up to three components without the overhead of a loop.
#[inline]
pub(crate) fn add_scaled(scale: f64, from: &[f64], to: &mut [f64]) {
    match (from, &mut *to) {
        ([a], [x]) => *x += scale * a,
        ([a, b], [x, y]) => (*x, *y) = (*x + scale * a, *y + scale * b),
        ([a, b, c], [x, y, z]) => {
            (*x, *y, *z) = (*x + scale * a, *y + scale * b, *z + scale * c);
        }
        _ => {
            for (to, from) in to.iter_mut().zip(from) {
                *to += scale * from;
            }
        }
    }
}
