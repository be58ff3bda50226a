//! Curves along a vector field, evenly spread.

use ndarray::Array2;

use super::super::entry::{Entry, Kind};
use super::super::geometry::{Point, clip_line};
use super::super::lattice::Lattice;
use super::super::look::Look;
use super::super::scene::{Pen, Scene};
use super::super::shade::Tint;
use super::super::style::{Dash, Style};
use super::super::view::View;
use super::Layer;
use super::quiver::{Arrows, BACK, head_at};
use crate::error::Result;

/// Curves that follow a vector field given on a grid.
#[derive(Debug, Clone)]
pub(in super::super) struct Streamlines {
    u: Lattice,
    v: Array2<f64>,
    tint: Option<Tint>,
    options: Arrows,
    /// Points with the speed there.
    curves: Vec<Vec<(Point, f64)>>,
}

/// Which places have a curve already: at most one curve for each.
struct Mask {
    side: usize,
    taken: Vec<usize>,
}

impl Mask {
    fn index(&self, (x, y): Point) -> usize {
        let cell = |v: f64| ((v * self.side as f64) as usize).min(self.side - 1);
        cell(y) * self.side + cell(x)
    }
}

impl Streamlines {
    pub fn new(u: Lattice, v: Array2<f64>, options: &Arrows) -> Result<Streamlines> {
        let mut options = options.clone();
        options.style.color = options.style.color.or(Some(BACK));
        let speeds: Vec<f64> = u.z.iter().zip(&v).map(|(a, b)| a.hypot(*b)).collect();
        let mut layer = Streamlines {
            tint: options.tint("streamlines", speeds.iter().copied())?,
            u,
            v,
            options,
            curves: Vec::new(),
        };
        layer.curves = layer.trace();
        Ok(layer)
    }

    /// The vector at a place between 0 and 1 along both axes, by bilinear interpolation; none outside or where a value is missing.
    fn at(&self, (px, py): Point) -> Option<Point> {
        let find = |values: &[f64], place: f64| {
            let (first, last) = (*values.first()?, *values.last()?);
            let v = first + place * (last - first);
            let high = values
                .partition_point(|x| *x <= v)
                .clamp(1, values.len() - 1);
            let (a, b) = (values[high - 1], values[high]);
            Some((high - 1, ((v - a) / (b - a)).clamp(0.0, 1.0)))
        };
        if !(0.0..=1.0).contains(&px) || !(0.0..=1.0).contains(&py) {
            return None;
        }
        let ((j, t), (i, s)) = (find(&self.u.x, px)?, find(&self.u.y, py)?);
        let mixed = |z: &Array2<f64>| {
            let row = |i: usize| z[[i, j]] * (1.0 - t) + z[[i, j + 1]] * t;
            row(i) * (1.0 - s) + row(i + 1) * s
        };
        let (u, v) = (mixed(&self.u.z), mixed(&self.v));
        (u.is_finite() && v.is_finite()).then_some((u, v))
    }

    fn trace(&self) -> Vec<Vec<(Point, f64)>> {
        if self.u.x.len() < 2 || self.u.y.len() < 2 {
            return Vec::new();
        }
        let side = (26.0 * self.options.density.unwrap_or(1.0))
            .round()
            .max(4.0) as usize;
        let mut mask = Mask {
            side,
            taken: vec![0; side * side],
        };
        let mut curves = Vec::new();
        for start in seeds(side) {
            if mask.taken[mask.index(start)] != 0 {
                continue;
            }
            let number = curves.len() + 1;
            let mut curve = self.follow(start, -1.0, number, &mut mask);
            curve.reverse();
            curve.extend(
                self.follow(start, 1.0, number, &mut mask)
                    .into_iter()
                    .skip(1),
            );
            let length: f64 = curve
                .windows(2)
                .map(|p| (p[1].0.0 - p[0].0.0).hypot(p[1].0.1 - p[0].0.1))
                .sum();
            // Stubs would only be noise.
            if length > 0.12 {
                curves.push(curve);
            } else {
                mask.taken
                    .iter_mut()
                    .filter(|t| **t == number)
                    .for_each(|t| *t = 0);
            }
        }
        let (x, y) = (&self.u.x, &self.u.y);
        let back = |values: &[f64], place: f64| {
            let (first, last) = (values[0], values[values.len() - 1]);
            first + place * (last - first)
        };
        curves
            .into_iter()
            .map(|curve| {
                curve
                    .into_iter()
                    .map(|((px, py), s)| ((back(x, px), back(y, py)), s))
                    .collect()
            })
            .collect()
    }

    /// The curve from a place on, in places and speeds, until it leaves the grid or meets another curve.
    fn follow(&self, start: Point, sign: f64, number: usize, mask: &mut Mask) -> Vec<(Point, f64)> {
        let spans = [&self.u.x, &self.u.y].map(|v| v[v.len() - 1] - v[0]);
        // Of unit length in places, so that steps are even on paper.
        let direction = |at: Point| {
            let (u, v) = self.at(at)?;
            let (dx, dy) = (sign * u / spans[0], sign * v / spans[1]);
            let size = dx.hypot(dy);
            (size > 1e-14 * (u.hypot(v))).then(|| (dx / size, dy / size))
        };
        let step = 0.15 / mask.side as f64;
        let mut at = start;
        let mut curve = Vec::new();
        for _ in 0..(4.0 / step) as usize {
            let Some((u, v)) = self.at(at) else { break };
            let index = mask.index(at);
            if mask.taken[index] != 0 && mask.taken[index] != number {
                break;
            }
            mask.taken[index] = number;
            curve.push((at, u.hypot(v)));
            let moved = |d: Point, h: f64| (at.0 + h * d.0, at.1 + h * d.1);
            let Some(first) = direction(at) else { break };
            let Some(middle) = direction(moved(first, 0.5 * step)) else {
                break;
            };
            at = moved(middle, step);
            // A closed curve is drawn once.
            if curve.len() > 20 && (at.0 - start.0).hypot(at.1 - start.1) < step {
                curve.push((start, u.hypot(v)));
                break;
            }
        }
        curve
    }
}

/// Places to begin at: the middles of the cells, from the border inwards.
fn seeds(side: usize) -> Vec<Point> {
    let mut cells: Vec<(usize, usize)> = (0..side)
        .flat_map(|i| (0..side).map(move |j| (i, j)))
        .collect();
    let ring = |(i, j): (usize, usize)| i.min(j).min(side - 1 - i).min(side - 1 - j);
    cells.sort_by_key(|cell| ring(*cell));
    let middle = |i: usize| (i as f64 + 0.5) / side as f64;
    cells
        .into_iter()
        .map(|(i, j)| (middle(j), middle(i)))
        .collect()
}

impl Entry for Streamlines {
    fn kind(&self) -> Kind {
        Kind::Field
    }

    fn style(&self) -> &Style {
        &self.options.style
    }

    fn tint(&self) -> Option<&Tint> {
        self.tint.as_ref()
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

    fn draw(&self, look: &Look, view: &View, scene: &mut Scene) {
        let width = self.options.style.width.unwrap_or(1.2);
        for curve in &self.curves {
            let rgb = |speed: f64| match &self.tint {
                Some(tint) => tint.coarse(speed),
                None => look.rgb,
            };
            let shown: Vec<(Point, (u8, u8, u8))> = curve
                .iter()
                .filter(|(p, _)| view.shows(*p))
                .map(|(p, speed)| (view.pixel(*p), rgb(*speed)))
                .collect();
            for (line, rgb) in colored_runs(&shown) {
                let pen = Pen {
                    ink: (rgb, look.alpha),
                    width,
                    dash: Dash::Solid,
                };
                for piece in clip_line(&line, &view.rect) {
                    scene.line(&piece, pen);
                }
            }
            let middle = shown.len() / 2;
            if let (Some((a, _)), Some((b, rgb))) =
                (shown.get(middle.wrapping_sub(1)), shown.get(middle))
            {
                let length = (b.0 - a.0).hypot(b.1 - a.1);
                if length > 0.0 && view.rect.contains(*b) {
                    let direction = ((b.0 - a.0) / length, (b.1 - a.1) / length);
                    let head = 4.0 * width + 3.0;
                    let tip = (
                        b.0 + 0.5 * head * direction.0,
                        b.1 + 0.5 * head * direction.1,
                    );
                    scene.area(head_at(tip, direction, head), (*rgb, look.alpha));
                }
            }
        }
    }

    fn footprint(&self, _: &View) -> Vec<Point> {
        Vec::new()
    }
}

/// A coloured curve as lines of one colour each.
pub(in super::super) fn colored_runs(
    points: &[(Point, (u8, u8, u8))],
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
