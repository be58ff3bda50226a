//! Ready-made figures from plain arrays: of training runs, of loss landscapes, of the state space.

mod compare;
mod density;
mod fit;
mod landscape;
mod loss;
mod phase;
mod residuals;
mod slice;
mod spectrum;
mod spline;
mod trajectory;
mod waterfall;

use ndarray::ArrayView2;

use super::label::subscript;

use odesync_base::error::{Error, Result};
use odesync_base::text::count_of;

pub use compare::{Curve, compare};
pub use density::density;
pub use fit::fit;
pub use landscape::{landscape_2d, landscape_surface};
pub use loss::{loss_curve, losses_band};
pub use phase::{phase, phase3};
pub use residuals::residuals;
pub use slice::slice_1d;
pub use spectrum::spectrum;
pub use spline::spline;
pub use trajectory::trajectory;
pub use waterfall::waterfall;

/// Returns the default name of state variable `i`: u₀, u₁, …
pub fn default_name(i: usize) -> String {
    format!("u{}", subscript(i))
}

/// Returns a name as figures write it: the default name `u[2]` of a column of data without names becomes u₂.
pub fn display_name(name: &str) -> String {
    let index = name
        .strip_prefix("u[")
        .and_then(|rest| rest.strip_suffix(']'));
    match index.and_then(|digits| digits.parse().ok()) {
        Some(i) => default_name(i),
        None => name.to_owned(),
    }
}

/// Returns the name of component `i`: `names[i]`, or uᵢ where there is none.
fn component_name(names: &[&str], i: usize) -> String {
    names
        .get(i)
        .map_or_else(|| default_name(i), |name| display_name(name))
}

fn same_length(what: &str, t: &[f64], u: &ArrayView2<f64>) -> Result<()> {
    match t.len() == u.nrows() {
        true => Ok(()),
        false => Err(Error::invalid(format!(
            "{what}: {} but {} of values; give both the same number",
            count_of(t.len(), "time"),
            count_of(u.nrows(), "row")
        ))),
    }
}
