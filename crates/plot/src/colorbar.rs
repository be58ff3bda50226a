//! The colour bar, which shows the value of each colour.

use super::bitmap::Bitmap;
use super::color_scale::ColorScale;
use super::font;
use super::geometry::Rect;
use super::panel_metrics::{
    AXIS_EM, LABEL_EM, TICK, TICK_GAP, fit_text, ink, max_label_width, y_ticks,
};
use super::scene::{Align, Pen, Scene};
use super::shared_ticks::{name_with_shared, shared_ticks};
use super::style::Dash;
use super::ticks::Ticks;

const WIDTH: f64 = 16.0;
/// Distance between the frame and the bar, in pixels.
const FRAME_GAP: f64 = 16.0;
/// Height of the arrowheads for values beyond the range, in pixels.
const EXTEND_HEIGHT: f64 = 12.0;

/// Returns the width that the bar takes to the right of the frame, labels included, in pixels.
pub(super) fn total_width(color_scale: &ColorScale, height: f64) -> f64 {
    let (ticks, name) = ticks_and_name(color_scale, height);
    let labels = max_label_width(&ticks) * LABEL_EM;
    let name = if name.is_empty() { 0.0 } else { 1.7 * AXIS_EM };
    FRAME_GAP + WIDTH + TICK + TICK_GAP + labels + name + 4.0
}

/// Returns the ticks of a bar of this height, and its name with what their labels have in common.
fn ticks_and_name(color_scale: &ColorScale, height: f64) -> (Ticks, String) {
    let axis = &color_scale.axis;
    let (ticks, shared) = shared_ticks(axis, y_ticks(axis, height));
    (ticks, name_with_shared(&color_scale.label, &shared))
}

/// Draws the colour bar to the right of the frame.
pub(super) fn draw(color_scale: &ColorScale, frame: &Rect, scene: &mut Scene) {
    let bar = Rect {
        left: frame.right + FRAME_GAP,
        right: frame.right + FRAME_GAP + WIDTH,
        top: frame.top
            + if color_scale.extends_above() {
                EXTEND_HEIGHT
            } else {
                0.0
            },
        bottom: frame.bottom
            - if color_scale.extends_below() {
                EXTEND_HEIGHT
            } else {
                0.0
            },
    };
    let steps = 256;
    let bitmap = Bitmap::from_fn(1, steps, |i, _| {
        Some(color_scale.rgb_at(1.0 - (i as f64 + 0.5) / f64::from(steps)))
    });
    scene.image(bar, bitmap, false);
    let thin = Pen {
        color: ink(),
        width: 1.0,
        dash: Dash::Solid,
    };
    let middle = 0.5 * (bar.left + bar.right);
    let mut outline = vec![(bar.left, bar.top)];
    if color_scale.extends_above() {
        outline.push((middle, frame.top));
        let tip = vec![
            (bar.left, bar.top),
            (middle, frame.top),
            (bar.right, bar.top),
        ];
        scene.area(tip, (color_scale.rgb_at(1.0), 1.0));
    }
    outline.extend([(bar.right, bar.top), (bar.right, bar.bottom)]);
    if color_scale.extends_below() {
        outline.push((middle, frame.bottom));
        let tip = vec![
            (bar.left, bar.bottom),
            (middle, frame.bottom),
            (bar.right, bar.bottom),
        ];
        scene.area(tip, (color_scale.rgb_at(0.0), 1.0));
    }
    outline.extend([(bar.left, bar.bottom), (bar.left, bar.top)]);
    scene.line(&outline, thin);
    let (ticks, name) = ticks_and_name(color_scale, bar.height());
    let at = |fraction: f64| bar.bottom - fraction * bar.height();
    for fraction in &ticks.minor {
        scene.line(
            &[
                (bar.right, at(*fraction)),
                (bar.right + 0.6 * TICK, at(*fraction)),
            ],
            thin,
        );
    }
    for (fraction, label) in &ticks.major {
        let y = at(*fraction);
        scene.line(&[(bar.right, y), (bar.right + TICK, y)], thin);
        let start = (
            bar.right + TICK + TICK_GAP,
            y + 0.5 * font::CAP_HEIGHT * LABEL_EM,
        );
        scene.text(label, start, LABEL_EM, Align::Left, false, ink());
    }
    if !name.is_empty() {
        let (label, em) = fit_text(&name, AXIS_EM, frame.height());
        let labels = max_label_width(&ticks) * LABEL_EM;
        let x = bar.right + TICK + TICK_GAP + labels + 0.7 * AXIS_EM + font::CAP_HEIGHT * em;
        let y = 0.5 * (frame.top + frame.bottom);
        scene.text(&label, (x, y), em, Align::Center, true, ink());
    }
}
