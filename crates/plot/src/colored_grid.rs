//! Values on a grid with their colour scale, which all layers of gridded values contain.

use super::color_scale::{ColorScale, ColorScaleOptions};
use super::geometry::Point3;
use super::legend_handle::{LayerKind, LegendHandle};
use super::rectilinear_grid::RectilinearGrid;
use super::style::Style;
use odesync_base::error::Result;

/// Values on a rectilinear grid with their colour scale and a style.
#[derive(Debug, Clone)]
pub(super) struct ColoredGrid {
    pub grid: RectilinearGrid,
    pub color_scale: ColorScale,
    pub style: Style,
}

impl ColoredGrid {
    /// Creates a coloured grid whose colour scale suits the values; `call` is named in errors.
    pub fn new(
        call: &str,
        grid: RectilinearGrid,
        color_options: &ColorScaleOptions,
        style: &Style,
    ) -> Result<ColoredGrid> {
        Ok(ColoredGrid {
            color_scale: color_options.resolve(call, grid.z.iter().copied())?,
            style: style.clone(),
            grid,
        })
    }

    /// Returns the point (x, y, z) of the value in row `i` and column `j`.
    pub fn point(&self, i: usize, j: usize) -> Point3 {
        let RectilinearGrid { x, y, z } = &self.grid;
        [x[j], y[i], z[[i, j]]]
    }

    /// Returns the points (x, y, z) of all values.
    pub fn points(&self) -> Vec<Point3> {
        let indexed = self.grid.z.indexed_iter();
        indexed.map(|((i, j), _)| self.point(i, j)).collect()
    }
}

/// A layer that shows the values of a coloured grid by their colours.
pub(super) trait GridLayer: std::fmt::Debug + Send + Sync {
    fn colored_grid(&self) -> &ColoredGrid;
}

impl<T: GridLayer> LegendHandle for T {
    fn kind(&self) -> LayerKind {
        LayerKind::GridData
    }

    fn style(&self) -> &Style {
        &self.colored_grid().style
    }

    fn color_scale(&self) -> Option<&ColorScale> {
        Some(&self.colored_grid().color_scale)
    }
}
