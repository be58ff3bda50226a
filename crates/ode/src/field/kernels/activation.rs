//! Activations and other elementary functions: value and derivative together.

use super::super::op::Unary;
#[cfg(target_arch = "x86_64")]
use super::avx_gelu;
use super::exp::{exp, exp_parts, exp_parts_of_product};
use super::normal_tail::{INV_SQRT_2PI, TAIL_CUTOFF, TAIL_DENOMINATOR, TAIL_NUMERATOR};
use super::{Isa, fma, polynomial};

/// Returns Φ(x) and φ(x), the normal distribution function and its density, each to a relative error of about two units in the
/// last place, without branches.
#[inline(always)]
pub(crate) fn normal_cdf_pdf<const FMA: bool>(x: f64) -> (f64, f64) {
    // A comparison, not `min`, so that NaN stays NaN.
    let a = if x.abs() > TAIL_CUTOFF {
        TAIL_CUTOFF
    } else {
        x.abs()
    };
    let square = a * a;
    // In exp(−a²/2) the exact a² is used, not the rounded one.
    let e = if FMA {
        let (e, scale) = exp_parts_of_product(-0.5 * a, a, -0.5 * square);
        e.mul_add(scale, scale)
    } else {
        // high² is exact.
        let high = f64::from_bits(a.to_bits() & 0xffff_ffff_f800_0000);
        let rest = high * high - square + (a - high) * (a + high);
        let (e, scale) = exp_parts::<FMA>(-0.5 * square);
        let e = (e + 1.0) * scale;
        e - e * (0.5 * rest)
    };
    let e = if x.abs() > TAIL_CUTOFF { 0.0 } else { e };
    let tail = e * polynomial::<FMA, 10>(&TAIL_NUMERATOR, a, square)
        / polynomial::<FMA, 11>(&TAIL_DENOMINATOR, a, square);
    let cdf = if x.is_sign_negative() {
        tail
    } else {
        1.0 - tail
    };
    (cdf, e * INV_SQRT_2PI)
}

/// Computes [`gelu`] of many numbers, its derivative into `d`, which may be empty.
#[inline(always)]
#[cfg_attr(not(target_arch = "x86_64"), allow(unused))]
fn gelu_slice<const FMA: bool>(isa: Isa, x: &[f64], y: &mut [f64], d: &mut [f64]) {
    let mut done = 0;
    #[cfg(target_arch = "x86_64")]
    if FMA {
        // SAFETY: on x86-64 `FMA` is true only in code that is compiled for processors with AVX2 and FMA, and runs only on those;
        // an evaluator takes `Isa::Avx512` only where the processor has it.
        #[allow(unsafe_code)]
        unsafe {
            done = match (isa, d.is_empty()) {
                (Isa::Avx512, true) => avx_gelu::avx512::gelu::<false>(x, y, d),
                (Isa::Avx512, false) => avx_gelu::avx512::gelu::<true>(x, y, d),
                (_, true) => avx_gelu::avx2::gelu::<false>(x, y, d),
                (_, false) => avx_gelu::avx2::gelu::<true>(x, y, d),
            };
        }
    }
    for (i, &x) in x.iter().enumerate().skip(done) {
        let (value, derivative) = gelu::<FMA>(x);
        y[i] = value;
        if let Some(d) = d.get_mut(i) {
            *d = derivative;
        }
    }
}

/// Returns the exact GELU x Φ(x) and its derivative Φ(x) + x φ(x).
#[inline(always)]
fn gelu<const FMA: bool>(x: f64) -> (f64, f64) {
    let (cdf, density) = normal_cdf_pdf::<FMA>(x);
    (x * cdf, fma::<FMA>(x, density, cdf))
}

/// Returns σ(x), without overflow, and its derivative σ(x) σ(−x).
#[inline(always)]
fn sigmoid<const FMA: bool>(x: f64) -> (f64, f64) {
    let e = exp::<FMA>(-x.abs());
    let r = 1.0 / (1.0 + e);
    let y = if x < 0.0 { e * r } else { r };
    (y, e * r * r)
}

/// Returns tanh(x) = −(e^{−2|x|} − 1)/(e^{−2|x|} + 1) with the sign of x, accurate near zero too, and its derivative.
#[inline(always)]
fn tanh<const FMA: bool>(x: f64) -> (f64, f64) {
    // Beyond 20 tanh is 1 in float64.
    let a = if x.abs() > 20.0 { 20.0 } else { x.abs() };
    let (e, scale) = exp_parts::<FMA>(-2.0 * a);
    let below = fma::<FMA>(e, scale, scale - 1.0);
    let r = 1.0 / (2.0 + below);
    // 1 − tanh² = 4 e^{−2a}/(e^{−2a} + 1)².
    ((-below * r).copysign(x), 4.0 * (below + 1.0) * r * r)
}

/// Returns erf(x), for |x| < ½ by its Taylor series and elsewhere by the normal tail, and its derivative 2/√π e^{−x²}.
fn erf(x: f64) -> (f64, f64) {
    let derivative = std::f64::consts::FRAC_2_SQRT_PI * (-x * x).exp();
    if x.abs() < 0.5 {
        let (mut sum, mut power) = (0.0, x);
        for n in 0..16 {
            sum += power / f64::from(2 * n + 1);
            power *= -x * x / f64::from(n + 1);
        }
        return (std::f64::consts::FRAC_2_SQRT_PI * sum, derivative);
    }
    let (cdf, _) = normal_cdf_pdf::<false>(-std::f64::consts::SQRT_2 * x.abs());
    ((1.0 - 2.0 * cdf).copysign(x), derivative)
}

/// Fills `y` with f(x) and, where it is not empty, `d` with f′(x). With `FMA` the instruction set is that of the running code.
#[inline(always)]
pub(crate) fn unary<const FMA: bool>(isa: Isa, f: Unary, x: &[f64], y: &mut [f64], d: &mut [f64]) {
    macro_rules! each {
        (|$x:ident| $value:expr, $derivative:expr) => {{
            for (y, &$x) in y.iter_mut().zip(x) {
                *y = $value;
            }
            for ((d, &x), &y) in d.iter_mut().zip(x).zip(&*y) {
                #[allow(unused_variables)]
                let $x = x;
                *d = $derivative(y);
            }
        }};
        (fused $function:expr) => {{
            if d.is_empty() {
                for (y, &x) in y.iter_mut().zip(x) {
                    *y = $function(x).0;
                }
            } else {
                for ((y, d), &x) in y.iter_mut().zip(d.iter_mut()).zip(x) {
                    (*y, *d) = $function(x);
                }
            }
        }};
    }
    match f {
        Unary::Neg => each!(|x| -x, |_| -1.0),
        Unary::Abs => each!(|x| x.abs(), |_| sign(x)),
        Unary::Sign => each!(|x| sign(x), |_| 0.0),
        Unary::Sqrt => each!(|x| x.sqrt(), |y| 0.5 / y),
        Unary::Square => each!(|x| x * x, |_| 2.0 * x),
        Unary::Exp => each!(|x| x.exp(), |y| y),
        Unary::Expm1 => each!(|x| x.exp_m1(), |y| y + 1.0),
        Unary::Log => each!(|x| x.ln(), |_| 1.0 / x),
        Unary::Log1p => each!(|x| x.ln_1p(), |_| 1.0 / (1.0 + x)),
        Unary::Log10 => each!(|x| x.log10(), |_| std::f64::consts::LOG10_E / x),
        Unary::Sin => each!(|x| x.sin(), |_| x.cos()),
        Unary::Cos => each!(|x| x.cos(), |_| -x.sin()),
        Unary::Tan => each!(|x| x.tan(), |y: f64| 1.0 + y * y),
        Unary::Asin => each!(|x| x.asin(), |_| 1.0 / ((1.0 - x) * (1.0 + x)).sqrt()),
        Unary::Acos => each!(|x| x.acos(), |_| -1.0 / ((1.0 - x) * (1.0 + x)).sqrt()),
        Unary::Atan => each!(|x| x.atan(), |_| 1.0 / (1.0 + x * x)),
        Unary::Sinh => each!(|x| x.sinh(), |_| x.cosh()),
        Unary::Cosh => each!(|x| x.cosh(), |_| x.sinh()),
        Unary::Tanh => each!(fused tanh::<FMA>),
        Unary::Asinh => each!(|x| x.asinh(), |_| 1.0 / x.hypot(1.0)),
        Unary::Acosh => each!(|x| x.acosh(), |_| 1.0 / ((x - 1.0) * (x + 1.0)).sqrt()),
        Unary::Atanh => each!(|x| x.atanh(), |_| 1.0 / ((1.0 - x) * (1.0 + x))),
        Unary::Erf => each!(fused erf),
        Unary::Floor => each!(|x| x.floor(), |_| 0.0),
        Unary::Ceil => each!(|x| x.ceil(), |_| 0.0),
        Unary::Gelu => gelu_slice::<FMA>(isa, x, y, d),
        Unary::Relu => each!(|x| if x < 0.0 { 0.0 } else { x }, |_| if x > 0.0 {
            1.0
        } else {
            0.0
        }),
        Unary::Silu => each!(fused | x: f64 | {
            let (s, ds) = sigmoid::<FMA>(x);
            // There x σ(x) is smaller than any number, and σ as computed is not.
            let x = if x < -745.0 { -0.0 } else { x };
            (x * s, fma::<FMA>(x, ds, s))
        }),
        Unary::Softplus => each!(fused | x: f64 | {
            let y = x.max(0.0) + (-x.abs()).exp().ln_1p();
            (if x.is_nan() { x } else { y }, sigmoid::<FMA>(x).0)
        }),
        Unary::Sigmoid => each!(fused sigmoid::<FMA>),
    }
}

/// Fills `dd` with f″(x), given y = f(x) and d = f′(x).
#[inline(always)]
pub(crate) fn second_derivative<const FMA: bool>(
    f: Unary,
    x: &[f64],
    y: &[f64],
    d: &[f64],
    dd: &mut [f64],
) {
    #[inline(always)]
    fn each((x, y, d): (&[f64], &[f64], &[f64]), dd: &mut [f64], f: impl Fn(f64, f64, f64) -> f64) {
        for (((dd, &x), &y), &d) in dd.iter_mut().zip(x).zip(y).zip(d) {
            *dd = f(x, y, d);
        }
    }
    let at = (x, y, d);
    match f {
        Unary::Neg | Unary::Abs | Unary::Sign | Unary::Floor | Unary::Ceil | Unary::Relu => {
            dd.fill(0.0)
        }
        Unary::Square => dd.fill(2.0),
        Unary::Sqrt => each(at, dd, |x, _, d| -0.5 * d / x),
        Unary::Exp | Unary::Sinh | Unary::Cosh => dd.copy_from_slice(y),
        Unary::Expm1 => each(at, dd, |_, y, _| y + 1.0),
        Unary::Log | Unary::Log1p => each(at, dd, |_, _, d| -d * d),
        Unary::Log10 => each(at, dd, |x, _, d| -d / x),
        Unary::Sin | Unary::Cos => each(at, dd, |_, y, _| -y),
        Unary::Tan => each(at, dd, |_, y, d| 2.0 * y * d),
        Unary::Asin | Unary::Acos => each(at, dd, |x, _, d| x * d * d * d),
        Unary::Atan => each(at, dd, |x, _, d| -2.0 * x * d * d),
        Unary::Tanh => each(at, dd, |_, y, d| -2.0 * y * d),
        Unary::Asinh | Unary::Acosh => each(at, dd, |x, _, d| -x * d * d * d),
        Unary::Atanh => each(at, dd, |x, _, d| 2.0 * x * d * d),
        Unary::Erf => each(at, dd, |x, _, d| -2.0 * x * d),
        Unary::Gelu => each(at, dd, |x, _, _| gelu_second_derivative::<FMA>(x)),
        Unary::Silu => each(at, dd, |x, _, _| {
            let (s, ds) = sigmoid::<FMA>(x);
            // So that the result is 0, not ∞ · 0, where σ′ vanishes.
            let x = if x.abs() > 800.0 {
                800.0_f64.copysign(x)
            } else {
                x
            };
            ds * fma::<FMA>(x, 1.0 - 2.0 * s, 2.0)
        }),
        Unary::Softplus => each(at, dd, |x, _, _| sigmoid::<FMA>(x).1),
        Unary::Sigmoid => each(at, dd, |_, y, d| d * (1.0 - 2.0 * y)),
    }
}

/// Returns φ(x) (2 − x²), the second derivative of GELU.
#[inline(always)]
fn gelu_second_derivative<const FMA: bool>(x: f64) -> f64 {
    if x.abs() > TAIL_CUTOFF {
        return 0.0;
    }
    let square = x * x;
    exp::<FMA>(-0.5 * square) * INV_SQRT_2PI * (2.0 - square)
}

#[inline(always)]
fn sign(x: f64) -> f64 {
    if x > 0.0 {
        1.0
    } else if x < 0.0 {
        -1.0
    } else {
        0.0 * x
    }
}

impl Unary {
    /// Returns f(x).
    pub fn value(self, x: f64) -> f64 {
        let mut y = [0.0];
        unary::<false>(Isa::Portable, self, &[x], &mut y, &mut []);
        y[0]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_distribution_to_the_last_digits() {
        // x, Φ(x) from 40-digit arithmetic (mpmath.ncdf).
        let table = [
            (0.0, 0.5),
            (0.5, 0.691_462_461_274_013_103_6),
            (-0.5, 0.308_537_538_725_986_896_4),
            (1.0, 0.841_344_746_068_542_948_6),
            (-2.0, 0.022_750_131_948_179_207_2),
            (-5.0, 2.866_515_718_791_939_116_7e-7),
            (-10.0, 7.619_853_024_160_526_065_97e-24),
            (-20.0, 2.753_624_118_606_233_695_1e-89),
            (-25.0, 3.056_696_706_382_560_916_4e-138),
            (-26.01, 0.0),
        ];
        for (x, want) in table {
            for (cdf, _) in [normal_cdf_pdf::<false>(x), normal_cdf_pdf::<true>(x)] {
                assert!((cdf - want).abs() <= 1e-15 * want, "{x}: {cdf:e} {want:e}");
            }
        }
        assert!(normal_cdf_pdf::<false>(f64::NAN).0.is_nan());
    }

    #[test]
    fn every_derivative_agrees_with_finite_differences() {
        for &f in Unary::ALL {
            let xs: Vec<f64> = match f {
                Unary::Acosh => vec![1.3, 2.0, 9.0],
                Unary::Asin | Unary::Acos | Unary::Atanh => vec![-0.9, -0.3, 0.2, 0.7],
                Unary::Sqrt | Unary::Log | Unary::Log10 => vec![0.1, 0.9, 4.0],
                Unary::Log1p => vec![-0.6, 0.3, 5.0],
                _ => vec![-6.3, -2.2, -0.7, -0.1, 0.3, 0.8, 1.9, 4.4],
            };
            let value = |x: f64| {
                let mut y = [0.0];
                unary::<false>(Isa::Portable, f, &[x], &mut y, &mut []);
                y[0]
            };
            for x in xs {
                let (mut y, mut d) = ([0.0], [0.0]);
                unary::<false>(Isa::Portable, f, &[x], &mut y, &mut d);
                assert_eq!(y[0], value(x));
                let h = 1e-3;
                let fd = (8.0 * (value(x + h) - value(x - h))
                    - (value(x + 2.0 * h) - value(x - 2.0 * h)))
                    / (12.0 * h);
                assert!(
                    (fd - d[0]).abs() < 1e-8 * (1.0 + d[0].abs()),
                    "{f:?} at {x}: {fd} {}",
                    d[0]
                );
            }
        }
    }

    #[test]
    fn every_second_derivative_agrees_with_finite_differences() {
        for &f in Unary::ALL {
            let xs: Vec<f64> = match f {
                Unary::Acosh => vec![1.3, 2.0, 9.0],
                Unary::Asin | Unary::Acos | Unary::Atanh => vec![-0.8, -0.3, 0.2, 0.7],
                Unary::Sqrt | Unary::Log | Unary::Log10 => vec![0.3, 0.9, 4.0],
                Unary::Log1p => vec![-0.6, 0.3, 5.0],
                _ => vec![-6.3, -2.2, -0.7, -0.1, 0.3, 0.8, 1.9, 4.4],
            };
            let slope = |x: f64| {
                let (mut y, mut d) = ([0.0], [0.0]);
                unary::<false>(Isa::Portable, f, &[x], &mut y, &mut d);
                (y[0], d[0])
            };
            for x in xs {
                let (y, d) = slope(x);
                let mut dd = [0.0];
                second_derivative::<true>(f, &[x], &[y], &[d], &mut dd);
                let h = 1e-3;
                let fd = (8.0 * (slope(x + h).1 - slope(x - h).1)
                    - (slope(x + 2.0 * h).1 - slope(x - 2.0 * h).1))
                    / (12.0 * h);
                assert!(
                    (fd - dd[0]).abs() < 2e-8 * (1.0 + dd[0].abs()),
                    "{f:?} at {x}: {fd} {}",
                    dd[0]
                );
            }
        }
        for f in [
            Unary::Gelu,
            Unary::Silu,
            Unary::Sigmoid,
            Unary::Tanh,
            Unary::Softplus,
        ] {
            for x in [-1e200, 1e200] {
                let (mut y, mut d, mut dd) = ([0.0], [0.0], [1.0]);
                unary::<false>(Isa::Portable, f, &[x], &mut y, &mut d);
                second_derivative::<false>(f, &[x], &y, &d, &mut dd);
                assert!(dd[0].abs() < 1e-290, "{f:?} at {x}: {}", dd[0]);
            }
        }
    }

    #[test]
    fn functions_that_vanish_far_below_zero_are_zero_there() {
        for f in [Unary::Silu, Unary::Gelu, Unary::Softplus, Unary::Sigmoid] {
            for x in [-746.0, -1e10, -1e300] {
                let (mut y, mut d) = ([1.0], [1.0]);
                unary::<false>(Isa::Portable, f, &[x], &mut y, &mut d);
                assert!(
                    y[0].abs() < 1e-300 && d[0].abs() < 1e-300,
                    "{f:?} at {x}: {y:?} {d:?}"
                );
            }
        }
    }

    #[test]
    fn gelu_of_many_has_the_bits_of_single_ones() {
        let mut x: Vec<f64> = (-8000..8000).map(|i| f64::from(i) * 0.005_01).collect();
        x.extend([0.0, -0.0, f64::INFINITY, f64::NEG_INFINITY, 1e300, 1e-300]);
        for isa in [Isa::Avx2, Isa::Avx512] {
            if !isa.available() {
                continue;
            }
            for length in (0..24).chain([x.len()]) {
                let (mut y, mut d) = (vec![7.0; length], vec![7.0; length]);
                gelu_slice::<true>(isa, &x[..length], &mut y, &mut d);
                let mut alone = vec![7.0; length];
                gelu_slice::<true>(isa, &x[..length], &mut alone, &mut []);
                for (i, &x) in x[..length].iter().enumerate() {
                    let bits = |(y, d): (f64, f64)| (y.to_bits(), d.to_bits());
                    assert_eq!(bits((y[i], d[i])), bits(gelu::<true>(x)), "{x}");
                    assert_eq!(alone[i].to_bits(), y[i].to_bits(), "{x}");
                }
            }
        }
    }

    #[test]
    fn nan_stays_nan() {
        for &f in Unary::ALL {
            let (mut y, mut d) = ([0.0], [0.0]);
            unary::<false>(Isa::Portable, f, &[f64::NAN], &mut y, &mut d);
            assert!(y[0].is_nan(), "{f:?}");
        }
    }
}
