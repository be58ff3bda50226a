//! The layer of evenly spaced streamlines of a vector field.

use ndarray::Array2;

use super::super::axes_transform::AxesTransform;
use super::super::color_scale::ColorScale;
use super::super::geometry::{Point, clip_line};
use super::super::legend_handle::{LayerKind, LegendHandle};
use super::super::rectilinear_grid::{RectilinearGrid, bilinear, find_cell};
use super::super::resolved_style::ResolvedStyle;
use super::super::scene::{Pen, Scene};
use super::super::style::{Dash, Style};
use super::Layer;
use super::quiver::{Arrows, arrowhead};
use super::streamline_seeding;
use odesync_base::error::Result;

/// A layer of streamlines of a vector field on a grid.
#[derive(Debug, Clone)]
pub(in super::super) struct Streamlines {
    u: RectilinearGrid,
    v: Array2<f64>,
    color_scale: Option<ColorScale>,
    style: Style,
    density: f64,
    /// Streamlines as points with the speed at each.
    curves: Vec<Vec<(Point, f64)>>,
}

/// Number of streamlines side by side across the figure at density 1.
const STREAMLINES_ACROSS: f64 = 26.0;

/// Distance between the arrowheads of a streamline, as a part of the figure.
const ARROWHEAD_SPACING: f64 = 0.6;

impl Streamlines {
    pub fn new(u: RectilinearGrid, v: Array2<f64>, options: &Arrows) -> Result<Streamlines> {
        let speeds: Vec<f64> = u.z.iter().zip(&v).map(|(a, b)| a.hypot(*b)).collect();
        let mut layer = Streamlines {
            color_scale: options.color_scale("streamlines", speeds.iter().copied())?,
            u,
            v,
            style: options.style(),
            density: options.density.unwrap_or(1.0),
            curves: Vec::new(),
        };
        layer.curves = layer.trace_streamlines();
        Ok(layer)
    }

    /// Returns the data coordinates of a point of the unit square that spans the grid.
    fn to_data(&self, (px, py): Point) -> Option<Point> {
        let back = |values: &[f64], point: f64| {
            let (first, last) = (*values.first()?, *values.last()?);
            // Rounding must not lead beyond the last value.
            Some((first + point * (last - first)).clamp(first, last))
        };
        Some((back(&self.u.x, px)?, back(&self.u.y, py)?))
    }

    /// Returns the vector at a point of the unit square; `None` outside it or where a value is missing.
    fn vector_at(&self, point: Point) -> Option<Point> {
        if !(0.0..=1.0).contains(&point.0) || !(0.0..=1.0).contains(&point.1) {
            return None;
        }
        let (x, y) = self.to_data(point)?;
        let (j, i) = (find_cell(&self.u.x, x)?, find_cell(&self.u.y, y)?);
        let (u, v) = (
            bilinear(i, j, |i, j| self.u.z[[i, j]]),
            bilinear(i, j, |i, j| self.v[[i, j]]),
        );
        (u.is_finite() && v.is_finite()).then_some((u, v))
    }

    fn trace_streamlines(&self) -> Vec<Vec<(Point, f64)>> {
        if self.u.x.len() < 2 || self.u.y.len() < 2 {
            return Vec::new();
        }
        let spans = [&self.u.x, &self.u.y].map(|v| v[v.len() - 1] - v[0]);
        // Of unit length in the unit square, so that steps are even in the figure.
        let direction = |point: Point| {
            let (u, v) = self.vector_at(point)?;
            let (dx, dy) = (u / spans[0], v / spans[1]);
            let size = dx.hypot(dy);
            (size > 1e-14 * u.hypot(v)).then(|| (dx / size, dy / size))
        };
        let distance = 1.0 / (STREAMLINES_ACROSS * self.density).max(4.0);
        let speed = |point: Point| self.vector_at(point).map_or(0.0, |(u, v)| u.hypot(v));
        let with_speed = |curve: Vec<Point>| -> Vec<(Point, f64)> {
            let points = curve.into_iter();
            points
                .filter_map(|point| Some((self.to_data(point)?, speed(point))))
                .collect()
        };
        let curves = streamline_seeding::evenly_spaced_streamlines(distance, &direction);
        curves.into_iter().map(with_speed).collect()
    }
}

impl LegendHandle for Streamlines {
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

impl Layer for Streamlines {
    fn points(&self) -> Vec<Point> {
        let (x, y) = (&self.u.x, &self.u.y);
        let rows = y.iter().flat_map(|y| x.iter().map(|x| (*x, *y)));
        rows.collect()
    }

    fn tight(&self) -> bool {
        true
    }

    fn draw(&self, style: &ResolvedStyle, view: &AxesTransform, scene: &mut Scene) {
        let width = self.style.width.unwrap_or(1.2);
        for curve in &self.curves {
            let rgb = |speed: f64| match &self.color_scale {
                Some(color_scale) => color_scale.quantized_rgb(speed),
                None => style.rgb,
            };
            let shown: Vec<ColoredPoint> = curve
                .iter()
                .filter(|(p, _)| view.in_domain(*p))
                .map(|(p, speed)| (view.pixel(*p), rgb(*speed)))
                .collect();
            for (line, rgb) in single_color_runs(&shown) {
                let pen = Pen {
                    color: (rgb, style.alpha),
                    width,
                    dash: Dash::Solid,
                };
                for piece in clip_line(&line, &view.rect) {
                    scene.line(&piece, pen);
                }
            }
            let across = view.rect.width().hypot(view.rect.height());
            for ((a, _), (b, rgb)) in arrowhead_segments(&shown, ARROWHEAD_SPACING * across) {
                let length = (b.0 - a.0).hypot(b.1 - a.1);
                if length > 0.0 && view.rect.contains(b) {
                    let direction = ((b.0 - a.0) / length, (b.1 - a.1) / length);
                    let head = 4.0 * width + 3.0;
                    let tip = (
                        b.0 + 0.5 * head * direction.0,
                        b.1 + 0.5 * head * direction.1,
                    );
                    scene.area(arrowhead(tip, direction, head), (rgb, style.alpha));
                }
            }
        }
    }

    fn footprint(&self, _: &AxesTransform) -> Vec<Point> {
        Vec::new()
    }
}

/// A point of a streamline with its colour.
type ColoredPoint = (Point, (u8, u8, u8));

/// Returns the segments of a streamline that get an arrowhead: one in its middle, or several about `apart` from each other.
fn arrowhead_segments(points: &[ColoredPoint], apart: f64) -> Vec<(ColoredPoint, ColoredPoint)> {
    let steps = points.windows(2);
    let step = |p: &[ColoredPoint]| (p[1].0.0 - p[0].0.0).hypot(p[1].0.1 - p[0].0.1);
    let all: f64 = steps.clone().map(step).sum();
    let count = (all / apart).round().max(1.0);
    let (mut walked, mut done) = (0.0, 0.0);
    let mut heads = Vec::new();
    for pair in steps {
        walked += step(pair);
        if walked >= (done + 0.5) / count * all && done < count {
            done += 1.0;
            heads.push((pair[0], pair[1]));
        }
    }
    heads
}

/// Splits a coloured curve into lines of one colour each.
pub(in super::super) fn single_color_runs(
    points: &[ColoredPoint],
) -> Vec<(Vec<Point>, (u8, u8, u8))> {
    let mut runs: Vec<(Vec<Point>, (u8, u8, u8))> = Vec::new();
    for pair in points.windows(2) {
        let [(a, rgb), (b, _)] = [pair[0], pair[1]];
        match runs.last_mut() {
            Some((line, last)) if *last == rgb => line.push(b),
            _ => runs.push((vec![a, b], rgb)),
        }
    }
    runs
}
