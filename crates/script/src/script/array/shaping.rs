//! Functions that change the shape of arrays, and that join them.

use ndarray::{ArrayD, ArrayViewD, Axis, IxDyn};
use rhai::{Array as List, Dynamic};

use crate::{Error, Result};
use odesync_base::text::count_of;

use super::super::convert;
use super::super::dense::{elements, row_major};
use super::super::host::Host;
use super::super::registry::{Numbers, Registry};
use super::ScriptArray;
use super::indexing::axis_of;

/// Returns the array in another shape; one size may be −1 and is then computed from the others.
fn reshape(host: &Host, x: ArrayD<f64>, given: &Dynamic) -> Result<ScriptArray> {
    let (from, n) = (x.shape().to_vec(), x.len());
    let wrong = || {
        Error::invalid(format!(
            "reshape: an array of shape {from:?} has {} and does not fit the shape {}",
            count_of(n, "element"),
            convert::describe_shape(given)
        ))
    };
    let free = |item: &Dynamic| item.as_int() == Ok(-1);
    let mut sizes = given.clone();
    let mut position = None;
    if let Some(mut list) = sizes.write_lock::<List>() {
        if list.iter().filter(|item| free(item)).count() > 1 {
            return Err(Error::invalid(format!(
                "reshape: only one size may be -1, and the shape is {}",
                convert::describe_shape(given)
            )));
        }
        position = list.iter().position(free);
        if let Some(item) = position.and_then(|i| list.get_mut(i)) {
            *item = 1.into();
        }
    }
    let what = "reshape: the shape";
    // An invalid size is reported with the shape as given.
    let mut shape = convert::to_shape(&sizes, what)
        .or_else(|error| convert::to_shape(given, what).and(Err(error)))?;
    let product = shape
        .iter()
        .try_fold(1usize, |product, n| product.checked_mul(*n));
    let product = product.ok_or_else(wrong)?;
    if let Some(size) = position.and_then(|i| shape.get_mut(i)) {
        *size = x.len().checked_div(product).unwrap_or(0);
    }
    if shape.iter().product::<usize>() != x.len() {
        return Err(wrong());
    }
    // Elements that are there take no more memory; the other axes of an empty array could be longer than can be iterated over.
    if x.is_empty() {
        host.check_memory_for_shape("reshape", &shape)?;
    }
    ArrayD::from_shape_vec(IxDyn(&shape), elements(x))
        .map(ScriptArray::new)
        .map_err(|_| wrong())
}

/// Converts the items of a list to arrays; those that are have their data in common with them.
fn arrays_of_list(list: &List, name: &str) -> Result<Vec<ScriptArray>> {
    if list.is_empty() {
        return Err(Error::invalid(format!("{name}: the list is empty")));
    }
    list.iter()
        .enumerate()
        .map(|(i, part)| match part.read_lock::<ScriptArray>() {
            Some(array) => Ok(array.clone()),
            None => convert::to_array(part, &format!("{name}: part {i}")).map(ScriptArray::new),
        })
        .collect()
}

/// Joins arrays along an existing axis.
fn concat(host: &Host, list: &List, axis: i64) -> Result<ScriptArray> {
    let parts = arrays_of_list(list, "concat")?;
    let parts: Vec<_> = parts.iter().map(|part| part.data().view()).collect();
    if let Some(i) = parts.iter().position(|part| part.ndim() == 0) {
        return Err(Error::invalid(format!(
            "concat joins lists and arrays, and part {i} is a number: write [x] for one"
        )));
    }
    join(host, &parts, axis, "concat")
}

/// Joins arrays along a new axis.
fn stack(host: &Host, list: &List, axis: i64) -> Result<ScriptArray> {
    let parts = arrays_of_list(list, "stack")?;
    let rank = parts.first().map_or(0, |part| part.shape().len());
    let new_axis = axis_of(axis, rank + 1)?;
    if let Some(other) = parts.iter().find(|part| part.shape() != parts[0].shape()) {
        return Err(Error::invalid(format!(
            "stack: the parts have shapes {:?} and {:?}; they must be the same",
            parts[0].shape(),
            other.shape()
        )));
    }
    let parts: Vec<_> = parts
        .iter()
        .map(|part| part.data().view().insert_axis(Axis(new_axis)))
        .collect();
    join(host, &parts, axis, "stack")
}

fn join(host: &Host, parts: &[ArrayViewD<'_, f64>], axis: i64, name: &str) -> Result<ScriptArray> {
    let axis = axis_of(axis, parts.first().map_or(0, |part| part.ndim()))?;
    let fits = |a: &ArrayViewD<'_, f64>, b: &ArrayViewD<'_, f64>| {
        a.ndim() == b.ndim()
            && (0..a.ndim()).all(|i| i == axis || a.shape().get(i) == b.shape().get(i))
    };
    if let Some(other) = parts.iter().find(|part| !fits(part, &parts[0])) {
        return Err(Error::invalid(format!(
            "{name}: shapes {:?} and {:?} differ in more than axis {axis}",
            parts[0].shape(),
            other.shape()
        )));
    }
    // Along another axis than the first it is made with its axes in another order, and then copied.
    let copies = if axis == 0 { 1 } else { 2 };
    let elements: usize = parts.iter().map(|part| part.len()).sum();
    host.check_memory(name, elements.saturating_mul(copies))?;
    let joined = ndarray::concatenate(Axis(axis), parts)
        .map_err(|error| Error::invalid(format!("{name}: {error}")))?;
    Ok(ScriptArray::new(row_major(joined)))
}

fn transpose(host: &Host, x: ArrayD<f64>) -> Result<ScriptArray> {
    host.check_memory("transpose", x.len())?;
    Ok(ScriptArray::new(row_major(x.reversed_axes())))
}

pub(super) fn register(reg: &mut Registry) {
    let host = reg.host();
    reg.function(
        "transpose(x) -> Array",
        "The axes in reverse order.",
        "transpose([[1, 2, 3], [4, 5, 6]])",
    )
    .body(move |x: Numbers| -> Result<Dynamic> {
        Ok(transpose(&host, x.array("transpose")?)?.into_dynamic())
    });
    let host = reg.host();
    reg.function(
        "reshape(x, shape) -> Array",
        "The elements, row by row, in another shape; one size may be -1 and follows from the others.",
        "reshape(arange(6), [2, -1])",
    )
    .body(move |x: Numbers, shape: Dynamic| -> Result<ScriptArray> {
        reshape(&host, x.array("reshape")?, &shape)
    });
    let host = reg.host();
    reg.function(
        "flatten(x) -> Array",
        "The elements, row by row, as a vector.",
        "flatten([[1, 2], [3, 4]])",
    )
    .body(move |x: Numbers| -> Result<ScriptArray> {
        let all = List::from([(-1).into()]).into();
        reshape(&host, x.array("flatten")?, &all)
    });
    let host = reg.host();
    reg.function(
        "concat([x, y, …], axis) -> Array",
        "Arrays one behind the other along an axis that they have (0 unless given).",
        "concat([arange(2), [5, 6]])",
    )
    .body(move |list: List, axis: Option<i64>| concat(&host, &list, axis.unwrap_or(0)));
    let host = reg.host();
    reg.function(
        "stack([x, y, …], axis) -> Array",
        "Arrays of one shape side by side along a new axis (0 unless given).",
        "stack([arange(2), [5, 6]], 1)",
    )
    .body(move |list: List, axis: Option<i64>| stack(&host, &list, axis.unwrap_or(0)));
}
