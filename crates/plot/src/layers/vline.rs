//! The layer of a vertical line over the whole height.

use super::super::axes_transform::AxesTransform;
use super::super::geometry::{Point, clip_line};
use super::super::legend_handle::{LayerKind, LegendHandle};
use super::super::resolved_style::ResolvedStyle;
use super::super::scene::Scene;
use super::super::style::Style;
use super::{Layer, sample_polyline};

#[derive(Debug, Clone)]
pub(in super::super) struct VLine {
    pub x: f64,
    pub style: Style,
}

impl VLine {
    fn pieces(&self, view: &AxesTransform) -> Vec<Vec<Point>> {
        if !view.x.scale.in_domain(self.x) {
            return Vec::new();
        }
        let x = view.x_pixel(self.x);
        clip_line(&[(x, view.rect.bottom), (x, view.rect.top)], &view.rect)
    }
}

impl LegendHandle for VLine {
    fn kind(&self) -> LayerKind {
        LayerKind::ReferenceLine
    }

    fn style(&self) -> &Style {
        &self.style
    }
}

impl Layer for VLine {
    fn points(&self) -> Vec<Point> {
        Vec::new()
    }

    fn required_x(&self) -> Vec<f64> {
        vec![self.x]
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
