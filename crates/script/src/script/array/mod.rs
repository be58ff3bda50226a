//! Everything on the script's dense array of floats, of any rank.
//!
//! | file | what lives there |
//! |---|---|
//! | `create` | arange, linspace, zeros, ones, array |
//! | `indexing` | `x[i]`, assignment, slices, iteration, `in`, to_list |
//! | `shaping` | transpose, reshape, concat, stack |
//! | `arithmetic` | operators with numpy's broadcasting, comparisons |
//! | `elementary` | abs, sqrt, sin, … on numbers, lists and arrays |
//! | `reductions` | sum, mean, std, min, … |
//! | `linear` | dot, norm, mse |
//!
//! A list of numbers (or of lists) is taken wherever an `Array` is, by [`super::convert::to_array`].

mod arithmetic;
mod create;
mod elementary;
mod indexing;
mod linear;
mod reductions;
mod shaping;

use ndarray::ArrayD;
use rhai::{Array as List, Dynamic};

use super::convert;
pub use super::dense::Array;
use super::error::Fallible;
use super::registry::Registry;

/// Registers `f` under `name` for an argument that is an int, a float, a list or an `Array`, read as an array. The result is a
/// float where it has rank 0.
fn unary(
    reg: &mut Registry,
    name: &'static str,
    f: impl Fn(ArrayD<f64>) -> crate::Result<Array> + Clone + 'static,
) {
    let read = move |x: &Dynamic| -> Fallible<Dynamic> {
        Ok(f(convert::to_array(x, name)?)?.into_dynamic())
    };
    let g = read.clone();
    reg.add(name, move |x: i64| g(&x.into()));
    let g = read.clone();
    reg.add(name, move |x: f64| g(&x.into()));
    on_arrays(reg, name, read);
}

/// Registers `f` under `name` for a list and for an `Array`.
fn on_arrays(
    reg: &mut Registry,
    name: &'static str,
    f: impl Fn(&Dynamic) -> Fallible<Dynamic> + Clone + 'static,
) {
    let g = f.clone();
    reg.add(name, move |x: List| g(&x.into()));
    reg.add(name, move |x: Array| f(&Dynamic::from(x)));
}

/// Registers everything on arrays.
pub(super) fn register(reg: &mut Registry) {
    reg.kind::<Array>("Array")
        .display::<Array>(Array::to_string);
    create::register(reg);
    indexing::register(reg);
    shaping::register(reg);
    arithmetic::register(reg);
    elementary::register(reg);
    reductions::register(reg);
    linear::register(reg);
}
