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
use crate::recipes::{self, FitPlotOptions, FittedModel};
use odesync_base::options::split;
use odesync_plot::Panel;

/// The option keys that select the range of data and model to draw.
const FIT_RANGE: &[Key] = split(FitPlotOptions::OPTIONS, "residuals").0;

/// The option keys of a plot of data and a run.
const RUN: Keys = &[FitPlotOptions::OPTIONS, FIGURE[0]];

/// The option keys of a plot of data and an ensemble.
const ENSEMBLE: Keys = &[FIT_RANGE, QUANTILES, FIGURE[0]];

/// The option keys of plots of data and a model, without those of a figure.
pub(super) const FIT_KEYS: [&[Key]; 2] = [FitPlotOptions::OPTIONS, QUANTILES];

fn fit_options(options: &mut Options) -> Result<FitPlotOptions> {
    let mut fit = FitPlotOptions::default();
    options.read_set(&mut fit)?;
    Ok(fit)
}

/// Plots data and the prediction of a run's best model or of a discovery.
fn plot_model_fit<'a>(
    data: &ScriptDataset,
    fitted: impl Into<FittedModel<'a>>,
    mut options: Options,
) -> Result<Panel> {
    let fit = fit_options(&mut options)?;
    apply_figure_options(recipes::fit(&data.0, fitted, &fit)?, options)
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
            plot_model_fit(&d, &*r.0, options)
        })
        .body_with(
            RUN,
            |d: ScriptDataset, found: ScriptDiscovery, options: Options| {
                plot_model_fit(&d, &*found.0, options)
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
