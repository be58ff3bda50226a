//! The camera and the transform from three axes to pixels.

use super::super::geometry::Point3;
use super::super::geometry::{Point, Rect};
use super::super::scale::Axis;

/// Half the sides of the box that the axes span.
pub(super) const BOX_HALF: Point3 = [1.0, 1.0, 0.72];

/// The camera: the view angles in degrees, the azimuth from the x axis towards the y axis and the elevation above their plane.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in super::super) struct Camera {
    pub azimuth: f64,
    pub elevation: f64,
}

impl Camera {
    /// Projects a point of the box to camera coordinates: to the right, up, and horizontally towards the viewer.
    pub fn project(&self, [x, y, z]: Point3) -> Point3 {
        let (sin_a, cos_a) = self.azimuth.to_radians().sin_cos();
        let (sin_e, cos_e) = self.elevation.to_radians().sin_cos();
        let near = x * cos_a + y * sin_a;
        [y * cos_a - x * sin_a, z * cos_e - near * sin_e, near]
    }

    /// Returns, for x and y, the end of the box that is near the viewer, and for z, the end that has the grid.
    pub fn near_corner(&self) -> Point3 {
        let (sin_a, cos_a) = self.azimuth.to_radians().sin_cos();
        let sign = |v: f64, half: f64| if v >= -1e-9 { half } else { -half };
        [
            sign(cos_a, BOX_HALF[0]),
            sign(sin_a, BOX_HALF[1]),
            if self.elevation < 0.0 {
                BOX_HALF[2]
            } else {
                -BOX_HALF[2]
            },
        ]
    }
}

/// The transform from data coordinates of three axes to pixels: the axes, the camera and the position in the image.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct AxesTransform3 {
    pub axes: [Axis; 3],
    /// The range of the vertical axis that the user gave.
    pub z_range: Option<(f64, f64)>,
    pub camera: Camera,
    pub zoom: f64,
    /// The centre of the box in pixels.
    pub center: Point,
}

impl AxesTransform3 {
    /// Returns the transform that fits the box into a rectangle.
    pub fn fit(
        axes: [Axis; 3],
        z_range: Option<(f64, f64)>,
        camera: Camera,
        rect: &Rect,
    ) -> AxesTransform3 {
        let corners = corners().map(|corner| camera.project(corner));
        let extent = |k: usize| {
            let values = corners.map(|c| c[k]);
            (
                values.into_iter().fold(f64::INFINITY, f64::min),
                values.into_iter().fold(f64::NEG_INFINITY, f64::max),
            )
        };
        let ((left, right), (low, high)) = (extent(0), extent(1));
        let zoom = (rect.width() / (right - left)).min(rect.height() / (high - low));
        AxesTransform3 {
            axes,
            z_range,
            camera,
            zoom,
            center: (
                0.5 * (rect.left + rect.right),
                0.5 * (rect.top + rect.bottom),
            ),
        }
    }

    /// Returns the width of the projected box in pixels.
    pub fn width(&self) -> f64 {
        let places = corners().map(|corner| self.pixel(corner).0);
        let (left, right) = places
            .iter()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(l, r), x| {
                (l.min(*x), r.max(*x))
            });
        right - left
    }

    /// Whether all three values lie in the domains of their axes.
    pub fn in_domain(&self, point: Point3) -> bool {
        (0..3).all(|k| self.axes[k].scale.in_domain(point[k]))
    }

    /// Returns the box coordinates of a data point; the sides of the box are at ± [`BOX_HALF`].
    pub fn to_box(self, point: Point3) -> Point3 {
        std::array::from_fn(|k| BOX_HALF[k] * (2.0 * self.axes[k].fraction(point[k]) - 1.0))
    }

    /// Returns the pixel of a point in box coordinates.
    pub fn pixel(&self, boxed: Point3) -> Point {
        let [right, up, _] = self.camera.project(boxed);
        (
            self.center.0 + self.zoom * right,
            self.center.1 - self.zoom * up,
        )
    }

    /// Returns the nearness to the viewer of a point in box coordinates: its horizontal position towards the viewer, or in a view
    /// from straight above its height.
    pub fn nearness(&self, boxed: Point3) -> f64 {
        let (sin_e, _) = self.camera.elevation.to_radians().sin_cos();
        self.camera.project(boxed)[2] + 1e-3 * sin_e * boxed[2]
    }
}

pub(super) fn corners() -> [Point3; 8] {
    std::array::from_fn(|i| {
        std::array::from_fn(|k| {
            if (i >> k) & 1 == 1 {
                BOX_HALF[k]
            } else {
                -BOX_HALF[k]
            }
        })
    })
}

/// Returns the part of a polygon inside the box (Sutherland and Hodgman).
pub(super) fn clip_polygon(points: Vec<Point3>) -> Vec<Point3> {
    let mut polygon = points;
    for k in 0..3 {
        for sign in [-1.0, 1.0] {
            let room = |p: &Point3| BOX_HALF[k] * (1.0 + 1e-9) - sign * p[k];
            if polygon.iter().all(|p| room(p) >= 0.0) {
                continue;
            }
            let mut kept = Vec::with_capacity(polygon.len() + 2);
            for (i, b) in polygon.iter().enumerate() {
                let a = &polygon[(i + polygon.len() - 1) % polygon.len()];
                let (ra, rb) = (room(a), room(b));
                if (ra < 0.0) != (rb < 0.0) {
                    kept.push(lerp(a, b, ra / (ra - rb)));
                }
                if rb >= 0.0 {
                    kept.push(*b);
                }
            }
            polygon = kept;
        }
    }
    polygon
}

/// Returns the parts of a polyline inside the box.
pub(super) fn clip_line(points: &[Point3]) -> Vec<Vec<Point3>> {
    let mut pieces: Vec<Vec<Point3>> = Vec::new();
    let mut open = false;
    for pair in points.windows(2) {
        let [a, b] = [pair[0], pair[1]];
        let (mut enter, mut leave) = (0f64, 1f64);
        for k in 0..3 {
            for sign in [-1.0, 1.0] {
                let room = |p: &Point3| BOX_HALF[k] * (1.0 + 1e-9) - sign * p[k];
                let (ra, rb) = (room(&a), room(&b));
                if ra < 0.0 && rb < 0.0 {
                    (enter, leave) = (1.0, 0.0);
                } else if ra < 0.0 {
                    enter = enter.max(ra / (ra - rb));
                } else if rb < 0.0 {
                    leave = leave.min(ra / (ra - rb));
                }
            }
        }
        if enter > leave {
            open = false;
            continue;
        }
        let to = if leave < 1.0 { lerp(&a, &b, leave) } else { b };
        match pieces.last_mut() {
            Some(piece) if open => piece.push(to),
            _ => pieces.push(vec![if enter > 0.0 { lerp(&a, &b, enter) } else { a }, to]),
        }
        open = leave >= 1.0;
    }
    pieces
}

pub(super) fn lerp(a: &Point3, b: &Point3, s: f64) -> Point3 {
    std::array::from_fn(|k| a[k] + s * (b[k] - a[k]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_nearer_the_viewer_is_told_apart() {
        let camera = Camera {
            azimuth: -60.0,
            elevation: 30.0,
        };
        // From the front right: x grows to the right, y away from the viewer.
        let [right, up, near] = camera.project([1.0, 0.0, 0.0]);
        assert!(right > 0.0 && up < 0.0 && near > 0.0);
        let [right, up, near] = camera.project([0.0, 1.0, 0.0]);
        assert!(right > 0.0 && up > 0.0 && near < 0.0);
        assert_eq!(camera.project([0.0, 0.0, 1.0])[0], 0.0);
        assert_eq!(
            camera.near_corner(),
            [BOX_HALF[0], -BOX_HALF[1], -BOX_HALF[2]]
        );
    }

    #[test]
    fn a_line_and_a_polygon_are_cut_at_the_box() {
        let pieces = clip_line(&[[-3.0, 0.0, 0.0], [3.0, 0.0, 0.0], [3.0, 3.0, 0.0]]);
        assert_eq!(pieces.len(), 1);
        assert!((pieces[0][0][0] + 1.0).abs() < 1e-6 && (pieces[0][1][0] - 1.0).abs() < 1e-6);
        let wall = vec![
            [0.0, 0.0, -9.0],
            [0.5, 0.0, -9.0],
            [0.5, 0.0, 9.0],
            [0.0, 0.0, 9.0],
        ];
        let cut = clip_polygon(wall);
        assert!(cut.len() == 4 && cut.iter().all(|p| (p[2].abs() - BOX_HALF[2]).abs() < 1e-6));
        assert!(clip_polygon(vec![[2.0, 0.0, 0.0], [3.0, 0.0, 0.0], [3.0, 1.0, 0.0]]).is_empty());
    }
}
