//! Elementary functions, applied element by element.

use ndarray::ArrayD;
use rhai::{Array as List, Dynamic};

use crate::{Error, Result};

use super::super::convert;
use super::super::error::RhaiResult;
use super::super::host::Host;
use super::super::registry::Registry;
use super::ScriptArray;
use super::arithmetic::{BinaryFn, power, zip_broadcast};

type UnaryFn = fn(f64) -> f64;

/// Functions whose value for an integer is a float: name, function, signature, description, example.
const FUNCTIONS: &[(&str, UnaryFn, &str, &str, &str)] = &[
    (
        "sqrt",
        f64::sqrt,
        "sqrt(x)",
        "The square root.",
        "sqrt([1, 4])",
    ),
    ("cbrt", f64::cbrt, "cbrt(x)", "The cube root.", "cbrt(8)"),
    ("exp", f64::exp, "exp(x)", "e to the power of x.", "exp(1)"),
    (
        "expm1",
        f64::exp_m1,
        "expm1(x)",
        "exp(x) − 1, exact for small x.",
        "expm1(1e-9)",
    ),
    (
        "log",
        f64::ln,
        "log(x)",
        "The natural logarithm.",
        "log(2.5)",
    ),
    ("ln", f64::ln, "ln(x)", "The natural logarithm.", "ln(2.5)"),
    (
        "log10",
        f64::log10,
        "log10(x)",
        "The logarithm to base 10.",
        "log10(1000)",
    ),
    (
        "log2",
        f64::log2,
        "log2(x)",
        "The logarithm to base 2.",
        "log2(8)",
    ),
    (
        "log1p",
        f64::ln_1p,
        "log1p(x)",
        "log(1 + x), exact for small x.",
        "log1p(1e-9)",
    ),
    (
        "sin",
        f64::sin,
        "sin(x)",
        "The sine of an angle in radians.",
        "sin(PI / 2)",
    ),
    (
        "cos",
        f64::cos,
        "cos(x)",
        "The cosine of an angle in radians.",
        "cos(0)",
    ),
    (
        "tan",
        f64::tan,
        "tan(x)",
        "The tangent of an angle in radians.",
        "tan(0.5)",
    ),
    ("asin", f64::asin, "asin(x)", "The arc sine.", "asin(1)"),
    ("acos", f64::acos, "acos(x)", "The arc cosine.", "acos(1)"),
    ("atan", f64::atan, "atan(x)", "The arc tangent.", "atan(1)"),
    (
        "sinh",
        f64::sinh,
        "sinh(x)",
        "The hyperbolic sine.",
        "sinh(1)",
    ),
    (
        "cosh",
        f64::cosh,
        "cosh(x)",
        "The hyperbolic cosine.",
        "cosh(1)",
    ),
    (
        "tanh",
        f64::tanh,
        "tanh(x)",
        "The hyperbolic tangent.",
        "tanh(1)",
    ),
    (
        "asinh",
        f64::asinh,
        "asinh(x)",
        "The inverse hyperbolic sine.",
        "asinh(1)",
    ),
    (
        "acosh",
        f64::acosh,
        "acosh(x)",
        "The inverse hyperbolic cosine.",
        "acosh(2)",
    ),
    (
        "atanh",
        f64::atanh,
        "atanh(x)",
        "The inverse hyperbolic tangent.",
        "atanh(0.5)",
    ),
];

/// Functions whose value for an integer is an integer: name, function, signature, description, example.
const INTEGER_FUNCTIONS: &[(&str, UnaryFn, &str, &str, &str)] = &[
    (
        "abs",
        f64::abs,
        "abs(x)",
        "The absolute value.",
        "abs(-2.5)",
    ),
    (
        "floor",
        f64::floor,
        "floor(x)",
        "The largest whole number that is not above x.",
        "floor(2.5)",
    ),
    (
        "ceil",
        f64::ceil,
        "ceil(x)",
        "The smallest whole number that is not below x.",
        "ceil(2.5)",
    ),
    (
        "round",
        f64::round,
        "round(x)",
        "The nearest whole number; halves away from 0.",
        "round(2.5)",
    ),
    ("sign", sign, "sign(x)", "−1, 0 or 1.", "sign([-2, 0, 3])"),
    ("square", |x| x * x, "square(x)", "x · x.", "square(3)"),
];

/// Functions of two arguments, with broadcasting: name, function, signature, description, example.
const BINARY_FUNCTIONS: &[(&str, BinaryFn, &str, &str, &str)] = &[
    (
        "pow",
        power,
        "pow(x, y)",
        "x to the power of y, as x ** y.",
        "pow(2, 0.5)",
    ),
    (
        "atan2",
        f64::atan2,
        "atan2(y, x)",
        "The angle of the point (x, y), called with y first.",
        "atan2(1, -1)",
    ),
    (
        "hypot",
        f64::hypot,
        "hypot(x, y)",
        "√(x² + y²).",
        "hypot(3, 4)",
    ),
    (
        "min",
        min,
        "min(x, y) or min(x)",
        "The smaller one, element by element. With one argument: the smallest element.",
        "min([1, 5], 3)",
    ),
    (
        "max",
        max,
        "max(x, y) or max(x)",
        "The larger one, element by element. With one argument: the largest element.",
        "max([1, 5], 3)",
    ),
];

fn sign(x: f64) -> f64 {
    if x == 0.0 || x.is_nan() {
        x
    } else {
        x.signum()
    }
}

/// Returns the smaller number; NaN if either is NaN.
pub(super) fn min(x: f64, y: f64) -> f64 {
    if x.is_nan() || x < y { x } else { y }
}

/// Returns the larger number; NaN if either is NaN.
pub(super) fn max(x: f64, y: f64) -> f64 {
    if x.is_nan() || x > y { x } else { y }
}

fn map(name: &'static str, x: &Dynamic, f: UnaryFn) -> RhaiResult<Dynamic> {
    Ok(ScriptArray::new(convert::to_array(x, name)?.mapv_into(f)).into_dynamic())
}

fn apply_to_integer(name: &'static str, n: i64) -> Result<i64> {
    let result = match name {
        "abs" => n.checked_abs(),
        "sign" => Some(n.signum()),
        "square" => n.checked_mul(n),
        _ => Some(n),
    };
    result.ok_or_else(|| {
        Error::invalid(format!(
            "{name}({n}) does not fit an integer: write {name}({n}.0)"
        ))
    })
}

/// Selects the elements of `a` where the condition is not 0, and those of `b` elsewhere.
fn select(
    host: &Host,
    condition: ArrayD<f64>,
    a: ArrayD<f64>,
    b: ArrayD<f64>,
) -> Result<ScriptArray> {
    let picks_a = zip_broadcast(host, "where", condition.clone(), a, |c, x| {
        if c != 0.0 { x } else { 0.0 }
    })?;
    let picks_b = zip_broadcast(
        host,
        "where",
        condition,
        b,
        |c, x| if c == 0.0 { x } else { 0.0 },
    )?;
    // One of the two summands is always 0; the sum changes −0 into 0 but nothing else.
    zip_broadcast(
        host,
        "where",
        picks_a.into_data(),
        picks_b.into_data(),
        |x, y| x + y,
    )
}

pub(super) fn register(reg: &mut Registry) {
    for &(name, f, signature, text, example) in FUNCTIONS {
        reg.register_fn(name, move |x: f64| f(x));
        reg.register_fn(name, move |n: i64| f(n as f64));
        super::register_for_arrays(reg, name, move |x| map(name, x, f));
        reg.describe(name, signature, text, example);
    }
    for &(name, f, signature, text, example) in INTEGER_FUNCTIONS {
        reg.register_fn(name, move |x: f64| f(x));
        reg.register_fn(name, move |n: i64| -> RhaiResult<i64> {
            Ok(apply_to_integer(name, n)?)
        });
        super::register_for_arrays(reg, name, move |x| map(name, x, f));
        reg.describe(name, signature, text, example);
    }
    for &(name, f, signature, text, example) in BINARY_FUNCTIONS {
        register_binary_function(reg, name, f);
        reg.describe(name, signature, text, example);
    }
    reg.register_fn("pow", |x: i64, n: i64| -> RhaiResult<i64> {
        Ok(super::super::numbers::power(x, n)?)
    });
    reg.register_fn("min", |x: i64, y: i64| x.min(y));
    reg.register_fn("max", |x: i64, y: i64| x.max(y));
    super::register_unary(reg, "isnan", |x| {
        Ok(ScriptArray::new(
            x.mapv_into(|x| f64::from(u8::from(x.is_nan()))),
        ))
    });
    reg.describe(
        "isnan",
        "isnan(x) -> Array",
        "1 where an element is not a number, 0 elsewhere.",
        "any(isnan([1.0, NAN]))",
    );
    register_conditions(reg);
}

fn register_binary_function(reg: &mut Registry, name: &'static str, f: BinaryFn) {
    reg.register_fn(name, move |x: f64, y: f64| f(x, y));
    reg.register_fn(name, move |x: f64, y: i64| f(x, y as f64));
    reg.register_fn(name, move |x: i64, y: f64| f(x as f64, y));
    reg.register_fn(name, move |x: i64, y: i64| f(x as f64, y as f64));
    let host = reg.host();
    let both = move |a: ArrayD<f64>, b: ArrayD<f64>| -> RhaiResult<Dynamic> {
        Ok(zip_broadcast(&host, name, a, b, f)?.into_dynamic())
    };
    super::arithmetic::register_binary(reg, name, true, both.clone());
    reg.register_fn(name, move |a: List, b: List| -> RhaiResult<Dynamic> {
        both(
            convert::to_array(&a.into(), name)?,
            convert::to_array(&b.into(), name)?,
        )
    });
}

fn register_conditions(reg: &mut Registry) {
    reg.register_fn(
        "where",
        |condition: bool, a: Dynamic, b: Dynamic| if condition { a } else { b },
    );
    let host = reg.host();
    reg.register_fn(
        "where",
        move |condition: ScriptArray, a: Dynamic, b: Dynamic| -> RhaiResult<ScriptArray> {
            let (a, b) = (
                convert::to_array(&a, "where")?,
                convert::to_array(&b, "where")?,
            );
            Ok(select(&host, condition.into_data(), a, b)?)
        },
    );
    reg.describe(
        "where",
        "where(condition, a, b) -> Array",
        "a where the condition holds (is not 0), b elsewhere. Comparisons of arrays give 1 and 0.",
        "let x = arange(4); where(x > 1, x, 0)",
    );
}
