//! Elementary functions, applied element by element.

use ndarray::{ArrayD, Zip};
use rhai::{Array as List, Dynamic};

use crate::{Error, Result};

use super::super::convert;
use super::super::memory::check_floats;
use super::super::numbers;
use super::super::registry::{Number, Numbers, Operand, Registry, name_of};
use super::ScriptArray;
use super::arithmetic::{BinaryFn, power, with_arrays, zip_broadcast};

type UnaryFn = fn(f64) -> f64;

/// Functions whose value for an integer is a float: function, signature, description, example.
const FUNCTIONS: &[(UnaryFn, &str, &str, &str)] = &[
    (f64::sqrt, "sqrt(x)", "The square root.", "sqrt([1, 4])"),
    (f64::cbrt, "cbrt(x)", "The cube root.", "cbrt(8)"),
    (f64::exp, "exp(x)", "e to the power of x.", "exp(1)"),
    (
        f64::exp_m1,
        "expm1(x)",
        "exp(x) − 1, exact for small x.",
        "expm1(1e-9)",
    ),
    (f64::ln, "log(x)", "The natural logarithm.", "log(2.5)"),
    (f64::ln, "ln(x)", "The natural logarithm.", "ln(2.5)"),
    (
        f64::log10,
        "log10(x)",
        "The logarithm to base 10.",
        "log10(1000)",
    ),
    (f64::log2, "log2(x)", "The logarithm to base 2.", "log2(8)"),
    (
        f64::ln_1p,
        "log1p(x)",
        "log(1 + x), exact for small x.",
        "log1p(1e-9)",
    ),
    (
        f64::sin,
        "sin(x)",
        "The sine of an angle in radians.",
        "sin(PI / 2)",
    ),
    (
        f64::cos,
        "cos(x)",
        "The cosine of an angle in radians.",
        "cos(0)",
    ),
    (
        f64::tan,
        "tan(x)",
        "The tangent of an angle in radians.",
        "tan(0.5)",
    ),
    (f64::asin, "asin(x)", "The arc sine.", "asin(1)"),
    (f64::acos, "acos(x)", "The arc cosine.", "acos(1)"),
    (f64::atan, "atan(x)", "The arc tangent.", "atan(1)"),
    (f64::sinh, "sinh(x)", "The hyperbolic sine.", "sinh(1)"),
    (f64::cosh, "cosh(x)", "The hyperbolic cosine.", "cosh(1)"),
    (f64::tanh, "tanh(x)", "The hyperbolic tangent.", "tanh(1)"),
    (
        f64::asinh,
        "asinh(x)",
        "The inverse hyperbolic sine.",
        "asinh(1)",
    ),
    (
        f64::acosh,
        "acosh(x)",
        "The inverse hyperbolic cosine.",
        "acosh(2)",
    ),
    (
        f64::atanh,
        "atanh(x)",
        "The inverse hyperbolic tangent.",
        "atanh(0.5)",
    ),
];

/// Functions whose value for an integer is an integer: function, signature, description, example.
const INTEGER_FUNCTIONS: &[(UnaryFn, &str, &str, &str)] = &[
    (f64::abs, "abs(x)", "The absolute value.", "abs(-2.5)"),
    (
        f64::floor,
        "floor(x)",
        "The largest whole number that is not above x.",
        "floor(2.5)",
    ),
    (
        f64::ceil,
        "ceil(x)",
        "The smallest whole number that is not below x.",
        "ceil(2.5)",
    ),
    (
        f64::round,
        "round(x)",
        "The nearest whole number; halves away from 0.",
        "round(2.5)",
    ),
    (sign, "sign(x)", "−1, 0 or 1.", "sign([-2, 0, 3])"),
    (|x| x * x, "square(x)", "x · x.", "square(3)"),
];

/// A function of two integers whose value is an integer.
type IntegerFn = fn(i64, i64) -> Result<i64>;

/// Functions of two arguments, with broadcasting: function, the one of two integers where their value is an integer, signature,
/// description, example.
const BINARY_FUNCTIONS: &[(BinaryFn, Option<IntegerFn>, &str, &str, &str)] = &[
    (
        power,
        Some(numbers::power),
        "pow(x, y)",
        "x to the power of y, as x ** y.",
        "pow(2, 0.5)",
    ),
    (
        f64::atan2,
        None,
        "atan2(y, x)",
        "The angle of the point (x, y), called with y first.",
        "atan2(1, -1)",
    ),
    (
        f64::hypot,
        None,
        "hypot(x, y)",
        "√(x² + y²).",
        "hypot(3, 4)",
    ),
    (
        min,
        Some(|x, y| Ok(x.min(y))),
        "min(x, y) or min(x)",
        "The smaller one, element by element. With one argument: the smallest element.",
        "min([1, 5], 3)",
    ),
    (
        max,
        Some(|x, y| Ok(x.max(y))),
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

fn map(name: &'static str, x: &Numbers, f: UnaryFn) -> Result<Dynamic> {
    Ok(ScriptArray::new(x.array(name)?.mapv_into(f)).into_dynamic())
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

/// Selects the elements of `a` where the condition is not 0, and those of `b` elsewhere; both have the condition's shape, or
/// broadcast to it.
fn select(condition: &ScriptArray, a: &Dynamic, b: &Dynamic) -> Result<ScriptArray> {
    let (a, b) = (
        convert::to_array(a, "where")?,
        convert::to_array(b, "where")?,
    );
    let shape = condition.data().raw_dim();
    let (Some(a), Some(b)) = (a.broadcast(shape.clone()), b.broadcast(shape)) else {
        return Err(Error::invalid(
            "where: the values do not have the condition's shape",
        ));
    };
    check_floats("where", a.len())?;
    let mut out = a.to_owned();
    Zip::from(&mut out)
        .and(condition.data())
        .and(&b)
        .for_each(|out, c, b| {
            if *c == 0.0 {
                *out = *b;
            }
        });
    Ok(ScriptArray::new(out))
}

pub(super) fn register(reg: &mut Registry) {
    for &(f, signature, text, example) in FUNCTIONS {
        let name = name_of(signature);
        reg.function(signature, text, example)
            .body(move |x: Number| f(x.0))
            .body(move |x: Numbers| map(name, &x, f));
    }
    for &(f, signature, text, example) in INTEGER_FUNCTIONS {
        let name = name_of(signature);
        reg.function(signature, text, example)
            .body(move |x: f64| f(x))
            .body(move |n: i64| apply_to_integer(name, n))
            .body(move |x: Numbers| map(name, &x, f));
    }
    for &(f, of_integers, signature, text, example) in BINARY_FUNCTIONS {
        let (name, host) = (name_of(signature), reg.host());
        let both = move |a: ArrayD<f64>, b: ArrayD<f64>| -> Result<Dynamic> {
            Ok(zip_broadcast(&host, name, a, b, f)?.into_dynamic())
        };
        let lists = both.clone();
        let function = reg
            .function(signature, text, example)
            .body(move |x: f64, y: Number| f(x, y.0))
            .body(move |x: i64, y: f64| f(x as f64, y))
            .body(move |a: List, b: List| -> Result<Dynamic> {
                lists(
                    convert::to_array(&a.into(), name)?,
                    convert::to_array(&b.into(), name)?,
                )
            });
        let function = match of_integers {
            Some(integer) => function.body(integer),
            None => function.body(move |x: i64, y: i64| f(x as f64, y as f64)),
        };
        with_arrays(function, name, true, both);
    }
    reg.function(
        "isnan(x) -> Array",
        "1 where an element is not a number, 0 elsewhere.",
        "any(isnan([1.0, NAN]))",
    )
    .body(|x: Operand| -> Result<Dynamic> {
        let flags = x
            .array("isnan")?
            .mapv_into(|x| f64::from(u8::from(x.is_nan())));
        Ok(ScriptArray::new(flags).into_dynamic())
    });
    reg.function(
        "where(condition, a, b) -> Array",
        "a where the condition holds (is not 0), b elsewhere. Comparisons of arrays give 1 and 0.",
        "let x = arange(4); where(x > 1, x, 0)",
    )
    .body(|condition: bool, a: Dynamic, b: Dynamic| if condition { a } else { b })
    .body(|condition: ScriptArray, a: Dynamic, b: Dynamic| select(&condition, &a, &b));
}
