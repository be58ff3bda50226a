//! The layer of markers at points.

use std::collections::HashSet;
use std::sync::Arc;

use super::super::axes_transform::AxesTransform;
use super::super::geometry::Point;
use super::super::legend_handle::{LayerKind, LegendHandle};
use super::super::marker::draw_marker;
use super::super::rasterized::rasterize;
use super::super::resolved_style::ResolvedStyle;
use super::super::scene::Scene;
use super::super::style::{Marker, Style};
use super::{Layer, MIN_POINT_DISTANCE, pixel_runs, zip_points};

#[derive(Debug, Clone)]
pub(in super::super) struct Scatter {
    pub x: Arc<[f64]>,
    pub y: Arc<[f64]>,
    pub style: Style,
}

impl LegendHandle for Scatter {
    fn kind(&self) -> LayerKind {
        LayerKind::Points
    }

    fn style(&self) -> &Style {
        &self.style
    }

    fn marker_count(&self) -> usize {
        self.x.len()
    }
}

impl Layer for Scatter {
    fn points(&self) -> Vec<Point> {
        zip_points(&self.x, &self.y)
    }

    fn draw(&self, style: &ResolvedStyle, view: &AxesTransform, scene: &mut Scene) {
        draw_markers(&self.x, &self.y, style, view, scene);
    }

    fn footprint(&self, view: &AxesTransform) -> Vec<Point> {
        let mut points = pixel_runs(&self.x, &self.y, view).concat();
        points.retain(|p| view.rect.contains(*p));
        points
    }
}

/// Largest number of translucent markers that are drawn as vectors; more are drawn as one bitmap.
const MAX_TRANSLUCENT: usize = 20_000;

pub(in super::super) fn draw_markers(
    x: &[f64],
    y: &[f64],
    style: &ResolvedStyle,
    view: &AxesTransform,
    scene: &mut Scene,
) {
    let marker = style.marker.unwrap_or(Marker::Circle);
    let inside = view.rect.inflate(0.5);
    let mut seen = HashSet::new();
    // Of translucent markers all are visible, and so many would make a large file.
    let is_rasterized = style.alpha < 1.0 && x.len() > MAX_TRANSLUCENT && scene.shows_text();
    let mut part = Scene::part();
    // Discs closer than two fifths of their size leave no visible gap between them.
    let cell = if x.len() > 5000 {
        0.4 * style.size
    } else {
        0.0
    }
    .max(MIN_POINT_DISTANCE);
    for point in pixel_runs(x, y, view).concat() {
        let cell = (
            (point.0 / cell).round() as i64,
            (point.1 / cell).round() as i64,
        );
        // Of opaque markers at one position only one is visible; of translucent ones all are.
        let hidden = style.alpha >= 1.0 && !seen.insert(cell);
        if inside.contains(point) && !hidden {
            draw_marker(
                marker,
                point,
                style,
                if is_rasterized {
                    &mut part
                } else {
                    &mut *scene
                },
            );
        }
    }
    if is_rasterized {
        let around = view.rect.inflate(style.size);
        scene.items.extend(rasterize(part.items, &around));
    }
}
