//! Figures as text, for terminals that show no images: the same layers, drawn in braille dots and half blocks.

mod cell;
mod flat;
mod legend;
mod screen;
mod space;

use super::figure::Figure;
use super::grid::{Grid, Panel};
use super::math;
use cell::{TextBlock, plain, to_ansi};
use odesync_base::error::Result;

/// Smallest size of a panel, in columns and rows.
const MIN_SIZE: (usize, usize) = (24, 8);

/// Returns a panel as text of `columns` columns and `rows` rows. Without `colour` the text has no control sequences.
pub(super) fn render(panel: &Panel, columns: usize, rows: usize, colour: bool) -> Result<String> {
    Ok(to_ansi(
        &block(panel, columns.min(400), rows.min(200), colour)?,
        colour,
    ))
}

fn block(panel: &Panel, columns: usize, rows: usize, colour: bool) -> Result<TextBlock> {
    match panel {
        Panel::Figure(figure) => figure_block(figure, columns, rows, colour),
        Panel::Grid(grid) => grid_block(grid, columns, rows, colour),
    }
}

fn figure_block(figure: &Figure, columns: usize, rows: usize, colour: bool) -> Result<TextBlock> {
    let (columns, rows) = (columns.max(MIN_SIZE.0), rows.max(MIN_SIZE.1));
    match figure.layers3.is_empty() {
        true => flat::block(figure, columns, rows, colour),
        false => space::block(figure, columns, rows, colour),
    }
}

fn grid_block(grid: &Grid, columns: usize, rows: usize, colour: bool) -> Result<TextBlock> {
    let mut lines = TextBlock::new();
    let (title, across, panels, heights) = grid.parts();
    if !title.is_empty() {
        lines.push(plain(&centred(&math::to_plain(title), columns)));
    }
    let width = columns / across;
    let room = rows.saturating_sub(lines.len());
    let sum: f64 = heights.iter().sum();
    for (row, height) in panels.chunks(across).zip(heights) {
        let height = (room as f64 * height / sum) as usize;
        let mut joined = TextBlock::new();
        for (i, panel) in row.iter().enumerate() {
            let part = block(panel, width, height, colour)?;
            for (k, line) in part.into_iter().enumerate() {
                while joined.len() <= k {
                    joined.push(Vec::new());
                }
                joined[k].resize(i * width, cell::BLANK);
                joined[k].extend(line);
            }
        }
        lines.extend(joined);
    }
    Ok(lines)
}

fn centred(text: &str, columns: usize) -> String {
    let kept: String = text.chars().take(columns).collect();
    let before = (columns - kept.chars().count()) / 2;
    format!("{}{kept}", " ".repeat(before))
}
