//! What every layer is to the legend, the palette and the colour bar, whether it has two axes or three.

use std::fmt::Debug;

use super::color_scale::ColorScale;
use super::style::Style;

/// How a layer takes its colour, and its sign in a legend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LayerKind {
    /// A line, of the next colour of the palette.
    Line,
    /// Points, of the next colour of the palette.
    Points,
    /// An area of its line's colour.
    Band,
    /// A mark that is no data, grey.
    ReferenceLine,
    /// Coloured by value, or a background: takes no colour of the palette.
    GridData,
}

/// The part of a layer that has nothing to do with its axes.
pub(super) trait LegendHandle: Debug + Send + Sync {
    fn kind(&self) -> LayerKind;

    fn style(&self) -> &Style;

    /// The number of points that may get a marker.
    fn marker_count(&self) -> usize {
        0
    }

    /// The colours of its values, if it has some, for the colour bar.
    fn color_scale(&self) -> Option<&ColorScale> {
        None
    }

    /// Whether the layer has markers at its points.
    fn has_markers(&self) -> bool {
        self.kind() == LayerKind::Points || self.style().marker.is_some()
    }
}
