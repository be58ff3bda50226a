//! The layer of the arrows of a vector field of space.

use std::sync::Arc;

use super::super::color_scale::ColorScale;
use super::super::geometry::Point3;
use super::super::layers::{Arrows, draw_arrow};
use super::super::legend_handle::{LayerKind, LegendHandle};
use super::super::resolved_style::ResolvedStyle;
use super::super::style::Style;
use super::camera::{AxesTransform3, BOX_HALF, clip_line};
use super::line::DEPTH_BIAS;
use super::{DepthQueue, Layer3};
use odesync_base::error::Result;

/// A layer of arrows: a vector at each of some points of space.
#[derive(Debug, Clone)]
pub(in super::super) struct Quiver3 {
    points: Arc<[Point3]>,
    vectors: Arc<[Point3]>,
    color_scale: Option<ColorScale>,
    style: Style,
    normalize: bool,
}

fn length(v: &Point3) -> f64 {
    v.iter().map(|x| x * x).sum::<f64>().sqrt()
}

/// Length of the longest arrow in box coordinates, times the number of arrows along a side.
const MAX_ARROW_LENGTH: f64 = 1.5;

impl Quiver3 {
    /// Returns the number of arrows along a side, as if they were on a cubic grid.
    fn side(&self) -> f64 {
        (self.points.len() as f64).cbrt().max(2.0)
    }

    pub fn new(points: Arc<[Point3]>, vectors: Arc<[Point3]>, options: &Arrows) -> Result<Quiver3> {
        Ok(Quiver3 {
            color_scale: options.color_scale("quiver3", vectors.iter().map(length))?,
            points,
            vectors,
            style: options.style(),
            normalize: options.normalize,
        })
    }
}

impl LegendHandle for Quiver3 {
    fn kind(&self) -> LayerKind {
        LayerKind::GridData
    }

    fn style(&self) -> &Style {
        &self.style
    }

    fn color_scale(&self) -> Option<&ColorScale> {
        self.color_scale.as_ref()
    }
}

impl Layer3 for Quiver3 {
    fn points(&self) -> Vec<Point3> {
        // Includes a margin of half an arrow around the outer ones.
        let range = |k: usize| {
            let values = self.points.iter().map(|p| p[k]).filter(|v| v.is_finite());
            let (lo, hi) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), v| {
                (lo.min(v), hi.max(v))
            });
            let room = 0.25 * MAX_ARROW_LENGTH / (self.side() - 0.5 * MAX_ARROW_LENGTH) * (hi - lo);
            [lo - room, hi + room]
        };
        let [x, y, z] = [range(0), range(1), range(2)];
        let corner = |i: usize| [x[i & 1], y[i >> 1 & 1], z[i >> 2]];
        let corners = (0..8).map(corner);
        self.points.iter().copied().chain(corners).collect()
    }

    fn draw(&self, style: &ResolvedStyle, view: &AxesTransform3, queue: &mut DepthQueue) {
        // In box coordinates, where the axes' units are comparable.
        let span = |k: usize| {
            (view.axes[k].value(1.0) - view.axes[k].value(0.0)).abs() / (2.0 * BOX_HALF[k])
        };
        let spans: Point3 = std::array::from_fn(span);
        let scaled: Vec<Point3> = self
            .vectors
            .iter()
            .map(|v| std::array::from_fn(|k| v[k] / spans[k]))
            .collect();
        let longest = scaled
            .iter()
            .map(length)
            .filter(|l| l.is_finite())
            .fold(0.0, f64::max);
        let most = self
            .style
            .size
            .map_or(MAX_ARROW_LENGTH / self.side(), |pixels| pixels / view.zoom);
        let shown = self.points.iter().zip(&self.vectors[..]).zip(&scaled);
        for ((point, vector), scaled) in shown {
            let size = length(scaled);
            if !view.in_domain(*point) || size == 0.0 || !size.is_finite() {
                continue;
            }
            let by = most / if self.normalize { size } else { longest };
            let at = view.to_box(*point);
            let end = |by: f64| std::array::from_fn(|k| at[k] + by * scaled[k]);
            // An arrow that leaves the box is clipped, so that its head is at the wall.
            let Some([tail, tip]) = clip_line(&[end(-0.5 * by), end(0.5 * by)])
                .first()
                .and_then(|line| line.first_chunk().copied())
            else {
                continue;
            };
            let (from, to) = (view.pixel(tail), view.pixel(tip));
            let middle = (0.5 * (from.0 + to.0), 0.5 * (from.1 + to.1));
            let rgb = match &self.color_scale {
                Some(color_scale) => color_scale.quantized_rgb(length(vector)),
                None => style.rgb,
            };
            let width = self.style.width.unwrap_or(1.1);
            queue.add(view.nearness(at) + DEPTH_BIAS, |scene| {
                draw_arrow(
                    middle,
                    (to.0 - from.0, to.1 - from.1),
                    (rgb, style.alpha),
                    width,
                    scene,
                );
            });
        }
    }
}
