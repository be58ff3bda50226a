//! What a figure with two axes is made of: one kind of content a file, each a [`Layer`].

mod band;
mod contour;
mod contour_labels;
mod heatmap;
mod line;
mod quiver;
mod ridgeline;
mod scatter;
mod streamline_seeding;
mod streamlines;
mod vline;

use super::axes_transform::AxesTransform;
use super::geometry::Point;
use super::legend_handle::LegendHandle;
use super::resolved_style::ResolvedStyle;
use super::scene::Scene;

pub(super) use band::Band;
pub use contour::Contour;
pub(super) use contour::ContourLayer;
pub use heatmap::HeatMap;
pub(super) use heatmap::HeatMapLayer;
pub(super) use line::Line;
pub use quiver::Arrows;
pub(super) use quiver::{ARROW_GREY, Quiver, draw_arrow};
pub(super) use ridgeline::RidgelineLayer;
pub use ridgeline::Waterfall;
pub(super) use scatter::{Scatter, draw_markers};
pub(super) use streamlines::{Streamlines, single_color_runs};
pub(super) use vline::VLine;

/// Points closer than this, in pixels, look like one.
pub(super) const MIN_POINT_DISTANCE: f64 = 0.25;

/// One kind of content of a figure with two axes.
pub(super) trait Layer: LegendHandle {
    /// The points whose ranges the axes must cover.
    fn points(&self) -> Vec<Point>;

    /// Positions on the horizontal axis that it must cover although the layer has no point there.
    fn required_x(&self) -> Vec<f64> {
        Vec::new()
    }

    /// Whether the axes end where the layer does.
    fn tight(&self) -> bool {
        false
    }

    fn draw(&self, look: &ResolvedStyle, view: &AxesTransform, scene: &mut Scene);

    /// Points a few pixels apart on everything the layer draws, so that a legend can keep off it.
    fn footprint(&self, view: &AxesTransform) -> Vec<Point>;
}

/// Rows of numbers as points.
pub(super) fn zip_points(x: &[f64], y: &[f64]) -> Vec<Point> {
    x.iter().copied().zip(y.iter().copied()).collect()
}

/// The points that can be shown, in pixels, broken wherever one can't: a gap in the data stays a gap.
pub(super) fn pixel_runs(x: &[f64], y: &[f64], view: &AxesTransform) -> Vec<Vec<Point>> {
    zip_points(x, y)
        .split(|p| !view.in_domain(*p))
        .filter(|run| !run.is_empty())
        .map(|run| run.iter().map(|p| view.pixel(*p)).collect())
        .collect()
}

/// Adds points at most six pixels apart along a line.
pub(super) fn sample_polyline(line: &[Point], points: &mut Vec<Point>) {
    points.extend(line.first());
    for pair in line.windows(2) {
        let [a, b] = [pair[0], pair[1]];
        let steps = ((b.0 - a.0).hypot(b.1 - a.1) / 6.0).ceil().max(1.0);
        let at = |s: f64| (a.0 + s * (b.0 - a.0), a.1 + s * (b.1 - a.1));
        points.extend((1..=steps as usize).map(|i| at(i as f64 / steps)));
    }
}
