//! The figure of the residuals of a fit.

use ndarray::{ArrayBase, Data, Ix2};

use super::super::color::Color;
use super::super::figure::Figure;
use super::super::style::{Dash, Style};
use super::{component_name, same_length};
use odesync_base::error::Result;

/// Returns a figure of residuals, data minus model, `[time, dof]` over time, as points around a line at 0.
///
/// ```
/// use ndarray::array;
/// use odesync_plot::builders::residuals;
/// let figure = residuals(&[0.0, 1.0, 2.0], &array![[0.1], [-0.05], [f64::NAN]], &["x"])?;
/// assert!(figure.to_svg()?.contains("data − model"));
/// # Ok::<(), odesync_plot::Error>(())
/// ```
///
/// # Errors
///
/// `t` and `residuals` of different length.
pub fn residuals<S: Data<Elem = f64>>(
    t: &[f64],
    residuals: &ArrayBase<S, Ix2>,
    names: &[&str],
) -> Result<Figure> {
    let values = residuals.view();
    same_length("residuals", t, &values)?;
    let mut figure = Figure::new().x_label("t").y_label("data − model");
    if let Some((first, last)) = t.first().zip(t.last()) {
        let zero = Style::new()
            .color(Color::Rgb(0x55, 0x55, 0x55))
            .dash(Dash::Dashed)
            .width(1.2);
        figure = figure.line([*first, *last], [0.0, 0.0], zero)?;
    }
    for (i, column) in values.columns().into_iter().enumerate() {
        let style = Style::new().color(Color::Palette(i)).alpha(0.75);
        let style = match values.ncols() {
            1 => style,
            _ => style.label(component_name(names, i)),
        };
        figure = figure.scatter(t, column, style)?;
    }
    Ok(figure)
}
