//! Figures of losses by epoch.

use crate::Result;
use odesync_plot::builders::losses_band;
use odesync_plot::{Grid, loss_curve};
use odesync_train::training::{Ensemble, Run};

/// Returns the title of a training method: `homotopy` becomes `Homotopy training`.
pub(super) fn training_title(method: &str) -> String {
    let method = method.replace('_', " ");
    let mut letters = method.chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string());
    format!("{}{} training", first.unwrap_or_default(), letters.as_str())
}

/// Plots the training loss, the mse and λ by epoch.
pub fn losses(run: &Run) -> Result<Grid> {
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
    let coupled = lambda.iter().any(|l| *l > 0.0);
    let grid = loss_curve(&epochs, series, coupled.then_some(&lambda[..]))?;
    Ok(grid.title(training_title(&run.method)))
}

/// Plots the mse of an ensemble's members by epoch: the median and the band between the quartiles.
pub fn ensemble_losses(all: &Ensemble) -> Result<Grid> {
    let of = |q: f64| all.quantile("mse", q);
    let (low, median, high) = (of(0.25)?, of(0.5)?, of(0.75)?);
    let lambda = all.quantile("lambda", 0.5)?;
    let epochs: Vec<f64> = (0..median.len()).map(|epoch| epoch as f64).collect();
    let homotopy = lambda.iter().any(|l| *l > 0.0);
    let grid = losses_band(
        &epochs,
        [&low, &median, &high],
        homotopy.then_some(&lambda[..]),
    )?;
    Ok(grid.title(format!("{} runs", all.runs().count())))
}
