//! The figure of an experiment's run: data, truth and model, at the times of the training data and beyond.

use ndarray::Axis;

use super::experiment::Experiment;
use super::settings::DatasetSettings;
use crate::Result;
use odesync_plot::{Color, Dash, Figure, Style, fit};
use odesync_train::training::Run;

/// Number of points of the model's line.
const MODEL_POINTS: usize = 600;

/// Returns the y range to show where a model is far away from the data; `None` where all values are near them.
fn clipped_y_range<'a>(
    data: impl Iterator<Item = &'a f64>,
    model: impl Iterator<Item = &'a f64>,
) -> Option<(f64, f64)> {
    let range = |values: &mut dyn Iterator<Item = &f64>| {
        let known = values.filter(|x| !x.is_nan());
        known.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| {
            (low.min(*x), high.max(*x))
        })
    };
    let ((low, high), (least, most)) = (range(&mut { data }), range(&mut { model }));
    let height = high - low;
    (height > 0.0 && most - least > 3.0 * height)
        .then_some((low - 0.5 * height, high + 0.5 * height))
}

/// Plots the data, the best model's trajectory over all times, and (where the data are simulated) the truth. The model's line
/// ends where it can no longer be solved.
///
/// # Errors
/// Those of the figure.
pub fn fit_figure(experiment: &Experiment, run: &Run) -> Result<Figure> {
    let data = &experiment.data;
    let simulated = matches!(experiment.settings.dataset, DatasetSettings::Simulated(_));
    let shown = if simulated { &data.train } else { &data.truth };
    let t_all = data.truth.t().to_vec();
    let (start, end) = (t_all[0], t_all[t_all.len() - 1]);
    let end_of_training = data.train.t()[data.train.len() - 1];
    let fine = |end: f64| -> Vec<f64> {
        (0..=MODEL_POINTS)
            .map(|i| start + (end - start) * i as f64 / MODEL_POINTS as f64)
            .collect()
    };
    let mut t = fine(end);
    let mut predicted = run.predict(&t);
    if predicted.is_err() {
        t = fine(end_of_training);
        predicted = run.predict(&t);
    }
    let model = predicted?.index_axis(Axis(0), 0).to_owned();
    let names: Vec<&str> = data.train.names().iter().map(String::as_str).collect();
    let points = shown.u().index_axis(Axis(0), 0).to_owned();
    let mark = (end > end_of_training).then_some(end_of_training);
    let mut figure = fit(&shown.t().to_vec(), &points, &t, &model, mark, &names)?;
    if let Some((low, high)) = clipped_y_range(data.truth.u().iter(), model.iter()) {
        figure = figure.y_range(low, high)?;
    }
    if simulated {
        let truth = data.truth.u().index_axis(Axis(0), 0).to_owned();
        for (i, column) in truth.columns().into_iter().enumerate() {
            let mut style = Style::new()
                .color(Color::Rgb(85, 85, 85))
                .dash(Dash::Dotted)
                .width(1.4);
            if i == 0 {
                style = style.label("truth");
            }
            figure = figure.line(&t_all, column, style)?;
        }
    }
    Ok(figure.title(format!(
        "{}: {} training",
        experiment.settings.experiment.replace('_', " "),
        run.method.replace('_', " ")
    )))
}
