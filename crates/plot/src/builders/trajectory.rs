//! The figure of a trajectory over time.

use ndarray::{ArrayBase, Data, Ix2};

use super::super::figure::Figure;
use super::super::style::Style;
use super::{component_name, same_length};
use odesync_base::error::Result;

/// Returns a figure of a trajectory over time, one line for each component of `u` `[time, dof]`. Components without a name in
/// `names` are called u₀, u₁, …
///
/// ```
/// use ndarray::array;
/// use odesync_plot::trajectory;
/// let figure = trajectory(&[0.0, 0.5, 1.0], &array![[1.0, 0.0], [0.8, 0.3], [0.5, 0.6]], &["prey", "predators"])?;
/// assert!(figure.to_svg()?.contains("predators"));
/// # Ok::<(), odesync_plot::Error>(())
/// ```
///
/// # Errors
///
/// `t` and `u` of different length.
pub fn trajectory<S: Data<Elem = f64>>(
    t: &[f64],
    u: &ArrayBase<S, Ix2>,
    names: &[&str],
) -> Result<Figure> {
    let u = u.view();
    same_length("u", t, &u)?;
    let mut figure = Figure::new().x_label("t");
    figure = match u.ncols() {
        1 => figure.y_label(component_name(names, 0)),
        _ => figure.y_label("u"),
    };
    for (i, column) in u.columns().into_iter().enumerate() {
        let style = match u.ncols() {
            1 => Style::new(),
            _ => Style::new().label(component_name(names, i)),
        };
        figure = figure.line(t, column, style)?;
    }
    Ok(figure)
}
