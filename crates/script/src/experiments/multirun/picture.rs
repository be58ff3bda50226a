//! The picture of a sweep: the error by each of the keys that vary, as small multiples.

use super::Multirun;
use super::summary::Summary;
use crate::Result;
use odesync_plot::{Color, Figure, Grid, Legend, Marker, Style};

/// Name of the file with the picture of a sweep.
pub const PICTURE_FILE: &str = "summary.svg";

/// Largest number of keys that are drawn; there is a panel for each.
const MAX_PANELS: usize = 9;

/// Largest number of texts that one key may have to be drawn.
const MAX_TEXTS: usize = 12;

/// Plots the best mse of the members by each of the arguments in which they differ: numbers along the axis, texts side by side with
/// their names in the legend. `None` where fewer than two members have a result, or nothing varies.
///
/// # Errors
/// Those of the figure.
pub fn sweep_figure(multirun: &Multirun, summary: &Summary) -> Result<Option<Grid>> {
    let results: Vec<(usize, f64)> = (0..multirun.members.len())
        .filter_map(|member| Some((member, summary.number(member, "best_mse")?)))
        .collect();
    let log = results.iter().all(|(_, mse)| *mse > 0.0);
    let mut panels = Vec::new();
    if results.len() > 1 {
        for key in multirun.varying_keys() {
            let values: Vec<&str> = results
                .iter()
                .map(|(member, _)| multirun.value(*member, &key))
                .collect();
            let mse: Vec<f64> = results.iter().map(|(_, mse)| *mse).collect();
            if let Some(figure) = panel(&values, &mse)? {
                let figure = figure.x_label(key).y_label("best mse");
                panels.push(if log { figure.log_y() } else { figure });
            }
        }
    }
    panels.truncate(MAX_PANELS);
    if panels.is_empty() {
        return Ok(None);
    }
    let columns = panels.len().min(3);
    let rows = panels.len().div_ceil(columns) as u32;
    let width = 80 + 400 * columns as u32;
    Ok(Some(
        Grid::new(columns, panels)?.size(width, 60 + 320 * rows)?,
    ))
}

/// Returns the panel of one key; `None` where it has one value only, or too many texts.
fn panel(values: &[&str], mse: &[f64]) -> Result<Option<Figure>> {
    let mut texts: Vec<&str> = Vec::new();
    for value in values {
        if !texts.contains(value) {
            texts.push(value);
        }
    }
    if texts.len() < 2 {
        return Ok(None);
    }
    let numbers: Option<Vec<f64>> = values.iter().map(|v| v.parse().ok()).collect();
    let points = |color: usize| {
        let style = Style::new().color(Color::Palette(color)).alpha(0.65);
        style.marker(Marker::Circle)
    };
    if let Some(x) = numbers {
        let (low, high) = x
            .iter()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), x| {
                (l.min(*x), h.max(*x))
            });
        let figure = Figure::new().scatter(&x, mse, points(0))?;
        return Ok(Some(match low > 0.0 && high / low >= 30.0 {
            true => figure.log_x(),
            false => figure,
        }));
    }
    if texts.len() > MAX_TEXTS {
        return Ok(None);
    }
    let mut figure = Figure::new()
        .x_range(-0.5, texts.len() as f64 - 0.5)?
        .legend(Legend::Outside);
    for (i, text) in texts.iter().enumerate() {
        let of_text: Vec<f64> = values
            .iter()
            .zip(mse)
            .filter(|(value, _)| *value == text)
            .map(|(_, mse)| *mse)
            .collect();
        let x = vec![i as f64; of_text.len()];
        figure = figure.scatter(&x, &of_text, points(i).label(*text))?;
    }
    Ok(Some(figure))
}
