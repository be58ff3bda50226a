//! `plot` of densities, landscapes and the way of a run.

use ndarray::{Array2, Axis as ArrayAxis, Ix2};
use rhai::{Array as List, Map};

use super::super::error::Fallible;
use super::super::keys::{Key, Keys};
use super::super::options::Options;
use super::super::registry::Registry;
use super::paths::Components;
use super::slices::Surface;
use super::spectra::Spectrum;
use crate::landscape::{Landscape, on_one_grid};
use crate::plotting::builders::{density, landscape_2d, landscape_surface, slice_1d, waterfall};
use crate::plotting::{Figure, Grid, Marker, Panel, Style};
use crate::{Error, Result};

/// One landscape.
const LANDSCAPE: Keys = &[&[Key::flag("surface"), Key::new("title")]];

/// Several.
const LINES: Keys = &[&[Key::new("labels")], LANDSCAPE[0]];

/// Several spectra.
const SPECTRA: Keys = &[&[
    Key::new("values"),
    Key::new("label"),
    Key::new("title"),
    Key::new("sigma"),
]];

/// All of them.
pub(in crate::script) const PLOTS: [&[Key]; 3] = [LINES[0], LANDSCAPE[0], SPECTRA[0]];

/// The loss over a plane, `[y, x]`.
fn plane(l: &Landscape) -> Result<Array2<f64>> {
    let loss = l.loss.clone().into_dimensionality::<Ix2>();
    Ok(loss
        .map_err(|e| Error::invalid(e.to_string()))?
        .reversed_axes())
}

fn landscape_figure(l: &Landscape, as_surface: bool) -> Result<Figure> {
    match l.slice.axes() {
        [x, y] => {
            let labels = [x.label.as_str(), y.label.as_str(), "loss"];
            let (x, y, z) = (&x.coefficients, &y.coefficients, plane(l)?);
            match as_surface {
                true => landscape_surface(x, y, &z, labels),
                false => landscape_2d(x, y, &z, labels, Some(l.slice.path())),
            }
        }
        _ => lines(&[l], &[]),
    }
}

/// Losses along one axis, a line each.
fn lines(all: &[&Landscape], labels: &[String]) -> Result<Figure> {
    let Some(axis) = all.first().and_then(|l| l.slice.axes().first()) else {
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
    let named: Vec<(&str, &[f64])> = labels
        .iter()
        .map(String::as_str)
        .zip(losses.iter().map(Vec::as_slice))
        .collect();
    let path = all[0].slice.path();
    // Where the model is; the path of a run has its end there.
    let mark = path.column(0).iter().next_back().copied();
    slice_1d(&axis.coefficients, &named, [&axis.label, "loss"], mark)
}

/// Several landscapes: lines in one picture, or planes side by side.
pub(in crate::script) fn several_landscapes(all: &[Surface], options: Map) -> Fallible<Panel> {
    let mut options = Options::new("plot", LINES, options);
    let labels = options.opt_strings("labels")?.unwrap_or_default();
    let title = options.string("title", "")?;
    let as_surface = options.bool("surface", false)?;
    options.finish()?;
    if all.iter().any(|l| l.0.slice.axes().len() == 2) {
        let figure = |(i, l): (usize, &Surface)| -> Result<Panel> {
            let figure = landscape_figure(&l.0, as_surface)?;
            Ok(Panel::Figure(match labels.get(i) {
                Some(label) => figure.title(label),
                None => figure,
            }))
        };
        let panels = all
            .iter()
            .enumerate()
            .map(figure)
            .collect::<Result<Vec<_>>>()?;
        let columns = if panels.len() > 4 {
            3
        } else {
            panels.len().min(2)
        };
        return Ok(Panel::Grid(Grid::new(columns, panels)?.title(title)));
    }
    let all: Vec<&Landscape> = all.iter().map(|l| &*l.0).collect();
    Ok(Panel::Figure(lines(&all, &labels)?.title(title)))
}

/// Several spectra, one behind the other.
pub(in crate::script) fn several_spectra(all: &[Spectrum], options: Map) -> Fallible<Panel> {
    let mut options = Options::new("plot", SPECTRA, options);
    let values = options.opt_array("values")?;
    let label = options.string("label", "")?;
    let title = options.string("title", "")?;
    let sigma = options.opt_positive("sigma")?;
    options.finish()?;
    let values: Vec<f64> = match values {
        Some(values) => values.iter().copied().collect(),
        None => (1..=all.len()).map(|i| i as f64).collect(),
    };
    if values.len() != all.len() {
        return Err(Error::invalid(format!(
            "plot: {} values for {} spectra; give one for each",
            values.len(),
            all.len()
        ))
        .into());
    }
    let densities: Vec<_> = all.iter().map(|d| (*d.0).clone()).collect();
    let densities = on_one_grid(&densities, None, sigma)?;
    let grid = densities
        .first()
        .map(|d| d.grid.clone())
        .unwrap_or_default();
    let flat = densities.iter().flat_map(|d| d.density.iter().copied());
    let rows = Array2::from_shape_vec((densities.len(), grid.len()), flat.collect())
        .map_err(|e| Error::invalid(e.to_string()))?;
    Ok(Panel::Figure(
        waterfall(&grid, &rows, &values)?
            .y_label(label)
            .title(title),
    ))
}

/// A run's way on its first two principal components.
fn path_figure(p: &Components) -> Result<Figure> {
    let label = |i: usize| {
        let part = p.0.explained_variance_ratio.get(i).copied().unwrap_or(0.0);
        format!("PC {} ({:.1} %)", i + 1, 100.0 * part)
    };
    let x = p.0.path.index_axis(ArrayAxis(1), 0).to_vec();
    let y = match p.0.path.ncols() {
        1 => vec![0.0; x.len()],
        _ => p.0.path.index_axis(ArrayAxis(1), 1).to_vec(),
    };
    let ends = |values: &[f64]| [values.first(), values.last()].map(|v| v.copied().unwrap_or(0.0));
    let ([x0, x1], [y0, y1]) = (ends(&x), ends(&y));
    Figure::new()
        .x_label(label(0))
        .y_label(label(1))
        .line(&x, &y, Style::new().marker(Marker::Circle).size(4.0))?
        .scatter([x0], [y0], Style::new().label("start").size(9.0))?
        .scatter([x1], [y1], Style::new().label("end").size(9.0))
}

fn one_landscape(l: &Surface, options: Map) -> Fallible<Panel> {
    let mut options = Options::new("plot", LANDSCAPE, options);
    let as_surface = options.bool("surface", false)?;
    let title = options.string("title", "")?;
    options.finish()?;
    Ok(Panel::Figure(
        landscape_figure(&l.0, as_surface)?.title(title),
    ))
}

/// The items of a list, if they are all of one type.
pub(in crate::script) fn all_of<T: Clone + 'static>(items: &List) -> Option<Vec<T>> {
    let all: Option<Vec<T>> = items.iter().map(|x| x.clone().try_cast::<T>()).collect();
    all.filter(|all| !all.is_empty())
}

pub(super) fn register(reg: &mut Registry) {
    reg.add("plot", |d: Spectrum| -> Fallible<Panel> {
        let eigenvalues: &[f64] = if d.0.exact { &d.0.nodes } else { &[] };
        Ok(Panel::Figure(density(
            &d.0.grid,
            &d.0.density,
            eigenvalues,
        )?))
    });
    reg.add("plot", |l: Surface| one_landscape(&l, Map::new()));
    reg.add("plot", |l: Surface, options: Map| {
        one_landscape(&l, options)
    });
    reg.add("plot", |p: Components| -> Fallible<Panel> {
        Ok(Panel::Figure(path_figure(&p)?))
    });
}
