//! Values on a rectilinear grid of x and y.

use std::sync::Arc;

use ndarray::{Array2, ArrayBase, Axis, Data, Ix2};

use super::values::{Values, collect};
use odesync_base::error::{Error, Result};
use odesync_base::text::count_of;

/// Values on a rectilinear grid: one for each x and y, both increasing; `z` is `[y, x]`.
#[derive(Debug, Clone)]
pub(super) struct RectilinearGrid {
    pub x: Arc<[f64]>,
    pub y: Arc<[f64]>,
    pub z: Arc<Array2<f64>>,
}

impl RectilinearGrid {
    /// Creates a grid after a check of the shapes; reverses an axis that decreases, and the values with it. `edges` allows one
    /// more x and y than values: the borders of cells.
    pub fn new<S: Data<Elem = f64>>(
        call: &str,
        x: impl Values,
        y: impl Values,
        z: &ArrayBase<S, Ix2>,
        edges: bool,
    ) -> Result<RectilinearGrid> {
        let (mut x, mut y) = (collect(x).to_vec(), collect(y).to_vec());
        let mut z = z.to_owned();
        let fits = |n: usize, m: usize| n == m || (edges && n == m + 1);
        if !fits(x.len(), z.ncols()) || !fits(y.len(), z.nrows()) {
            return Err(Error::invalid(format!(
                "{call}: x has {} and y has {}, but z has the shape {:?}; z takes a row for each y and a column for each x",
                count_of(x.len(), "value"),
                y.len(),
                z.shape()
            )));
        }
        for (name, values, axis) in [("x", &mut x, Axis(1)), ("y", &mut y, Axis(0))] {
            if values.first() > values.last() {
                values.reverse();
                z.invert_axis(axis);
            }
            let steady = values.windows(2).all(|p| p[0] < p[1]);
            if !steady || !values.iter().all(|v| v.abs() <= 1e300) {
                return Err(Error::invalid(format!(
                    "{call}: {name} should be finite and increase (or decrease) from each value to the next"
                )));
            }
        }
        Ok(RectilinearGrid {
            x: x.into(),
            y: y.into(),
            z: Arc::new(z.as_standard_layout().to_owned()),
        })
    }
}

/// Returns the position of a value in increasing values: the index below it and the fraction towards the next; `None` outside
/// them.
pub(super) fn find_cell(values: &[f64], v: f64) -> Option<(usize, f64)> {
    let last = values.len().checked_sub(1).filter(|n| *n > 0)?;
    if !(values[0] <= v && v <= values[last]) {
        return None;
    }
    let high = values.partition_point(|x| *x <= v).clamp(1, last);
    let (a, b) = (values[high - 1], values[high]);
    Some((high - 1, (v - a) / (b - a)))
}

/// Returns the bilinear interpolation of the values of a table at fractional row and column indices.
pub(super) fn bilinear(
    (i, s): (usize, f64),
    (j, t): (usize, f64),
    value: impl Fn(usize, usize) -> f64,
) -> f64 {
    let row = |i: usize| value(i, j) * (1.0 - t) + value(i, j + 1) * t;
    row(i) * (1.0 - s) + row(i + 1) * s
}

/// Returns the borders of the cells around these centres, halfway between them.
pub(super) fn cell_edges(centers: &[f64]) -> Vec<f64> {
    let Some((&first, &last)) = centers.first().zip(centers.last()) else {
        return Vec::new();
    };
    let mut edges: Vec<f64> = centers
        .windows(2)
        .map(|p| 0.5 * p[0] + 0.5 * p[1])
        .collect();
    let (Some(&second), Some(&before)) = (centers.get(1), centers.iter().rev().nth(1)) else {
        return vec![first - 0.5, first + 0.5];
    };
    let mut start = first - 0.5 * (second - first);
    if first > 0.0 && start <= 0.0 {
        // On a logarithmic axis the outer border must be positive.
        start = first * (first / second).sqrt();
    }
    edges.insert(0, start);
    edges.push(last + 0.5 * (last - before));
    edges
}
