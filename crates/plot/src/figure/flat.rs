//! Methods that add layers to a figure with two axes.

use std::sync::Arc;

use ndarray::{Array2, ArrayBase, Data, Ix2};

use super::super::layers::{
    Arrows, AxisPosition, Band, Contour, ContourLayer, HeatMap, HeatMapLayer, Layer, Line, Quiver,
    ReferenceLine, Scatter, Streamlines,
};
use super::super::rectilinear_grid::RectilinearGrid;
use super::super::style::Style;
use super::super::values::{Values, collect, same_length};
use super::Figure;
use odesync_base::error::{Error, Result};

impl Figure {
    /// Adds a line through the points (x, y).
    ///
    /// # Errors
    ///
    /// `x` and `y` of different length, or a style that cannot be drawn.
    pub fn line(self, x: impl Values, y: impl Values, style: Style) -> Result<Figure> {
        self.push_xy_layer("line", x, y, style, |x, y, style| {
            Arc::new(Line { x, y, style })
        })
    }

    /// Adds a marker at each point (x, y).
    ///
    /// # Errors
    ///
    /// `x` and `y` of different length, or a style that cannot be drawn.
    pub fn scatter(self, x: impl Values, y: impl Values, style: Style) -> Result<Figure> {
        self.push_xy_layer("scatter", x, y, style, |x, y, style| {
            Arc::new(Scatter { x, y, style })
        })
    }

    /// Adds a layer of the points (x, y).
    fn push_xy_layer(
        mut self,
        call: &str,
        x: impl Values,
        y: impl Values,
        style: Style,
        layer: impl FnOnce(Arc<[f64]>, Arc<[f64]>, Style) -> Arc<dyn Layer>,
    ) -> Result<Figure> {
        style.check()?;
        let (x, y) = (collect(x), collect(y));
        same_length(call, &style, &x, "y", &y)?;
        self.layers.push(layer(x, y, style));
        Ok(self)
    }

    /// Adds the area between y − half and y + half.
    ///
    /// # Errors
    ///
    /// `x`, `y` and `half` of different length, or a style that cannot be drawn.
    pub fn band(
        self,
        x: impl Values,
        y: impl Values,
        half: impl Values,
        style: Style,
    ) -> Result<Figure> {
        let (x, y, half) = (collect(x), collect(y), collect(half));
        same_length("band", &style, &x, "y", &y)?;
        same_length("band", &style, &x, "half", &half)?;
        let lower: Vec<f64> = y.iter().zip(half.iter()).map(|(y, h)| y - h).collect();
        let upper: Vec<f64> = y.iter().zip(half.iter()).map(|(y, h)| y + h).collect();
        self.band_between(&x[..], lower, upper, style)
    }

    /// Adds the area between `lower` and `upper`.
    ///
    /// # Errors
    ///
    /// `x`, `lower` and `upper` of different length, or a style that cannot be drawn.
    pub fn band_between(
        mut self,
        x: impl Values,
        lower: impl Values,
        upper: impl Values,
        style: Style,
    ) -> Result<Figure> {
        style.check()?;
        let (x, lower, upper) = (collect(x), collect(lower), collect(upper));
        same_length("band", &style, &x, "lower", &lower)?;
        same_length("band", &style, &x, "upper", &upper)?;
        self.layers.push(Arc::new(Band {
            x,
            lower,
            upper,
            style,
        }));
        Ok(self)
    }

    /// Adds a vertical line over the whole height at `x`, for instance at the end of the training data.
    ///
    /// # Errors
    ///
    /// `x` is not finite, or a style that cannot be drawn.
    pub fn vline(self, x: f64, style: Style) -> Result<Figure> {
        self.reference_line(("vertical", "x", x), AxisPosition::X(x), style)
    }

    /// Adds a straight line over the whole frame; `direction` and `axis` name it in errors.
    pub(super) fn reference_line(
        mut self,
        (direction, axis, at): (&str, &str, f64),
        position: AxisPosition,
        style: Style,
    ) -> Result<Figure> {
        style.check()?;
        if !at.is_finite() {
            return Err(Error::invalid(format!(
                "a {direction} line needs a finite {axis}, not {at}"
            )));
        }
        self.layers
            .push(Arc::new(ReferenceLine { position, style }));
        Ok(self)
    }

    /// Adds a heat map of coloured cells: `z` `[y, x]` has a row for each y and a column for each x, the centres of the cells;
    /// where there is one more x and y than values, x and y are the borders. Cells without a value (NaN) are hatched.
    ///
    /// ```
    /// use ndarray::array;
    /// use odesync_plot::{Figure, HeatMap};
    /// let z = array![[1.0, 10.0, 100.0], [2.0, f64::NAN, 50.0]];
    /// let figure = Figure::new().heatmap(&[0.0, 1.0, 2.0], &[0.0, 1.0], &z, &HeatMap::new().log())?;
    /// assert!(figure.to_svg()?.contains("data:image/png"));
    /// # Ok::<(), odesync_plot::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Shapes that do not fit, x or y that neither increase nor decrease, or no value that has a colour.
    pub fn heatmap<S: Data<Elem = f64>>(
        mut self,
        x: impl Values,
        y: impl Values,
        z: &ArrayBase<S, Ix2>,
        options: &HeatMap,
    ) -> Result<Figure> {
        let grid = RectilinearGrid::new("heatmap", x, y, z, true)?;
        self.layers
            .push(Arc::new(HeatMapLayer::new(grid, options)?));
        Ok(self)
    }

    /// Adds contour lines, or filled areas between them: `z` `[y, x]` has a row for each y and a column for each x. Lines over a
    /// layer that already has colours are dark unless the options give them a colour.
    ///
    /// # Errors
    ///
    /// Shapes that do not fit, x or y that neither increase nor decrease, or no value that has a colour.
    pub fn contour<S: Data<Elem = f64>>(
        mut self,
        x: impl Values,
        y: impl Values,
        z: &ArrayBase<S, Ix2>,
        options: &Contour,
    ) -> Result<Figure> {
        let grid = RectilinearGrid::new("contour", x, y, z, false)?;
        let over = self.layers.iter().any(|l| l.color_scale().is_some());
        self.layers
            .push(Arc::new(ContourLayer::new(grid, options, over)?));
        Ok(self)
    }

    /// Adds a vector field as arrows (u, v) at each x and y: `u` and `v` `[y, x]` have a row for each y and a column for each x.
    ///
    /// # Errors
    ///
    /// Shapes that do not fit, or x or y that neither increase nor decrease.
    pub fn quiver<S: Data<Elem = f64>>(
        mut self,
        x: impl Values,
        y: impl Values,
        u: &ArrayBase<S, Ix2>,
        v: &ArrayBase<S, Ix2>,
        options: &Arrows,
    ) -> Result<Figure> {
        let (u, v) = vector_grid("quiver", x, y, u, v)?;
        self.layers.push(Arc::new(Quiver::new(u, v, options)?));
        Ok(self)
    }

    /// Adds streamlines of the vector field (u, v), given as for [`Figure::quiver`] and interpolated between the points of the
    /// grid.
    ///
    /// # Errors
    ///
    /// Shapes that do not fit, or x or y that neither increase nor decrease.
    pub fn streamlines<S: Data<Elem = f64>>(
        mut self,
        x: impl Values,
        y: impl Values,
        u: &ArrayBase<S, Ix2>,
        v: &ArrayBase<S, Ix2>,
        options: &Arrows,
    ) -> Result<Figure> {
        let (u, v) = vector_grid("streamlines", x, y, u, v)?;
        self.layers.push(Arc::new(Streamlines::new(u, v, options)?));
        Ok(self)
    }
}

/// Returns both components of a vector field on one grid, reversed together along an axis that decreases.
fn vector_grid<S: Data<Elem = f64>>(
    call: &str,
    x: impl Values,
    y: impl Values,
    u: &ArrayBase<S, Ix2>,
    v: &ArrayBase<S, Ix2>,
) -> Result<(RectilinearGrid, Array2<f64>)> {
    let (x, y) = (collect(x), collect(y));
    let u = RectilinearGrid::new(call, x.iter(), y.iter(), u, false)?;
    let v = RectilinearGrid::new(call, x.iter(), y.iter(), v, false)?;
    Ok((u, v.z.as_ref().clone()))
}
