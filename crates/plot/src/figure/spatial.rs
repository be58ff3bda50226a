//! Methods that add layers to a figure with three axes.

use std::sync::Arc;

use ndarray::{ArrayBase, Data, Ix2};

use super::super::geometry::Point3;
use super::super::layers::{Arrows, Offset, RidgelineLayer, Waterfall};
use super::super::rectilinear_grid::RectilinearGrid;
use super::super::space::{
    DEPTH_BIAS, Layer3, Line3, Quiver3, Scatter3, Surface, SurfaceLayer, WaterfallLayer,
};
use super::super::style::Style;
use super::super::values::{Values, collect, same_length};
use super::Figure;
use odesync_base::error::{Error, Result};

impl Figure {
    /// Adds a surface over the plane: `z` `[y, x]` has a row for each y and a column for each x. The surface is coloured by
    /// height and has a hole where a value is missing (NaN). [`Figure::view`] sets the view angles, [`Figure::z_range`] cuts the
    /// surface off.
    ///
    /// ```
    /// use ndarray::Array2;
    /// use odesync_plot::{Figure, Surface};
    /// let x: Vec<f64> = (-10..=10).map(|i| 0.2 * f64::from(i)).collect();
    /// let z = Array2::from_shape_fn((21, 21), |(i, j)| x[i].powi(2) - x[j].powi(2));
    /// let figure = Figure::new().surface(&x, &x, &z, &Surface::new())?.view(-60.0, 30.0)?.z_range(-2.0, 2.0)?;
    /// assert!(figure.to_svg()?.contains("<polygon"));
    /// # Ok::<(), odesync_plot::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Shapes that do not fit, x or y that neither increase nor decrease, or no value that has a colour.
    pub fn surface<S: Data<Elem = f64>>(
        mut self,
        x: impl Values,
        y: impl Values,
        z: &ArrayBase<S, Ix2>,
        options: &Surface,
    ) -> Result<Figure> {
        let grid = RectilinearGrid::new("surface", x, y, z, false)?;
        self.layers3
            .push(Arc::new(SurfaceLayer::new(grid, options)?));
        Ok(self)
    }

    /// Adds a waterfall: many curves over one x, coloured by height. Row `i` of `z` `[curve, x]` is drawn at `y[i]`, one curve
    /// behind the other on three axes, or with [`Waterfall::in_height`] one above the other on two.
    ///
    /// # Errors
    ///
    /// Shapes that do not fit, x or y that neither increase nor decrease, or no value that has a colour.
    pub fn waterfall<S: Data<Elem = f64>>(
        mut self,
        x: impl Values,
        y: impl Values,
        z: &ArrayBase<S, Ix2>,
        options: &Waterfall,
    ) -> Result<Figure> {
        let grid = RectilinearGrid::new("waterfall", x, y, z, false)?;
        match options.offset {
            Offset::Height => self
                .layers
                .push(Arc::new(RidgelineLayer::new(grid, options)?)),
            Offset::Depth => self
                .layers3
                .push(Arc::new(WaterfallLayer::new(grid, options)?)),
        }
        Ok(self)
    }

    /// Adds a line through the points (x, y, z) of space.
    ///
    /// # Errors
    ///
    /// Rows of different length, or a style that cannot be drawn.
    pub fn line3(
        self,
        x: impl Values,
        y: impl Values,
        z: impl Values,
        style: Style,
    ) -> Result<Figure> {
        self.push_xyz_layer("line3", (x, y, z), style, |points, style| {
            Arc::new(Line3 {
                points,
                style,
                depth_bias: DEPTH_BIAS,
            })
        })
    }

    /// Adds a marker at each point (x, y, z) of space.
    ///
    /// # Errors
    ///
    /// Rows of different length, or a style that cannot be drawn.
    pub fn scatter3(
        self,
        x: impl Values,
        y: impl Values,
        z: impl Values,
        style: Style,
    ) -> Result<Figure> {
        self.push_xyz_layer("scatter3", (x, y, z), style, |points, style| {
            Arc::new(Scatter3 {
                points,
                style,
                depth_bias: DEPTH_BIAS,
            })
        })
    }

    /// Adds a layer of the points whose coordinates are the three arrays.
    fn push_xyz_layer(
        mut self,
        call: &str,
        (x, y, z): (impl Values, impl Values, impl Values),
        style: Style,
        layer: impl FnOnce(Arc<[Point3]>, Style) -> Arc<dyn Layer3>,
    ) -> Result<Figure> {
        style.check()?;
        let (x, y, z) = (collect(x), collect(y), collect(z));
        same_length(call, &style, &x, "y", &y)?;
        same_length(call, &style, &x, "z", &z)?;
        let points = (0..x.len()).map(|i| [x[i], y[i], z[i]]).collect();
        self.layers3.push(layer(points, style));
        Ok(self)
    }

    /// Adds a vector field as arrows at points of space: `at` and `vectors` are `[point, 3]`.
    ///
    /// # Errors
    ///
    /// Shapes that differ or have not three columns.
    pub fn quiver3<S: Data<Elem = f64>>(
        mut self,
        at: &ArrayBase<S, Ix2>,
        vectors: &ArrayBase<S, Ix2>,
        options: &Arrows,
    ) -> Result<Figure> {
        if at.ncols() != 3 || at.shape() != vectors.shape() {
            return Err(Error::invalid(format!(
                "quiver3: the points have the shape {:?} and the vectors {:?}; both take a row of three for each arrow",
                at.shape(),
                vectors.shape()
            )));
        }
        let rows = |a: &ArrayBase<S, Ix2>| -> Arc<[Point3]> {
            a.rows().into_iter().map(|r| [r[0], r[1], r[2]]).collect()
        };
        self.layers3
            .push(Arc::new(Quiver3::new(rows(at), rows(vectors), options)?));
        Ok(self)
    }
}
