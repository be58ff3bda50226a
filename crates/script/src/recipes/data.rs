//! The figure of a dataset.

use crate::Result;
use odesync_plot::builders::display_name;
use odesync_plot::{Color, Figure, Style};
use odesync_train::datasets::{Dataset, Units};

/// Largest number of samples that are drawn over each other.
const MAX_SAMPLES: usize = 24;

/// Plots data as points; several samples as thin lines, with one color for each component.
pub fn data(data: &Dataset) -> Result<Figure> {
    let names = data.names();
    let samples = data.samples();
    let units = data.units();
    let label = |i: usize, name: &str| Units::label(&display_name(name), units.of_component(i));
    let mut figure = Figure::new().x_label(Units::label("t", &units.time));
    if let [name] = names {
        figure = figure.y_label(label(0, name));
    }
    for (sample, (t, u)) in data.trajectories().take(MAX_SAMPLES).enumerate() {
        for (i, (name, column)) in names.iter().zip(u.columns()).enumerate() {
            let mut style = Style::new().color(Color::Palette(i));
            if sample == 0 && names.len() > 1 {
                style = style.label(label(i, name));
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
