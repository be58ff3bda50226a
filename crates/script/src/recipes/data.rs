//! The figure of a dataset.

use super::panels::{MAX_PANELS, ValueRange, need_panels, omitted};
use crate::Result;
use odesync_plot::builders::display_name;
use odesync_plot::{Color, Figure, Grid, Panel, Style};
use odesync_train::datasets::{DataUnits, Dataset};

/// Largest number of samples that are drawn over each other.
const MAX_SAMPLES: usize = 24;
/// Height of a panel in pixels, and of what a grid has besides.
const PANEL_HEIGHT: (usize, usize) = (170, 100);

/// Plots data as points; several samples as thin lines, with one color for each component. Components whose magnitudes are far apart,
/// and many of them, have a panel each. The title says what is left out.
pub fn data(data: &Dataset) -> Result<Panel> {
    let dof = data.names().len();
    let ranges: Vec<ValueRange> = (0..dof)
        .map(|i| {
            let columns: Vec<_> = data
                .trajectories()
                .map(|(_, u)| u.column(i).to_vec())
                .collect();
            ValueRange::of(columns.iter().flatten())
        })
        .collect();
    let samples = data.samples();
    let mut left_out = match samples > MAX_SAMPLES {
        true => vec![format!("The first {MAX_SAMPLES} of {samples} samples")],
        false => vec![],
    };
    if !need_panels(&ranges) {
        let figure = components(data, 0..dof)?;
        return Ok(figure.title(left_out.concat()).into());
    }
    let shown = dof.min(MAX_PANELS);
    let panels: Vec<Figure> = (0..shown)
        .map(|i| {
            let figure = components(data, i..i + 1)?;
            // One time axis serves all.
            Ok(if i + 1 < shown {
                figure.x_label("")
            } else {
                figure
            })
        })
        .collect::<Result<_>>()?;
    left_out.extend(Some(omitted(dof)).filter(|text| !text.is_empty()));
    let height = PANEL_HEIGHT.0 * shown + PANEL_HEIGHT.1;
    let grid = Grid::new(1, panels)?.share_x().size(900, height as u32)?;
    Ok(grid.title(left_out.join(", ")).into())
}

/// Plots some of the components on one axis.
fn components(data: &Dataset, which: std::ops::Range<usize>) -> Result<Figure> {
    let (names, units) = (data.names(), data.units());
    let label = |i: usize| DataUnits::label(&display_name(&names[i]), units.of_component(i));
    let is_single = which.len() == 1;
    let mut figure = Figure::new().x_label(DataUnits::label("t", &units.time));
    if is_single {
        figure = figure.y_label(label(which.start));
    }
    for (sample, (t, u)) in data.trajectories().take(MAX_SAMPLES).enumerate() {
        for i in which.clone() {
            let mut style = Style::new().color(Color::Palette(i));
            if sample == 0 && !is_single {
                style = style.label(label(i));
            }
            figure = match data.samples() {
                1 => figure.scatter(t, u.column(i), style)?,
                _ => figure.line(t, u.column(i), style.width(1.2).alpha(0.6))?,
            };
        }
    }
    Ok(figure)
}
