//! Figures as text, for terminals that show no pictures: the same layers, drawn in braille dots and half blocks.

mod cell;
mod flat;
mod legend;
mod screen;
mod space;

use super::figure::Figure;
use super::grid::{Grid, Panel};
use cell::{Block, plain, written};
use odesync_base::error::Result;

/// The least size of a panel, in columns and rows.
const LEAST: (usize, usize) = (24, 8);

/// A panel as text in so many columns and rows. Without colour there are no control sequences in it.
pub(super) fn text(panel: &Panel, columns: usize, rows: usize, colour: bool) -> Result<String> {
    Ok(written(
        &block(panel, columns.min(400), rows.min(200), colour)?,
        colour,
    ))
}

fn block(panel: &Panel, columns: usize, rows: usize, colour: bool) -> Result<Block> {
    match panel {
        Panel::Figure(figure) => of_figure(figure, columns, rows, colour),
        Panel::Grid(grid) => of_grid(grid, columns, rows, colour),
    }
}

fn of_figure(figure: &Figure, columns: usize, rows: usize, colour: bool) -> Result<Block> {
    let (columns, rows) = (columns.max(LEAST.0), rows.max(LEAST.1));
    match figure.space.is_empty() {
        true => flat::block(figure, columns, rows, colour),
        false => space::block(figure, columns, rows, colour),
    }
}

fn of_grid(grid: &Grid, columns: usize, rows: usize, colour: bool) -> Result<Block> {
    let mut lines = Block::new();
    let (title, across, panels, heights) = grid.parts();
    if !title.is_empty() {
        lines.push(plain(&centred(title, columns)));
    }
    let width = columns / across;
    let room = rows.saturating_sub(lines.len());
    let sum: f64 = heights.iter().sum();
    for (row, height) in panels.chunks(across).zip(heights) {
        let height = (room as f64 * height / sum) as usize;
        let mut joined = Block::new();
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
