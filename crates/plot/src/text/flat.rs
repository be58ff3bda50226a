//! A figure with two axes as text.

use super::super::autoscale;
use super::super::axes_transform::AxesTransform;
use super::super::figure::Figure;
use super::super::legend_handle::LegendHandle;
use super::super::math;
use super::super::panel_metrics::colorbar_scale;
use super::super::resolved_style::{ResolvedStyle, resolve_styles};
use super::super::scale::Axis;
use super::super::scene::Scene;
use super::super::ticks::Ticks;
use super::cell::{BLANK, TextBlock, TextCell, plain};
use super::centred;
use super::legend::{colorbar_line, legend};
use super::screen::TextCanvas;
use odesync_base::error::Result;

/// Returns the styles adapted to drawing in dots: a line is one dot wide.
pub(super) fn one_dot_styles(styles: Vec<ResolvedStyle>) -> Vec<ResolvedStyle> {
    let dotted = |style: ResolvedStyle| ResolvedStyle {
        width: 1.0,
        size: 1.0,
        ..style
    };
    styles.into_iter().map(dotted).collect()
}

fn y_tick_rows(axis: &Axis, rows: usize) -> Vec<(usize, String)> {
    let major = Ticks::new(axis, rows.div_ceil(3).clamp(2, 8)).major;
    let row = |fraction: f64| {
        ((1.0 - fraction) * rows as f64 - 1e-9)
            .floor()
            .clamp(0.0, rows as f64 - 1.0) as usize
    };
    let mut ticks: Vec<(usize, String)> = major
        .into_iter()
        .map(|(fraction, label)| (row(fraction), label))
        .collect();
    // A row has room for one label.
    ticks.dedup_by_key(|mark| mark.0);
    ticks
}

pub(super) fn block(
    figure: &Figure,
    columns: usize,
    rows: usize,
    colour: bool,
) -> Result<TextBlock> {
    let (x, y) = autoscale::fit_axes(figure)?;
    let entries = figure.legend_handles();
    let styles = one_dot_styles(resolve_styles(&entries));
    let mut below = TextBlock::new();
    if let Some(color_scale) =
        colorbar_scale(figure.layers.iter().map(|l| &**l as &dyn LegendHandle))
    {
        below.push(colorbar_line(color_scale, columns, colour));
    }
    below.extend(legend(&entries, &styles, columns));
    let title = usize::from(!figure.title.is_empty());
    let name = usize::from(!figure.y_label.is_empty());
    let wide = |text: &str| text.chars().count();
    let layout = |axis_lines: usize| {
        let height = rows
            .saturating_sub(title + name + axis_lines + below.len())
            .max(4);
        let ticks = y_tick_rows(&y, height);
        let margin = ticks
            .iter()
            .map(|(_, label)| wide(label))
            .max()
            .unwrap_or(0)
            .min(columns / 3);
        let width = columns.saturating_sub(margin + 2).max(8);
        (
            height,
            ticks,
            margin,
            width,
            x_axis(figure, &x, margin + 1, width),
        )
    };
    let (mut height, mut ticks, mut margin, mut width, mut axis) = layout(2);
    if axis.len() > 2 {
        // The name of the vertical axis needs its own line.
        (height, ticks, margin, width, axis) = layout(3);
    }

    let mut screen = TextCanvas::new(width, height);
    let view = AxesTransform {
        x,
        y,
        rect: screen.rect(),
    };
    let mut scene = Scene::part();
    for (layer, style) in figure.layers.iter().zip(&styles) {
        layer.draw(style, &view, &mut scene);
    }
    screen.paint(&scene);

    let mut lines = TextBlock::new();
    if title == 1 {
        lines.push(plain(&centred(&math::to_plain(&figure.title), columns)));
    }
    if name == 1 {
        lines.push(plain(&format!(
            "{}{}",
            " ".repeat(margin.saturating_sub(1)),
            math::to_plain(&figure.y_label)
        )));
    }
    for (row, drawn) in screen.block(colour).into_iter().enumerate() {
        let label = ticks
            .iter()
            .find(|(at, _)| *at == row)
            .map(|(_, label)| label.as_str());
        let cut: String = label.unwrap_or("").chars().take(margin).collect();
        let edge = if label.is_some() { '┤' } else { '│' };
        let mut line = plain(&format!("{}{cut} {edge}", " ".repeat(margin - wide(&cut))));
        line.extend(drawn);
        lines.push(line);
    }
    lines.extend(axis);
    lines.extend(below);
    Ok(lines)
}

/// Returns the lines of the horizontal axis: its ticks, and its name at the end of the line of their labels.
fn x_axis(figure: &Figure, axis: &Axis, margin: usize, width: usize) -> TextBlock {
    let ticks = Ticks::new(axis, (width / 12).clamp(2, 10)).major;
    let at = |fraction: f64| ((fraction * width as f64) as usize).min(width - 1);
    let mut ruler: Vec<char> = vec!['─'; width];
    let mut labels: Vec<TextCell> = vec![BLANK; margin + 1 + width];
    let mut free = 0;
    for (fraction, label) in &ticks {
        ruler[at(*fraction)] = '┬';
        let size = label.chars().count();
        let start = (margin + 1 + at(*fraction))
            .saturating_sub(size / 2)
            .min((margin + 1 + width).saturating_sub(size));
        if start >= free {
            for (cell, drawn) in labels[start..].iter_mut().zip(plain(label)) {
                *cell = drawn;
            }
            free = start + size + 1;
        }
    }
    let mut lines = vec![plain(&format!(
        "{}└{}",
        " ".repeat(margin),
        ruler.iter().collect::<String>()
    ))];
    // The name is at the end of the line, where labels leave room for it.
    let x_label = math::to_plain(&figure.x_label);
    let name = x_label.chars().count();
    let start = labels.len().saturating_sub(name);
    let end = labels
        .iter()
        .rposition(|c| *c != BLANK)
        .map_or(0, |i| i + 2);
    let mut named = Vec::new();
    if name > 0 && start >= end {
        for (cell, drawn) in labels[start..].iter_mut().zip(plain(&x_label)) {
            *cell = drawn;
        }
    } else if name > 0 {
        named.push(plain(&centred(&x_label, margin + 1 + width)));
    }
    lines.push(labels);
    lines.extend(named);
    lines
}
