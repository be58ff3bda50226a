//! The binding `plot` for a single value: the suitable figure of a solution, a dataset, a spline, a run.

use super::super::data::ScriptDataset;
use super::super::keys::Keys;
use super::super::options::Options;
use super::super::registry::Registry;
use super::super::solving::ScriptSolution;
use super::super::synchronizing::ScriptSmoothingSpline;
use super::super::training::ScriptRun;
use super::fits::FIT_KEYS;
use super::keys::{FIGURE, LABELS};
use super::landscapes::LANDSCAPE_KEYS;
use super::options::{apply_figure_options, register_plot};
use super::phase::PHASE;
use crate::recipes;
use odesync_plot::trajectory;

/// The option keys of all forms of `plot`.
const PLOT: Keys = {
    let [fit, quantiles] = FIT_KEYS;
    let [surface, cells, sheet, spectra] = LANDSCAPE_KEYS;
    &[
        fit, quantiles, LABELS, surface, cells, sheet, spectra, PHASE, FIGURE[0],
    ]
};

pub(super) fn register(reg: &mut Registry) {
    reg.function(
        "plot(x) -> Figure",
        "The right picture of it. plot(solution): trajectories. plot(data): points. plot(run): losses and λ by epoch. \
         plot(data, run, #{ t_end: 12.0 }): the model's trajectory with the data, and the residuals under it; options: t_end, \
         train_end, sample, residuals (false leaves them out), panels (\"variables\", \"samples\"). plot(data, found): the same of a discovery, with two standard \
         deviations. In place of the run an ensemble gives the median and the band between \
         the quantiles low (0.25) and high (0.75); plot(ensemble): the same of the mse by epoch. plot(spline), plot(data, spline): \
         the spline and its derivative. plot(field, solution): a phase portrait (see phase). plot([x, y, …], #{ labels: […] }): \
         several solutions and data, component by component, or several runs. plot(hessian): its eigenvalues by rank; plot(density): a spectral density; plot([density, …], \
         #{ values: […], label: \"t\" }): one behind the other. plot(landscape, #{ surface: true }): the loss along a line, as a map or as \
         a surface, with the options of heatmap or of surface (map, range, log, …); losses far above the others are cut off unless range \
         is given. plot([landscape, …], #{ labels: […] }): lines in one picture, maps and surfaces side by side in the same colours. plot(pca): the way of a run. Each \
         of them takes the options of figure too: title, size, labels and ranges of the axes, azimuth and elevation of a surface; of \
         two figures one above the other the upper one takes those of the vertical axis.",
        "plot(solve(lotka_volterra(), [1, 1], linspace(0, 5, 50)))",
    )
    .options(PLOT)
    .body_with(
        FIGURE,
        |d: ScriptDataset, s: ScriptSmoothingSpline, options: Options| {
            let grid = recipes::spline(s.spline(), Some(&d.0))?;
            apply_figure_options(grid, options)
        },
    );
    register_plot::<ScriptSolution>(
        reg,
        |s| Ok(trajectory(&s.0.t.to_vec(), &s.0.u, &[])?.into()),
    );
    register_plot::<ScriptDataset>(reg, |d| recipes::data(&d.0));
    register_plot::<ScriptRun>(reg, |r| Ok(recipes::losses(&r.0)?.into()));
    register_plot::<ScriptSmoothingSpline>(reg, |s| Ok(recipes::spline(s.spline(), None)?.into()));
}
