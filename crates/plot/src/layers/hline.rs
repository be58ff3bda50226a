//! The layer of a horizontal line over the whole width.

use super::super::axes_transform::AxesTransform;
use super::super::geometry::{Point, clip_line};
use super::super::legend_handle::{LayerKind, LegendHandle};
use super::super::resolved_style::ResolvedStyle;
use super::super::scene::Scene;
use super::super::style::Style;
use super::{Layer, sample_polyline};

#[derive(Debug, Clone)]
pub(in super::super) struct HLine {
    pub y: f64,
    pub style: Style,
}

impl HLine {
    fn pieces(&self, view: &AxesTransform) -> Vec<Vec<Point>> {
        if !view.y.scale.in_domain(self.y) {
            return Vec::new();
        }
        let y = view.y_pixel(self.y);
        clip_line(&[(view.rect.left, y), (view.rect.right, y)], &view.rect)
    }
}

impl LegendHandle for HLine {
    fn kind(&self) -> LayerKind {
        LayerKind::ReferenceLine
    }

    fn style(&self) -> &Style {
        &self.style
    }
}

impl Layer for HLine {
    fn points(&self) -> Vec<Point> {
        Vec::new()
    }

    fn required_y(&self) -> Vec<f64> {
        vec![self.y]
    }

    fn draw(&self, style: &ResolvedStyle, view: &AxesTransform, scene: &mut Scene) {
        for piece in self.pieces(view) {
            scene.line(&piece, style.pen());
        }
    }

    fn footprint(&self, view: &AxesTransform) -> Vec<Point> {
        let mut points = Vec::new();
        for piece in self.pieces(view) {
            sample_polyline(&piece, &mut points);
        }
        points
    }
}
