//! The interface of all layers, with two axes or three, to the legend, the palette and the colour bar.

use std::fmt::Debug;

use super::color_scale::ColorScale;
use super::style::Style;

/// The kind of a layer, which determines its default colour and its legend handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LayerKind {
    /// A line, with the next colour of the palette.
    Line,
    /// Points, with the next colour of the palette.
    Points,
    /// An area, with the colour of its line.
    Band,
    /// Bars, with the next colour of the palette.
    Bars,
    /// A grey reference line, which is not data.
    ReferenceLine,
    /// Gridded data coloured by value, or a vector field: takes no colour of the palette.
    GridData,
}

/// The properties of a layer that are independent of its axes.
pub(super) trait LegendHandle: Debug + Send + Sync {
    fn kind(&self) -> LayerKind;

    fn style(&self) -> &Style;

    /// Returns the number of points that may get a marker.
    fn marker_count(&self) -> usize {
        0
    }

    /// Returns the colour scale of the layer's values for the colour bar, if it has one.
    fn color_scale(&self) -> Option<&ColorScale> {
        None
    }

    /// Whether the layer's points have error bars.
    fn has_error_bars(&self) -> bool {
        false
    }

    /// Whether the layer has markers at its points.
    fn has_markers(&self) -> bool {
        self.kind() == LayerKind::Points || self.style().marker.is_some()
    }
}
