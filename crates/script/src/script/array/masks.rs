//! Masks: arrays of 1 and 0 that come of comparisons; their logical operators, and the elements that they select.

use ndarray::{ArrayD, Axis, Zip};
use rhai::Dynamic;

use crate::{Error, Result};

use super::super::convert;
use super::super::error::RhaiResult;
use super::super::memory::check_floats;
use super::super::registry::{Operand, Registry};
use super::ScriptArray;
use super::arithmetic::{BinaryFn, zip_broadcast};

/// Returns the places along the first axis at which the mask is not 0.
fn places(x: &ScriptArray, mask: &ArrayD<f64>) -> Result<Vec<usize>> {
    if mask.ndim() != 1 || mask.len() != x.len() || x.data().ndim() == 0 {
        return Err(Error::invalid(format!(
            "x[mask]: a mask has one element for each item of the first axis; the array has shape {:?}, the mask {:?}",
            x.shape(),
            mask.shape()
        )));
    }
    if let Some(value) = mask.iter().find(|value| **value != 0.0 && **value != 1.0) {
        return Err(Error::invalid(format!(
            "x[mask]: a mask holds 1 and 0, as a comparison gives them, not {value}; x[i] takes one place at a time"
        )));
    }
    let n = mask.iter().filter(|value| **value != 0.0).count();
    check_floats("x[mask]: the places of the mask", n)?;
    let mut places = Vec::with_capacity(n);
    let chosen = mask.iter().enumerate().filter(|(_, value)| **value != 0.0);
    places.extend(chosen.map(|(i, _)| i));
    Ok(places)
}

/// Returns the items of the first axis at which the mask is 1.
fn select(x: &ScriptArray, mask: &ArrayD<f64>) -> Result<ScriptArray> {
    let places = places(x, mask)?;
    let row: usize = x.shape().iter().skip(1).product();
    check_floats("x[mask]", places.len().saturating_mul(row))?;
    Ok(x.data().select(Axis(0), &places).into())
}

/// Assigns a number, or an array with an item for each 1 of the mask, to the items at which the mask is 1.
fn assign(x: &mut ScriptArray, mask: &ArrayD<f64>, value: &Dynamic) -> Result<()> {
    let places = places(x, mask)?;
    let value = convert::to_array(value, "the value assigned")?;
    let mut shape = x.shape().to_vec();
    shape[0] = places.len();
    let whole = value.ndim() == shape.len();
    let Some(value) = value
        .broadcast(shape.clone())
        .filter(|_| !whole || value.shape() == shape)
    else {
        return Err(Error::invalid(format!(
            "x[mask] = value: the value has shape {:?}, what the mask selects has shape {shape:?}; give values of that shape, or one \
             number for all",
            value.shape()
        )));
    };
    let data = x.data_mut("x[mask] = value: the copy of x")?;
    for (&i, item) in places.iter().zip(value.outer_iter()) {
        Zip::from(data.index_axis_mut(Axis(0), i))
            .and(&item)
            .for_each(|x, value| *x = *value);
    }
    Ok(())
}

pub(super) fn register(reg: &mut Registry) {
    let flag = |condition: bool| f64::from(u8::from(condition));
    let operators: [(&'static str, BinaryFn); 2] = [
        ("&", |x, y| f64::from(u8::from(x != 0.0 && y != 0.0))),
        ("|", |x, y| f64::from(u8::from(x != 0.0 || y != 0.0))),
    ];
    for (name, f) in operators {
        let host = reg.host();
        reg.overload(name)
            .body(move |x: ScriptArray, y: ScriptArray| {
                zip_broadcast(&host, name, x.into_owned(name)?, y.into_owned(name)?, f)
            })
            .body(move |x: ScriptArray, y: bool| -> Result<ScriptArray> {
                Ok(x.into_owned(name)?.mapv_into(|x| f(x, flag(y))).into())
            })
            .body(move |x: bool, y: ScriptArray| -> Result<ScriptArray> {
                Ok(y.into_owned(name)?.mapv_into(|y| f(flag(x), y)).into())
            });
    }
    reg.overload("!")
        .body(move |x: ScriptArray| -> Result<ScriptArray> {
            Ok(x.into_owned("!")?.mapv_into(|x| flag(x == 0.0)).into())
        });
    reg.engine()
        .register_indexer_get(
            |x: &mut ScriptArray, mask: ScriptArray| -> RhaiResult<ScriptArray> {
                Ok(select(x, mask.data())?)
            },
        )
        .register_indexer_set(
            |x: &mut ScriptArray, mask: ScriptArray, value: Dynamic| -> RhaiResult<()> {
                Ok(assign(x, mask.data(), &value)?)
            },
        );
    reg.function(
        "x.filter(mask) -> Array",
        "The items along the first axis at which the mask, an array of 1 and 0 as comparisons give it, is 1; also written x[mask]. Masks \
         are joined by & and |, and ! turns them round.",
        "let x = arange(6); x[(x > 1) & !(x > 3)]",
    )
    .body(|x: &mut ScriptArray, mask: Operand| -> Result<ScriptArray> {
        select(x, &mask.array("filter: the mask")?)
    });
}
