//! Figures with three axes: their layers, and the painting order by depth.
//!
//! The projection is orthographic. Of two primitives at one pixel, the one that is nearer to the viewer *horizontally* hides the
//! other: along a line of sight depth and horizontal position grow together. So primitives are painted in the order of their
//! horizontal position, which is exact for small primitives, and more robust than their depth where a surface is steep.

mod camera;
mod depth_queue;
mod frame;
mod line;
mod quiver;
mod scatter;
mod surface;
mod waterfall;

use super::geometry::Point3;
use super::legend_handle::LegendHandle;
use super::resolved_style::ResolvedStyle;

pub(super) use camera::{AxesTransform3, Camera};
pub(super) use depth_queue::DepthQueue;
pub(super) use frame::BoxFrame;
pub(super) use line::{DEPTH_BIAS, Line3, ON_TOP_BIAS};
pub(super) use quiver::Quiver3;
pub(super) use scatter::Scatter3;
pub use surface::Surface;
pub(super) use surface::SurfaceLayer;
pub(super) use waterfall::WaterfallLayer;

/// A layer: one kind of content of a figure with three axes.
pub(super) trait Layer3: LegendHandle {
    /// Returns the points whose ranges the axes must cover.
    fn points(&self) -> Vec<Point3>;

    /// Whether the layer hides what is behind it.
    fn occludes(&self) -> bool {
        false
    }

    fn draw(&self, style: &ResolvedStyle, view: &AxesTransform3, queue: &mut DepthQueue);
}
