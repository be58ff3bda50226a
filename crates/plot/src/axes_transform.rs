//! The transform from data coordinates to pixels of a panel with two axes.

use super::geometry::{Point, Rect};
use super::scale::Axis;

/// The transform from data coordinates to pixels: the frame of a panel with its two axes.
#[derive(Debug, Clone, Copy)]
pub(super) struct AxesTransform {
    pub x: Axis,
    pub y: Axis,
    pub rect: Rect,
}

impl AxesTransform {
    /// Whether both values lie in the domain of their axes: finite and, on a logarithmic axis, positive.
    pub fn in_domain(&self, (x, y): Point) -> bool {
        self.x.scale.in_domain(x) && self.y.scale.in_domain(y)
    }

    pub fn pixel(&self, (x, y): Point) -> Point {
        (self.x_pixel(x), self.y_pixel(y))
    }

    /// Returns a vector at a point in pixels: the displacement by a small part of the vector, divided by that part.
    pub fn vector_to_pixels(&self, (x, y): Point, (u, v): Point) -> Point {
        let span = |axis: &Axis| (axis.value(1.0) - axis.value(0.0)).abs();
        let part = (u / span(&self.x)).abs().max((v / span(&self.y)).abs());
        if part.is_nan() || part <= 0.0 {
            return (0.0, 0.0);
        }
        let h = 1e-5 / part;
        let (from, to) = (self.pixel((x, y)), self.pixel((x + h * u, y + h * v)));
        ((to.0 - from.0) / h, (to.1 - from.1) / h)
    }

    pub fn y_pixel(&self, y: f64) -> f64 {
        self.rect.bottom - self.y.fraction(y) * self.rect.height()
    }

    pub fn x_pixel(&self, x: f64) -> f64 {
        self.rect.left + self.x.fraction(x) * self.rect.width()
    }

    /// Returns the x value at a horizontal pixel position.
    pub fn x_value(&self, pixel: f64) -> f64 {
        let place = (pixel - self.rect.left) / self.rect.width();
        self.x.value(place)
    }

    /// Returns the y value at a vertical pixel position.
    pub fn y_value(&self, pixel: f64) -> f64 {
        let place = (self.rect.bottom - pixel) / self.rect.height();
        self.y.value(place)
    }
}
