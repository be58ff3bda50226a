//! Sequences of numbers as arguments, in any form.

use std::borrow::Borrow;
use std::sync::Arc;

use super::style::Style;
use odesync_base::error::{Error, Result};
use odesync_base::text::count_of;

/// A sequence of numbers: a slice, a vector, an `ndarray` array or view, an iterator.
pub trait Values: IntoIterator<Item: Borrow<f64>> {}

impl<T: IntoIterator<Item: Borrow<f64>>> Values for T {}

pub(super) fn collect(values: impl Values) -> Arc<[f64]> {
    values.into_iter().map(|v| *v.borrow()).collect()
}

/// Checks that the arrays of a layer have the same length.
pub(super) fn same_length(
    kind: &str,
    style: &Style,
    x: &[f64],
    name: &str,
    y: &[f64],
) -> Result<()> {
    if x.len() == y.len() {
        return Ok(());
    }
    let label = match &style.label {
        Some(label) => format!("{kind} \"{label}\""),
        None => kind.to_owned(),
    };
    Err(Error::invalid(format!(
        "{label}: x has {} but {name} has {}; give both the same number",
        count_of(x.len(), "value"),
        y.len()
    )))
}
