//! Reductions: functions that compute one number from many.

use ndarray::{ArrayD, Axis};
use rhai::Dynamic;

use crate::{Error, Result};

use super::super::dense;
use super::super::memory::check_floats;
use super::super::registry::{Numbers, Registry, name_of};
use super::indexing::axis_of;
use super::{ScriptArray, elementary};

/// A statistic of the elements; it returns `None` where there are too few.
type Statistic = fn(&[f64]) -> Option<f64>;

/// The statistics over all elements, or along an axis: function, signature, text, example.
const STATISTICS: &[(Statistic, &str, &str, &str)] = &[
    (
        |x| Some(x.iter().sum()),
        "sum(x, axis)",
        "The sum of all elements, or along an axis.",
        "sum([[1, 2], [3, 4]], 0)",
    ),
    (
        |x| Some(x.iter().product()),
        "prod(x, axis)",
        "The product of all elements, or along an axis.",
        "prod([2, 3, 4])",
    ),
    (
        mean,
        "mean(x, axis)",
        "The mean of all elements, or along an axis.",
        "mean([[1, 2], [3, 4]], 0)",
    ),
    (
        variance,
        "variance(x, axis)",
        "The mean squared distance from the mean (divided by n, as numpy's ddof = 0).",
        "variance([1, 2, 3])",
    ),
    (
        |x| variance(x).map(f64::sqrt),
        "std(x, axis)",
        "The square root of variance: the standard deviation of the whole population (ddof = 0).",
        "std([1, 2, 3])",
    ),
    (
        median,
        "median(x, axis)",
        "The middle element of the sorted ones, or the mean of the two middle ones.",
        "median([3, 1, 2, 10])",
    ),
];

fn mean(x: &[f64]) -> Option<f64> {
    (!x.is_empty()).then(|| x.iter().sum::<f64>() / x.len() as f64)
}

fn variance(x: &[f64]) -> Option<f64> {
    let centre = mean(x)?;
    Some(x.iter().map(|x| (x - centre).powi(2)).sum::<f64>() / x.len() as f64)
}

fn median(x: &[f64]) -> Option<f64> {
    if x.iter().any(|x| x.is_nan()) {
        return Some(f64::NAN);
    }
    let mut sorted = x.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let upper = *sorted.get(middle)?;
    match sorted.len() % 2 {
        1 => Some(upper),
        _ => sorted.get(middle - 1).map(|lower| (lower + upper) / 2.0),
    }
}

fn smallest(x: &[f64]) -> Option<f64> {
    x.iter().copied().reduce(elementary::min)
}

fn largest(x: &[f64]) -> Option<f64> {
    x.iter().copied().reduce(elementary::max)
}

/// Returns the first index of the smallest (for `sign` −1: largest) element; a NaN counts as smallest.
fn arg_extremum(x: &[f64], sign: f64) -> Option<usize> {
    let smaller = |a: f64, b: f64| !a.is_nan() && (b.is_nan() || sign * b < sign * a);
    let mut best = (0, *x.first()?);
    for (i, &value) in x.iter().enumerate() {
        if smaller(best.1, value) {
            best = (i, value);
        }
    }
    Some(best.0)
}

fn empty_error(name: &str) -> Error {
    Error::invalid(format!("{name} of an empty array"))
}

fn elements(x: &Numbers, name: &str) -> Result<Vec<f64>> {
    Ok(dense::elements(x.array(name)?))
}

fn reduce_axis(x: &ArrayD<f64>, axis: i64, name: &str, f: Statistic) -> Result<ScriptArray> {
    let axis = axis_of(axis, x.ndim())?;
    // A lane at a time is copied, and a median sorts another copy.
    let lane = x.shape().get(axis).copied().unwrap_or(0);
    check_floats(name, x.len() / lane.max(1) + lane.saturating_mul(2))?;
    let reduced = x.map_axis(Axis(axis), |lane| f(&lane.to_vec()).unwrap_or(f64::NAN));
    if x.shape().get(axis) == Some(&0) && f(&[]).is_none() {
        return Err(empty_error(name));
    }
    Ok(ScriptArray::new(reduced))
}

/// Reduces all elements, or those along an axis.
fn reduce(x: &Numbers, axis: Option<i64>, name: &str, f: Statistic) -> Result<Dynamic> {
    match axis {
        None => {
            let x = elements(x, name)?;
            if name == "median" {
                check_floats(name, x.len())?;
            }
            Ok(f(&x).ok_or_else(|| empty_error(name))?.into())
        }
        Some(axis) => Ok(reduce_axis(&x.array(name)?, axis, name, f)?.into_dynamic()),
    }
}

/// Returns the place of the smallest (for `sign` −1: largest) element.
fn place(x: &Numbers, name: &str, sign: f64) -> Result<i64> {
    let found = arg_extremum(&elements(x, name)?, sign).ok_or_else(|| empty_error(name))?;
    Ok(i64::try_from(found).unwrap_or(i64::MAX))
}

pub(super) fn register(reg: &mut Registry) {
    for &(f, signature, text, example) in STATISTICS {
        let name = name_of(signature);
        reg.function(signature, text, example)
            .body(move |x: Numbers, axis: Option<i64>| reduce(&x, axis, name, f));
    }
    for (name, f) in [("min", smallest as Statistic), ("max", largest)] {
        reg.overload(name)
            .body(move |x: Numbers| reduce(&x, None, name, f));
    }
    reg.function(
        "argmin(x) -> int",
        "The place of the smallest element, the first of equals, counted row by row.",
        "argmin([3, 1, 2])",
    )
    .body(|x: Numbers| place(&x, "argmin", 1.0));
    reg.function(
        "argmax(x) -> int",
        "The place of the largest element, the first of equals, counted row by row.",
        "argmax([3, 1, 2])",
    )
    .body(|x: Numbers| place(&x, "argmax", -1.0));
    reg.function(
        "cumsum(x) -> Array",
        "The running sum of the elements, row by row, as a vector.",
        "cumsum([1, 2, 3])",
    )
    .body(|x: Numbers| -> Result<ScriptArray> {
        let mut x = elements(&x, "cumsum")?;
        let mut total = 0.0;
        for value in &mut x {
            total += *value;
            *value = total;
        }
        Ok(ScriptArray::from_vec(x))
    });
    reg.function(
        "any(x) -> bool",
        "Whether an element is not 0; comparisons of arrays give 1 and 0.",
        "any(arange(3) > 1)",
    )
    .body(|x: Numbers| -> Result<bool> { Ok(elements(&x, "any")?.iter().any(|x| *x != 0.0)) })
    .body(|x: bool| x);
    reg.function(
        "all(x) -> bool",
        "Whether no element is 0; comparisons of arrays give 1 and 0.",
        "all(arange(3) >= 0)",
    )
    .body(|x: Numbers| -> Result<bool> { Ok(elements(&x, "all")?.iter().all(|x| *x != 0.0)) })
    .body(|x: bool| x);
}
