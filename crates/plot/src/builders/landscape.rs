//! Figures of loss landscapes over a plane.

use std::sync::Arc;

use ndarray::{Array2, ArrayBase, Data, Ix2};

use super::super::color::Color;
use super::super::color_scale::ColorScaleOptions;
use super::super::figure::Figure;
use super::super::geometry::Point3;
use super::super::layers::{Contour, HeatMap};
use super::super::rectilinear_grid::{RectilinearGrid, bilinear, find_cell};
use super::super::scale::Scale;
use super::super::space::{DEPTH_BIAS, Layer3, Line3, ON_TOP_BIAS, Scatter3, Surface};
use super::super::style::{Marker, Style};
use odesync_base::error::{Error, Result};

/// The colour of the mark at the model's parameters and of the path of its training.
const RED: Color = Color::Rgb(0xe6, 0x4b, 0x1e);

/// Whether the losses are all positive and span more than a factor of 30, so that a logarithmic scale suits them.
fn spans_decades<S: Data<Elem = f64>>(z: &ArrayBase<S, Ix2>) -> bool {
    let finite = z.iter().copied().filter(|v| v.is_finite());
    let (least, most) = finite.fold((f64::INFINITY, 0.0), |(lo, hi): (f64, f64), v| {
        (lo.min(v), hi.max(v))
    });
    least > 0.0 && most > 30.0 * least
}

/// Returns the range of losses that the colours span where the largest losses are so far above the others that these would have
/// one colour: three times the height that the lower quarter of the losses reaches.
fn robust_range<S: Data<Elem = f64>>(z: &ArrayBase<S, Ix2>, scale: Scale) -> Option<(f64, f64)> {
    let finite = z.iter().copied().filter(|v| scale.in_domain(*v));
    let mut finite: Vec<f64> = finite.map(|v| scale.forward(v)).collect();
    finite.sort_unstable_by(f64::total_cmp);
    let (least, most) = (*finite.first()?, *finite.last()?);
    let part = |q: usize| finite[(finite.len() - 1) * q / 100];
    // Where the lower quarter is constant, the range is a decade, or reaches the first loss above it.
    let core = match scale {
        Scale::Log => (part(25) - part(2)).max(1.0),
        _ => [25, 50, 75, 90]
            .map(|q| part(q) - part(2))
            .into_iter()
            .find(|v| *v > 0.0)?,
    };
    let far = if scale == Scale::Log { 8.0 } else { 100.0 };
    let cap = part(2) + 3.0 * core;
    (most - part(2) > far * core && cap > least)
        .then(|| (scale.inverse(least), scale.inverse(cap)))
        .filter(|(lo, hi)| hi - lo > 1e-9 * hi.abs())
}

/// Sets the scale and the range of colours that suit the losses, where the options leave them unset.
fn fit_color_scale<S: Data<Elem = f64>>(
    color_options: &mut ColorScaleOptions,
    z: &ArrayBase<S, Ix2>,
) {
    let scale = *color_options.scale.0.get_or_insert(match spans_decades(z) {
        true => Scale::Log,
        false => Scale::Linear,
    });
    color_options.robust_range = robust_range(z, scale);
}

/// Sets one scale and one range of colours that suit the losses of several landscapes, where the options leave them unset.
fn fit_common_color_scale(color_options: &mut ColorScaleOptions, losses: Vec<f64>) {
    let finite: Vec<f64> = losses.into_iter().filter(|v| v.is_finite()).collect();
    let z = Array2::from_shape_fn((1, finite.len()), |(_, j)| finite[j]);
    fit_color_scale(color_options, &z);
    let scale = color_options.scale.or_linear();
    let shown = finite.into_iter().filter(|v| scale.in_domain(*v));
    let (least, most) = shown.fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), v| {
        (lo.min(v), hi.max(v))
    });
    if color_options.range.is_none() && least < most {
        color_options.range = color_options.robust_range.or(Some((least, most)));
    }
}

impl HeatMap {
    /// Sets one colour scale and range that suit all of these losses, where the options leave them unset, so that several maps
    /// can be compared.
    pub fn fit_colors_to(mut self, losses: Vec<f64>) -> Self {
        fit_common_color_scale(&mut self.color_options, losses);
        self
    }
}

impl Surface {
    /// Sets one colour scale and range that suit all of these losses, where the options leave them unset, so that several
    /// surfaces can be compared.
    pub fn fit_colors_to(mut self, losses: Vec<f64>) -> Self {
        fit_common_color_scale(&mut self.color_options, losses);
        self
    }
}

/// Returns a figure of a loss over two directions of parameter space, as a heat map with contours: `z` `[y, x]` has a row for
/// each y and a column for each x. Unless `cells` sets another scale, the colours are logarithmic where the losses span more than
/// a factor of 30, and losses so far above the others that these would have one colour have the last colour, with an arrowhead on
/// the colour bar; cells whose solve failed (NaN) are hatched. `labels` are the names of the two axes and of the loss. `path` is
/// the trajectory of the training in this plane, `[step, 2]`, drawn with a mark at its end; without a path the centre (0, 0), the
/// model's parameters, has a mark if the plane contains it.
///
/// ```
/// use ndarray::{Array2, array};
/// use odesync_plot::HeatMap;
/// use odesync_plot::builders::landscape_2d;
/// let c: Vec<f64> = (-10..=10).map(|i| 0.1 * f64::from(i)).collect();
/// let z = Array2::from_shape_fn((21, 21), |(i, j)| 0.01 + c[j].powi(2) + 5.0 * c[i].powi(2));
/// let path = array![[0.8, 0.7], [0.3, 0.1], [0.0, 0.0]];
/// let figure = landscape_2d(&c, &c, &z, ["v₁", "v₂", "loss"], Some(&path), &HeatMap::new())?;
/// assert!(figure.to_svg()?.contains("v₂"));
/// # Ok::<(), odesync_plot::Error>(())
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
    cells: &HeatMap,
) -> Result<Figure> {
    let (mut cells, mut lines) = (cells.clone(), Contour::new().count(10)?);
    fit_color_scale(&mut cells.color_options, z);
    if cells.color_options.label.is_empty() {
        cells.color_options.label = labels[2].to_owned();
    }
    // The contour lines lie at round values of the heat map's range.
    (lines.color_options.scale, lines.color_options.robust_range) =
        (cells.color_options.scale, cells.color_options.robust_range);
    lines.color_options.range = cells.color_options.range;
    let mut figure = Figure::new()
        .size(760, 600)?
        .x_label(labels[0])
        .y_label(labels[1])
        .heatmap(x, y, z, &cells)?;
    if x.len() > 2 && y.len() > 2 {
        figure = figure.contour(x, y, z, &lines)?;
    }
    let mark = |figure: Figure, x: f64, y: f64| {
        let ring = Style::new().color(Color::Rgb(255, 255, 255)).size(12.0);
        let dot = Style::new().color(RED).size(8.0);
        figure.scatter([x], [y], ring)?.scatter([x], [y], dot)
    };
    let Some(path) = path else {
        return match holds_centre(x, y) {
            true => mark(figure, 0.0, 0.0),
            false => Ok(figure),
        };
    };
    check_path(path)?;
    let (px, py) = (path.column(0), path.column(1));
    let below = Style::new().color(Color::Rgb(255, 255, 255)).width(4.0);
    let mut above = Style::new().color(RED).width(2.0);
    if path.nrows() <= 60 {
        above = above.marker(Marker::Circle).size(5.0);
    }
    figure = figure.line(px, py, below)?.line(px, py, above)?;
    match path.rows().into_iter().next_back() {
        Some(end) => mark(figure, end[0], end[1]),
        None => Ok(figure),
    }
}

fn holds_centre(x: &[f64], y: &[f64]) -> bool {
    let holds = |v: &[f64]| v.iter().any(|v| *v <= 0.0) && v.iter().any(|v| *v >= 0.0);
    holds(x) && holds(y)
}

fn check_path(path: &Array2<f64>) -> Result<()> {
    match path.ncols() {
        2 => Ok(()),
        _ => Err(Error::invalid(format!(
            "landscape: the path has the shape {:?}; it takes a row of two coordinates for each step",
            path.shape()
        ))),
    }
}

/// Returns a figure of a loss over two directions of parameter space, as a surface with the path of the training on it (arguments
/// of [`landscape_2d`]). The vertical axis is logarithmic where the losses span more than a factor of 30 (unless `surface` sets a
/// scale), and the surface is cut off at the losses to which [`landscape_2d`] gives the last colour.
///
/// # Errors
///
/// Those of [`landscape_2d`].
pub fn landscape_surface<S: Data<Elem = f64>>(
    x: &[f64],
    y: &[f64],
    z: &ArrayBase<S, Ix2>,
    labels: [&str; 3],
    path: Option<&Array2<f64>>,
    surface: &Surface,
) -> Result<Figure> {
    let mut surface = surface.clone();
    fit_color_scale(&mut surface.color_options, z);
    let ColorScaleOptions {
        scale,
        robust_range: usual,
        range,
        ..
    } = surface.color_options;
    let scale = scale.or_linear();
    // A valley between high walls is visible only from above.
    let elevation = if usual.is_some() { 62.0 } else { 38.0 };
    let mut figure = Figure::new()
        .size(820, 620)?
        .view(best_azimuth(z), elevation)?;
    figure.z_scale.0 = Some(scale);
    figure.z_range = range.or(usual);
    let figure = figure
        .x_label(labels[0])
        .y_label(labels[1])
        .z_label(labels[2])
        .surface(x, y, z, &surface)?;
    let grid = RectilinearGrid::new("landscape", x, y, z, false)?;
    match path {
        Some(path) => {
            check_path(path)?;
            Ok(draw_path_on_surface(figure, &grid, scale, path))
        }
        None if holds_centre(x, y) => Ok(draw_path_on_surface(
            figure,
            &grid,
            scale,
            &Array2::zeros((1, 2)),
        )),
        None => Ok(figure),
    }
}

/// Adds a path with a mark at its end to a figure, at the height of the surface. Both are faint where the surface hides them.
fn draw_path_on_surface(
    mut figure: Figure,
    grid: &RectilinearGrid,
    scale: Scale,
    path: &Array2<f64>,
) -> Figure {
    let surface_point = |(x, y): &(f64, f64)| -> Point3 {
        let height = find_cell(&grid.x, *x)
            .zip(find_cell(&grid.y, *y))
            .map(|(j, i)| scale.inverse(bilinear(i, j, |i, j| scale.forward(grid.z[[i, j]]))));
        [*x, *y, height.unwrap_or(f64::NAN)]
    };
    let surface_points =
        |points: &[(f64, f64)]| -> Arc<[Point3]> { points.iter().map(surface_point).collect() };
    let points: Vec<(f64, f64)> = path.rows().into_iter().map(|p| (p[0], p[1])).collect();
    let cell = |values: &[f64]| match (values.first(), values.last()) {
        (Some(a), Some(b)) => (b - a).abs() / values.len() as f64,
        _ => f64::NAN,
    };
    let (dx, dy) = (cell(&grid.x), cell(&grid.y));
    // Two points for each cell that the path crosses, so that it follows the surface.
    let mut refined: Vec<(f64, f64)> = points.first().copied().into_iter().collect();
    for pair in points.windows(2) {
        let ((ax, ay), (bx, by)) = (pair[0], pair[1]);
        let cells = ((bx - ax) / dx).abs().max(((by - ay) / dy).abs());
        let steps = (2.0 * cells).ceil().clamp(1.0, 400.0);
        refined.extend((1..=steps as usize).map(|k| {
            let s = k as f64 / steps;
            (ax + s * (bx - ax), ay + s * (by - ay))
        }));
    }
    let red = Style::new().color(RED);
    let mut layers: Vec<Arc<dyn Layer3>> = Vec::new();
    if refined.len() > 1 {
        let line = red.clone().width(2.5);
        for (style, lift) in [(line.clone(), DEPTH_BIAS), (line.alpha(0.35), ON_TOP_BIAS)] {
            layers.push(Arc::new(Line3 {
                points: surface_points(&refined),
                style,
                depth_bias: lift,
            }));
        }
    }
    if (2..=60).contains(&points.len()) {
        layers.push(Arc::new(Scatter3 {
            points: surface_points(&points),
            style: red.clone().size(5.0),
            depth_bias: DEPTH_BIAS,
        }));
    }
    let end = points.last().map_or(&[][..], std::slice::from_ref);
    let ring = Style::new().color(Color::Rgb(255, 255, 255)).size(12.0);
    let dot = red.size(8.0);
    // In front of the path's line and of the cells around it, but behind a wall of the surface, through which it is faint.
    let near = 3.0 * DEPTH_BIAS;
    for (style, depth_bias) in [
        (ring, near),
        (dot.clone(), near),
        (dot.alpha(0.35), 2.0 * ON_TOP_BIAS),
    ] {
        layers.push(Arc::new(Scatter3 {
            points: surface_points(end),
            style,
            depth_bias,
        }));
    }
    figure.layers3.extend(layers);
    figure
}

/// Returns, of the four azimuths that view the surface over a corner, the one whose corner is lowest, so that it hides the least.
fn best_azimuth<S: Data<Elem = f64>>(z: &ArrayBase<S, Ix2>) -> f64 {
    let (rows, columns) = z.dim();
    let height = |top: bool, right: bool| {
        let quarter = z.indexed_iter().filter(|((i, j), v)| {
            v.is_finite() && (2 * i >= rows) == top && (2 * j >= columns) == right
        });
        let (sum, count) = quarter.fold((0.0, 0usize), |(sum, n), (_, v)| (sum + v, n + 1));
        sum / count.max(1) as f64
    };
    let views = [
        (-60.0, false, true),
        (30.0, true, true),
        (120.0, true, false),
        (-150.0, false, false),
    ];
    let heights = views.map(|(azimuth, top, right)| (azimuth, height(top, right)));
    let lowest = heights.into_iter().min_by(|a, b| a.1.total_cmp(&b.1));
    lowest.map_or(-60.0, |(azimuth, _)| azimuth)
}
