//! Operators of arrays, with numpy's broadcasting.

use ndarray::{ArrayD, IxDyn, Zip};
use rhai::{Array as List, Dynamic, ImmutableString};

use crate::{Error, Result};

use super::super::convert;
use super::super::host::Host;
use super::super::registry::{Function, Number, Numbers, Operand, Registry};
use super::ScriptArray;

/// A function of two elements.
pub(super) type BinaryFn = fn(f64, f64) -> f64;

/// Returns the shape that two shapes broadcast to: axes are matched from the last, and an axis of length 1 repeats.
///
/// # Errors
/// [`Error::Invalid`] that names both shapes.
pub(super) fn broadcast(name: &str, a: &[usize], b: &[usize]) -> Result<Vec<usize>> {
    let rank = a.len().max(b.len());
    let size = |shape: &[usize], i: usize| {
        (i + shape.len())
            .checked_sub(rank)
            .and_then(|i| shape.get(i))
            .copied()
            .unwrap_or(1)
    };
    (0..rank)
        .map(|i| match (size(a, i), size(b, i)) {
            (m, n) if m == n => Ok(m),
            (1, n) => Ok(n),
            (m, 1) => Ok(m),
            _ => Err(Error::invalid(format!(
                "{name}: shapes {a:?} and {b:?} do not fit together"
            ))),
        })
        .collect()
}

/// Applies `f` to the elements of two arrays, with broadcasting.
///
/// # Errors
/// [`Error::Invalid`] for shapes that do not fit or a result that is too large.
pub(super) fn zip_broadcast(
    host: &Host,
    name: &str,
    a: ArrayD<f64>,
    b: ArrayD<f64>,
    f: BinaryFn,
) -> Result<ScriptArray> {
    // The result reuses the memory of an operand where it can.
    let (mut a, mut b) = (a, b);
    if a.shape() == b.shape() {
        a.zip_mut_with(&b, |x, y| *x = f(*x, *y));
        return Ok(ScriptArray::new(a));
    }
    if let (0, Some(y)) = (b.ndim(), b.first().copied()) {
        a.mapv_inplace(|x| f(x, y));
        return Ok(ScriptArray::new(a));
    }
    if let (0, Some(x)) = (a.ndim(), a.first().copied()) {
        b.mapv_inplace(|y| f(x, y));
        return Ok(ScriptArray::new(b));
    }
    let shape = broadcast(name, a.shape(), b.shape())?;
    host.check_memory_for_shape(name, &shape)?;
    let mut result = ArrayD::zeros(IxDyn(&shape));
    match (a.broadcast(IxDyn(&shape)), b.broadcast(IxDyn(&shape))) {
        (Some(a), Some(b)) => {
            Zip::from(&mut result)
                .and(a)
                .and(b)
                .for_each(|r, x, y| *r = f(*x, *y));
            Ok(ScriptArray::new(result))
        }
        _ => Err(Error::invalid(format!(
            "{name}: the shapes do not fit together"
        ))),
    }
}

/// Registers `f` for every pair of int, float, list and `Array` that contains an `Array`; with `lists`, also for a list and a
/// number.
pub(super) fn with_arrays(
    function: Function<'_>,
    name: &'static str,
    lists: bool,
    f: impl Fn(ArrayD<f64>, ArrayD<f64>) -> Result<Dynamic> + Clone + 'static,
) {
    let read = move |a: Dynamic, b: Dynamic| -> Result<Dynamic> {
        let side = |side: &str| format!("the {side} of {name}");
        f(
            convert::to_array(&a, &side("left"))?,
            convert::to_array(&b, &side("right"))?,
        )
    };
    let [left, right, list] = [read.clone(), read.clone(), read.clone()];
    let function = function
        .body(move |a: ScriptArray, b: Operand| left(Dynamic::from(a), b.0))
        .body(move |a: Number, b: ScriptArray| right(a.0.into(), Dynamic::from(b)))
        .body(move |a: List, b: ScriptArray| list(a.into(), Dynamic::from(b)));
    if lists {
        let left = read.clone();
        function
            .body(move |a: List, b: Number| left(a.into(), b.0.into()))
            .body(move |a: Number, b: List| read(a.0.into(), b.into()));
    }
}

/// Returns x to the power of y; the exponent 2 is computed as a product. A whole exponent is exact for negative bases.
pub(super) fn power(x: f64, y: f64) -> f64 {
    if y == 2.0 { x * x } else { x.powf(y) }
}

fn bool_to_f64(condition: bool) -> f64 {
    f64::from(u8::from(condition))
}

/// Returns whether all elements are equal; a number equals an array whose elements all have its value.
fn equal(a: &ArrayD<f64>, b: &ArrayD<f64>) -> bool {
    match (a.ndim(), b.ndim()) {
        (0, _) => a.first().is_some_and(|x| b.iter().all(|y| x == y)),
        (_, 0) => b.first().is_some_and(|y| a.iter().all(|x| x == y)),
        _ => a == b,
    }
}

pub(super) fn register(reg: &mut Registry) {
    let operators: [(&'static str, BinaryFn); 10] = [
        ("+", |x, y| x + y),
        ("-", |x, y| x - y),
        ("*", |x, y| x * y),
        ("/", |x, y| x / y),
        ("%", |x, y| x % y),
        ("**", power),
        ("<", |x, y| bool_to_f64(x < y)),
        ("<=", |x, y| bool_to_f64(x <= y)),
        (">", |x, y| bool_to_f64(x > y)),
        (">=", |x, y| bool_to_f64(x >= y)),
    ];
    for (name, f) in operators {
        let host = reg.host();
        with_arrays(reg.overload(name), name, true, move |a, b| {
            Ok(zip_broadcast(&host, name, a, b, f)?.into_dynamic())
        });
    }
    // A list on the left of += keeps rhai's meaning (append); an `Array` uses the array operator.
    with_arrays(reg.overload("=="), "==", false, |a, b| {
        Ok(equal(&a, &b).into())
    });
    with_arrays(reg.overload("!="), "!=", false, |a, b| {
        Ok((!equal(&a, &b)).into())
    });

    reg.overload("-").body(|x: Numbers| -> Result<Dynamic> {
        Ok(ScriptArray::new(-x.array("the negative")?).into_dynamic())
    });
    reg.overload("+")
        .body(|x: Numbers| -> Result<Dynamic> {
            Ok(ScriptArray::new(x.array("+")?).into_dynamic())
        })
        .body(|text: ImmutableString, x: ScriptArray| format!("{text}{x}"))
        .body(|x: ScriptArray, text: ImmutableString| format!("{x}{text}"));
}
