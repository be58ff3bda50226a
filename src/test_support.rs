//! What several modules' tests share: the reference figures.

use serde_json::Value;

/// A file of reference figures, parsed: from `../shared/golden` where that is, else the copy in `tests/golden`.
pub fn golden(name: &str) -> Value {
    let root = env!("CARGO_MANIFEST_DIR");
    let mut path = format!("{root}/../shared/golden/{name}");
    if !std::path::Path::new(&path).exists() {
        path = format!("{root}/tests/golden/{name}");
    }
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// A list of numbers.
pub fn numbers(value: &Value) -> Vec<f64> {
    let list = value.as_array().expect("a list");
    list.iter().map(|v| v.as_f64().expect("a number")).collect()
}

/// A list of lists of numbers.
pub fn matrix(value: &Value) -> ndarray::Array2<f64> {
    let rows: Vec<Vec<f64>> = value
        .as_array()
        .expect("a list")
        .iter()
        .map(numbers)
        .collect();
    let columns = rows.first().map_or(0, Vec::len);
    ndarray::Array2::from_shape_vec((rows.len(), columns), rows.concat()).expect("equal rows")
}

/// A measured file beside the project; absent on a plain clone, where the test that needs it is skipped (not in CI).
pub fn measured(name: &str) -> Option<std::path::PathBuf> {
    let path = std::path::PathBuf::from(format!(
        "{}/../shared/data/{name}",
        env!("CARGO_MANIFEST_DIR")
    ));
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
