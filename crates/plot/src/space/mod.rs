//! Figures of three axes: what they are made of, and how depth is kept.
//!
//! The projection is orthographic. Of two things at one pixel, the one that lies farther towards the viewer *horizontally* hides the
//! other: along a line of sight depth and horizontal position grow together. So pieces are painted in the order of their horizontal
//! position, which is exact for pieces that are small, and more robust than their depth where a surface is steep.

mod arrows;
mod camera;
mod frame;
mod line;
mod pieces;
mod points;
mod surface;
mod waterfall;

use super::entry::Entry;
use super::geometry::Place;
use super::look::Look;

pub(super) use arrows::Arrows3;
pub(super) use camera::{Camera, SpaceView};
pub(super) use frame::BoxFrame;
pub(super) use line::{LIFT, Line3, THROUGH};
pub(super) use pieces::Pieces;
pub(super) use points::Points3;
pub(super) use surface::Sheet;
pub use surface::Surface;
pub(super) use waterfall::Curtains;

/// One kind of content of a figure with three axes.
pub(super) trait Layer3: Entry {
    /// The points whose ranges the axes must cover.
    fn places(&self) -> Vec<Place>;

    /// Whether it hides what is behind it.
    fn solid(&self) -> bool {
        false
    }

    fn draw(&self, look: &Look, view: &SpaceView, pieces: &mut Pieces);
}
