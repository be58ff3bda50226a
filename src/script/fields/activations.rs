//! Activations of plain numbers and arrays, which equations use.

use rhai::{Array as List, Dynamic};

use super::super::array::Array;
use super::super::convert;
use super::super::error::Fallible;
use super::super::registry::Registry;
use crate::field::Unary;

/// Functions of symbols that arrays do not have by themselves.
const ONLY_HERE: [Unary; 6] = [
    Unary::Erf,
    Unary::Gelu,
    Unary::Relu,
    Unary::Silu,
    Unary::Softplus,
    Unary::Sigmoid,
];

pub(super) fn register(reg: &mut Registry) {
    for f in ONLY_HERE {
        let name = f.name();
        reg.add(name, move |x: f64| f.value(x));
        reg.add(name, move |x: i64| f.value(x as f64));
        reg.add(name, move |x: Array| {
            Array::new(x.data().mapv(|x| f.value(x)))
        });
        reg.add(name, move |x: List| -> Fallible<Array> {
            Ok(Array::new(
                convert::to_array(&Dynamic::from(x), name)?.mapv(|x| f.value(x)),
            ))
        });
    }
}
