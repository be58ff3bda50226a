//! The option keys of figures and their layers, as the plotting code declares them.

use super::super::keys::{Key, Keys};
use odesync_base::option_set;
use odesync_base::options::{Flag, Maybe, NumberList, NumberPair, Text, TextList};
use odesync_plot::{
    Annotation, Arrows, Contour, Figure, HeatMap, Histogram, PageOptions, Style, Surface, Waterfall,
};

pub(in crate::script) const FIGURE: Keys = &[Figure::KEYS];
pub(super) const STYLE: Keys = &[Style::OPTIONS];
pub(in crate::script) const HEATMAP: Keys = &[HeatMap::KEYS];
pub(super) const CONTOUR: Keys = &[Contour::KEYS];
pub(in crate::script) const SURFACE: Keys = &[Surface::KEYS];
pub(super) const WATERFALL: Keys = &[Waterfall::KEYS];
pub(super) const ARROWS: Keys = &[Arrows::KEYS];
pub(super) const HISTOGRAM: Keys = &[Histogram::OPTIONS];
pub(super) const ANNOTATION: Keys = &[Annotation::OPTIONS];

option_set! {
    /// Options of a grid of figures.
    #[derive(Debug)]
    pub(super) struct GridOptions {
        /// Title above the grid.
        pub title: Option<String> as Maybe<Text> = None;
        /// One x axis for each column, labelled under the lowest figure.
        pub share_x: bool as Flag = false;
        /// One y axis for each row, labelled left of the first figure.
        pub share_y: bool as Flag = false;
        /// Relative heights of the rows.
        pub row_heights: Option<Vec<f64>> as Maybe<NumberList> = None, "equal";
        /// Width and height of the grid in pixels, `[w, h]`; with a size on paper, its ratio.
        pub size: Option<(f64, f64)> as Maybe<NumberPair> = None, "suits the figures";
    }
}

pub(super) const GRID: Keys = &[GridOptions::OPTIONS, PageOptions::OPTIONS];

option_set! {
    /// Options of several values in one figure.
    #[derive(Debug)]
    pub(super) struct LabelOptions {
        /// Names of the values in the legend, in their order.
        pub labels: Vec<String> as TextList = vec![], "numbered";
    }
}

/// The option keys of several values in one figure.
pub(super) const LABELS: &[Key] = LabelOptions::OPTIONS;

/// The option keys of the columns of a matrix, each a layer.
pub(super) const LABELLED: Keys = &[Style::OPTIONS, LABELS];
