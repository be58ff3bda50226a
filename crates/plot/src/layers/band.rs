//! The layer of the area between two curves.

use std::sync::Arc;

use super::super::axes_transform::AxesTransform;
use super::super::geometry::{Point, clip_line, clip_polygon, decimate};
use super::super::legend_handle::{LayerKind, LegendHandle};
use super::super::resolved_style::ResolvedStyle;
use super::super::scene::{Pen, Scene};
use super::super::style::{Dash, Style};
use super::{Layer, MIN_POINT_DISTANCE, sample_polyline, zip_points};

#[derive(Debug, Clone)]
pub(in super::super) struct Band {
    pub x: Arc<[f64]>,
    pub lower: Arc<[f64]>,
    pub upper: Arc<[f64]>,
    pub style: Style,
}

impl LegendHandle for Band {
    fn kind(&self) -> LayerKind {
        LayerKind::Band
    }

    fn style(&self) -> &Style {
        &self.style
    }
}

impl Layer for Band {
    fn points(&self) -> Vec<Point> {
        let mut points = zip_points(&self.x, &self.lower);
        points.extend(zip_points(&self.x, &self.upper));
        points
    }

    fn draw(&self, style: &ResolvedStyle, view: &AxesTransform, scene: &mut Scene) {
        for (low, high) in self.runs(view) {
            if let ([a], [b]) = (&low[..], &high[..]) {
                let pen = Pen {
                    width: 3.0,
                    dash: Dash::Solid,
                    color: style.rgba(),
                };
                for piece in clip_line(&[*a, *b], &view.rect) {
                    scene.line(&piece, pen);
                }
                continue;
            }
            let mut outline = decimate(&high, MIN_POINT_DISTANCE);
            outline.extend(decimate(&low, MIN_POINT_DISTANCE).into_iter().rev());
            scene.area(clip_polygon(&outline, &view.rect), style.rgba());
        }
    }

    fn footprint(&self, view: &AxesTransform) -> Vec<Point> {
        let mut points = Vec::new();
        for (low, high) in self.runs(view) {
            for (a, b) in low.iter().zip(&high) {
                for piece in clip_line(&[*a, *b], &view.rect) {
                    sample_polyline(&piece, &mut points);
                }
            }
            for edge in [low, high] {
                for piece in clip_line(&edge, &view.rect) {
                    sample_polyline(&piece, &mut points);
                }
            }
        }
        points
    }
}

impl Band {
    /// Returns the lower and upper edges in pixels, split where either is missing. On a logarithmic axis a lower edge that is not
    /// positive lies below the frame.
    fn runs(&self, view: &AxesTransform) -> Vec<(Vec<Point>, Vec<Point>)> {
        let triples: Vec<(f64, f64, f64)> =
            (self.x.iter().zip(&self.lower[..]).zip(&self.upper[..]))
                .map(|((x, a), b)| {
                    // min and max ignore a NaN, but the band is missing where either edge is.
                    let x = if a.is_nan() || b.is_nan() {
                        f64::NAN
                    } else {
                        *x
                    };
                    (x, a.min(*b), a.max(*b))
                })
                .collect();
        triples
            .split(|(x, low, high)| !view.in_domain((*x, *high)) || low.is_infinite())
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
