//! From data to pixels.

use super::geometry::{Point, Rect};
use super::scale::Axis;

/// The frame of a panel with its axes.
#[derive(Debug, Clone, Copy)]
pub(super) struct View {
    pub x: Axis,
    pub y: Axis,
    pub rect: Rect,
}

impl View {
    /// Whether both values have a place on their axes.
    pub fn shows(&self, (x, y): Point) -> bool {
        self.x.scale.shows(x) && self.y.scale.shows(y)
    }

    pub fn pixel(&self, (x, y): Point) -> Point {
        (
            self.x_pixel(x),
            self.rect.bottom - self.y.place(y) * self.rect.height(),
        )
    }

    pub fn x_pixel(&self, x: f64) -> f64 {
        self.rect.left + self.x.place(x) * self.rect.width()
    }
}
