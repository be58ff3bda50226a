//! The option keys of figures and their layers, as the plotting code declares them.

use super::super::keys::{Key, Keys};
use odesync_plot::{Arrows, Contour, Figure, HeatMap, Style, Surface, Waterfall};

pub(in crate::script) const FIGURE: Keys = Figure::OPTIONS;
pub(super) const STYLE: Keys = Style::OPTIONS;
pub(in crate::script) const HEATMAP: Keys = HeatMap::OPTIONS;
pub(super) const CONTOUR: Keys = Contour::OPTIONS;
pub(in crate::script) const SURFACE: Keys = Surface::OPTIONS;
pub(super) const WATERFALL: Keys = Waterfall::OPTIONS;
pub(super) const ARROWS: Keys = Arrows::OPTIONS;

pub(super) const GRID: Keys = &[&[
    Key::new("title").doc("Title above the grid."),
    Key::flag("share_x").doc("One x axis for each column."),
    Key::flag("share_y").doc("One y axis for each row."),
    Key::new("row_heights").doc("Relative heights of the rows."),
    Key::new("size").doc("Width and height of the grid in pixels, `[w, h]`."),
]];
