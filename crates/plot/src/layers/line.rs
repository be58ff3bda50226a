//! A line through points.

use std::sync::Arc;

use super::super::entry::{Entry, Kind};
use super::super::geometry::{Point, clip_line, thin};
use super::super::look::Look;
use super::super::scene::Scene;
use super::super::style::Style;
use super::super::view::View;
use super::{CELL, Layer, draw_markers, pairs, runs, walk};

#[derive(Debug, Clone)]
pub(in super::super) struct Line {
    pub x: Arc<[f64]>,
    pub y: Arc<[f64]>,
    pub style: Style,
}

impl Entry for Line {
    fn kind(&self) -> Kind {
        Kind::Line
    }

    fn style(&self) -> &Style {
        &self.style
    }

    fn count(&self) -> usize {
        self.x.len()
    }
}

impl Layer for Line {
    fn points(&self) -> Vec<Point> {
        pairs(&self.x, &self.y)
    }

    fn draw(&self, look: &Look, view: &View, scene: &mut Scene) {
        let inside = view.rect.grown(0.5);
        for run in runs(&self.x, &self.y, view) {
            if let [point] = run[..] {
                if inside.contains(point) {
                    scene.disc(point, look.width.max(2.0), look.ink());
                }
                continue;
            }
            for piece in clip_line(&thin(&run, CELL), &view.rect) {
                scene.line(&piece, look.pen());
            }
        }
        if look.marker.is_some() {
            draw_markers(&self.x, &self.y, look, view, scene);
        }
    }

    fn footprint(&self, view: &View) -> Vec<Point> {
        let mut points = Vec::new();
        for run in runs(&self.x, &self.y, view) {
            for piece in clip_line(&thin(&run, 1.0), &view.rect) {
                walk(&piece, &mut points);
            }
        }
        points
    }
}
