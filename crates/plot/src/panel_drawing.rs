//! Drawing of a panel with two axes, whose layout is known.

use super::colorbar;
use super::drawing_context;
use super::figure::{Figure, Inset};
use super::font;
use super::geometry::Rect;
use super::label;
use super::legend::Legend;
use super::panel_layout::{PanelLayout, PanelLayout2, SharedAxes};
use super::panel_metrics::{
    AXIS_EM, EDGE, LABEL_EM, Margins, TICK, TICK_GAP, TITLE_EM, draw_centered, fill_background,
    fit_text, ink,
};
use super::scene::{Align, Pen, Scene};
use super::style::Dash;
use odesync_base::error::Result;

impl Figure {
    pub(super) fn scene(&self) -> Result<Scene> {
        let page = self.page_dimensions()?;
        drawing_context::with(&self.page.context(), || {
            let mut scene = Scene::new(page);
            let area = fill_background(&mut scene);
            PanelLayout::new(self, &area, &SharedAxes::default())?.draw(&area, None, &mut scene);
            Ok(scene)
        })
    }
}

/// Returns the middle of a text of this half width, moved as far as needed to stay within the area.
fn within(x: f64, half: f64, area: &Rect) -> f64 {
    let margin = half + 0.25 * EDGE;
    x.min(area.right - margin).max(area.left + margin)
}

impl Inset {
    /// Draws the figure into its place in the frame.
    fn draw(&self, frame: &Rect, scene: &mut Scene) {
        let rect = self.rect(frame);
        let Ok(layout) = PanelLayout::new(&self.figure, &rect, &SharedAxes::default()) else {
            // The layout of the frame would have failed before.
            return;
        };
        scene.rect(&rect, (drawing_context::ground().paper, 1.0));
        layout.draw(&rect, None, scene);
    }
}

impl PanelLayout2<'_> {
    /// Draws the figure into `area`; `margins` replace its own margins where panels are aligned.
    pub fn draw(&self, area: &Rect, margins: Option<Margins>, scene: &mut Scene) {
        let margins = margins.unwrap_or(self.margins);
        let view = self.view(area, &margins);
        let frame = view.rect;
        let (xs, x_shared) = self.x_ticks(frame.width());
        let (ys, y_shared) = self.y_ticks(frame.height());
        let at_x = |fraction: f64| frame.left + fraction * frame.width();
        let at_y = |fraction: f64| frame.bottom - fraction * frame.height();
        let grid = drawing_context::ground().grid;
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
                thin(grid),
            );
        }
        for (fraction, _) in &ys.major {
            scene.line(
                &[
                    (frame.left, at_y(*fraction)),
                    (frame.right, at_y(*fraction)),
                ],
                thin(grid),
            );
        }
        for (layer, style) in self.figure.layers.iter().zip(&self.styles) {
            layer.draw(style, &view, scene);
        }
        if let Some(right) = &self.right {
            right.draw_layers(&view, scene);
        }
        let corner = [
            (frame.left, frame.top),
            (frame.left, frame.bottom),
            (frame.right, frame.bottom),
        ];
        scene.line(&corner, thin(ink()));
        let x_mark = |scene: &mut Scene, fraction: f64, length: f64| {
            scene.line(
                &[
                    (at_x(fraction), frame.bottom),
                    (at_x(fraction), frame.bottom + length),
                ],
                thin(ink()),
            );
        };
        let y_mark = |scene: &mut Scene, fraction: f64, length: f64| {
            scene.line(
                &[
                    (frame.left - length, at_y(fraction)),
                    (frame.left, at_y(fraction)),
                ],
                thin(ink()),
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
                let x = match self.x.dates {
                    // The first date is long, and is moved to stay on the page.
                    Some(_) => within(at_x(*fraction), 0.5 * label::width(label) * LABEL_EM, area),
                    None => at_x(*fraction),
                };
                scene.text(label, (x, baseline), LABEL_EM, Align::Center, false, ink());
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
            scene.text(label, at, LABEL_EM, Align::Right, false, ink());
        }
        if !x_shared.is_empty() && !self.hide_x_labels {
            let baseline = frame.bottom + TICK + TICK_GAP + LABEL_EM + 1.1 * AXIS_EM;
            let at = (frame.right, baseline);
            scene.text(&x_shared, at, LABEL_EM, Align::Right, false, ink());
        }
        if !y_shared.is_empty() && !self.hide_y_labels {
            let at = (frame.left - TICK, frame.top - 0.5 * LABEL_EM);
            scene.text(&y_shared, at, LABEL_EM, Align::Left, false, ink());
        }
        self.draw_names(area, &frame, scene);
        let mut frame_of_bar = frame;
        if let Some(right) = &self.right {
            right.draw(&frame, scene);
            frame_of_bar.right += self.right_axis_width(area);
        }
        if let Some(color_scale) = self.color_scale() {
            colorbar::draw(color_scale, &frame_of_bar, scene);
        }
        for inset in &self.figure.insets {
            inset.draw(&frame, scene);
        }
        if let Some(legend) = self.legend(area) {
            let right_width = self.right_width(area);
            let legend_rect = match self.legend_outside {
                _ if self.legend_below => legend.below(&frame, area),
                true => legend.locate(Legend::Outside, &frame, &[], right_width),
                false => legend.locate(
                    self.figure.legend,
                    &frame,
                    &self.footprint(&view),
                    right_width,
                ),
            };
            let entries = self.figure.legend_handles();
            legend.draw(
                &legend_rect,
                !self.legend_outside && !self.legend_below,
                &entries,
                &self.styles,
                scene,
            );
        }
    }

    /// Returns how much higher the title is for what tick labels have in common, which stands between it and the frame.
    fn title_lift(&self, height: f64) -> f64 {
        let own = !self.hide_y_labels && !self.y_ticks(height).1.is_empty();
        let right = self.right.as_ref();
        match own || right.is_some_and(|right| !right.shared(height).is_empty()) {
            true => 0.9 * LABEL_EM,
            false => 0.0,
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
                (
                    center,
                    frame.top - 0.6 * TITLE_EM - self.title_lift(frame.height()),
                ),
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
            let half = 0.5 * label::width(&label) * em;
            let y = middle.clamp(top + half, (bottom - half).max(top + half));
            scene.text(
                &label,
                (area.left + EDGE + font::CAP_HEIGHT * em, y),
                em,
                Align::Center,
                true,
                ink(),
            );
        }
    }
}
