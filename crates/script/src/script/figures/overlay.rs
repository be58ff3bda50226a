//! The binding `plot` for a list: several solutions, datasets or runs in one figure.

use rhai::{Array as List, Map};

use super::super::convert;
use super::super::data::ScriptDataset;
use super::super::keys::Keys;
use super::super::landscape::{ScriptDensity, ScriptLandscape};
use super::super::options::Options;
use super::super::registry::Registry;
use super::super::solving::ScriptSolution;
use super::super::training::ScriptRun;
use super::keys::{FIGURE, LABELS, LabelOptions};
use super::landscapes::{items_of_type, several_landscapes, several_spectra};
use super::options::apply_figure_options;
use crate::{Error, Result};
use odesync_plot::builders::{Curve, compare};
use odesync_plot::{Figure, Panel, Style};

/// The option keys of an overlay of several solutions, datasets or runs, with those of a figure.
const OVERLAY: Keys = &[LABELS, FIGURE[0]];

fn overlay(items: &List, options: Map) -> Result<Panel> {
    if let Some(landscapes) = items_of_type::<ScriptLandscape>(items) {
        return several_landscapes(&landscapes, options);
    }
    if let Some(spectra) = items_of_type::<ScriptDensity>(items) {
        return several_spectra(&spectra, options);
    }
    let mut options = Options::new("plot", OVERLAY, options);
    let mut read = LabelOptions::default();
    options.read_set(&mut read)?;
    let labels = read.labels;
    let label = |i: usize, otherwise: &str| match labels.get(i) {
        Some(label) => label.clone(),
        None => format!("{otherwise} {}", i + 1),
    };
    let runs: Vec<ScriptRun> = items.iter().filter_map(|x| x.clone().try_cast()).collect();
    if !runs.is_empty() && runs.len() == items.len() {
        let mut figure = Figure::new().x_label("epoch").y_label("mse").log_y();
        for (i, run) in runs.iter().enumerate() {
            let style = Style::new()
                .label(label(i, &run.0.method.replace('_', " ")))
                .width(1.6);
            figure = figure.line(run.0.metric("epoch")?, run.0.metric("mse")?, style)?;
        }
        return apply_figure_options(figure, options);
    }
    let mut curves = Vec::with_capacity(items.len());
    let mut names = Vec::new();
    for (i, item) in items.iter().enumerate() {
        if let Some(solved) = item.clone().try_cast::<ScriptSolution>() {
            let t = solved.0.t.to_vec();
            curves.push(Curve::line(label(i, "solution"), t, solved.0.u.clone()));
        } else if let Some(data) = item.clone().try_cast::<ScriptDataset>() {
            let one = data.0.single_sample(0)?;
            names = one.names().to_vec();
            let u = one.u().index_axis(ndarray::Axis(0), 0).to_owned();
            curves.push(Curve::points(label(i, "data"), one.t().to_vec(), u));
        } else {
            return Err(Error::invalid(format!(
                "plot: a list of solutions and data, of runs, landscapes or densities, was expected, and it holds {}",
                convert::describe(item)
            )));
        }
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    apply_figure_options(compare(&curves, &names)?, options)
}

pub(super) fn register(reg: &mut Registry) {
    reg.overload("plot")
        .body(|items: List, options: Option<Map>| overlay(&items, options.unwrap_or_default()));
}
