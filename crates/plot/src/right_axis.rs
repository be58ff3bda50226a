//! The second vertical axis of a panel, to the right of its frame.

use super::autoscale;
use super::axes_transform::AxesTransform;
use super::figure::Figure;
use super::font;
use super::geometry::{Point, Rect};
use super::label;
use super::panel_metrics::{
    AXIS_EM, LABEL_EM, TICK, TICK_GAP, fit_text, ink, max_label_width, y_ticks,
};
use super::resolved_style::ResolvedStyle;
use super::scale::Axis;
use super::scene::{Align, Pen, Scene};
use super::shared_ticks::shared_ticks;
use super::style::Dash;
use super::ticks::Ticks;
use odesync_base::error::Result;

/// The layers of the figure whose vertical axis is to the right, and that axis.
pub(super) struct RightAxis<'a> {
    figure: &'a Figure,
    styles: Vec<ResolvedStyle>,
    y: Axis,
}

impl<'a> RightAxis<'a> {
    /// Returns the right axis of a figure, if it has one; `styles` are those of all its layers, of which the last are the twin's.
    pub fn of(figure: &'a Figure, styles: &[ResolvedStyle]) -> Result<Option<RightAxis<'a>>> {
        let Some(twin) = figure.twin.as_deref() else {
            return Ok(None);
        };
        let (_, y) = autoscale::fit_axes(twin)?;
        let own = styles.len().saturating_sub(twin.layers.len());
        Ok(Some(RightAxis {
            figure: twin,
            styles: styles.get(own..).unwrap_or_default().to_vec(),
            y,
        }))
    }

    /// Returns the width that the axis takes to the right of a frame of this height.
    pub fn width(&self, height: f64) -> f64 {
        let name = match self.figure.y_label.is_empty() {
            true => 0.0,
            false => 1.6 * AXIS_EM,
        };
        TICK + TICK_GAP + max_label_width(&self.ticks(height).0) * LABEL_EM + name
    }

    fn ticks(&self, height: f64) -> (Ticks, String) {
        shared_ticks(&self.y, y_ticks(&self.y, height))
    }

    /// Returns what the tick labels have in common.
    pub fn shared(&self, height: f64) -> String {
        self.ticks(height).1
    }

    fn view(&self, view: &AxesTransform) -> AxesTransform {
        AxesTransform { y: self.y, ..*view }
    }

    pub fn footprint(&self, view: &AxesTransform) -> Vec<Point> {
        let view = self.view(view);
        let layers = self.figure.layers.iter();
        layers.flat_map(|l| l.footprint(&view)).collect()
    }

    pub fn draw_layers(&self, view: &AxesTransform, scene: &mut Scene) {
        let view = self.view(view);
        for (layer, style) in self.figure.layers.iter().zip(&self.styles) {
            layer.draw(style, &view, scene);
        }
    }

    /// Draws the axis with its ticks and its name.
    pub fn draw(&self, frame: &Rect, scene: &mut Scene) {
        let thin = Pen {
            color: ink(),
            width: 1.0,
            dash: Dash::Solid,
        };
        let (ticks, shared) = self.ticks(frame.height());
        if !shared.is_empty() {
            let at = (frame.right + TICK, frame.top - 0.5 * LABEL_EM);
            scene.text(&shared, at, LABEL_EM, Align::Right, false, ink());
        }
        let at = |fraction: f64| frame.bottom - fraction * frame.height();
        scene.line(
            &[(frame.right, frame.top), (frame.right, frame.bottom)],
            thin,
        );
        for fraction in &ticks.minor {
            let y = at(*fraction);
            scene.line(&[(frame.right, y), (frame.right + 0.6 * TICK, y)], thin);
        }
        for (fraction, text) in &ticks.major {
            let y = at(*fraction);
            scene.line(&[(frame.right, y), (frame.right + TICK, y)], thin);
            let start = (
                frame.right + TICK + TICK_GAP,
                y + 0.5 * font::CAP_HEIGHT * LABEL_EM,
            );
            scene.text(text, start, LABEL_EM, Align::Left, false, ink());
        }
        if self.figure.y_label.is_empty() {
            return;
        }
        let (text, em) = fit_text(&self.figure.y_label, AXIS_EM, frame.height());
        let half = 0.5 * label::width(&text) * em;
        let middle = 0.5 * (frame.top + frame.bottom);
        let y = middle.clamp(
            frame.top + half,
            (frame.bottom - half).max(frame.top + half),
        );
        let labels = max_label_width(&ticks) * LABEL_EM;
        let x = frame.right + TICK + TICK_GAP + labels + 0.6 * AXIS_EM + font::CAP_HEIGHT * em;
        scene.text(&text, (x, y), em, Align::Center, true, ink());
    }
}
