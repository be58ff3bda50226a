//! Indexing, slicing and iteration of arrays.

use std::ops::{Range, RangeInclusive};

use ndarray::{ArrayD, ArrayViewMutD, Axis, Slice};
use rhai::{Array as List, Dynamic};

use crate::{Error, Result};

use super::super::convert;
use super::super::error::RhaiResult;
use super::super::memory::{check_floats, check_memory};
use super::super::registry::{Number, Registry};
use super::ScriptArray;

impl ScriptArray {
    fn index_of(&self, index: i64) -> Result<usize> {
        let what = match self.0.ndim() {
            1 => "the array".to_string(),
            _ => format!("the first axis of an Array of shape {:?}", self.shape()),
        };
        convert::to_index(index, self.len(), &what)
    }

    /// Returns `x[i]`: a float for a vector, otherwise the subarray with one axis fewer.
    fn item(&self, index: i64) -> Result<Dynamic> {
        let index = self.index_of(index)?;
        Ok(match self.0.as_slice().filter(|_| self.0.ndim() == 1) {
            Some(vector) => vector[index].into(),
            None => {
                let item = self.0.index_axis(Axis(0), index);
                check_floats("x[i]", item.len())?;
                ScriptArray::new(item.to_owned()).into_dynamic()
            }
        })
    }

    /// Returns `x.col(j)`: the elements with index j on the second axis.
    fn column(&self, j: i64) -> Result<ScriptArray> {
        let shape = self.shape();
        let Some(n) = shape.get(1) else {
            return Err(Error::invalid(format!(
                "col: an Array of shape {shape:?} has no columns; x[i] is its element"
            )));
        };
        let what = format!("the second axis of an Array of shape {shape:?}");
        let j = convert::to_index(j, *n, &what)?;
        check_floats("col", self.0.len() / n)?;
        Ok(ScriptArray::new(self.0.index_axis(Axis(1), j).to_owned()))
    }

    /// Assigns `x[i] = value`; the value is a number or has the item's shape.
    fn set_item(&mut self, index: i64, given: &Dynamic) -> Result<()> {
        let index = self.index_of(index)?;
        let item = self
            .data_mut("x[i] = value: the copy of x")?
            .index_axis_mut(Axis(0), index);
        assign(item, given, "the item")
    }

    /// Assigns `x[from..to] = value`; the value is a number or has the part's shape.
    fn set_slice(&mut self, from: i64, to: i64, given: &Dynamic) -> Result<()> {
        let (axis, range) = self.slice_range(0, from, to)?;
        let data = self.data_mut("x[from..to] = value: the copy of x")?;
        let part = data.slice_axis_mut(axis, Slice::from(range));
        assign(part, given, "the part")
    }

    /// Returns the subarray along an axis from index `from` (included) to `to` (excluded); negative indices count from the end.
    fn slice(&self, axis: i64, from: i64, to: i64) -> Result<ScriptArray> {
        let (axis, range) = self.slice_range(axis, from, to)?;
        let part = self.0.slice_axis(axis, Slice::from(range));
        check_floats("slice", part.len())?;
        Ok(ScriptArray::new(part.to_owned()))
    }

    /// Returns the axis and the range of positions from `from` up to but without `to`; negative ones count from the end.
    fn slice_range(&self, axis: i64, from: i64, to: i64) -> Result<(Axis, Range<usize>)> {
        let axis = axis_of(axis, self.0.ndim())?;
        let n = self.shape()[axis];
        let bound = |at: i64| {
            let back = i64::try_from(n).unwrap_or(i64::MAX);
            let index = if at < 0 { at.saturating_add(back) } else { at };
            usize::try_from(index).ok().filter(|index| *index <= n).ok_or_else(|| {
                Error::invalid(format!(
                    "slice: {at} is out of range: axis {axis} of an Array of shape {:?} has length {n}",
                    self.shape()
                ))
            })
        };
        let (from, to) = (bound(from)?, bound(to)?);
        if from > to {
            return Err(Error::invalid(format!(
                "slice: the end {to} comes before the start {from}; give the smaller position first"
            )));
        }
        Ok((Axis(axis), from..to))
    }
}

/// Assigns a number, or values of the same shape, to part of an Array, which messages call `what`.
fn assign(mut part: ArrayViewMutD<'_, f64>, given: &Dynamic, what: &str) -> Result<()> {
    let value = convert::to_array(given, "the value assigned")?;
    let fits = value.ndim() == 0 || value.shape() == part.shape();
    match value.broadcast(part.raw_dim()).filter(|_| fits) {
        Some(values) => part.assign(&values),
        None if part.ndim() == 0 => {
            return Err(Error::invalid(format!(
                "the value assigned should be a number, as the item is, not {}",
                convert::describe(given)
            )));
        }
        None => {
            return Err(Error::invalid(format!(
                "the value assigned has shape {:?}, {what} has shape {:?}: give values of that shape, or one number for all",
                value.shape(),
                part.shape()
            )));
        }
    }
    Ok(())
}

/// Resolves a script's axis number; negative numbers count from the last axis.
///
/// # Errors
/// [`Error::Invalid`] that names the rank.
pub(super) fn axis_of(axis: i64, rank: usize) -> Result<usize> {
    convert::to_index(axis, rank, "the shape").map_err(|_| {
        Error::invalid(match rank {
            0 => format!("axis {axis} does not exist: a number has no axes"),
            1 => format!("axis {axis} does not exist: the array has 1 dimension, axis 0"),
            _ => format!(
                "axis {axis} does not exist: the array has {rank} dimensions, axes 0 to {}",
                rank - 1
            ),
        })
    })
}

/// The iterator of `for` over an array: floats for a vector, otherwise the subarrays along the first axis.
pub struct ArrayIter {
    array: ScriptArray,
    next: usize,
}

impl Iterator for ArrayIter {
    type Item = Dynamic;

    fn next(&mut self) -> Option<Dynamic> {
        if self.next >= self.array.len() {
            return None;
        }
        let item = self.array.item(i64::try_from(self.next).ok()?).ok();
        self.next += 1;
        item
    }
}

impl IntoIterator for ScriptArray {
    type Item = Dynamic;
    type IntoIter = ArrayIter;

    fn into_iter(self) -> ArrayIter {
        ArrayIter {
            array: self,
            next: 0,
        }
    }
}

/// Converts the elements to lists of lists.
fn to_list(array: &ndarray::ArrayViewD<'_, f64>) -> Dynamic {
    match array.ndim() {
        0 => array.first().copied().unwrap_or(f64::NAN).into(),
        _ => array
            .outer_iter()
            .map(|item| to_list(&item))
            .collect::<List>()
            .into(),
    }
}

/// Checks that lists of this shape fit into memory: an item is larger than a number, and a list larger than its items.
fn check_list(shape: &[usize]) -> Result<()> {
    const OF_A_LIST: usize = 4;
    let items: usize = shape.iter().product();
    let lists = shape
        .split_last()
        .map_or(0, |(_, outer)| outer.iter().product());
    let all = items.saturating_add(usize::saturating_mul(OF_A_LIST, lists));
    let limit = odesync_base::memory::limit();
    check_memory("to_list", all, size_of::<Dynamic>(), limit)
}

fn sizes(data: &ArrayD<f64>) -> List {
    data.shape()
        .iter()
        .map(|n| Dynamic::from(i64::try_from(*n).unwrap_or(i64::MAX)))
        .collect()
}

pub(super) fn register(reg: &mut Registry) {
    let int = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    reg.property(
        "x.shape -> list",
        "The lengths of all axes.",
        "zeros([2, 3]).shape",
    )
    .get(|x: &mut ScriptArray| sizes(x.data()));
    reg.property("x.rank -> int", "The number of axes.", "zeros([2, 3]).rank")
        .get(move |x: &mut ScriptArray| int(x.data().ndim()));
    reg.property(
        "x.size -> int",
        "The number of elements.",
        "zeros([2, 3]).size",
    )
    .get(move |x: &mut ScriptArray| int(x.data().len()));
    reg.function(
        "x.len() -> int",
        "Length of the first axis.",
        "zeros([2, 3]).len()",
    )
    .body(move |x: &mut ScriptArray| int(x.len()));
    reg.function(
        "x.is_empty() -> bool",
        "Whether there is no element.",
        "zeros([0, 3]).is_empty()",
    )
    .body(|x: &mut ScriptArray| x.is_empty());

    reg.function(
        "x.col(j) -> Array",
        "Column j of a matrix: x[i][j] for all i; of more axes, index j of the second one. Columns count from 0, and -1 is the last.",
        "array([[1, 2, 3], [4, 5, 6]]).col(1)",
    )
    .body(|x: &mut ScriptArray, j: i64| x.column(j));
    reg.function(
        "x.row(i) -> Array",
        "Row i of a matrix, as x[i].",
        "array([[1, 2, 3], [4, 5, 6]]).row(1)",
    )
    .body(|x: &mut ScriptArray, i: i64| x.item(i));

    reg.engine()
        .register_iterator::<ScriptArray>()
        .register_indexer_get(|x: &mut ScriptArray, i: i64| -> RhaiResult<Dynamic> {
            Ok(x.item(i)?)
        })
        .register_indexer_get(
            |x: &mut ScriptArray, r: Range<i64>| -> RhaiResult<ScriptArray> {
                let end = if r.end == i64::MAX { int_len(x) } else { r.end };
                Ok(x.slice(0, r.start, end)?)
            },
        )
        .register_indexer_get(
            |x: &mut ScriptArray, r: RangeInclusive<i64>| -> RhaiResult<ScriptArray> {
                let end = r.end().checked_add(1).unwrap_or_else(|| int_len(x));
                Ok(x.slice(0, *r.start(), end)?)
            },
        )
        .register_indexer_set(
            |x: &mut ScriptArray, i: i64, value: Dynamic| -> RhaiResult<()> {
                Ok(x.set_item(i, &value)?)
            },
        )
        .register_indexer_set(
            |x: &mut ScriptArray, r: Range<i64>, value: Dynamic| -> RhaiResult<()> {
                let end = if r.end == i64::MAX { int_len(x) } else { r.end };
                Ok(x.set_slice(r.start, end, &value)?)
            },
        )
        .register_indexer_set(
            |x: &mut ScriptArray, r: RangeInclusive<i64>, value: Dynamic| -> RhaiResult<()> {
                let end = r.end().checked_add(1).unwrap_or_else(|| int_len(x));
                Ok(x.set_slice(*r.start(), end, &value)?)
            },
        );

    reg.function(
        "x.slice(axis, from, to) -> Array",
        "The part from `from` up to but without `to` along an axis; to the end without `to`. Negative positions count from the end.",
        "array([[1, 2, 3], [4, 5, 6]]).slice(1, 0, 2)",
    )
    .body(
        |x: &mut ScriptArray, axis: i64, from: i64, to: Option<i64>| -> Result<ScriptArray> {
            let end = match to {
                Some(to) => to,
                None => {
                    let length = x.shape().get(axis_of(axis, x.shape().len())?);
                    i64::try_from(length.copied().unwrap_or(0)).unwrap_or(i64::MAX)
                }
            };
            x.slice(axis, from, end)
        },
    );
    reg.function(
        "x.to_list() -> list",
        "The elements as a list, or lists of lists.",
        "arange(3).to_list()",
    )
    .body(|x: &mut ScriptArray| -> Result<Dynamic> {
        check_list(x.shape())?;
        Ok(to_list(&x.data().view()))
    })
    .body(|x: List| x);
    reg.function(
        "x.contains(value) -> bool",
        "Whether an element equals the value; also written `value in x`.",
        "2 in arange(3)",
    )
    .body(|x: &mut ScriptArray, value: Number| x.data().iter().any(|y| *y == value.0));
}

fn int_len(x: &ScriptArray) -> i64 {
    i64::try_from(x.len()).unwrap_or(i64::MAX)
}
