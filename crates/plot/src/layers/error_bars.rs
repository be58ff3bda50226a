//! The layer of points with error bars.

use std::sync::Arc;

use super::super::axes_transform::AxesTransform;
use super::super::geometry::{Point, clip_line};
use super::super::legend_handle::{LayerKind, LegendHandle};
use super::super::marker::{bar_pen, draw_cap};
use super::super::resolved_style::ResolvedStyle;
use super::super::scene::Scene;
use super::super::style::Style;
use super::{Layer, draw_markers, sample_polyline, zip_points};

#[derive(Debug, Clone)]
pub(in super::super) struct ErrorBars {
    pub x: Arc<[f64]>,
    pub y: Arc<[f64]>,
    /// Lower and upper ends of the bars; a point without a finite one has no bar there.
    pub lower: Arc<[f64]>,
    pub upper: Arc<[f64]>,
    pub style: Style,
}

impl ErrorBars {
    /// Returns the bars in pixels, lower end first, with whether each end has a cap.
    fn bars(&self, view: &AxesTransform) -> Vec<([Point; 2], [bool; 2])> {
        let mut bars = Vec::new();
        for (i, (x, y)) in self.x.iter().zip(self.y.iter()).enumerate() {
            let (Some(lower), Some(upper)) = (self.lower.get(i), self.upper.get(i)) else {
                continue;
            };
            if !view.in_domain((*x, *y)) || !lower.is_finite() || !upper.is_finite() {
                continue;
            }
            // An end that a logarithmic axis does not have lies beyond the frame.
            let ends = [*lower, *upper].map(|y| view.pixel((*x, y)));
            bars.push((ends, [*lower, *upper].map(|y| view.y.scale.in_domain(y))));
        }
        bars
    }
}

impl LegendHandle for ErrorBars {
    fn kind(&self) -> LayerKind {
        LayerKind::Points
    }

    fn style(&self) -> &Style {
        &self.style
    }

    fn marker_count(&self) -> usize {
        self.x.len()
    }

    fn has_error_bars(&self) -> bool {
        true
    }
}

impl Layer for ErrorBars {
    fn points(&self) -> Vec<Point> {
        let mut points = zip_points(&self.x, &self.y);
        points.extend(zip_points(&self.x, &self.lower));
        points.extend(zip_points(&self.x, &self.upper));
        points
    }

    fn draw(&self, style: &ResolvedStyle, view: &AxesTransform, scene: &mut Scene) {
        let pen = bar_pen(style);
        for ([low, high], caps) in self.bars(view) {
            for piece in clip_line(&[low, high], &view.rect) {
                scene.line(&piece, pen);
            }
            for (end, has_cap) in [low, high].into_iter().zip(caps) {
                if has_cap && view.rect.inflate(0.5).contains(end) {
                    draw_cap(end, style, scene);
                }
            }
        }
        draw_markers(&self.x, &self.y, style, view, scene);
    }

    fn footprint(&self, view: &AxesTransform) -> Vec<Point> {
        let mut points = Vec::new();
        for (ends, _) in self.bars(view) {
            for piece in clip_line(&ends, &view.rect) {
                sample_polyline(&piece, &mut points);
            }
        }
        let marks = super::pixel_runs(&self.x, &self.y, view).concat();
        points.extend(marks.into_iter().filter(|p| view.rect.contains(*p)));
        points
    }
}
