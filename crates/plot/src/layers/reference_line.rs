//! The layer of a straight line over the whole frame, along an axis.

use super::super::axes_transform::AxesTransform;
use super::super::geometry::{Point, clip_line};
use super::super::legend_handle::{LayerKind, LegendHandle};
use super::super::resolved_style::ResolvedStyle;
use super::super::scene::Scene;
use super::super::style::Style;
use super::{Layer, sample_polyline};

/// Where the line is.
#[derive(Debug, Clone, Copy)]
pub(in super::super) enum AxisPosition {
    /// At this x, over the whole height.
    X(f64),
    /// At this y, over the whole width.
    Y(f64),
}

#[derive(Debug, Clone)]
pub(in super::super) struct ReferenceLine {
    pub position: AxisPosition,
    pub style: Style,
}

impl ReferenceLine {
    fn pieces(&self, view: &AxesTransform) -> Vec<Vec<Point>> {
        let frame = &view.rect;
        let ends = match self.position {
            AxisPosition::X(x) if view.x.scale.in_domain(x) => {
                [frame.bottom, frame.top].map(|y| (view.x_pixel(x), y))
            }
            AxisPosition::Y(y) if view.y.scale.in_domain(y) => {
                [frame.left, frame.right].map(|x| (x, view.y_pixel(y)))
            }
            AxisPosition::X(_) | AxisPosition::Y(_) => return Vec::new(),
        };
        clip_line(&ends, frame)
    }
}

impl LegendHandle for ReferenceLine {
    fn kind(&self) -> LayerKind {
        LayerKind::ReferenceLine
    }

    fn style(&self) -> &Style {
        &self.style
    }
}

impl Layer for ReferenceLine {
    fn points(&self) -> Vec<Point> {
        Vec::new()
    }

    fn required_x(&self) -> Vec<f64> {
        match self.position {
            AxisPosition::X(x) => vec![x],
            AxisPosition::Y(_) => Vec::new(),
        }
    }

    fn required_y(&self) -> Vec<f64> {
        match self.position {
            AxisPosition::X(_) => Vec::new(),
            AxisPosition::Y(y) => vec![y],
        }
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
