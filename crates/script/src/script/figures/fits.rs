//! Pictures of data beside a run or an ensemble.

use rhai::Map;

use super::super::data::Data;
use super::super::ensembles::{Group, QUANTILES, quantiles};
use super::super::error::Fallible;
use super::super::keys::{Key, Keys};
use super::super::options::Options;
use super::super::registry::Registry;
use super::super::training::Trained;
use super::keys::FIGURE;
use super::options::{dressed, pictured};
use crate::Result;
use crate::recipes::{self, FitOptions};
use odesync_plot::Panel;

/// Which part of data and model is drawn.
const PART: &[Key] = &[Key::new("t_end"), Key::new("train_end"), Key::new("sample")];

/// Data and a run.
const RUN: Keys = &[PART, &[Key::flag("residuals")], FIGURE[0]];

/// Data and an ensemble.
const ENSEMBLE: Keys = &[PART, QUANTILES, FIGURE[0]];

/// Data and either.
pub(super) const FITS: [&[Key]; 3] = [PART, RUN[1], QUANTILES];

fn fit_options(options: &mut Options) -> Result<FitOptions> {
    Ok(FitOptions {
        t_end: options.opt_f64("t_end")?,
        train_end: options.opt_f64("train_end")?,
        sample: options.usize("sample", 0)?,
        ..FitOptions::default()
    })
}

/// Data, and the run's best model.
fn of_run(data: &Data, run: &Trained, options: Map) -> Fallible<Panel> {
    let mut options = Options::new("plot", RUN, options);
    let shown = fit_options(&mut options)?.residuals(options.bool("residuals", true)?);
    dressed(recipes::fit(&data.0, &run.0, &shown)?, "plot", options)
}

/// Data, and the median and the band of an ensemble's best models.
fn of_ensemble(data: &Data, group: &Group, options: Map) -> Fallible<Panel> {
    let mut options = Options::new("plot", ENSEMBLE, options);
    let shown = fit_options(&mut options)?;
    let between = quantiles(&mut options)?;
    let figure = recipes::band(&data.0, &group.0, &shown, between)?;
    dressed(figure, "plot", options)
}

pub(super) fn register(reg: &mut Registry) {
    reg.add("plot", |d: Data, r: Trained| of_run(&d, &r, Map::new()));
    reg.add("plot", |d: Data, r: Trained, options: Map| {
        of_run(&d, &r, options)
    });
    reg.add("plot", |d: Data, g: Group| of_ensemble(&d, &g, Map::new()));
    reg.add("plot", |d: Data, g: Group, options: Map| {
        of_ensemble(&d, &g, options)
    });
    pictured::<Group>(reg, |g| Ok(recipes::losses_of_all(&g.0)?.into()));
}
