//! The layer of markers at points of space.

use std::sync::Arc;

use super::super::geometry::Point3;
use super::super::legend_handle::{LayerKind, LegendHandle};
use super::super::marker::draw_marker;
use super::super::resolved_style::ResolvedStyle;
use super::super::style::{Marker, Style};
use super::camera::{AxesTransform3, BOX_HALF};
use super::{DepthQueue, Layer3};

#[derive(Debug, Clone)]
pub(in super::super) struct Scatter3 {
    pub points: Arc<[Point3]>,
    pub style: Style,
    /// Amount added to the nearness of the markers when they are sorted by depth.
    pub depth_bias: f64,
}

impl LegendHandle for Scatter3 {
    fn kind(&self) -> LayerKind {
        LayerKind::Points
    }

    fn style(&self) -> &Style {
        &self.style
    }

    fn marker_count(&self) -> usize {
        self.points.len()
    }
}

impl Layer3 for Scatter3 {
    fn points(&self) -> Vec<Point3> {
        self.points.to_vec()
    }

    fn draw(&self, style: &ResolvedStyle, view: &AxesTransform3, queue: &mut DepthQueue) {
        let marker = style.marker.unwrap_or(Marker::Circle);
        for point in self.points.iter().filter(|p| view.in_domain(**p)) {
            let boxed = view.to_box(*point);
            if (0..3).all(|k| boxed[k].abs() <= BOX_HALF[k] * (1.0 + 1e-6)) {
                let at = view.pixel(boxed);
                queue.add(view.nearness(boxed) + self.depth_bias, |scene| {
                    draw_marker(marker, at, style, scene)
                });
            }
        }
    }
}
