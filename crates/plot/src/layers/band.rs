//! The area between two curves.

use std::sync::Arc;

use super::super::entry::{Entry, Kind};
use super::super::geometry::{Point, clip_line, clip_polygon, thin};
use super::super::look::Look;
use super::super::scene::{Pen, Scene};
use super::super::style::{Dash, Style};
use super::super::view::View;
use super::{CELL, Layer, pairs, walk};

#[derive(Debug, Clone)]
pub(in super::super) struct Band {
    pub x: Arc<[f64]>,
    pub lower: Arc<[f64]>,
    pub upper: Arc<[f64]>,
    pub style: Style,
}

impl Entry for Band {
    fn kind(&self) -> Kind {
        Kind::Band
    }

    fn style(&self) -> &Style {
        &self.style
    }
}

impl Layer for Band {
    fn points(&self) -> Vec<Point> {
        let mut points = pairs(&self.x, &self.lower);
        points.extend(pairs(&self.x, &self.upper));
        points
    }

    fn draw(&self, look: &Look, view: &View, scene: &mut Scene) {
        for (low, high) in self.runs(view) {
            if let ([a], [b]) = (&low[..], &high[..]) {
                let pen = Pen {
                    width: 3.0,
                    dash: Dash::Solid,
                    ink: look.ink(),
                };
                for piece in clip_line(&[*a, *b], &view.rect) {
                    scene.line(&piece, pen);
                }
                continue;
            }
            let mut outline = thin(&high, CELL);
            outline.extend(thin(&low, CELL).into_iter().rev());
            scene.area(clip_polygon(&outline, &view.rect), look.ink());
        }
    }

    fn footprint(&self, view: &View) -> Vec<Point> {
        let mut points = Vec::new();
        for (low, high) in self.runs(view) {
            for (a, b) in low.iter().zip(&high) {
                for piece in clip_line(&[*a, *b], &view.rect) {
                    walk(&piece, &mut points);
                }
            }
            for edge in [low, high] {
                for piece in clip_line(&edge, &view.rect) {
                    walk(&piece, &mut points);
                }
            }
        }
        points
    }
}

impl Band {
    /// The lower and upper edges, broken where either is missing. On a logarithmic axis a lower edge that is not positive lies
    /// below the frame.
    fn runs(&self, view: &View) -> Vec<(Vec<Point>, Vec<Point>)> {
        let triples: Vec<(f64, f64, f64)> =
            (self.x.iter().zip(&self.lower[..]).zip(&self.upper[..]))
                .map(|((x, a), b)| {
                    // min and max pass over a NaN; a band with one edge missing is missing.
                    let x = if a.is_nan() || b.is_nan() {
                        f64::NAN
                    } else {
                        *x
                    };
                    (x, a.min(*b), a.max(*b))
                })
                .collect();
        triples
            .split(|(x, low, high)| !view.shows((*x, *high)) || low.is_infinite())
            .filter(|run| !run.is_empty())
            .map(|run| {
                let pixels = |edge: fn(&(f64, f64, f64)) -> f64| {
                    run.iter().map(|p| view.pixel((p.0, edge(p)))).collect()
                };
                (pixels(|p| p.1), pixels(|p| p.2))
            })
            .collect()
    }
}
