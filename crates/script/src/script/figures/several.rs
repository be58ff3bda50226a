//! Several solutions, data or runs in one picture.

use rhai::{Array as List, Map};

use super::super::convert;
use super::super::data::Data;
use super::super::error::Fallible;
use super::super::keys::{Key, Keys};
use super::super::landscape::{Spectrum, Surface};
use super::super::options::Options;
use super::super::registry::Registry;
use super::super::solving::Solved;
use super::super::training::Trained;
use super::keys::FIGURE;
use super::landscapes::{all_of, several_landscapes, several_spectra};
use super::options::dressed;
use crate::{Error, Result};
use odesync_plot::builders::{Curve, compare};
use odesync_plot::{Figure, Panel, Style};

/// Several solutions, data or runs.
pub(super) const SEVERAL: &[Key] = &[Key::new("labels")];

/// With what a figure has.
const LIST: Keys = &[SEVERAL, FIGURE[0]];

fn several(items: &List, options: Map) -> Fallible<Panel> {
    if let Some(landscapes) = all_of::<Surface>(items) {
        return several_landscapes(&landscapes, options);
    }
    if let Some(spectra) = all_of::<Spectrum>(items) {
        return several_spectra(&spectra, options);
    }
    let mut options = Options::new("plot", LIST, options);
    let labels = options.opt_strings("labels")?.unwrap_or_default();
    let label = |i: usize, otherwise: &str| match labels.get(i) {
        Some(label) => label.clone(),
        None => format!("{otherwise} {}", i + 1),
    };
    let runs: Vec<Trained> = items.iter().filter_map(|x| x.clone().try_cast()).collect();
    if !runs.is_empty() && runs.len() == items.len() {
        let mut figure = Figure::new().x_label("epoch").y_label("mse").log_y();
        for (i, run) in runs.iter().enumerate() {
            let style = Style::new()
                .label(label(i, &run.0.method.replace('_', " ")))
                .width(1.6);
            figure = figure.line(run.0.metric("epoch")?, run.0.metric("mse")?, style)?;
        }
        return dressed(figure, "plot", options);
    }
    let mut curves = Vec::with_capacity(items.len());
    let mut names = Vec::new();
    for (i, item) in items.iter().enumerate() {
        if let Some(solved) = item.clone().try_cast::<Solved>() {
            let t = solved.0.t.to_vec();
            curves.push(Curve::line(label(i, "solution"), t, solved.0.u.clone()));
        } else if let Some(data) = item.clone().try_cast::<Data>() {
            let one = data.0.only(0)?;
            names = one.names().to_vec();
            let u = one.u().index_axis(ndarray::Axis(0), 0).to_owned();
            curves.push(Curve::points(label(i, "data"), one.t().to_vec(), u));
        } else {
            let error: Result<Panel> = Err(Error::invalid(format!(
                "plot: a list of solutions and data, of runs, landscapes or densities, was expected, and it holds {}",
                convert::describe(item)
            )));
            return Ok(error?);
        }
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    dressed(compare(&curves, &names)?, "plot", options)
}

pub(super) fn register(reg: &mut Registry) {
    reg.add("plot", |items: List| several(&items, Map::new()));
    reg.add("plot", |items: List, options: Map| several(&items, options));
}
