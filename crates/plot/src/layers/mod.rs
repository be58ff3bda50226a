//! The layers of a figure with two axes: one kind of content per file, each a [`Layer`].

mod annotation;
mod band;
mod bars;
mod contour;
mod contour_labels;
mod error_bars;
mod heatmap;
mod line;
mod quiver;
mod reference_line;
mod ridgeline;
mod scatter;
mod streamline_seeding;
mod streamlines;

use super::axes_transform::AxesTransform;
use super::geometry::Point;
use super::legend_handle::LegendHandle;
use super::resolved_style::ResolvedStyle;
use super::scene::Scene;

pub use annotation::Annotation;
pub(super) use band::Band;
pub(super) use bars::Bars;
pub use bars::Histogram;
pub use contour::Contour;
pub(super) use contour::ContourLayer;
pub(super) use error_bars::ErrorBars;
pub use heatmap::HeatMap;
pub(super) use heatmap::HeatMapLayer;
pub(super) use line::Line;
pub use quiver::Arrows;
pub(super) use quiver::{Quiver, draw_arrow};
pub(super) use reference_line::{AxisPosition, ReferenceLine};
pub use ridgeline::Waterfall;
pub(super) use ridgeline::{Offset, RidgelineLayer};
pub(super) use scatter::{Scatter, draw_markers};
pub(super) use streamlines::{Streamlines, single_color_runs};

/// Distance in pixels below which points are indistinguishable.
pub(super) const MIN_POINT_DISTANCE: f64 = 0.25;

/// A layer: one kind of content of a figure with two axes.
pub(super) trait Layer: LegendHandle {
    /// Returns the points whose ranges the axes must cover.
    fn points(&self) -> Vec<Point>;

    /// Returns x values that the horizontal axis must cover although the layer has no point there.
    fn required_x(&self) -> Vec<f64> {
        Vec::new()
    }

    /// Returns y values that the vertical axis must cover although the layer has no point there.
    fn required_y(&self) -> Vec<f64> {
        Vec::new()
    }

    /// Whether the layer only marks places, and has no data.
    fn is_mark(&self) -> bool {
        !self.required_x().is_empty() || !self.required_y().is_empty()
    }

    /// Returns the value on which the layer stands, which the vertical axis must cover; an axis that begins there has no margin.
    fn base(&self) -> Option<f64> {
        None
    }

    /// Whether the axes end at the layer's outer points, without a margin.
    fn tight(&self) -> bool {
        false
    }

    fn draw(&self, style: &ResolvedStyle, view: &AxesTransform, scene: &mut Scene);

    /// Returns points a few pixels apart on everything that the layer draws, so that the legend can avoid it.
    fn footprint(&self, view: &AxesTransform) -> Vec<Point>;
}

/// Returns the points (x, y) of two arrays.
pub(super) fn zip_points(x: &[f64], y: &[f64]) -> Vec<Point> {
    x.iter().copied().zip(y.iter().copied()).collect()
}

/// Returns the runs of consecutive points that can be drawn, in pixels; a point that cannot be drawn ends a run, so that a gap in
/// the data is a gap in the figure.
pub(super) fn pixel_runs(x: &[f64], y: &[f64], view: &AxesTransform) -> Vec<Vec<Point>> {
    zip_points(x, y)
        .split(|p| !view.in_domain(*p))
        .filter(|run| !run.is_empty())
        .map(|run| run.iter().map(|p| view.pixel(*p)).collect())
        .collect()
}

/// Adds points along a polyline, at most six pixels apart, to `points`.
pub(super) fn sample_polyline(line: &[Point], points: &mut Vec<Point>) {
    points.extend(line.first());
    for pair in line.windows(2) {
        let [a, b] = [pair[0], pair[1]];
        let steps = ((b.0 - a.0).hypot(b.1 - a.1) / 6.0).ceil().max(1.0);
        let at = |s: f64| (a.0 + s * (b.0 - a.0), a.1 + s * (b.1 - a.1));
        points.extend((1..=steps as usize).map(|i| at(i as f64 / steps)));
    }
}
