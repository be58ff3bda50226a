//! The binding `plot` for data with a run or an ensemble.

use super::super::data::ScriptDataset;
use super::super::discovering::ScriptDiscovery;
use super::super::ensembles::{QUANTILES, ScriptEnsemble, quantiles};
use super::super::keys::{Key, Keys};
use super::super::options::Options;
use super::super::registry::Registry;
use super::super::training::ScriptRun;
use super::keys::FIGURE;
use super::options::{apply_figure_options, register_plot};
use crate::Result;
use crate::recipes::{self, FitOptions};
use odesync_base::options::split;
use odesync_plot::Panel;

/// The option keys that select the range of data and model to draw.
const FIT_RANGE: &[Key] = split(FitOptions::OPTIONS, "residuals").0;

/// The option keys of a plot of data and a run.
const RUN: Keys = &[FitOptions::OPTIONS, FIGURE[0]];

/// The option keys of a plot of data and an ensemble.
const ENSEMBLE: Keys = &[FIT_RANGE, QUANTILES, FIGURE[0]];

/// The option keys of plots of data and a model, without those of a figure.
pub(super) const FIT_KEYS: [&[Key]; 2] = [FitOptions::OPTIONS, QUANTILES];

fn fit_options(options: &mut Options) -> Result<FitOptions> {
    let mut fit = FitOptions::default();
    options.read_set(&mut fit)?;
    Ok(fit)
}

/// Plots data and the run's best model.
fn plot_run_fit(data: &ScriptDataset, run: &ScriptRun, mut options: Options) -> Result<Panel> {
    let fit = fit_options(&mut options)?;
    apply_figure_options(recipes::fit(&data.0, &run.0, &fit)?, options)
}

/// Plots data and the prediction of a discovery.
fn plot_discovery_fit(
    data: &ScriptDataset,
    found: &ScriptDiscovery,
    mut options: Options,
) -> Result<Panel> {
    let fit = fit_options(&mut options)?;
    let figure = recipes::discovery_fit(&data.0, &found.0, &fit)?;
    apply_figure_options(figure, options)
}

/// Plots data, and the median and the band of an ensemble's best models.
fn plot_ensemble_fit(
    data: &ScriptDataset,
    ensemble: &ScriptEnsemble,
    mut options: Options,
) -> Result<Panel> {
    let fit = fit_options(&mut options)?;
    let between = quantiles(&mut options)?;
    let figure = recipes::ensemble_band(&data.0, &ensemble.0, &fit, between)?;
    apply_figure_options(figure, options)
}

pub(super) fn register(reg: &mut Registry) {
    reg.overload("plot")
        .body_with(RUN, |d: ScriptDataset, r: ScriptRun, options: Options| {
            plot_run_fit(&d, &r, options)
        })
        .body_with(
            RUN,
            |d: ScriptDataset, found: ScriptDiscovery, options: Options| {
                plot_discovery_fit(&d, &found, options)
            },
        )
        .body_with(
            ENSEMBLE,
            |d: ScriptDataset, g: ScriptEnsemble, options: Options| {
                plot_ensemble_fit(&d, &g, options)
            },
        );
    register_plot::<ScriptEnsemble>(reg, |g| Ok(recipes::ensemble_losses(&g.0)?.into()));
}
