//! Sums of a step's stages, and the norm of its error, for samples side by side, each of its own step size. As for a sample alone,
//! products are rounded before they are added, and terms whose coefficient is zero are left out.

use super::super::kernels::each_lane;
use super::super::kernels::sample_lanes::{lanes, lanes_mut};

/// Number of components whose sums stay in registers.
const BLOCK: usize = 4;

/// Calls `$block` with the index of each block of up to [`BLOCK`] of `n` components; its length is a constant.
macro_rules! in_blocks {
    ($n:expr, $block:ident::<$p:ident>($($arg:expr),*)) => {
        for i in (0..$n).step_by(BLOCK) {
            match $n - i {
                1 => $block::<1, $p>(i, $($arg),*),
                2 => $block::<2, $p>(i, $($arg),*),
                3 => $block::<3, $p>(i, $($arg),*),
                _ => $block::<BLOCK, $p>(i, $($arg),*),
            }
        }
    };
}

/// The slopes of a step: its size h in every lane, their coefficients a, and k, `[slope][component][lane]`.
#[derive(Clone, Copy)]
pub struct Slopes<'a, const P: usize> {
    /// Step size.
    pub h: &'a [f64; P],
    /// Coefficient of each slope.
    pub a: &'a [f64],
    /// Slopes.
    pub k: &'a [f64],
}

impl<const P: usize> Slopes<'_, P> {
    /// Adds `h Σ_j a_j k_j` to `N` of n components, from component `i` on.
    #[inline(always)]
    fn add_to<const N: usize>(&self, (n, i): (usize, usize), sums: &mut [[f64; P]; N]) {
        let Slopes { h, a, k } = self;
        for (a, k) in a.iter().zip(lanes::<P>(k).chunks_exact(n)) {
            add_scaled(h, *a, &k[i..i + N], sums);
        }
    }
}

/// The sum of a state and slopes.
pub(super) mod weighted_sum {
    use super::{BLOCK, Slopes, lanes, lanes_mut};

    /// Computes `out = u + h Σ_j a_j k_j` in every lane.
    #[inline(always)]
    pub fn run<const FMA: bool, const P: usize>(u: &[f64], slopes: &Slopes<P>, out: &mut [f64]) {
        let (u, out) = (lanes::<P>(u), lanes_mut::<P>(out));
        in_blocks!(u.len(), block::<P>(u, slopes, out));
    }

    #[inline(always)]
    fn block<const N: usize, const P: usize>(
        i: usize,
        u: &[[f64; P]],
        slopes: &Slopes<P>,
        out: &mut [[f64; P]],
    ) {
        let mut sums = [[0.0; P]; N];
        sums.copy_from_slice(&u[i..i + N]);
        slopes.add_to((u.len(), i), &mut sums);
        out[i..i + N].copy_from_slice(&sums);
    }
}

/// The norm of the error of a step.
pub(super) mod error_norm {
    use super::{BLOCK, Slopes, lanes};

    /// The states at both ends of a step, `[component][lane]`, and the tolerances: relative, and absolute of all components or of each.
    #[derive(Clone, Copy)]
    pub struct StepEnds<'a> {
        /// State before the step.
        pub u: &'a [f64],
        /// State after it.
        pub next: &'a [f64],
        /// Relative tolerance.
        pub rtol: f64,
        /// Absolute tolerance, `[1]` or `[component]`.
        pub atol: &'a [f64],
    }

    /// Computes the root mean square of `e / (atol + rtol max(|u|, |next|))` in every lane, where the error e is `h Σ_j a_j k_j`.
    #[inline(always)]
    pub fn run<const FMA: bool, const P: usize>(
        ends: &StepEnds,
        slopes: &Slopes<P>,
        norms: &mut [f64; P],
    ) {
        let n = ends.u.len() / P;
        *norms = [0.0; P];
        in_blocks!(n, block::<P>(n, ends, slopes, norms));
        for norm in norms {
            *norm = (*norm / n as f64).sqrt();
        }
    }

    /// Adds the squares of `N` components.
    #[inline(always)]
    fn block<const N: usize, const P: usize>(
        i: usize,
        n: usize,
        ends: &StepEnds,
        slopes: &Slopes<P>,
        sum: &mut [f64; P],
    ) {
        let (u, next) = (lanes::<P>(ends.u), lanes::<P>(ends.next));
        let mut errors = [[0.0; P]; N];
        slopes.add_to((n, i), &mut errors);
        for (j, error) in (i..).zip(&errors) {
            let atol = ends.atol[if ends.atol.len() == 1 { 0 } else { j }];
            for p in 0..P {
                let r = error[p] / (atol + ends.rtol * u[j][p].abs().max(next[j][p].abs()));
                sum[p] += r * r;
            }
        }
    }
}

/// Which lanes hold finite numbers alone.
pub(super) mod all_finite {
    use super::lanes;

    /// Sets whether all components of each lane are finite.
    #[inline(always)]
    pub fn run<const FMA: bool, const P: usize>(x: &[f64], finite: &mut [bool; P]) {
        // Zero times a number is zero unless it is infinite or NaN; so the lanes stay in registers.
        let mut zeros = [0.0; P];
        for x in lanes::<P>(x) {
            for p in 0..P {
                zeros[p] += 0.0 * x[p];
            }
        }
        for p in 0..P {
            finite[p] = zeros[p] == 0.0;
        }
    }
}

/// The transpose of [`weighted_sum`].
pub(super) mod add_outer {
    use super::{add_scaled, lanes, lanes_mut};

    /// Computes `to_j += h a_j x` for the jth block of `to` in every lane.
    #[inline(always)]
    pub fn run<const FMA: bool, const P: usize>(
        h: &[f64; P],
        a: &[f64],
        x: &[f64],
        to: &mut [f64],
    ) {
        let (x, to) = (lanes::<P>(x), lanes_mut::<P>(to));
        for (a, to) in a.iter().zip(to.chunks_exact_mut(x.len())) {
            add_scaled(h, *a, x, to);
        }
    }
}

/// Computes `to += h a x` in every lane, unless a = 0.
#[inline(always)]
fn add_scaled<const P: usize>(h: &[f64; P], a: f64, x: &[[f64; P]], to: &mut [[f64; P]]) {
    if a == 0.0 {
        return;
    }
    let scale: [f64; P] = each_lane(|p| h[p] * a);
    for (to, x) in to.iter_mut().zip(x) {
        for p in 0..P {
            to[p] += scale[p] * x[p];
        }
    }
}
