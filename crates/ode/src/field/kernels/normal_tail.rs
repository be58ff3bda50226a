//! Coefficients of the tail of the normal distribution, for GELU.

/// Coefficients of P in e^{a²/2} (1 − Φ(a)) = P(a)/Q(a) for 0 ≤ a ≤ 37.7, the rational function of these degrees with the least
/// relative error, 4.8e-17 (Remez in 60-digit arithmetic). Lowest power first; every coefficient is positive, so nothing cancels.
pub const TAIL_NUMERATOR: [f64; 10] = [
    0.499_999_999_999_999_976_110_173,
    0.774_023_563_948_497_900_532_471,
    0.592_815_096_260_015_704_280_510,
    0.288_453_819_076_561_568_702_163,
    0.097_305_170_295_313_937_595_376,
    0.023_502_083_337_211_597_278_120,
    0.004_063_773_170_141_581_689_933,
    0.000_486_727_149_879_691_832_807,
    0.000_036_919_349_324_768_848_285,
    0.000_001_370_811_486_951_789_116,
];
/// Coefficients of Q in the rational function of [`TAIL_NUMERATOR`], lowest power first.
pub const TAIL_DENOMINATOR: [f64; 11] = [
    1.0,
    2.345_931_688_699_851_682_753_404,
    2.557_412_867_632_140_039_909_029,
    1.710_423_556_749_296_963_645_694,
    0.779_552_013_533_846_936_704_578,
    0.253_909_161_334_051_449_582_554,
    0.060_124_158_865_525_995_953_255,
    0.010_278_911_802_788_731_030_513,
    0.001_223_480_150_969_516_943_339,
    0.000_092_543_084_896_070_296_742,
    0.000_003_436_114_832_393_991_655,
];

/// Largest a for which Φ(−a) and φ(a) are computed; beyond it they are below 1e-147 and taken as 0. A network has many units with
/// such negative inputs, and products of such small numbers are subnormal, which some processors compute a hundred times slower.
pub(super) const TAIL_CUTOFF: f64 = 26.0;

/// 1/√(2π).
pub(super) const INV_SQRT_2PI: f64 = 0.398_942_280_401_432_677_94;
