//! `plot`: the right picture of a solution, data, a spline, a run.

use ndarray::{Array2, ArrayView3, Axis};

use super::super::data::Data;
use super::super::error::Fallible;
use super::super::keys::Keys;
use super::super::landscape::PLOTS;
use super::super::registry::Registry;
use super::super::solving::Solved;
use super::super::synchronizing::Spline;
use super::super::training::Trained;
use super::fits::{FITS, training_title};
use super::phase::PHASE;
use super::several::SEVERAL;
use crate::plotting::builders::spline;
use crate::plotting::{Grid, Panel, of, trajectory};
use crate::{Error, Result};

/// The first sample, `[time, dof]`.
fn first(u: ArrayView3<'_, f64>) -> Array2<f64> {
    u.index_axis(Axis(0), 0).to_owned()
}

/// A spline and its derivative, of the first sample.
fn spline_figure(spline_: &Spline, data: Option<&Data>) -> Result<Grid> {
    let curve = spline_.curve();
    let knots = curve.knots(0);
    let (Some(start), Some(end)) = (knots.first(), knots.last()) else {
        return Err(Error::invalid("plot: the spline has no knots"));
    };
    let n = 800;
    let fine: Vec<f64> = (0..=n)
        .map(|i| start + (end - start) * f64::from(i) / f64::from(n))
        .collect();
    let (values, slopes) = (
        first(curve.at(&fine).view()),
        first(curve.derivative_at(&fine).view()),
    );
    let (t, u, names) = match data {
        Some(data) => {
            let one = data.0.only(0)?;
            (one.t().to_vec(), first(one.u()), one.names().to_vec())
        }
        None => (knots.clone(), first(curve.at(&knots).view()), Vec::new()),
    };
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    spline(&fine, &values, &slopes, (&t, &u), &names)
}

/// What the pictures of all kinds take.
const PLOT: Keys = {
    let ([frame, residuals, quantiles], [labels, surface, spectra]) = (FITS, PLOTS);
    &[
        frame, residuals, quantiles, SEVERAL, labels, surface, spectra, PHASE,
    ]
};

pub(super) fn register(reg: &mut Registry) {
    reg.add("plot", |s: Solved| -> Fallible<Panel> {
        Ok(Panel::Figure(trajectory(&s.0.t.to_vec(), &s.0.u, &[])?))
    });
    reg.add("plot", |d: Data| -> Fallible<Panel> {
        Ok(Panel::Figure(of::data(&d.0)?))
    });
    reg.add("plot", |r: Trained| -> Fallible<Panel> {
        Ok(Panel::Grid(
            of::losses(&r.0)?.title(training_title(&r.0.method)),
        ))
    });
    reg.add("plot", |s: Spline| -> Fallible<Panel> {
        Ok(Panel::Grid(spline_figure(&s, None)?))
    });
    reg.add("plot", |d: Data, s: Spline| -> Fallible<Panel> {
        Ok(Panel::Grid(spline_figure(&s, Some(&d))?))
    });
    reg.describe(
        "plot",
        "plot(x) -> Figure",
        "The right picture of it. plot(solution): trajectories. plot(data): points. plot(run): losses and λ by epoch. \
         plot(data, run, #{ t_end: 12.0 }): the model's trajectory with the data, and the residuals under it; options: t_end, title, \
         train_end, sample, residuals (false leaves them out). In place of the run an ensemble gives the median and the band between \
         the quantiles low (0.25) and high (0.75); plot(ensemble): the same of the mse by epoch. plot(spline), plot(data, spline): \
         the spline and its derivative. plot(field, solution): a phase portrait (see phase). plot([x, y, …], #{ labels: […] }): \
         several solutions and data, component by component, or several runs. plot(density): a spectral density; plot([density, …], \
         #{ values: […], label: \"t\" }): one behind the other. plot(landscape, #{ surface: true }): the loss along a line, as a map or as \
         a surface; plot([landscape, …], #{ labels: […] }): lines in one picture, maps side by side. plot(pca): the way of a run.",
        "plot(solve(lotka_volterra(), [1, 1], linspace(0, 5, 50)))",
    )
    .options(PLOT);
}
