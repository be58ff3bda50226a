//! Loss landscapes over a plane.

use ndarray::{Array2, ArrayBase, Data, Ix2};

use super::super::color::Color;
use super::super::figure::Figure;
use super::super::layers::{Contour, HeatMap};
use super::super::space::Surface;
use super::super::style::{Marker, Style};
use crate::error::{Error, Result};

/// Whether the losses are all positive and span so much that only their logarithm can be seen.
fn spans_decades<S: Data<Elem = f64>>(z: &ArrayBase<S, Ix2>) -> bool {
    let known = z.iter().copied().filter(|v| v.is_finite());
    let (least, most) = known.fold((f64::INFINITY, 0.0), |(lo, hi): (f64, f64), v| {
        (lo.min(v), hi.max(v))
    });
    least > 0.0 && most > 30.0 * least
}

/// A loss over two directions of parameter space, as a heat map with contours: `z` `[y, x]` has a row for each y and a column for
/// each x. Its colours are logarithmic where the losses span more than a factor of 30; cells whose solve failed (NaN) are hatched.
/// `labels` are the names of the two axes and of the loss. `path` is a trajectory of the training in this plane, `[step, 2]`, drawn
/// with a mark at its end; without one the centre (0, 0), the model's parameters, has a mark where the plane holds it.
///
/// ```
/// use ndarray::{Array2, array};
/// use odesync::plotting::builders::landscape_2d;
/// let c: Vec<f64> = (-10..=10).map(|i| 0.1 * f64::from(i)).collect();
/// let z = Array2::from_shape_fn((21, 21), |(i, j)| 0.01 + c[j].powi(2) + 5.0 * c[i].powi(2));
/// let path = array![[0.8, 0.7], [0.3, 0.1], [0.0, 0.0]];
/// let figure = landscape_2d(&c, &c, &z, ["v₁", "v₂", "loss"], Some(&path))?;
/// assert!(figure.to_svg()?.contains("v₂"));
/// # Ok::<(), odesync::Error>(())
/// ```
///
/// # Errors
///
/// Shapes that do not fit, x or y that neither increase nor decrease, no finite loss, or a path without two columns.
pub fn landscape_2d<S: Data<Elem = f64>>(
    x: &[f64],
    y: &[f64],
    z: &ArrayBase<S, Ix2>,
    labels: [&str; 3],
    path: Option<&Array2<f64>>,
) -> Result<Figure> {
    let (mut cells, mut lines) = (HeatMap::new().label(labels[2]), Contour::new().count(10)?);
    if spans_decades(z) {
        (cells, lines) = (cells.log(), lines.log());
    }
    let mut figure = Figure::new()
        .size(760, 600)?
        .x_label(labels[0])
        .y_label(labels[1])
        .heatmap(x, y, z, &cells)?;
    if x.len() > 2 && y.len() > 2 {
        figure = figure.contour(x, y, z, &lines)?;
    }
    let red = Color::Rgb(0xe6, 0x4b, 0x1e);
    let mark = |figure: Figure, x: f64, y: f64| {
        let ring = Style::new().color(Color::Rgb(255, 255, 255)).size(12.0);
        let dot = Style::new().color(red).size(8.0);
        figure.scatter([x], [y], ring)?.scatter([x], [y], dot)
    };
    let Some(path) = path else {
        let holds = |v: &[f64]| v.iter().any(|v| *v <= 0.0) && v.iter().any(|v| *v >= 0.0);
        return match holds(x) && holds(y) {
            true => mark(figure, 0.0, 0.0),
            false => Ok(figure),
        };
    };
    if path.ncols() != 2 {
        return Err(Error::invalid(format!(
            "landscape: the path has the shape {:?}; it takes a row of two coordinates for each step",
            path.shape()
        )));
    }
    let (px, py) = (path.column(0), path.column(1));
    let below = Style::new().color(Color::Rgb(255, 255, 255)).width(4.0);
    let mut above = Style::new().color(red).width(2.0);
    if path.nrows() <= 60 {
        above = above.marker(Marker::Circle).size(5.0);
    }
    figure = figure.line(px, py, below)?.line(px, py, above)?;
    match path.rows().into_iter().next_back() {
        Some(end) => mark(figure, end[0], end[1]),
        None => Ok(figure),
    }
}

/// The same loss as a surface over the plane, on a logarithmic axis where the losses span more than a factor of 30.
///
/// # Errors
///
/// Shapes that do not fit, x or y that neither increase nor decrease, or no finite loss.
pub fn landscape_surface<S: Data<Elem = f64>>(
    x: &[f64],
    y: &[f64],
    z: &ArrayBase<S, Ix2>,
    labels: [&str; 3],
) -> Result<Figure> {
    let figure = Figure::new().size(820, 620)?;
    let figure = figure
        .x_label(labels[0])
        .y_label(labels[1])
        .z_label(labels[2]);
    match spans_decades(z) {
        true => figure.log_z().surface(x, y, z, &Surface::new().log()),
        false => figure.surface(x, y, z, &Surface::new()),
    }
}
