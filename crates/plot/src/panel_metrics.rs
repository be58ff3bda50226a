//! Metrics and helpers of all panels: sizes of text and ticks, the frame within its margins, text that fits.

use super::color_scale::ColorScale;
use super::drawing_context;
use super::geometry::{Point, Rect};
use super::label;
use super::legend_handle::LegendHandle;
pub(super) use super::page::LABEL_EM;
use super::scale::{Axis, Scale};
use super::scene::{Align, Rgba, Scene};
use super::ticks::Ticks;

/// Returns the colour of text, axes and ticks.
pub(super) fn ink() -> Rgba {
    drawing_context::ground().ink
}

/// Size of the title in pixels per em.
pub(super) const TITLE_EM: f64 = 18.0;
/// Size of the axes' names in pixels per em.
pub(super) const AXIS_EM: f64 = 16.0;

/// Length of a tick in pixels.
pub(super) const TICK: f64 = 5.0;
/// Distance between a tick and its label in pixels.
pub(super) const TICK_GAP: f64 = 4.0;
/// Width of the empty edge around a panel in pixels.
pub(super) const EDGE: f64 = 12.0;

/// The margins around the frame, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Margins {
    pub left: f64,
    pub right: f64,
    pub top: f64,
    pub bottom: f64,
}

/// Paints the whole page in the colour of its paper; returns its rectangle.
pub(super) fn fill_background(scene: &mut Scene) -> Rect {
    let area = Rect {
        left: 0.0,
        top: 0.0,
        right: scene.page.layout.0,
        bottom: scene.page.layout.1,
    };
    scene.rect(&area, (drawing_context::ground().paper, 1.0));
    area
}

/// Returns the colour scale of the colour bar: of the layers that may have one, that of the first that requests it, otherwise of
/// the first.
pub(super) fn colorbar_scale<'a>(
    layers: impl Iterator<Item = &'a dyn LegendHandle>,
) -> Option<&'a ColorScale> {
    let tints: Vec<&ColorScale> = layers
        .filter_map(|l| l.color_scale())
        .filter(|t| t.bar != Some(false))
        .collect();
    let asked = tints.iter().find(|t| t.bar == Some(true)).copied();
    asked.or(tints.first().copied())
}

/// Returns the frame: the area without the margins. In an area too small for its labels the frame has a minimum size and the
/// labels extend beyond the area.
pub(super) fn frame_rect(area: &Rect, margins: &Margins) -> Rect {
    let (left, top) = (area.left + margins.left, area.top + margins.top);
    Rect {
        left,
        top,
        right: (area.right - margins.right).max(left + 20.0),
        bottom: (area.bottom - margins.bottom).max(top + 20.0),
    }
}

/// Returns the width of the widest tick label in em.
pub(super) fn max_label_width(ticks: &Ticks) -> f64 {
    let labels = ticks.major.iter();
    labels.map(|(_, l)| label::width(l)).fold(0.0, f64::max)
}

/// Returns as many ticks of the vertical axis as leave room between their labels.
pub(super) fn y_ticks(axis: &Axis, height: f64) -> Ticks {
    let mut ticks = Ticks::new(axis, (height / 45.0).clamp(2.0, 10.0) as usize);
    let least = 0.9 * LABEL_EM / height;
    let at = |i: usize| ticks.major.get(i).map_or(0.0, |(fraction, _)| *fraction);
    let count = ticks.major.len();
    let crowded = |stride: usize| (stride..count).any(|i| at(i) - at(i - stride) < least);
    if !crowded(1) || axis.scale != Scale::Linear {
        return ticks;
    }
    let stride = (2..count).find(|stride| !crowded(*stride)).unwrap_or(count);
    // Counted from 0, where the axis has it.
    let zero = axis.fraction(0.0);
    let start = (0..count)
        .find(|i| (at(*i) - zero).abs() < 1e-9)
        .unwrap_or(0);
    let mut i = 0usize;
    ticks.major.retain(|_| {
        i += 1;
        (i - 1).abs_diff(start) % stride == 0
    });
    ticks
}

/// Returns as many ticks of the horizontal axis as leave room between their labels.
pub(super) fn x_ticks(axis: &Axis, width: f64) -> Ticks {
    let mut most = (width / 70.0).clamp(2.0, 12.0) as usize;
    loop {
        let ticks = Ticks::new(axis, most);
        let crowded = ticks.major.windows(2).any(|pair| {
            let labels = 0.5 * (label::width(&pair[0].1) + label::width(&pair[1].1));
            (pair[1].0 - pair[0].0) * width < (labels + 1.2) * LABEL_EM
        });
        if !crowded || most <= 2 {
            return ticks;
        }
        most -= 1;
    }
}

/// Returns the ticks at the positions 0, 1, … with their names, which are shortened to the room between two of them; where there are
/// too many, some have none.
pub(super) fn category_ticks(axis: &Axis, names: &[String], width: f64) -> Ticks {
    let gap = width * (axis.fraction(1.0) - axis.fraction(0.0));
    // A name of fewer than about three letters says nothing.
    let stride = (2.5 * LABEL_EM / gap.max(1e-3)).ceil().max(1.0) as usize;
    let room = (gap * stride as f64 / LABEL_EM - 0.5).max(1.0);
    let named = names.iter().enumerate().step_by(stride);
    let major = named
        .map(|(i, name)| (axis.fraction(i as f64), label::ellipsize(name, room)))
        .filter(|(fraction, _)| (0.0..=1.0).contains(fraction));
    Ticks {
        major: major.collect(),
        minor: Vec::new(),
    }
}

/// Returns the text and the size with which it fits: text that is too long gets smaller, down to three quarters, and is then
/// shortened.
pub(super) fn fit_text(text: &str, em: f64, room: f64) -> (String, f64) {
    let em = em.min(room / label::width(text).max(1e-9)).max(0.75 * em);
    (label::ellipsize(text, room / em + 1e-9), em)
}

/// Draws text centred at a point, moved as far as needed to stay within the area.
pub(super) fn draw_centered(text: &str, em: f64, (x, y): Point, area: &Rect, scene: &mut Scene) {
    let (text, em) = fit_text(text, em, area.width() - 2.0 * EDGE);
    let half = 0.5 * label::width(&text) * em + EDGE;
    let x = x.clamp(area.left + half, (area.right - half).max(area.left + half));
    scene.text(&text, (x, y), em, Align::Center, false, ink());
}
