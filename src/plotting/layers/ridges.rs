//! Curves one above the other, each standing on a line of its own: a waterfall in the plane.

use std::sync::Arc;

use ndarray::Array2;

use super::super::entry::{Entry, Kind};
use super::super::geometry::{Point, clip_line, clip_polygon};
use super::super::lattice::Lattice;
use super::super::look::Look;
use super::super::scene::{Pen, Scene};
use super::super::shade::Tint;
use super::super::space::Waterfall;
use super::super::style::{Dash, Style};
use super::super::view::View;
use super::Layer;
use super::streamlines::colored_runs;
use crate::error::Result;

/// Steps between two curves that the highest of them takes.
const OVERLAP: f64 = 2.6;

#[derive(Debug, Clone)]
pub(in super::super) struct Ridges {
    x: Arc<[f64]>,
    /// Where each curve stands.
    y: Arc<[f64]>,
    z: Arc<Array2<f64>>,
    tint: Tint,
    style: Style,
    /// Distance between two curves.
    step: f64,
}

impl Ridges {
    pub fn new(lattice: Lattice, options: &Waterfall) -> Result<Ridges> {
        let tint = options.shade.of("waterfall", lattice.z.iter().copied())?;
        let (first, last) = (lattice.y.first(), lattice.y.last());
        let span = first.zip(last).map_or(0.0, |(a, b)| b - a);
        let steps = lattice.y.len().saturating_sub(1);
        let step = if steps > 0 { span / steps as f64 } else { 1.0 };
        Ok(Ridges {
            x: lattice.x,
            y: lattice.y,
            z: lattice.z,
            tint,
            style: options.style.clone(),
            step,
        })
    }

    /// Height of a value above its curve's line.
    fn height(&self, v: f64) -> f64 {
        let place = match self.tint.axis.scale.shows(v) {
            true => self.tint.axis.place(v).clamp(0.0, 1.0),
            false => 0.0,
        };
        OVERLAP * self.step * place
    }
}

impl Entry for Ridges {
    fn kind(&self) -> Kind {
        Kind::Field
    }

    fn style(&self) -> &Style {
        &self.style
    }

    fn tint(&self) -> Option<&Tint> {
        Some(&self.tint)
    }
}

impl Layer for Ridges {
    fn points(&self) -> Vec<Point> {
        let mut points = Vec::new();
        for (y, row) in self.y.iter().zip(self.z.rows()) {
            for (x, z) in self.x.iter().zip(row) {
                points.push((*x, *y));
                if !z.is_nan() {
                    points.push((*x, y + self.height(*z)));
                }
            }
        }
        points
    }

    fn draw(&self, look: &Look, view: &View, scene: &mut Scene) {
        // The highest line is the farthest.
        for (y, row) in self.y.iter().zip(self.z.rows()).rev() {
            let base = view.y_pixel(*y);
            let points: Vec<(f64, f64)> = self.x.iter().copied().zip(row.iter().copied()).collect();
            for run in points.split(|(x, z)| z.is_nan() || !view.x.scale.shows(*x)) {
                let curve: Vec<(Point, (u8, u8, u8))> = run
                    .iter()
                    .map(|(x, z)| (view.pixel((*x, y + self.height(*z))), self.tint.coarse(*z)))
                    .collect();
                let (Some((first, _)), Some((last, _))) = (curve.first(), curve.last()) else {
                    continue;
                };
                let mut area: Vec<Point> = curve.iter().map(|(p, _)| *p).collect();
                area.extend([(last.0, base), (first.0, base)]);
                scene.area(clip_polygon(&area, &view.rect), ((255, 255, 255), 0.9));
                for (line, rgb) in colored_runs(&curve) {
                    let pen = Pen {
                        ink: (rgb, look.alpha),
                        width: self.style.width.unwrap_or(1.6),
                        dash: Dash::Solid,
                    };
                    for piece in clip_line(&line, &view.rect) {
                        scene.line(&piece, pen);
                    }
                }
            }
        }
    }

    fn footprint(&self, _: &View) -> Vec<Point> {
        Vec::new()
    }
}
