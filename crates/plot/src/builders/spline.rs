//! The figure of a smoothing spline and its derivative.

use ndarray::{ArrayBase, Data, Ix2};

use super::super::color::Color;
use super::super::figure::Figure;
use super::super::grid::Grid;
use super::super::style::Style;
use super::{component_name, fit, same_length};
use odesync_base::error::Result;

/// Returns a figure of a spline, `values` `[time, dof]` at the times `fine`, with the data points `(t, u)` that it smooths, and
/// of its derivative `slopes` in a panel below.
///
/// ```
/// use ndarray::array;
/// use odesync_plot::builders::spline;
/// let (t, u) = (vec![0.0, 1.0, 2.0], array![[0.0], [1.0], [4.0]]);
/// let slopes = array![[0.0], [2.0], [4.0]];
/// assert!(spline(&t, &u, &slopes, (&t, &u), &["x"])?.to_svg()?.contains("dx/dt"));
/// # Ok::<(), odesync_plot::Error>(())
/// ```
///
/// # Errors
///
/// Times and values of different length.
pub fn spline<S: Data<Elem = f64>>(
    fine: &[f64],
    values: &ArrayBase<S, Ix2>,
    slopes: &ArrayBase<S, Ix2>,
    points: (&[f64], &ArrayBase<S, Ix2>),
    names: &[&str],
) -> Result<Grid> {
    same_length("the derivative", fine, &slopes.view())?;
    let upper = fit::fit_labelled(points, ("spline", fine, values), None, names)?.x_label("");
    let mut lower = Figure::new().x_label("t").y_label(match slopes.ncols() {
        1 => format!("d{}/dt", component_name(names, 0)),
        _ => "du/dt".to_owned(),
    });
    for (i, column) in slopes.columns().into_iter().enumerate() {
        lower = lower.line(fine, column, Style::new().color(Color::Palette(i)))?;
    }
    Grid::new(1, [upper, lower])?
        .share_x()
        .row_heights(&[1.6, 1.0])?
        .size(900, 640)
}
