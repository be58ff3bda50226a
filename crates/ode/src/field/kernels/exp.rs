//! The exponential function without branches, so that loops over it become SIMD code.

use super::{fma, polynomial};

/// Coefficients, lowest power first, of the polynomial that approximates (eʳ − 1 − r)/r² for |r| ≤ ln 2 / 2 to 1.3e-17 of eʳ:
/// Chebyshev interpolation in 50-digit arithmetic.
pub(super) const EXP_COEFFICIENTS: [f64; 10] = [
    0.500_000_000_000_000_102_620_9,
    0.166_666_666_666_666_674_558_8,
    0.041_666_666_666_623_991_515_89,
    0.008_333_333_333_330_051_346_372,
    0.001_388_888_891_728_179_330_75,
    0.000_198_412_698_631_059_687_483_9,
    0.000_024_801_521_190_217_727_650_82,
    0.000_002_755_726_837_868_419_287_267,
    2.762_013_871_973_399_556_876e-7,
    2.510_042_415_700_506_678_762e-8,
];

/// Returns p and s of eˣ = (1 + p) s, where s is a power of two and p → 0 as x → 0, for −708 ≤ x ≤ 709.
///
/// Cody-Waite reduction x = k ln 2 + r, |r| ≤ ln 2 / 2, s = 2ᵏ.
#[inline(always)]
pub(crate) fn exp_parts<const FMA: bool>(x: f64) -> (f64, f64) {
    let shifted = fma::<FMA>(x, std::f64::consts::LOG2_E, ROUND);
    let k = shifted - ROUND;
    reduced_parts::<FMA>(shifted, k, fma::<FMA>(-k, LN2_HIGH, x))
}

/// Returns [`exp_parts`] of the exact product a b, which rounds to `product`. It needs fused multiply-add.
#[inline(always)]
pub(crate) fn exp_parts_of_product(a: f64, b: f64, product: f64) -> (f64, f64) {
    let shifted = product.mul_add(std::f64::consts::LOG2_E, ROUND);
    let k = shifted - ROUND;
    // k has eleven bits at most, and so its product is exact.
    reduced_parts::<true>(shifted, k, a.mul_add(b, -(k * LN2_HIGH)))
}

/// Shift 1.5·2⁵²: adding it to a number rounds that to an integer, which is then in the low bits of the sum.
pub(super) const ROUND: f64 = 6_755_399_441_055_744.0;
/// The leading part of ln 2, of 33 bits.
pub(super) const LN2_HIGH: f64 = 0.693_147_180_369_123_8;
/// The rest of ln 2: ln 2 − [`LN2_HIGH`].
pub(super) const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;

/// Returns [`exp_parts`] after the reduction, from x log₂ e + [`ROUND`], the integer k to which x log₂ e is thereby rounded, and
/// x − k [`LN2_HIGH`].
#[inline(always)]
fn reduced_parts<const FMA: bool>(shifted: f64, k: f64, high: f64) -> (f64, f64) {
    let r = fma::<FMA>(-k, LN2_LOW, high);
    let square = r * r;
    let p = fma::<FMA>(
        polynomial::<FMA, 10>(&EXP_COEFFICIENTS, r, square),
        square,
        r,
    );
    let scale = f64::from_bits(shifted.to_bits().wrapping_add(1023) << 52);
    (p, scale)
}

/// Returns eˣ to within about one unit in the last place for −708 ≤ x ≤ 709; x is clamped to that range.
#[inline(always)]
pub(crate) fn exp<const FMA: bool>(x: f64) -> f64 {
    let (p, scale) = exp_parts::<FMA>(x.clamp(-708.0, 709.0));
    (p + 1.0) * scale
}

#[cfg(test)]
mod tests {
    use super::exp;

    #[test]
    fn agrees_with_the_standard_library() {
        let mut worst: f64 = 0.0;
        for i in -70_000..=70_000 {
            let x = f64::from(i) * 0.010_1;
            let (want, got) = (x.exp(), exp::<false>(x));
            worst = worst.max(((got - want) / want).abs());
            worst = worst.max(((exp::<true>(x) - want) / want).abs());
        }
        assert!(worst < 4e-16, "{worst:e}");
        assert!(exp::<false>(-1e300) < 1e-300 && exp::<false>(f64::NAN).is_nan());
    }
}
