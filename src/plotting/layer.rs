//! What a figure is made of, and how each kind is drawn.

use std::collections::HashSet;
use std::sync::Arc;

use super::geometry::{Point, clip_line, clip_polygon, thin};
use super::look::Look;
use super::marker::draw_marker;
use super::scene::{Pen, Scene};
use super::style::{Dash, Marker, Style};
use super::view::View;

/// Points closer than this, in pixels, look like one.
const CELL: f64 = 0.25;

/// One kind of content of a figure.
#[derive(Debug, Clone)]
pub(super) enum Layer {
    Line {
        x: Arc<[f64]>,
        y: Arc<[f64]>,
        style: Style,
    },
    Scatter {
        x: Arc<[f64]>,
        y: Arc<[f64]>,
        style: Style,
    },
    Band {
        x: Arc<[f64]>,
        lower: Arc<[f64]>,
        upper: Arc<[f64]>,
        style: Style,
    },
    VLine {
        x: f64,
        style: Style,
    },
}

impl Layer {
    pub fn style(&self) -> &Style {
        match self {
            Layer::Line { style, .. }
            | Layer::Scatter { style, .. }
            | Layer::Band { style, .. }
            | Layer::VLine { style, .. } => style,
        }
    }

    /// The points whose ranges the axes must cover.
    pub fn points(&self) -> Vec<Point> {
        let pairs = |x: &[f64], y: &[f64]| -> Vec<Point> {
            x.iter().copied().zip(y.iter().copied()).collect()
        };
        match self {
            Layer::Line { x, y, .. } | Layer::Scatter { x, y, .. } => pairs(x, y),
            Layer::Band {
                x, lower, upper, ..
            } => {
                let mut points = pairs(x, lower);
                points.extend(pairs(x, upper));
                points
            }
            Layer::VLine { .. } => Vec::new(),
        }
    }

    /// Whether the layer has markers at its points.
    pub fn marked(&self) -> bool {
        matches!(self, Layer::Scatter { .. }) || self.style().marker.is_some()
    }

    pub fn draw(&self, look: &Look, view: &View, scene: &mut Scene) {
        let inside = view.rect.grown(0.5);
        match self {
            Layer::Line { x, y, .. } => {
                for run in runs(x, y, view) {
                    if let [point] = run[..] {
                        if inside.contains(point) {
                            scene.disc(point, look.width.max(2.0), look.ink());
                        }
                        continue;
                    }
                    for piece in clip_line(&thin(&run, CELL), &view.rect) {
                        scene.line(&piece, look.pen());
                    }
                }
                if look.marker.is_some() {
                    draw_markers(x, y, look, view, scene);
                }
            }
            Layer::Scatter { x, y, .. } => draw_markers(x, y, look, view, scene),
            Layer::Band {
                x, lower, upper, ..
            } => {
                for (low, high) in band_runs(x, lower, upper, view) {
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
            Layer::VLine { .. } => {
                for piece in self.vertical(view) {
                    scene.line(&piece, look.pen());
                }
            }
        }
    }

    /// The layer's sign in a legend, in the box from `left` to `right` around height `y`.
    pub fn draw_sign(&self, look: &Look, (left, right): (f64, f64), y: f64, scene: &mut Scene) {
        let middle = (0.5 * (left + right), y);
        match self {
            Layer::Line { .. } | Layer::VLine { .. } => {
                scene.line(&[(left, y), (right, y)], look.pen());
                if let Some(marker) = look.marker {
                    draw_marker(marker, middle, look, scene);
                }
            }
            Layer::Scatter { .. } => {
                // A legend's sign stays visible however small the points are.
                let look = Look {
                    size: look.size.max(5.0),
                    ..look.clone()
                };
                draw_marker(look.marker.unwrap_or(Marker::Circle), middle, &look, scene);
            }
            Layer::Band { .. } => {
                let corners = vec![
                    (left, y - 5.0),
                    (right, y - 5.0),
                    (right, y + 5.0),
                    (left, y + 5.0),
                ];
                scene.area(corners, look.ink());
            }
        }
    }

    /// Points a few pixels apart on everything the layer draws, so that a legend can keep off it.
    pub fn footprint(&self, view: &View) -> Vec<Point> {
        let mut points = Vec::new();
        match self {
            Layer::Line { x, y, .. } => {
                for run in runs(x, y, view) {
                    for piece in clip_line(&thin(&run, 1.0), &view.rect) {
                        walk(&piece, &mut points);
                    }
                }
            }
            Layer::Scatter { x, y, .. } => {
                points = runs(x, y, view).concat();
                points.retain(|p| view.rect.contains(*p));
            }
            Layer::Band {
                x, lower, upper, ..
            } => {
                for (low, high) in band_runs(x, lower, upper, view) {
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
            }
            Layer::VLine { .. } => {
                for piece in self.vertical(view) {
                    walk(&piece, &mut points);
                }
            }
        }
        points
    }

    fn vertical(&self, view: &View) -> Vec<Vec<Point>> {
        match self {
            Layer::VLine { x, .. } if view.x.scale.shows(*x) => {
                let x = view.x_pixel(*x);
                clip_line(&[(x, view.rect.bottom), (x, view.rect.top)], &view.rect)
            }
            _ => Vec::new(),
        }
    }
}

/// The points that can be shown, in pixels, broken wherever one can't: a gap in the data stays a gap.
fn runs(x: &[f64], y: &[f64], view: &View) -> Vec<Vec<Point>> {
    let pairs: Vec<Point> = x.iter().copied().zip(y.iter().copied()).collect();
    pairs
        .split(|p| !view.shows(*p))
        .filter(|run| !run.is_empty())
        .map(|run| run.iter().map(|p| view.pixel(*p)).collect())
        .collect()
}

/// The lower and upper edges of a band, broken where either is missing. On a logarithmic axis a lower edge that is not
/// positive lies below the frame.
fn band_runs(
    x: &[f64],
    lower: &[f64],
    upper: &[f64],
    view: &View,
) -> Vec<(Vec<Point>, Vec<Point>)> {
    let triples: Vec<(f64, f64, f64)> = (x.iter().zip(lower).zip(upper))
        .map(|((x, a), b)| (*x, a.min(*b), a.max(*b)))
        // min and max pass over a NaN; a band with one edge missing is missing.
        .zip(lower.iter().zip(upper))
        .map(|(t, (a, b))| {
            if a.is_nan() || b.is_nan() {
                (f64::NAN, t.1, t.2)
            } else {
                t
            }
        })
        .collect();
    triples
        .split(|(x, low, high)| !view.shows((*x, *high)) || low.is_infinite())
        .filter(|run| !run.is_empty())
        .map(|run| {
            let low = run
                .iter()
                .map(|(x, low, _)| view.pixel((*x, *low)))
                .collect();
            let high = run
                .iter()
                .map(|(x, _, high)| view.pixel((*x, *high)))
                .collect();
            (low, high)
        })
        .collect()
}

fn draw_markers(x: &[f64], y: &[f64], look: &Look, view: &View, scene: &mut Scene) {
    let marker = look.marker.unwrap_or(Marker::Circle);
    let inside = view.rect.grown(0.5);
    let mut seen = HashSet::new();
    // Discs as close as two fifths of their size leave no gap to see between them.
    let cell = if x.len() > 5000 { 0.4 * look.size } else { 0.0 }.max(CELL);
    for point in runs(x, y, view).concat() {
        let cell = (
            (point.0 / cell).round() as i64,
            (point.1 / cell).round() as i64,
        );
        // Opaque markers on top of each other look like one; translucent ones don't.
        let hidden = look.alpha >= 1.0 && !seen.insert(cell);
        if inside.contains(point) && !hidden {
            draw_marker(marker, point, look, scene);
        }
    }
}

/// Adds points at most six pixels apart along a line.
fn walk(line: &[Point], points: &mut Vec<Point>) {
    points.extend(line.first());
    for pair in line.windows(2) {
        let [a, b] = [pair[0], pair[1]];
        let steps = ((b.0 - a.0).hypot(b.1 - a.1) / 6.0).ceil().max(1.0);
        let at = |s: f64| (a.0 + s * (b.0 - a.0), a.1 + s * (b.1 - a.1));
        points.extend((1..=steps as usize).map(|i| at(i as f64 / steps)));
    }
}
