//! Figures of slices of a loss, of spectral densities and of the parameter path of a run.

use ndarray::{Array2, Ix2};

use crate::{Error, Result};
use odesync_plot::builders::{self, landscape_2d, landscape_surface, slice_1d};
use odesync_plot::{Figure, Grid, HeatMap, Marker, Style, Surface};
use odesync_train::landscape::{Density, Hessian, Landscape, Pca};

/// Style of a loss over a plane.
pub enum LandscapeStyle {
    /// A heat map.
    Map(HeatMap),
    /// A surface with three axes.
    Surface(Surface),
}

/// Returns the loss over a plane, `[y, x]`.
fn loss_grid(l: &Landscape) -> Result<Array2<f64>> {
    let loss = l.loss.clone().into_dimensionality::<Ix2>();
    Ok(loss
        .map_err(|e| Error::invalid(e.to_string()))?
        .reversed_axes())
}

/// Plots a loss along a line, or over a plane.
pub fn landscape(l: &Landscape, plane: &LandscapeStyle) -> Result<Figure> {
    let [x, y] = l.slice.axes() else {
        return landscape_lines(&[l], &[]);
    };
    let labels = [x.label.as_str(), y.label.as_str(), "loss"];
    let (x, y, z) = (&x.coefficients, &y.coefficients, loss_grid(l)?);
    let path = Some(l.slice.path());
    match plane {
        LandscapeStyle::Map(cells) => landscape_2d(x, y, &z, labels, path, cells),
        LandscapeStyle::Surface(surface) => landscape_surface(x, y, &z, labels, path, surface),
    }
}

/// Plots losses over planes side by side, with the same color scale and the surfaces from the same viewpoint, so that they can be
/// compared.
pub fn side_by_side(all: &[&Landscape], labels: &[String], plane: LandscapeStyle) -> Result<Grid> {
    let losses = all.iter().flat_map(|l| l.loss.iter().copied()).collect();
    let plane = match plane {
        LandscapeStyle::Map(cells) => LandscapeStyle::Map(cells.fit_colors_to(losses)),
        LandscapeStyle::Surface(surface) => LandscapeStyle::Surface(surface.fit_colors_to(losses)),
    };
    let mut figures: Vec<Figure> = vec![];
    for (i, l) in all.iter().enumerate() {
        let mut figure = landscape(l, &plane)?;
        if let Some(first) = figures.first() {
            let (azimuth, elevation) = first.view_angles();
            figure = figure.view(azimuth, elevation)?;
        }
        figures.push(match labels.get(i) {
            Some(label) => figure.title(label),
            None => figure,
        });
    }
    let columns = if figures.len() > 4 {
        3
    } else {
        figures.len().min(2)
    };
    Grid::new(columns, figures)
}

/// Plots losses along one axis, one line each.
pub fn landscape_lines(all: &[&Landscape], labels: &[String]) -> Result<Figure> {
    let first = all
        .first()
        .and_then(|l| Some((*l, l.slice.axes().first()?)));
    let Some((first, axis)) = first else {
        return Err(Error::invalid("plot: there are no landscapes"));
    };
    let same =
        |l: &&Landscape| matches!(l.slice.axes(), [a] if a.coefficients == axis.coefficients);
    if !all.iter().all(same) {
        return Err(Error::invalid(
            "plot: landscapes in one picture must be along one direction, at the same coefficients; plot them one by one and put them \
             into a grid",
        ));
    }
    let losses: Vec<Vec<f64>> = all
        .iter()
        .map(|l| l.loss.iter().copied().collect())
        .collect();
    let labels: Vec<String> = (0..all.len())
        .map(|i| {
            labels
                .get(i)
                .cloned()
                .unwrap_or_else(|| format!("{}", i + 1))
        })
        .collect();
    let series: Vec<(&str, &[f64])> = labels
        .iter()
        .map(String::as_str)
        .zip(losses.iter().map(Vec::as_slice))
        .collect();
    // Position of the model; the path of a run ends there.
    let mark = first.slice.path().column(0).iter().next_back().copied();
    slice_1d(&axis.coefficients, &series, [&axis.label, "loss"], mark)
}

/// Plots a spectral density, with the eigenvalues where they are known.
pub fn density(d: &Density) -> Result<Figure> {
    let eigenvalues: &[f64] = if d.exact { &d.nodes } else { &[] };
    builders::density(&d.grid, &d.density, eigenvalues)
}

/// Plots all eigenvalues of a Hessian by rank.
pub fn spectrum(hessian: &Hessian) -> Result<Figure> {
    builders::spectrum(&hessian.spectrum()?)
}

/// Plots a run's parameter path in the plane of its first two principal components.
pub fn pca_path(p: &Pca) -> Result<Figure> {
    let label = |i: usize| {
        let part = p.explained_variance_ratio.get(i).copied().unwrap_or(0.0);
        format!("PC {} ({:.1} %)", i + 1, 100.0 * part)
    };
    // A path along a line has no second component.
    let column = |i: usize| match i < p.path.ncols() {
        true => p.path.column(i).to_vec(),
        false => vec![0.0; p.path.nrows()],
    };
    let (x, y) = (column(0), column(1));
    let ends = |values: &[f64]| [values.first(), values.last()].map(|v| v.copied().unwrap_or(0.0));
    let ([x0, x1], [y0, y1]) = (ends(&x), ends(&y));
    Figure::new()
        .x_label(label(0))
        .y_label(label(1))
        .line(&x, &y, Style::new().marker(Marker::Circle).size(4.0))?
        .scatter([x0], [y0], Style::new().label("start").size(9.0))?
        .scatter([x1], [y1], Style::new().label("end").size(9.0))
}
