//! The script's dense array of floats, of any rank, and its functions.
//!
//! | file | content |
//! |---|---|
//! | `create` | arange, linspace, zeros, ones, array |
//! | `indexing` | `x[i]`, assignment, slices, iteration, `in`, to_list |
//! | `shaping` | transpose, reshape, concat, stack |
//! | `arithmetic` | operators with numpy's broadcasting, comparisons |
//! | `elementary` | abs, sqrt, sin, … on numbers, lists and arrays |
//! | `reductions` | sum, mean, std, min, … |
//! | `linear` | dot, norm, mse |
//!
//! A list of numbers (or of lists) is accepted wherever an `Array` is, by [`super::convert::to_array`].

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
pub use super::dense::ScriptArray;
use super::error::RhaiResult;
use super::registry::Registry;

/// Registers `f` under `name` for an argument that is an int, a float, a list or an `Array`, which is converted to an array. A
/// result of rank 0 is returned as a float.
fn register_unary(
    reg: &mut Registry,
    name: &'static str,
    f: impl Fn(ArrayD<f64>) -> crate::Result<ScriptArray> + Clone + 'static,
) {
    let read = move |x: &Dynamic| -> RhaiResult<Dynamic> {
        Ok(f(convert::to_array(x, name)?)?.into_dynamic())
    };
    let g = read.clone();
    reg.register_fn(name, move |x: i64| g(&x.into()));
    let g = read.clone();
    reg.register_fn(name, move |x: f64| g(&x.into()));
    register_for_arrays(reg, name, read);
}

/// Registers `f` under `name` for a list and for an `Array`.
fn register_for_arrays(
    reg: &mut Registry,
    name: &'static str,
    f: impl Fn(&Dynamic) -> RhaiResult<Dynamic> + Clone + 'static,
) {
    let g = f.clone();
    reg.register_fn(name, move |x: List| g(&x.into()));
    reg.register_fn(name, move |x: ScriptArray| f(&Dynamic::from(x)));
}

/// Registers the functions of arrays.
pub(super) fn register(reg: &mut Registry) {
    reg.register_type::<ScriptArray>("Array")
        .display::<ScriptArray>(ScriptArray::to_string);
    create::register(reg);
    indexing::register(reg);
    shaping::register(reg);
    arithmetic::register(reg);
    elementary::register(reg);
    reductions::register(reg);
    linear::register(reg);
}
