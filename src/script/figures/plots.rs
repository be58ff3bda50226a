//! `plot`: the right picture of a solution, data, a spline, a run.

use ndarray::{Array2, ArrayView3, Axis};

use super::super::data::Data;
use super::super::error::Fallible;
use super::super::registry::Registry;
use super::super::solving::Solved;
use super::super::synchronizing::Spline;
use super::super::training::Trained;
use super::fits::training_title;
use crate::plotting::builders::spline;
use crate::plotting::{Color, Figure, Grid, Panel, Style, loss_curve, trajectory};
use crate::training::Run;
use crate::{Error, Result};

/// Samples that are drawn over each other at most.
const SAMPLES: usize = 24;

/// The first sample, `[time, dof]`.
fn first(u: ArrayView3<'_, f64>) -> Array2<f64> {
    u.index_axis(Axis(0), 0).to_owned()
}

fn loss_figure(run: &Run) -> Result<Grid> {
    let (epochs, loss, mse) = (
        run.metric("epoch")?,
        run.metric("train_loss")?,
        run.metric("mse")?,
    );
    let lambda = run.metric("lambda")?;
    let is_homotopy = lambda.iter().any(|l| *l != 0.0);
    let series: &[(&str, &[f64])] = match run.method.as_str() {
        "vanilla" => &[("mse", &mse)],
        _ => &[("training loss", &loss), ("mse of the free model", &mse)],
    };
    let grid = loss_curve(&epochs, series, is_homotopy.then_some(&lambda[..]))?;
    Ok(grid.title(training_title(&run.method)))
}

/// Data as points; several samples as thin lines, each component in its colour.
pub(super) fn data_figure(data: &Data) -> Result<Figure> {
    let names = data.0.names();
    let samples = data.0.samples();
    let mut figure = Figure::new().x_label("t");
    if let [name] = names {
        figure = figure.y_label(name);
    }
    for (sample, (t, u)) in data.0.trajectories().take(SAMPLES).enumerate() {
        for (i, (name, column)) in names.iter().zip(u.columns()).enumerate() {
            let mut style = Style::new().color(Color::Palette(i));
            if sample == 0 && names.len() > 1 {
                style = style.label(name);
            }
            figure = match samples {
                1 => figure.scatter(t, column, style)?,
                _ => figure.line(t, column, style.width(1.2).alpha(0.6))?,
            };
        }
    }
    if samples > SAMPLES {
        figure = figure.title(format!("The first {SAMPLES} of {samples} samples"));
    }
    Ok(figure)
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

pub(super) fn register(reg: &mut Registry) {
    reg.add("plot", |s: Solved| -> Fallible<Panel> {
        Ok(Panel::Figure(trajectory(&s.0.t.to_vec(), &s.0.u, &[])?))
    });
    reg.add("plot", |d: Data| -> Fallible<Panel> {
        Ok(Panel::Figure(data_figure(&d)?))
    });
    reg.add("plot", |r: Trained| -> Fallible<Panel> {
        Ok(Panel::Grid(loss_figure(&r.0)?))
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
    );
}
