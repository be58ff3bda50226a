//! What equations use and plain numbers do not have yet: activations, and comparisons of arrays element by element.

use ndarray::ArrayD;
use rhai::{Array as List, Dynamic};

use super::super::array::Array;
use super::super::convert;
use super::super::error::Fallible;
use super::super::registry::Registry;
use crate::field::Unary;

/// Functions of symbols that arrays do not have by themselves.
const ONLY_HERE: [Unary; 7] = [
    Unary::Erf,
    Unary::Gelu,
    Unary::Relu,
    Unary::Silu,
    Unary::Softplus,
    Unary::Sigmoid,
    Unary::Square,
];

type Compare = fn(f64, f64) -> bool;

const COMPARISONS: [(&str, Compare); 4] = [
    ("<", |a, b| a < b),
    ("<=", |a, b| a <= b),
    (">", |a, b| a > b),
    (">=", |a, b| a >= b),
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
    for (name, f) in COMPARISONS {
        let mask = move |x: &ArrayD<f64>, y: &ArrayD<f64>| -> Fallible<Array> {
            let pair = match (x.ndim(), y.ndim()) {
                (_, 0) => y.broadcast(x.raw_dim()).map(|y| (x.view(), y)),
                (0, _) => x.broadcast(y.raw_dim()).map(|x| (x, y.view())),
                _ => (x.shape() == y.shape()).then(|| (x.view(), y.view())),
            };
            let Some((x, y)) = pair else {
                return Err(crate::Error::invalid(format!(
                    "{name} compares arrays of one shape, not {:?} and {:?}",
                    x.shape(),
                    y.shape()
                ))
                .into());
            };
            Ok(Array::new(
                ndarray::Zip::from(&x)
                    .and(&y)
                    .map_collect(|x, y| f64::from(u8::from(f(*x, *y)))),
            ))
        };
        macro_rules! both {
            ($($kind:ty),*) => { $(
                reg.add(name, move |x: Array, y: $kind| mask(x.data(), &convert::to_array(&Dynamic::from(y), name)?));
                reg.add(name, move |x: $kind, y: Array| mask(&convert::to_array(&Dynamic::from(x), name)?, y.data()));
            )* };
        }
        both!(f64, i64, List);
        reg.add(name, move |x: Array, y: Array| mask(x.data(), y.data()));
    }
}
