//! The script's dense array of floats, as a value.

use std::fmt;
use std::sync::Arc;

use ndarray::{ArrayD, IxDyn};
use rhai::Dynamic;

/// A dense array of `f64` in row-major order. Clones share their data until one of them is written to.
#[derive(Clone, PartialEq)]
pub struct ScriptArray(pub(super) Arc<ArrayD<f64>>);

/// How many items of an axis are printed; the rest is "…".
const MAX_SHOWN: usize = 8;

impl ScriptArray {
    /// Wraps an array.
    pub fn new(data: ArrayD<f64>) -> Self {
        Self(Arc::new(data))
    }

    /// A vector.
    pub fn from_vec(data: Vec<f64>) -> Self {
        Self::new(ArrayD::from_shape_vec(IxDyn(&[data.len()]), data).unwrap_or_default())
    }

    /// The data.
    pub fn data(&self) -> &ArrayD<f64> {
        &self.0
    }

    /// The data, owned: without a copy if nobody shares it.
    pub fn into_data(self) -> ArrayD<f64> {
        Arc::unwrap_or_clone(self.0)
    }

    /// The data to be written to; copied first if it is shared.
    pub fn data_mut(&mut self) -> &mut ArrayD<f64> {
        Arc::make_mut(&mut self.0)
    }

    /// Sizes of the axes.
    pub fn shape(&self) -> &[usize] {
        self.0.shape()
    }

    /// Length of the first axis; 1 for rank 0.
    pub fn len(&self) -> usize {
        self.shape().first().copied().unwrap_or(1)
    }

    /// Whether there is no element.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value as a script gets it: a float for rank 0, otherwise the array.
    pub fn into_dynamic(self) -> Dynamic {
        match self.0.ndim() {
            0 => Dynamic::from(self.0.first().copied().unwrap_or(f64::NAN)),
            _ => Dynamic::from(self),
        }
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

/// Six significant digits, without trailing zeros.
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
