//! The layer of a line through points of space.

use std::sync::Arc;

use super::super::geometry::Point3;
use super::super::legend_handle::{LayerKind, LegendHandle};
use super::super::marker::draw_marker;
use super::super::resolved_style::ResolvedStyle;
use super::super::style::{Dash, Style};
use super::camera::{AxesTransform3, clip_line};
use super::{DepthQueue, Layer3};

/// Amount added to the nearness of a line, so that a line on a surface is visible.
pub(in super::super) const DEPTH_BIAS: f64 = 0.05;

/// Depth bias larger than any depth: a layer with it is visible through the surfaces in front of it.
pub(in super::super) const ON_TOP_BIAS: f64 = 10.0;

#[derive(Debug, Clone)]
pub(in super::super) struct Line3 {
    pub points: Arc<[Point3]>,
    pub style: Style,
    /// Amount added to the nearness of the line when it is sorted by depth.
    pub depth_bias: f64,
}

impl LegendHandle for Line3 {
    fn kind(&self) -> LayerKind {
        LayerKind::Line
    }

    fn style(&self) -> &Style {
        &self.style
    }

    fn marker_count(&self) -> usize {
        self.points.len()
    }
}

impl Layer3 for Line3 {
    fn points(&self) -> Vec<Point3> {
        self.points.to_vec()
    }

    fn draw(&self, style: &ResolvedStyle, view: &AxesTransform3, queue: &mut DepthQueue) {
        for run in self.points.split(|p| !view.in_domain(*p)) {
            let boxed: Vec<Point3> = run.iter().map(|p| view.to_box(*p)).collect();
            for line in clip_line(&boxed) {
                if !queue.has_occlusion
                    || style.dash != Dash::Solid
                    || self.depth_bias >= ON_TOP_BIAS
                {
                    let pixels: Vec<_> = line.iter().map(|p| view.pixel(*p)).collect();
                    let near = line
                        .iter()
                        .map(|p| view.nearness(*p))
                        .fold(f64::NEG_INFINITY, f64::max);
                    queue.add(near + self.depth_bias, |scene| {
                        scene.line(&pixels, style.pen())
                    });
                    continue;
                }
                for pair in line.windows(2) {
                    let near = 0.5 * (view.nearness(pair[0]) + view.nearness(pair[1]));
                    let ends = [view.pixel(pair[0]), view.pixel(pair[1])];
                    queue.add(near + self.depth_bias, |scene| {
                        scene.line(&ends, style.pen())
                    });
                }
            }
            if let Some(marker) = style.marker {
                for point in &boxed {
                    let at = view.pixel(*point);
                    queue.add(view.nearness(*point) + self.depth_bias, |scene| {
                        draw_marker(marker, at, style, scene)
                    });
                }
            }
        }
    }
}
