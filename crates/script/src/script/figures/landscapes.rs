//! The binding `plot` for spectral densities, landscapes and the parameter path of a run.

use ndarray::Array2;
use rhai::{Array as List, Map};

use super::super::keys::{Key, Keys};
use super::super::landscape::{ScriptDensity, ScriptHessian, ScriptLandscape, ScriptPca};
use super::super::options::Options;
use super::super::registry::Registry;
use super::keys::{FIGURE, HEATMAP, LABELS, LabelOptions, SURFACE};
use super::options::{apply_figure_options, register_plot};
use crate::recipes::{self, LandscapeStyle};
use crate::{Error, Result};
use odesync_base::option_set;
use odesync_base::options::{Flag, Maybe, NumberList, Positive, Text};
use odesync_base::text::count_of;
use odesync_plot::builders::waterfall;
use odesync_plot::{HeatMap, Panel, Surface as Sheet};
use odesync_train::landscape::{Landscape, on_common_grid};

option_set! {
    /// Options of landscapes over a plane.
    #[derive(Debug)]
    struct PlaneOptions {
        /// Draw a landscape over a plane as a surface, not as a map.
        surface: bool as Flag = false;
    }
}

const SURFACES: &[Key] = PlaneOptions::OPTIONS;

/// The option keys of a plot of one landscape: a line, a heat map, a surface.
const ONE_LANDSCAPE: [Keys; 3] = [
    &[SURFACES, FIGURE[0]],
    &[SURFACES, HEATMAP[0], FIGURE[0]],
    &[SURFACES, SURFACE[0], FIGURE[0]],
];

/// The option keys of a plot of several landscapes: lines, heat maps, surfaces.
const SEVERAL_LANDSCAPES: [Keys; 3] = [
    &[SURFACES, LABELS, FIGURE[0]],
    &[SURFACES, LABELS, HEATMAP[0], FIGURE[0]],
    &[SURFACES, LABELS, SURFACE[0], FIGURE[0]],
];

option_set! {
    /// Options of several spectra, one behind the other.
    #[derive(Debug)]
    struct SpectraOptions {
        /// The value at which each of several spectra stands.
        values: Option<Vec<f64>> as Maybe<NumberList> = None, "1, 2, …";
        /// Name of these values, or that of the values with colours.
        label: String as Text = String::new(), "none";
        /// Width σ of the Gaussian around each node of a spectrum.
        sigma: Option<f64> as Maybe<Positive> = None, "that of the widest";
    }
}

/// The option keys of a plot of several spectra.
const SPECTRA: Keys = &[SpectraOptions::OPTIONS, FIGURE[0]];

/// The option keys of all plots of landscapes and spectra, without repetitions and without those of a figure.
pub(super) const LANDSCAPE_KEYS: [&[Key]; 4] = [SURFACES, HEATMAP[0], SURFACE[0], SPECTRA[0]];

/// Reads how planes are drawn: with the options of `heatmap`, or with those of `surface`. Lines have no colors.
fn landscape_style(options: &mut Options, coloured: bool) -> Result<LandscapeStyle> {
    let mut read = PlaneOptions::default();
    options.read_set(&mut read)?;
    if !coloured {
        return Ok(LandscapeStyle::Map(HeatMap::new()));
    }
    if read.surface {
        let mut sheet = Sheet::new();
        options.read_set(&mut sheet)?;
        return Ok(LandscapeStyle::Surface(sheet));
    }
    let mut cells = HeatMap::new();
    options.read_set(&mut cells)?;
    Ok(LandscapeStyle::Map(cells))
}

/// Returns the option keys of a call, which draws lines, heat maps or surfaces; lines have no colors.
fn keys([line, map, sheet]: [Keys; 3], options: &Map, coloured: bool) -> Keys {
    let surface = options.get("surface").map(rhai::Dynamic::as_bool);
    match (coloured, surface) {
        (false, _) => line,
        (true, Some(Ok(true))) => sheet,
        (true, _) => map,
    }
}

/// Returns whether the landscape is over a plane, not along a line.
fn is_plane(l: &ScriptLandscape) -> bool {
    l.0.slice.axes().len() == 2
}

/// Plots several landscapes: lines in one figure, or planes side by side.
pub(super) fn several_landscapes(all: &[ScriptLandscape], options: Map) -> Result<Panel> {
    let planes = all.iter().any(is_plane);
    let mut options = Options::new("plot", keys(SEVERAL_LANDSCAPES, &options, planes), options);
    let mut read = LabelOptions::default();
    options.read_set(&mut read)?;
    let labels = read.labels;
    let plane = landscape_style(&mut options, planes)?;
    let all: Vec<&Landscape> = all.iter().map(|l| &*l.0).collect();
    match planes {
        true => apply_figure_options(recipes::side_by_side(&all, &labels, plane)?, options),
        false => apply_figure_options(recipes::landscape_lines(&all, &labels)?, options),
    }
}

/// Plots several spectra, one behind the other.
pub(super) fn several_spectra(all: &[ScriptDensity], options: Map) -> Result<Panel> {
    let mut options = Options::new("plot", SPECTRA, options);
    let mut read = SpectraOptions::default();
    options.read_set(&mut read)?;
    let numbered = || (1..=all.len()).map(|i| i as f64).collect();
    let values: Vec<f64> = read.values.unwrap_or_else(numbered);
    if values.len() != all.len() {
        return Err(Error::invalid(format!(
            "plot: {} for {}; give one for each",
            count_of(values.len(), "value"),
            match all.len() {
                1 => "1 spectrum".into(),
                n => format!("{n} spectra"),
            }
        )));
    }
    let densities: Vec<_> = all.iter().map(|d| (*d.0).clone()).collect();
    let densities = on_common_grid(&densities, None, read.sigma)?;
    let grid = densities
        .first()
        .map(|d| d.grid.clone())
        .unwrap_or_default();
    let flat = densities.iter().flat_map(|d| d.density.iter().copied());
    let rows = Array2::from_shape_vec((densities.len(), grid.len()), flat.collect())
        .map_err(|e| Error::invalid(e.to_string()))?;
    let figure = waterfall(&grid, &rows, &values)?.y_label(read.label);
    apply_figure_options(figure, options)
}

fn one_landscape(l: &ScriptLandscape, options: Map) -> Result<Panel> {
    let mut options = Options::new("plot", keys(ONE_LANDSCAPE, &options, is_plane(l)), options);
    let plane = landscape_style(&mut options, is_plane(l))?;
    apply_figure_options(recipes::landscape(&l.0, &plane)?, options)
}

/// Returns the items of a list, if it is not empty and they all have the same type `T`.
pub(super) fn items_of_type<T: Clone + 'static>(items: &List) -> Option<Vec<T>> {
    let all: Option<Vec<T>> = items.iter().map(|x| x.clone().try_cast::<T>()).collect();
    all.filter(|all| !all.is_empty())
}

pub(super) fn register(reg: &mut Registry) {
    register_plot::<ScriptDensity>(reg, |d| Ok(recipes::density(&d.0)?.into()));
    register_plot::<ScriptHessian>(reg, |h| Ok(recipes::spectrum(&h.0)?.into()));
    reg.overload("plot")
        .body(|l: ScriptLandscape, options: Option<Map>| {
            one_landscape(&l, options.unwrap_or_default())
        });
    register_plot::<ScriptPca>(reg, |p| Ok(recipes::pca_path(&p.0)?.into()));
}
