//! Quantiles, interpolation, differences and integrals of samples.

use ndarray::{ArrayD, Axis, IxDyn, Slice};
use rhai::Dynamic;

use crate::{Error, Result};

use super::super::dense::elements;
use super::super::memory::check_floats;
use super::super::registry::{Numbers, Operand, Registry};
use super::ScriptArray;
use super::indexing::axis_of;

/// Returns the quantile of sorted numbers by linear interpolation between the neighbours of (n − 1) q (Hyndman and Fan 1996, definition
/// 7; numpy's default); NaN if an element is.
fn quantile(sorted: &[f64], q: f64) -> f64 {
    if sorted.last().is_some_and(|x| x.is_nan()) {
        return f64::NAN;
    }
    let place = (sorted.len().saturating_sub(1)) as f64 * q;
    let below = place.floor() as usize;
    match (sorted.get(below), sorted.get(below + 1)) {
        (Some(&a), Some(&b)) if place > below as f64 => a + (place - below as f64) * (b - a),
        (Some(&a), _) => a,
        _ => f64::NAN,
    }
}

/// Computes the quantiles `q` of all elements, or along an axis; the axis of several quantiles comes first.
fn quantiles(x: &Numbers, q: &Operand, axis: Option<i64>) -> Result<Dynamic> {
    let (x, q) = (x.array("quantile")?, q.array("quantile: q")?);
    if let Some(wrong) = q.iter().find(|q| !(0.0..=1.0).contains(*q)) {
        return Err(Error::invalid(format!(
            "quantile: q is a fraction from 0 to 1, not {wrong}"
        )));
    }
    let x = match axis {
        Some(_) => x,
        None => ArrayD::from_shape_vec(IxDyn(&[x.len()]), elements(x)).unwrap_or_default(),
    };
    let axis = axis_of(axis.unwrap_or(0), x.ndim())?;
    if x.shape().get(axis) == Some(&0) {
        return Err(Error::invalid("quantile of an empty array"));
    }
    // The copies of all lanes, and what sorting one takes.
    check_floats("quantile", x.len().saturating_mul(2))?;
    let sorted: Vec<Vec<f64>> = x
        .lanes(Axis(axis))
        .into_iter()
        .map(|lane| {
            let mut lane = lane.to_vec();
            // The total order has the NaNs of negative sign first.
            lane.sort_by(|a, b| a.is_nan().cmp(&b.is_nan()).then(a.total_cmp(b)));
            lane
        })
        .collect();
    check_floats("quantile", q.len().saturating_mul(sorted.len()))?;
    let values: Vec<f64> = q
        .iter()
        .flat_map(|q| sorted.iter().map(|lane| quantile(lane, *q)))
        .collect();
    let mut shape = x.shape().to_vec();
    shape.remove(axis);
    let shape = [q.shape(), &shape].concat();
    let result = ArrayD::from_shape_vec(IxDyn(&shape), values)
        .map_err(|e| Error::invalid(format!("quantile: {e}")))?;
    Ok(ScriptArray::new(result).into_dynamic())
}

/// Checks that `t` has one number for each item of `y` along the first axis, and returns the numbers.
fn abscissae(name: &str, t: &Numbers, y: &ArrayD<f64>) -> Result<Vec<f64>> {
    let t = t.array(&format!("{name}: the second argument"))?;
    match t.ndim() == 1 && y.ndim() > 0 && t.len() == y.shape()[0] {
        true => Ok(elements(t)),
        false => Err(Error::invalid(format!(
            "{name}: shapes {:?} and {:?} do not fit together: give one time for each value along the first axis",
            y.shape(),
            t.shape()
        ))),
    }
}

/// Returns the running integral of y over t by the trapezoidal rule, 0 at the first time.
fn cumulative_trapezoid(name: &str, y: &Numbers, t: &Numbers) -> Result<ArrayD<f64>> {
    let y = y.array(&format!("{name}: the first argument"))?;
    let t = abscissae(name, t, &y)?;
    check_floats(name, y.len())?;
    let mut integral = ArrayD::zeros(y.raw_dim());
    for i in 1..t.len() {
        let h = t[i] - t[i - 1];
        let step = (&y.index_axis(Axis(0), i) + &y.index_axis(Axis(0), i - 1)) * (h / 2.0);
        let next = &integral.index_axis(Axis(0), i - 1) + &step;
        integral.index_axis_mut(Axis(0), i).assign(&next);
    }
    Ok(integral)
}

fn trapezoid(y: &Numbers, t: &Numbers) -> Result<Dynamic> {
    let integral = cumulative_trapezoid("trapezoid", y, t)?;
    let last = match integral.shape()[0] {
        0 => return Err(Error::invalid("trapezoid of an empty array")),
        n => integral.index_axis(Axis(0), n - 1).to_owned(),
    };
    Ok(ScriptArray::new(last).into_dynamic())
}

fn diff(x: &Numbers) -> Result<ScriptArray> {
    let x = x.array("diff")?;
    let n = x.shape().first().copied().unwrap_or(0);
    if n == 0 {
        return Err(Error::invalid("diff of an empty array"));
    }
    check_floats("diff", x.len())?;
    let part = |from: usize, to: usize| x.slice_axis(Axis(0), Slice::from(from..to));
    Ok(ScriptArray::new(&part(1, n) - &part(0, n - 1)))
}

/// Interpolates the values `y` at the increasing points `t` linearly at `x`; outside, the first or last value is held.
fn interp(x: &Operand, t: &Numbers, y: &Numbers) -> Result<Dynamic> {
    let (x, y) = (x.array("interp: x")?, y.array("interp: the values")?);
    let t = abscissae("interp", t, &y)?;
    if t.is_empty() {
        return Err(Error::invalid("interp of an empty array"));
    }
    if let Some(i) = (1..t.len()).find(|&i| t[i] <= t[i - 1] || (t[i] - t[i - 1]).is_nan()) {
        return Err(Error::invalid(format!(
            "interp: the points must increase, but {} comes after {}",
            t[i],
            t[i - 1]
        )));
    }
    let item = |i: usize| y.index_axis(Axis(0), i);
    let n = x.len().saturating_mul(y.len() / t.len());
    check_floats("interp", n)?;
    let mut values = Vec::with_capacity(n);
    for &x in &x {
        let right = t.partition_point(|t| *t <= x);
        let value = match (right.checked_sub(1), t.get(right)) {
            _ if x.is_nan() => item(0).mapv(|_| f64::NAN),
            (None, _) => item(0).to_owned(),
            (Some(left), None) => item(left).to_owned(),
            (Some(left), Some(end)) => {
                let part = (x - t[left]) / (end - t[left]);
                &item(left) + &((&item(right) - &item(left)) * part)
            }
        };
        values.extend(value);
    }
    let shape = [x.shape(), &y.shape()[1..]].concat();
    let result = ArrayD::from_shape_vec(IxDyn(&shape), values)
        .map_err(|e| Error::invalid(format!("interp: {e}")))?;
    Ok(ScriptArray::new(result).into_dynamic())
}

pub(super) fn register(reg: &mut Registry) {
    reg.function(
        "quantile(x, q, axis)",
        "The value below which the fraction q of the elements lies, of all elements or along an axis; between two elements it is \
         interpolated linearly. With a list of fractions one value (or array) for each.",
        "quantile(arange(101), [0.05, 0.5, 0.95])",
    )
    .body(|x: Numbers, q: Operand, axis: Option<i64>| quantiles(&x, &q, axis));
    reg.function(
        "interp(x, t, y)",
        "The values y, given at the increasing points t, interpolated linearly at x; before the first and after the last point their \
         values are held. A matrix y has a row for each point.",
        "interp(0.5, [0, 1, 2], [0, 10, 40])",
    )
    .body(|x: Operand, t: Numbers, y: Numbers| interp(&x, &t, &y));
    reg.function(
        "diff(x) -> Array",
        "The differences of neighbours along the first axis, one fewer than there are elements.",
        "diff([1, 4, 9])",
    )
    .body(|x: Numbers| diff(&x));
    reg.function(
        "trapezoid(y, t)",
        "The integral of y over t by the trapezoidal rule, along the first axis.",
        "let t = linspace(0.0, PI, 101); trapezoid(sin(t), t)",
    )
    .body(|y: Numbers, t: Numbers| trapezoid(&y, &t));
    reg.function(
        "cumulative_trapezoid(y, t) -> Array",
        "The integral of y from the first time to each time by the trapezoidal rule, along the first axis; it begins with 0.",
        "cumulative_trapezoid([1, 1, 3], [0, 1, 2])",
    )
    .body(|y: Numbers, t: Numbers| -> Result<ScriptArray> {
        Ok(cumulative_trapezoid("cumulative_trapezoid", &y, &t)?.into())
    });
}
