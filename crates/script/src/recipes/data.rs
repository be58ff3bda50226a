//! The figure of a dataset.

use crate::Result;
use odesync_plot::builders::display_name;
use odesync_plot::{Color, Figure, Style};
use odesync_train::datasets::Dataset;

/// Largest number of samples that are drawn over each other.
const MAX_SAMPLES: usize = 24;

/// Plots data as points; several samples as thin lines, with one color for each component.
pub fn data(data: &Dataset) -> Result<Figure> {
    let names = data.names();
    let samples = data.samples();
    let mut figure = Figure::new().x_label("t");
    if let [name] = names {
        figure = figure.y_label(display_name(name));
    }
    for (sample, (t, u)) in data.trajectories().take(MAX_SAMPLES).enumerate() {
        for (i, (name, column)) in names.iter().zip(u.columns()).enumerate() {
            let mut style = Style::new().color(Color::Palette(i));
            if sample == 0 && names.len() > 1 {
                style = style.label(display_name(name));
            }
            figure = match samples {
                1 => figure.scatter(t, column, style)?,
                _ => figure.line(t, column, style.width(1.2).alpha(0.6))?,
            };
        }
    }
    if samples > MAX_SAMPLES {
        figure = figure.title(format!("The first {MAX_SAMPLES} of {samples} samples"));
    }
    Ok(figure)
}
