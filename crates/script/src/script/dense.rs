//! The dense array of floats that scripts use as a value.

use std::fmt;
use std::sync::Arc;

use ndarray::{Array, ArrayD, Dimension, IxDyn};
use rhai::Dynamic;

use super::memory::check_floats;
use crate::Result;

/// A dense array of `f64` in row-major order. Clones share their data until one of them is written to.
#[derive(Clone, PartialEq)]
pub struct ScriptArray(pub(super) Arc<ArrayD<f64>>);

/// Number of items of an axis that are printed; the others are shown as "…".
const MAX_SHOWN: usize = 8;

impl ScriptArray {
    /// Makes a script's array from an array.
    pub fn new(data: ArrayD<f64>) -> Self {
        Self(Arc::new(data))
    }

    /// Makes an array of rank 1.
    pub fn from_vec(data: Vec<f64>) -> Self {
        Self::new(ArrayD::from_shape_vec(IxDyn(&[data.len()]), data).unwrap_or_default())
    }

    /// Returns the data.
    pub fn data(&self) -> &ArrayD<f64> {
        &self.0
    }

    /// Returns the owned data; no copy is made if no other array shares them.
    pub fn into_data(self) -> ArrayD<f64> {
        Arc::unwrap_or_clone(self.0)
    }

    /// Returns the owned data as [`Self::into_data`] does, where there is room for the copy.
    ///
    /// # Errors
    /// [`crate::Error::Invalid`] that says how much `what` would take.
    pub fn into_owned(self, what: &str) -> Result<ArrayD<f64>> {
        self.check_copy(what)?;
        Ok(self.into_data())
    }

    /// Returns the data for writing; shared data are copied first.
    ///
    /// # Errors
    /// [`crate::Error::Invalid`] where there is no room for the copy, which says how much `what` would take.
    pub fn data_mut(&mut self, what: &str) -> Result<&mut ArrayD<f64>> {
        self.check_copy(what)?;
        Ok(Arc::make_mut(&mut self.0))
    }

    fn check_copy(&self, what: &str) -> Result<()> {
        match Arc::strong_count(&self.0) {
            1 => Ok(()),
            _ => check_floats(what, self.0.len()),
        }
    }

    /// Returns the sizes of the axes.
    pub fn shape(&self) -> &[usize] {
        self.0.shape()
    }

    /// Returns the length of the first axis; 1 for rank 0.
    pub fn len(&self) -> usize {
        self.shape().first().copied().unwrap_or(1)
    }

    /// Returns whether the array has no elements.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Converts the array to a script's value: a float for rank 0, otherwise an `Array`.
    pub fn into_dynamic(self) -> Dynamic {
        match self.0.ndim() {
            0 => Dynamic::from(self.0.first().copied().unwrap_or(f64::NAN)),
            _ => Dynamic::from(self),
        }
    }
}

/// Returns the array with its elements row by row, on which indexing relies for speed; one that has them so is not copied.
pub(super) fn row_major<D: Dimension>(x: Array<f64, D>) -> Array<f64, D> {
    match x.is_standard_layout() {
        true => x,
        false => x.as_standard_layout().into_owned(),
    }
}

/// Returns the elements row by row, without a copy where they lie so.
pub(super) fn elements(x: ArrayD<f64>) -> Vec<f64> {
    if !x.is_standard_layout() {
        return x.iter().copied().collect();
    }
    let n = x.len();
    match x.into_raw_vec_and_offset() {
        (all, None | Some(0)) if all.len() == n => all,
        (all, offset) => all.into_iter().skip(offset.unwrap_or(0)).take(n).collect(),
    }
}

impl From<ArrayD<f64>> for ScriptArray {
    fn from(data: ArrayD<f64>) -> Self {
        Self::new(data)
    }
}

impl fmt::Display for ScriptArray {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Array{:?} ", self.shape())?;
        show(self.0.view(), f)
    }
}

impl fmt::Debug for ScriptArray {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn show(view: ndarray::ArrayViewD<'_, f64>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if view.ndim() == 0 {
        return f.write_str(&show_number(view.first().copied().unwrap_or(f64::NAN)));
    }
    f.write_str("[")?;
    let n = view.shape()[0];
    let cut = n > MAX_SHOWN;
    for (i, item) in view.outer_iter().enumerate() {
        if cut && (MAX_SHOWN / 2..n - MAX_SHOWN / 2).contains(&i) {
            if i == MAX_SHOWN / 2 {
                f.write_str(", …")?;
            }
            continue;
        }
        if i > 0 {
            f.write_str(", ")?;
        }
        show(item, f)?;
    }
    f.write_str("]")
}

/// Formats a number with six significant digits, without trailing zeros.
fn show_number(x: f64) -> String {
    odesync_base::tables::format_number(x, 6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_shown_with_six_digits() {
        for (x, text) in [
            (0.0, "0"),
            (1.0, "1"),
            (-0.25, "-0.25"),
            (1.0 / 3.0, "0.333333"),
            (123456.789, "123457"),
            (1e7, "1e7"),
            (-2.5e-7, "-2.5e-7"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "inf"),
        ] {
            assert_eq!(show_number(x), text);
        }
    }

    #[test]
    fn long_axes_are_cut() {
        let text = ScriptArray::from_vec((0..100).map(f64::from).collect()).to_string();
        assert_eq!(text, "Array[100] [0, 1, 2, 3, …, 96, 97, 98, 99]");
    }
}
