//! Phase portraits: trajectories in the state space, with the vector field.

use ndarray::{Array2, ArrayView2};

use super::super::color::Color;
use super::super::figure::Figure;
use super::super::layers::Arrows;
use super::super::style::{Marker, Style};
use super::component_name;
use odesync_base::error::{Error, Result};
use odesync_base::text::count_of;

/// Returns the range of the values, extended on either side by `margin`, a part of the range.
fn padded_range<'a>(values: impl Iterator<Item = &'a f64>, margin: f64) -> Option<(f64, f64)> {
    let known = values.filter(|v| v.is_finite());
    let (lo, hi) = known.fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), v| {
        (lo.min(*v), hi.max(*v))
    });
    let pad = if hi > lo {
        margin * (hi - lo)
    } else {
        0.5 * lo.abs().max(1.0)
    };
    (lo <= hi).then_some((lo - pad, hi + pad))
}

fn linspace((lo, hi): (f64, f64), n: usize) -> Vec<f64> {
    (0..n)
        .map(|i| lo + (hi - lo) * i as f64 / (n - 1) as f64)
        .collect()
}

/// Returns the range without the outer half of the first and the last of `n` cells.
fn inset((lo, hi): (f64, f64), n: usize) -> (f64, f64) {
    let half = 0.5 * (hi - lo) / n as f64;
    (lo + half, hi - half)
}

fn no_points() -> Error {
    Error::invalid("phase: the trajectory has no finite point; look at where the solution ends")
}

/// Returns a phase portrait of two components: the vector field as streamlines or arrows, and the trajectories over it, `[time,
/// 2]` each, with a mark at the initial state. `field` returns the two derivatives at a point.
///
/// ```
/// use ndarray::array;
/// use odesync_plot::builders::phase;
/// let path = array![[1.0, 0.0], [0.5, -0.8], [-0.3, -0.9]];
/// let figure = phase(&[path.view()], |x, v| Ok((v, -x)), &["x", "v"], true)?;
/// assert!(figure.to_svg()?.contains("polyline"));
/// # Ok::<(), odesync_plot::Error>(())
/// ```
///
/// # Errors
///
/// Trajectories without two columns or a finite point, or what `field` fails with.
pub fn phase(
    paths: &[ArrayView2<f64>],
    field: impl Fn(f64, f64) -> Result<(f64, f64)>,
    names: &[&str],
    streamlines: bool,
) -> Result<Figure> {
    check(paths, 2)?;
    let of = |k: usize| {
        padded_range(
            paths
                .iter()
                .flat_map(|p| p.column(k).to_vec())
                .collect::<Vec<_>>()
                .iter(),
            0.12,
        )
    };
    let (x, y) = of(0).zip(of(1)).ok_or_else(no_points)?;
    let (xs, ys) = match streamlines {
        true => (linspace(x, 40), linspace(y, 32)),
        // Inset, so that the outer arrows fit into the frame.
        false => (linspace(inset(x, 20), 20), linspace(inset(y, 16), 16)),
    };
    let (mut u, mut v) = (
        Array2::zeros((ys.len(), xs.len())),
        Array2::zeros((ys.len(), xs.len())),
    );
    for (i, y) in ys.iter().enumerate() {
        for (j, x) in xs.iter().enumerate() {
            (u[[i, j]], v[[i, j]]) = field(*x, *y)?;
        }
    }
    let mut figure = Figure::new()
        .size(760, 600)?
        .x_label(component_name(names, 0))
        .y_label(component_name(names, 1))
        .x_range(x.0, x.1)?
        .y_range(y.0, y.1)?;
    let grey = Arrows::new().color(Color::Rgb(0xb4, 0xb4, 0xb4));
    figure = match streamlines {
        true => figure.streamlines(&xs, &ys, &u, &v, &grey)?,
        false => figure.quiver(&xs, &ys, &u, &v, &grey.normalize())?,
    };
    for (i, path) in paths.iter().enumerate() {
        let color = Color::Palette(i);
        figure = figure.line(
            path.column(0),
            path.column(1),
            Style::new().color(color).width(2.2),
        )?;
        if let Some(start) = path.rows().into_iter().next() {
            let dot = Style::new().color(color).marker(Marker::Circle).size(9.0);
            figure = figure.scatter([start[0]], [start[1]], dot)?;
        }
    }
    Ok(figure)
}

/// Returns a phase portrait of three components: the trajectories, `[time, 3]` each, with a mark at the initial state, and arrows
/// of the vector field between them, all of one length.
///
/// # Errors
///
/// Trajectories without three columns or a finite point, or what `field` fails with.
pub fn phase3(
    paths: &[ArrayView2<f64>],
    field: impl Fn([f64; 3]) -> Result<[f64; 3]>,
    names: &[&str],
) -> Result<Figure> {
    check(paths, 3)?;
    let mut ranges = [(0.0, 0.0); 3];
    for (k, slot) in ranges.iter_mut().enumerate() {
        let values: Vec<f64> = paths.iter().flat_map(|p| p.column(k).to_vec()).collect();
        *slot = padded_range(values.iter(), 0.06).ok_or_else(no_points)?;
    }
    let side = 5;
    // Inset, so that the outer arrows fit into the box.
    let inner = ranges.map(|(lo, hi)| linspace((lo + 0.1 * (hi - lo), hi - 0.1 * (hi - lo)), side));
    let count = side * side * side;
    let (mut at, mut vectors) = (Array2::zeros((count, 3)), Array2::zeros((count, 3)));
    for i in 0..count {
        let point = [
            inner[0][i % side],
            inner[1][i / side % side],
            inner[2][i / side / side],
        ];
        let vector = field(point)?;
        for k in 0..3 {
            (at[[i, k]], vectors[[i, k]]) = (point[k], vector[k]);
        }
    }
    let mut figure = Figure::new()
        .size(820, 640)?
        .x_label(component_name(names, 0))
        .y_label(component_name(names, 1))
        .z_label(component_name(names, 2))
        .x_range(ranges[0].0, ranges[0].1)?
        .y_range(ranges[1].0, ranges[1].1)?
        .z_range(ranges[2].0, ranges[2].1)?;
    let grey = Arrows::new()
        .color(Color::Rgb(0xb4, 0xb4, 0xb4))
        .normalize();
    figure = figure.quiver3(&at, &vectors, &grey)?;
    for (i, path) in paths.iter().enumerate() {
        let color = Color::Palette(i);
        let width = if path.nrows() > 2000 { 1.0 } else { 1.5 };
        let (x, y, z) = (path.column(0), path.column(1), path.column(2));
        figure = figure.line3(x, y, z, Style::new().color(color).width(width))?;
        if let Some(start) = path.rows().into_iter().next() {
            let dot = Style::new().color(color).size(8.0);
            figure = figure.scatter3([start[0]], [start[1]], [start[2]], dot)?;
        }
    }
    Ok(figure)
}

fn check(paths: &[ArrayView2<f64>], dof: usize) -> Result<()> {
    match paths.iter().find(|p| p.ncols() != dof) {
        None => Ok(()),
        Some(path) => Err(Error::invalid(format!(
            "phase: a trajectory has the shape {:?}; this portrait takes {}",
            path.shape(),
            count_of(dof, "component")
        ))),
    }
}
