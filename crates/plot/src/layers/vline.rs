//! A vertical line over the whole height.

use super::super::entry::{Entry, Kind};
use super::super::geometry::{Point, clip_line};
use super::super::look::Look;
use super::super::scene::Scene;
use super::super::style::Style;
use super::super::view::View;
use super::{Layer, walk};

#[derive(Debug, Clone)]
pub(in super::super) struct VLine {
    pub x: f64,
    pub style: Style,
}

impl VLine {
    fn pieces(&self, view: &View) -> Vec<Vec<Point>> {
        if !view.x.scale.shows(self.x) {
            return Vec::new();
        }
        let x = view.x_pixel(self.x);
        clip_line(&[(x, view.rect.bottom), (x, view.rect.top)], &view.rect)
    }
}

impl Entry for VLine {
    fn kind(&self) -> Kind {
        Kind::Mark
    }

    fn style(&self) -> &Style {
        &self.style
    }
}

impl Layer for VLine {
    fn points(&self) -> Vec<Point> {
        Vec::new()
    }

    fn marks(&self) -> Vec<f64> {
        vec![self.x]
    }

    fn draw(&self, look: &Look, view: &View, scene: &mut Scene) {
        for piece in self.pieces(view) {
            scene.line(&piece, look.pen());
        }
    }

    fn footprint(&self, view: &View) -> Vec<Point> {
        let mut points = Vec::new();
        for piece in self.pieces(view) {
            walk(&piece, &mut points);
        }
        points
    }
}
