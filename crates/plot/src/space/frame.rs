//! The box of three axes: its far walls with a grid, its ticks and names.

use super::super::drawing_context;
use super::super::font;
use super::super::geometry::Point;
use super::super::geometry::Point3;
use super::super::label;
use super::super::panel_metrics::{AXIS_EM, LABEL_EM, TICK, TICK_GAP, ink, max_label_width};
use super::super::scale::Axis;
use super::super::scene::{Align, Pen, Rgba, Scene};
use super::super::shared_ticks::{name_with_shared, shared_ticks};
use super::super::style::Dash;
use super::super::ticks::Ticks;
use super::camera::{AxesTransform3, BOX_HALF};

/// Length in pixels below which a projected axis has no ticks, because it points at the viewer.
const MIN_AXIS_LENGTH: f64 = 40.0;

/// The box of three axes with their ticks and names.
pub(in super::super) struct BoxFrame<'a> {
    axes: [Axis; 3],
    names: [&'a str; 3],
}

fn thin_pen(color: Rgba) -> Pen {
    Pen {
        color,
        width: 1.0,
        dash: Dash::Solid,
    }
}

/// An edge of the box with the direction in the image in which its ticks point.
struct Edge {
    from: Point3,
    to: Point3,
    outward: Point,
}

/// An axis as a line in the image.
pub(in super::super) struct AxisLine {
    pub from: Point,
    pub to: Point,
    pub outward: Point,
    /// Positions and texts of the labels.
    pub labels: Vec<(Point, String)>,
}

impl<'a> BoxFrame<'a> {
    pub fn new(axes: [Axis; 3], names: [&'a str; 3]) -> BoxFrame<'a> {
        BoxFrame { axes, names }
    }

    /// Returns the width that the vertical axis takes to the left of the box.
    pub fn left_width(&self) -> f64 {
        let (ticks, name) = self.ticks_and_name(2, 6);
        let labels = max_label_width(&ticks) * LABEL_EM;
        let name = if name.is_empty() { 0.0 } else { 1.8 * AXIS_EM };
        TICK + TICK_GAP + labels + name
    }

    /// Returns at most `most` ticks of axis `k`, and its name with what their labels have in common.
    fn ticks_and_name(&self, k: usize, most: usize) -> (Ticks, String) {
        let (ticks, shared) = shared_ticks(&self.axes[k], Ticks::new(&self.axes[k], most));
        (ticks, name_with_shared(self.names[k], &shared))
    }

    /// Returns as many ticks of axis `k` as have room on an edge, and its name.
    fn ticks(&self, k: usize, view: &AxesTransform3, edge: &Edge) -> (Ticks, String) {
        let (a, b) = (view.pixel(edge.from), view.pixel(edge.to));
        let (dx, dy) = ((b.0 - a.0).abs(), (b.1 - a.1).abs());
        let mut most = ((dx / 60.0).max(dy / 38.0)).clamp(2.0, 7.0) as usize;
        loop {
            let (ticks, name) = self.ticks_and_name(k, most);
            let crowded = ticks.major.windows(2).any(|pair| {
                let apart = pair[1].0 - pair[0].0;
                let width = 0.5 * (label::width(&pair[0].1) + label::width(&pair[1].1)) * LABEL_EM;
                apart * dx < width + 0.8 * LABEL_EM && apart * dy < 1.15 * LABEL_EM
            });
            if !crowded || most <= 2 {
                return (ticks, name);
            }
            most -= 1;
        }
    }

    fn edges(&self, view: &AxesTransform3) -> [Edge; 3] {
        let near = view.camera.near_corner();
        let ends = |k: usize, fixed: Point3| {
            let mut ends = [fixed, fixed];
            (ends[0][k], ends[1][k]) = (-BOX_HALF[k], BOX_HALF[k]);
            ends
        };
        // Outwards in the image is away from the centre of the box's floor.
        let middle = view.pixel([0.0, 0.0, near[2]]);
        let outward = |of: Point3| {
            let at = view.pixel(of);
            let (dx, dy) = (at.0 - middle.0, at.1 - middle.1);
            let size = dx.hypot(dy).max(1e-9);
            (dx / size, dy / size)
        };
        let [x0, x1] = ends(0, near);
        let [y0, y1] = ends(1, near);
        // The vertical axis is at the leftmost vertical edge in the image.
        let sides = [
            [near[0], -near[1], 0.0],
            [-near[0], near[1], 0.0],
            [near[0], near[1], 0.0],
        ];
        let left = sides
            .into_iter()
            .min_by(|a, b| view.pixel(*a).0.total_cmp(&view.pixel(*b).0))
            .unwrap_or(near);
        let [z0, z1] = ends(2, left);
        [
            Edge {
                from: x0,
                to: x1,
                outward: outward([0.0, near[1], near[2]]),
            },
            Edge {
                from: y0,
                to: y1,
                outward: outward([near[0], 0.0, near[2]]),
            },
            Edge {
                from: z0,
                to: z1,
                outward: (-1.0, 0.0),
            },
        ]
    }

    /// Returns the axes as lines in the image, with the first and the last tick of each and its name between them.
    pub fn axis_lines(&self, view: &AxesTransform3) -> Vec<AxisLine> {
        let edges = self.edges(view);
        let line = |k: usize, edge: &Edge| {
            let (from, to) = (view.pixel(edge.from), view.pixel(edge.to));
            let along = |fraction: f64| {
                (
                    from.0 + fraction * (to.0 - from.0),
                    from.1 + fraction * (to.1 - from.1),
                )
            };
            let major = Ticks::new(&self.axes[k], 5).major;
            let mut marks: Vec<(Point, String)> = Vec::new();
            for (fraction, label) in major.first().into_iter().chain(major.last()) {
                marks.push((along(*fraction), label.clone()));
            }
            marks.push((along(0.5), self.names[k].to_owned()));
            AxisLine {
                from,
                to,
                outward: edge.outward,
                labels: marks,
            }
        };
        edges
            .iter()
            .enumerate()
            .map(|(k, edge)| line(k, edge))
            .collect()
    }

    /// Draws the three walls behind the data, with the grid.
    pub fn draw_walls(&self, view: &AxesTransform3, scene: &mut Scene) {
        let near = view.camera.near_corner();
        let far = [-near[0], -near[1], near[2]];
        let edges = self.edges(view);
        let ground = drawing_context::ground();
        for k in 0..3 {
            let (a, b) = ((k + 1) % 3, (k + 2) % 3);
            let corner = |sa: f64, sb: f64| {
                let mut point = far;
                (point[a], point[b]) = (sa * BOX_HALF[a], sb * BOX_HALF[b]);
                view.pixel(point)
            };
            let outline = [
                corner(-1.0, -1.0),
                corner(1.0, -1.0),
                corner(1.0, 1.0),
                corner(-1.0, 1.0),
            ];
            scene.area(outline.to_vec(), ground.wall);
        }
        for k in 0..3 {
            // The grid lines of axis k lie on the two walls that contain its direction.
            for (fraction, _) in self.ticks(k, view, &edges[k]).0.major {
                let at = BOX_HALF[k] * (2.0 * fraction - 1.0);
                for other in [(k + 1) % 3, (k + 2) % 3] {
                    let mut ends = [far, far];
                    (ends[0][k], ends[1][k]) = (at, at);
                    (ends[0][other], ends[1][other]) = (-BOX_HALF[other], BOX_HALF[other]);
                    scene.line(&ends.map(|p| view.pixel(p)), thin_pen(ground.wall_grid));
                }
            }
        }
        for k in 0..3 {
            let (a, b) = ((k + 1) % 3, (k + 2) % 3);
            for (sa, sb) in [(far[a], far[b]), (-far[a], far[b]), (far[a], -far[b])] {
                let mut ends = [far, far];
                for (end, side) in ends.iter_mut().zip([-1.0, 1.0]) {
                    (end[k], end[a], end[b]) = (side * BOX_HALF[k], sa, sb);
                }
                scene.line(&ends.map(|p| view.pixel(p)), thin_pen(ground.edges));
            }
        }
    }

    /// Draws the axes: ticks, labels, names.
    pub fn draw_axes(&self, view: &AxesTransform3, scene: &mut Scene) {
        for (k, edge) in self.edges(view).iter().enumerate() {
            let (from, to) = (view.pixel(edge.from), view.pixel(edge.to));
            if (to.0 - from.0).hypot(to.1 - from.1) < MIN_AXIS_LENGTH {
                continue;
            }
            scene.line(&[from, to], thin_pen(ink()));
            let (ticks, name) = self.ticks(k, view, edge);
            let along = |fraction: f64| {
                (
                    from.0 + fraction * (to.0 - from.0),
                    from.1 + fraction * (to.1 - from.1),
                )
            };
            let out = |p: Point, by: f64| (p.0 + by * edge.outward.0, p.1 + by * edge.outward.1);
            for fraction in &ticks.minor {
                scene.line(
                    &[along(*fraction), out(along(*fraction), 0.6 * TICK)],
                    thin_pen(ink()),
                );
            }
            let mut reach: f64 = 0.0;
            for (fraction, label) in &ticks.major {
                let at = along(*fraction);
                scene.line(&[at, out(at, TICK)], thin_pen(ink()));
                let (half_width, half_height) =
                    (0.5 * label::width(label) * LABEL_EM, 0.36 * LABEL_EM);
                let support =
                    half_width * edge.outward.0.abs() + half_height * edge.outward.1.abs();
                let middle = out(at, TICK + TICK_GAP + support);
                reach = reach.max(TICK + TICK_GAP + 2.0 * support);
                let baseline = (middle.0, middle.1 + 0.5 * font::CAP_HEIGHT * LABEL_EM);
                scene.text(label, baseline, LABEL_EM, Align::Center, false, ink());
            }
            if name.is_empty() {
                continue;
            }
            let middle = along(0.5);
            if k == 2 {
                let x = middle.0 - reach - 0.8 * AXIS_EM;
                scene.text(&name, (x, middle.1), AXIS_EM, Align::Center, true, ink());
                continue;
            }
            let support = 0.5 * label::width(&name) * AXIS_EM * edge.outward.0.abs()
                + 0.4 * AXIS_EM * edge.outward.1.abs();
            let at = out(middle, reach + 0.3 * AXIS_EM + support);
            let baseline = (at.0, at.1 + 0.5 * font::CAP_HEIGHT * AXIS_EM);
            scene.text(&name, baseline, AXIS_EM, Align::Center, false, ink());
        }
    }
}
