//! Drawing of a panel with two axes, whose layout is known.

use super::colorbar;
use super::figure::Figure;
use super::font;
use super::geometry::Rect;
use super::legend::Legend;
use super::panel_layout::{PanelLayout, PanelLayout2, SharedAxes};
use super::panel_metrics::{
    AXIS_EM, EDGE, FOREGROUND, LABEL_EM, Margins, TICK, TICK_GAP, TITLE_EM, draw_centered,
    fill_background, fit_text, x_ticks, y_ticks,
};
use super::scene::{Align, Pen, Rgba, Scene};
use super::style::Dash;
use odesync_base::error::Result;

const GRID: Rgba = ((0xe4, 0xe4, 0xe4), 1.0);

impl Figure {
    pub(super) fn scene(&self) -> Result<Scene> {
        let mut scene = Scene::new(self.size);
        let area = fill_background(self.size, &mut scene);
        PanelLayout::new(self, &area, &SharedAxes::default())?.draw(&area, None, &mut scene);
        Ok(scene)
    }
}

impl PanelLayout2<'_> {
    /// Draws the figure into `area`; `margins` replace its own margins where panels are aligned.
    pub fn draw(&self, area: &Rect, margins: Option<Margins>, scene: &mut Scene) {
        let margins = margins.unwrap_or(self.margins);
        let view = self.view(area, &margins);
        let frame = view.rect;
        let (xs, ys) = (
            x_ticks(&self.x, frame.width()),
            y_ticks(&self.y, frame.height()),
        );
        let at_x = |fraction: f64| frame.left + fraction * frame.width();
        let at_y = |fraction: f64| frame.bottom - fraction * frame.height();
        let thin = |color| Pen {
            color,
            width: 1.0,
            dash: Dash::Solid,
        };

        for (fraction, _) in &xs.major {
            scene.line(
                &[
                    (at_x(*fraction), frame.top),
                    (at_x(*fraction), frame.bottom),
                ],
                thin(GRID),
            );
        }
        for (fraction, _) in &ys.major {
            scene.line(
                &[
                    (frame.left, at_y(*fraction)),
                    (frame.right, at_y(*fraction)),
                ],
                thin(GRID),
            );
        }
        for (layer, style) in self.figure.layers.iter().zip(&self.styles) {
            layer.draw(style, &view, scene);
        }
        let corner = [
            (frame.left, frame.top),
            (frame.left, frame.bottom),
            (frame.right, frame.bottom),
        ];
        scene.line(&corner, thin(FOREGROUND));
        let x_mark = |scene: &mut Scene, fraction: f64, length: f64| {
            scene.line(
                &[
                    (at_x(fraction), frame.bottom),
                    (at_x(fraction), frame.bottom + length),
                ],
                thin(FOREGROUND),
            );
        };
        let y_mark = |scene: &mut Scene, fraction: f64, length: f64| {
            scene.line(
                &[
                    (frame.left - length, at_y(fraction)),
                    (frame.left, at_y(fraction)),
                ],
                thin(FOREGROUND),
            );
        };
        xs.minor
            .iter()
            .for_each(|fraction| x_mark(scene, *fraction, 0.6 * TICK));
        ys.minor
            .iter()
            .for_each(|fraction| y_mark(scene, *fraction, 0.6 * TICK));
        for (fraction, label) in &xs.major {
            x_mark(scene, *fraction, TICK);
            if !self.hide_x_labels {
                let baseline = frame.bottom + TICK + TICK_GAP + font::CAP_HEIGHT * LABEL_EM;
                scene.text(
                    label,
                    (at_x(*fraction), baseline),
                    LABEL_EM,
                    Align::Center,
                    false,
                    FOREGROUND,
                );
            }
        }
        for (fraction, label) in &ys.major {
            y_mark(scene, *fraction, TICK);
            if self.hide_y_labels {
                continue;
            }
            let at = (
                frame.left - TICK - TICK_GAP,
                at_y(*fraction) + 0.5 * font::CAP_HEIGHT * LABEL_EM,
            );
            scene.text(label, at, LABEL_EM, Align::Right, false, FOREGROUND);
        }
        self.draw_names(area, &frame, scene);
        if let Some(color_scale) = self.color_scale() {
            colorbar::draw(color_scale, &frame, scene);
        }
        if let Some(legend) = self.legend(area) {
            let colorbar_width = self.colorbar_width(area);
            let legend_rect = match self.legend_outside {
                true => legend.locate(Legend::Outside, &frame, &[], colorbar_width),
                false => legend.locate(
                    self.figure.legend,
                    &frame,
                    &self.footprint(&view),
                    colorbar_width,
                ),
            };
            let entries = self.figure.legend_handles();
            legend.draw(
                &legend_rect,
                !self.legend_outside,
                &entries,
                &self.styles,
                scene,
            );
        }
    }

    fn draw_names(&self, area: &Rect, frame: &Rect, scene: &mut Scene) {
        let (center, middle) = (
            0.5 * (frame.left + frame.right),
            0.5 * (frame.top + frame.bottom),
        );
        let Figure {
            title,
            x_label,
            y_label,
            ..
        } = self.figure;
        if !title.is_empty() {
            // The baseline is so high that the title's descenders end a little above the frame.
            draw_centered(
                title,
                TITLE_EM,
                (center, frame.top - 0.6 * TITLE_EM),
                area,
                scene,
            );
        }
        if !x_label.is_empty() && !self.hide_x_labels {
            let baseline = frame.bottom + TICK + TICK_GAP + LABEL_EM + 1.1 * AXIS_EM;
            draw_centered(x_label, AXIS_EM, (center, baseline), area, scene);
        }
        if !y_label.is_empty() && !self.hide_y_labels {
            let (top, bottom) = (frame.top, area.bottom - 0.5 * EDGE);
            let (label, em) = fit_text(y_label, AXIS_EM, bottom - top);
            let half = 0.5 * font::width(&label) * em;
            let y = middle.clamp(top + half, (bottom - half).max(top + half));
            scene.text(
                &label,
                (area.left + EDGE + font::CAP_HEIGHT * em, y),
                em,
                Align::Center,
                true,
                FOREGROUND,
            );
        }
    }
}
