//! What all panels have in common: sizes of text and marks, the frame within its margins, text that fits.

use super::color_scale::ColorScale;
use super::font;
use super::geometry::{Point, Rect};
use super::legend_handle::LegendHandle;
use super::scale::Axis;
use super::scene::{Align, Rgba, Scene};
use super::ticks::Ticks;

pub(super) const FOREGROUND: Rgba = ((0x22, 0x22, 0x22), 1.0);

/// Sizes of text in pixels per em.
pub(super) const TITLE_EM: f64 = 18.0;
pub(super) const AXIS_EM: f64 = 16.0;
pub(super) const LABEL_EM: f64 = 14.0;

pub(super) const TICK: f64 = 5.0;
pub(super) const TICK_GAP: f64 = 4.0;
pub(super) const EDGE: f64 = 12.0;

/// The room around the frame.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Margins {
    pub left: f64,
    pub right: f64,
    pub top: f64,
    pub bottom: f64,
}

/// The whole picture as an area, painted white.
pub(super) fn fill_background(size: (u32, u32), scene: &mut Scene) -> Rect {
    let area = Rect {
        left: 0.0,
        top: 0.0,
        right: f64::from(size.0),
        bottom: f64::from(size.1),
    };
    scene.rect(&area, ((255, 255, 255), 1.0));
    area
}

/// The values that have a colour bar: of the layers that may have one, the first that asks for it, or else the first.
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

/// What the margins leave of an area. In one too small for its labels the frame keeps some size and the labels stick out.
pub(super) fn frame_rect(area: &Rect, margins: &Margins) -> Rect {
    let (left, top) = (area.left + margins.left, area.top + margins.top);
    Rect {
        left,
        top,
        right: (area.right - margins.right).max(left + 20.0),
        bottom: (area.bottom - margins.bottom).max(top + 20.0),
    }
}

/// Width of the widest label in em.
pub(super) fn max_label_width(ticks: &Ticks) -> f64 {
    let labels = ticks.major.iter();
    labels.map(|(_, l)| font::width(l)).fold(0.0, f64::max)
}

pub(super) fn y_ticks(axis: &Axis, height: f64) -> Ticks {
    Ticks::new(axis, (height / 45.0).clamp(2.0, 10.0) as usize)
}

/// As many marks as leave room between their labels.
pub(super) fn x_ticks(axis: &Axis, width: f64) -> Ticks {
    let mut most = (width / 70.0).clamp(2.0, 12.0) as usize;
    loop {
        let ticks = Ticks::new(axis, most);
        let crowded = ticks.major.windows(2).any(|pair| {
            let labels = 0.5 * (font::width(&pair[0].1) + font::width(&pair[1].1));
            (pair[1].0 - pair[0].0) * width < (labels + 1.2) * LABEL_EM
        });
        if !crowded || most <= 2 {
            return ticks;
        }
        most -= 1;
    }
}

/// Text that is too long is written smaller, down to three quarters, and then cut short.
pub(super) fn fit_text(text: &str, em: f64, room: f64) -> (String, f64) {
    let em = em.min(room / font::width(text).max(1e-9)).max(0.75 * em);
    (font::ellipsize(text, room / em + 1e-9), em)
}

/// Text centred at a point as far as it then stays within the area.
pub(super) fn draw_centered(text: &str, em: f64, (x, y): Point, area: &Rect, scene: &mut Scene) {
    let (text, em) = fit_text(text, em, area.width() - 2.0 * EDGE);
    let half = 0.5 * font::width(&text) * em + EDGE;
    let x = x.clamp(area.left + half, (area.right - half).max(area.left + half));
    scene.text(&text, (x, y), em, Align::Center, false, FOREGROUND);
}
