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
//! | `linear` | dot, norm, mse, nmse |
//! | `decompositions` | inverse, eigenvalues, least squares |
//! | `series` | quantile, interp, diff, integrals of samples |
//! | `masks` | `&`, `\|`, `!` on comparisons of arrays, `x[mask]` |
//! | `random` | rand, randn, randint |
//!
//! A list of numbers (or of lists) is accepted wherever an `Array` is, by [`super::convert::to_array`].

mod arithmetic;
mod create;
mod decompositions;
mod elementary;
mod indexing;
mod linear;
mod masks;
mod random;
mod reductions;
mod series;
mod shaping;

pub use super::dense::ScriptArray;
use super::registry::{Registry, ScriptType, same_number};

impl ScriptType for ScriptArray {
    const NAME: &'static str = "Array";

    fn show(&self) -> String {
        self.to_string()
    }

    const CHANGES_IN_PLACE: bool = true;

    fn is_same(&self, other: &Self) -> bool {
        let mut pairs = self.data().iter().zip(other.data());
        self.data().shape() == other.data().shape() && pairs.all(|(a, b)| same_number(*a, *b))
    }
}

/// Registers the functions of arrays.
pub(super) fn register(reg: &mut Registry) {
    reg.script_type::<ScriptArray>();
    create::register(reg);
    indexing::register(reg);
    shaping::register(reg);
    arithmetic::register(reg);
    elementary::register(reg);
    reductions::register(reg);
    linear::register(reg);
    decompositions::register(reg);
    series::register(reg);
    masks::register(reg);
    random::register(reg);
}
