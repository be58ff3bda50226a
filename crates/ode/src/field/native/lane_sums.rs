//! Sums of a step's stages for samples side by side, each of its own step size. As for a sample alone, products are rounded before
//! they are added, and terms whose coefficient is zero are left out.

use super::super::kernels::each_lane;
use super::super::kernels::sample_lanes::{lanes, lanes_mut};

/// The sum of a state and slopes.
pub(super) mod weighted_sum {
    use super::{add_scaled, lanes, lanes_mut};

    /// Computes `out = u + h Σ_j a_j k_j` in every lane; `k_j` are `[component][lane]`, one after the other.
    #[inline(always)]
    pub fn run<const FMA: bool, const P: usize>(
        u: &[f64],
        h: &[f64; P],
        a: &[f64],
        k: &[f64],
        out: &mut [f64],
    ) {
        out.copy_from_slice(u);
        let (out, k) = (lanes_mut::<P>(out), lanes::<P>(k));
        for (a, k) in a.iter().zip(k.chunks_exact(out.len())) {
            add_scaled(h, *a, k, out);
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
