//! Helpers that the tests of several crates share: reference figures, classic problems, measured data, counts of allocations.

pub mod classic_problems;

#[allow(unsafe_code, reason = "an allocator")]
pub mod peak_allocator;

use std::path::{Path, PathBuf};

use ndarray::Array2;
use serde_json::Value;

/// Returns the root folder of the repository.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Returns the reference figures `tests/golden/NAME.json`: float64, computed independently with PyTorch, torchdiffeq and SciPy.
///
/// # Panics
/// Where there is no file of this name.
pub fn golden(name: &str) -> Value {
    let path = repository().join(format!("tests/golden/{name}.json"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Returns the file NAME of the measured data, which are next to the checkout in `../shared/data`; `None` where it is missing.
/// The test that needs it is then skipped, except in continuous integration (`CI=true`), where that is a failure.
///
/// # Panics
/// With `CI=true`, where the file is missing.
pub fn measured_data(name: &str) -> Option<PathBuf> {
    let path = repository().join("../shared/data").join(name);
    if path.exists() {
        return Some(path);
    }
    assert!(
        std::env::var("CI").as_deref() != Ok("true"),
        "{} is missing",
        path.display()
    );
    println!("skipped: {} is missing", path.display());
    None
}

/// Returns a list of numbers.
///
/// # Panics
/// If `value` is not a list of numbers.
pub fn numbers(value: &Value) -> Vec<f64> {
    let list = value.as_array().expect("a list");
    list.iter().map(|v| v.as_f64().expect("a number")).collect()
}

/// Returns the numbers of a list of lists of numbers, one list after the other.
///
/// # Panics
/// If `value` is not a list of lists of numbers.
pub fn flat_numbers(value: &Value) -> Vec<f64> {
    let list = value.as_array().expect("a list");
    list.iter().flat_map(numbers).collect()
}

/// Returns a list of lists of numbers as a matrix.
///
/// # Panics
/// If `value` is not a list of lists of numbers of one length.
pub fn matrix(value: &Value) -> Array2<f64> {
    let rows = value.as_array().map_or(0, Vec::len);
    let values = flat_numbers(value);
    let columns = values.len().checked_div(rows).unwrap_or(0);
    Array2::from_shape_vec((rows, columns), values).expect("lists of one length")
}

/// Returns the relative error of `got`: the Euclidean norm of its difference from `want` over the norm of `want`.
///
/// # Panics
/// Where the lengths differ.
pub fn relative_error(got: &[f64], want: &[f64]) -> f64 {
    assert_eq!(got.len(), want.len());
    let norm = |x: &mut dyn Iterator<Item = f64>| x.map(|x| x * x).sum::<f64>().sqrt();
    norm(&mut got.iter().zip(want).map(|(a, b)| a - b)) / norm(&mut want.iter().copied())
}
