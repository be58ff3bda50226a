//! The exponential function without branches, so that loops over it become SIMD code.

use super::fma;

/// eˣ to within about one unit in the last place for −708 ≤ x ≤ 709; x is moved into that range.
///
/// Cody-Waite reduction x = k ln 2 + r, |r| ≤ ln 2 / 2, then the Taylor polynomial of degree 13 (truncation 4e-18).
#[inline(always)]
pub(crate) fn exp<const FMA: bool>(x: f64) -> f64 {
    // Adding 1.5·2⁵² rounds to an integer and leaves it in the low bits.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    const LN2_HIGH: f64 = 0.693_147_180_369_123_8;
    const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    let x = x.clamp(-708.0, 709.0);
    let shifted = fma::<FMA>(x, std::f64::consts::LOG2_E, ROUND);
    let k = shifted - ROUND;
    let r = fma::<FMA>(-k, LN2_LOW, fma::<FMA>(-k, LN2_HIGH, x));
    let mut p = 1.0 / 6_227_020_800.0;
    p = fma::<FMA>(p, r, 1.0 / 479_001_600.0);
    p = fma::<FMA>(p, r, 1.0 / 39_916_800.0);
    p = fma::<FMA>(p, r, 1.0 / 3_628_800.0);
    p = fma::<FMA>(p, r, 1.0 / 362_880.0);
    p = fma::<FMA>(p, r, 1.0 / 40_320.0);
    p = fma::<FMA>(p, r, 1.0 / 5_040.0);
    p = fma::<FMA>(p, r, 1.0 / 720.0);
    p = fma::<FMA>(p, r, 1.0 / 120.0);
    p = fma::<FMA>(p, r, 1.0 / 24.0);
    p = fma::<FMA>(p, r, 1.0 / 6.0);
    p = fma::<FMA>(p, r, 0.5);
    p = fma::<FMA>(p, r * r, r) + 1.0;
    p * f64::from_bits(shifted.to_bits().wrapping_add(1023) << 52)
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
