//! The layer of a line through points.

use std::sync::Arc;

use super::super::axes_transform::AxesTransform;
use super::super::geometry::{Point, clip_line, decimate, simplify};
use super::super::legend_handle::{LayerKind, LegendHandle};
use super::super::resolved_style::ResolvedStyle;
use super::super::scene::Scene;
use super::super::style::Style;
use super::{Layer, MIN_POINT_DISTANCE, draw_markers, pixel_runs, sample_polyline, zip_points};

/// Largest number of points of a line that is drawn through each of them.
const MAX_EXACT_POINTS: usize = 10_000;

/// Deviation in pixels of a line of more points from them, which nobody sees.
const MAX_DEVIATION: f64 = 0.05;

#[derive(Debug, Clone)]
pub(in super::super) struct Line {
    pub x: Arc<[f64]>,
    pub y: Arc<[f64]>,
    pub style: Style,
}

impl LegendHandle for Line {
    fn kind(&self) -> LayerKind {
        LayerKind::Line
    }

    fn style(&self) -> &Style {
        &self.style
    }

    fn marker_count(&self) -> usize {
        self.x.len()
    }
}

impl Layer for Line {
    fn points(&self) -> Vec<Point> {
        zip_points(&self.x, &self.y)
    }

    fn draw(&self, style: &ResolvedStyle, view: &AxesTransform, scene: &mut Scene) {
        let inside = view.rect.inflate(0.5);
        for run in pixel_runs(&self.x, &self.y, view) {
            if let [point] = run[..] {
                if inside.contains(point) {
                    scene.disc(point, style.width.max(2.0), style.rgba());
                }
                continue;
            }
            let mut points = decimate(&run, MIN_POINT_DISTANCE);
            if points.len() > MAX_EXACT_POINTS {
                points = simplify(&points, MAX_DEVIATION);
            }
            for piece in clip_line(&points, &view.rect) {
                scene.line(&piece, style.pen());
            }
        }
        if style.marker.is_some() {
            draw_markers(&self.x, &self.y, style, view, scene);
        }
    }

    fn footprint(&self, view: &AxesTransform) -> Vec<Point> {
        let mut points = Vec::new();
        for run in pixel_runs(&self.x, &self.y, view) {
            for piece in clip_line(&decimate(&run, 1.0), &view.rect) {
                sample_polyline(&piece, &mut points);
            }
        }
        points
    }
}
