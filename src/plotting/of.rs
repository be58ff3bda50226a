//! The pictures of data and of a run, for every front end.

use super::builders::written;
use super::{Color, Figure, Grid, Style, loss_curve};
use crate::Result;
use crate::datasets::Dataset;
use crate::training::Run;

/// Samples that are drawn over each other at most.
const SAMPLES: usize = 24;

/// Data as points; several samples as thin lines, each component in its colour.
pub(crate) fn data(data: &Dataset) -> Result<Figure> {
    let names = data.names();
    let samples = data.samples();
    let mut figure = Figure::new().x_label("t");
    if let [name] = names {
        figure = figure.y_label(written(name));
    }
    for (sample, (t, u)) in data.trajectories().take(SAMPLES).enumerate() {
        for (i, (name, column)) in names.iter().zip(u.columns()).enumerate() {
            let mut style = Style::new().color(Color::Palette(i));
            if sample == 0 && names.len() > 1 {
                style = style.label(written(name));
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

/// Training loss, mse and λ by epoch.
pub(crate) fn losses(run: &Run) -> Result<Grid> {
    let metric = |name| run.metric(name);
    let (epochs, loss, mse, lambda) = (
        metric("epoch")?,
        metric("train_loss")?,
        metric("mse")?,
        metric("lambda")?,
    );
    let series: &[(&str, &[f64])] = match run.method.as_str() {
        "vanilla" => &[("mse", &mse)],
        _ => &[("training loss", &loss), ("mse of the free model", &mse)],
    };
    let coupled = lambda.iter().any(|l| *l != 0.0);
    loss_curve(&epochs, series, coupled.then_some(&lambda[..]))
}
