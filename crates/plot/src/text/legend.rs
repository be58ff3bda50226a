//! The legend and the colour bar as lines of text.

use super::super::color_scale::ColorScale;
use super::super::legend_handle::{LayerKind, LegendHandle};
use super::super::math;
use super::super::resolved_style::ResolvedStyle;
use super::super::scale::Axis;
use super::super::ticks::Ticks;
use super::cell::{BLANK, TextBlock, TextCell, colored, plain};
use super::screen::density_char;

/// Returns the lines of the legend: the labelled layers with their handles, as many per line as fit.
pub(super) fn legend(
    layers: &[&dyn LegendHandle],
    styles: &[ResolvedStyle],
    columns: usize,
) -> TextBlock {
    let mut lines = TextBlock::new();
    for (layer, style) in layers.iter().zip(styles) {
        let Some(label) = layer.style().label.as_deref().filter(|l| !l.is_empty()) else {
            continue;
        };
        let sign = match layer.kind() {
            LayerKind::Line | LayerKind::GridData => "──",
            LayerKind::Points => "••",
            LayerKind::Band => "░░",
            LayerKind::Bars => "▆▆",
            LayerKind::ReferenceLine => "┆ ",
        };
        let mut entry = colored(sign, Some(style.rgb));
        entry.push(BLANK);
        entry.extend(
            plain(&math::to_plain(label))
                .into_iter()
                .take(columns.saturating_sub(4)),
        );
        match lines.last_mut() {
            Some(line) if line.len() + 3 + entry.len() <= columns => {
                line.extend([BLANK; 3]);
                line.extend(entry);
            }
            _ => lines.push(entry),
        }
    }
    lines
}

/// Returns the labels of the first and the last tick of an axis.
fn end_labels(axis: &Axis) -> Option<(String, String)> {
    let major = Ticks::new(axis, 6).major;
    let (first, last) = (major.first()?, major.last()?);
    Some((first.1.clone(), last.1.clone()))
}

/// Returns the line of the colour bar: the colours from the first to the last tick, with their labels.
pub(super) fn colorbar_line(
    color_scale: &ColorScale,
    columns: usize,
    colour: bool,
) -> Vec<TextCell> {
    let Some((first, last)) = end_labels(&color_scale.axis) else {
        return Vec::new();
    };
    let name = if color_scale.label.is_empty() {
        String::new()
    } else {
        format!("{}  ", math::to_plain(&color_scale.label))
    };
    // Marks an end beyond whose value there are further values, of the same colour.
    let more = |beyond: bool| if beyond { "…" } else { "" };
    let mut line = plain(&format!(
        "{name}{}{first} ",
        more(color_scale.extends_below())
    ));
    let marks = Ticks::new(&color_scale.axis, 6).major;
    let (low, high) = (
        marks.first().map_or(0.0, |m| m.0),
        marks.last().map_or(1.0, |m| m.0),
    );
    let steps = columns
        .saturating_sub(line.len() + last.chars().count() + 1)
        .clamp(4, 24);
    for i in 0..steps {
        let rgb = color_scale.rgb_at(low + (high - low) * (i as f64 + 0.5) / steps as f64);
        let lightness =
            (0.2126 * f64::from(rgb.0) + 0.7152 * f64::from(rgb.1) + 0.0722 * f64::from(rgb.2))
                / 255.0;
        line.push(TextCell {
            character: if colour {
                '█'
            } else {
                density_char(lightness)
            },
            fg: colour.then_some(rgb),
            bg: None,
        });
    }
    line.extend(plain(&format!(
        " {last}{}",
        more(color_scale.extends_above())
    )));
    line
}
