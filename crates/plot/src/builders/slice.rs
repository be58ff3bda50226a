//! The figure of losses along a line in parameter space.

use super::super::figure::Figure;
use super::super::style::{Dash, Style};
use odesync_base::error::Result;

/// Returns a figure of losses along one direction or over one parameter: one line for each `(label, values)`, on a logarithmic
/// axis where all are positive and span more than a factor of 30. `mark` is the position of the model, or the true value of the
/// parameter.
///
/// ```
/// use odesync_plot::builders::slice_1d;
/// let x: Vec<f64> = (-20..=20).map(|i| 0.1 * f64::from(i)).collect();
/// let loss: Vec<f64> = x.iter().map(|x| 0.1 + x * x).collect();
/// let longer: Vec<f64> = x.iter().map(|x| 0.1 + (3.0 * x).sin().powi(2)).collect();
/// let lines = [("t = 3", &loss[..]), ("t = 9", &longer[..])];
/// let figure = slice_1d(&x, &lines, ["step along v₁", "loss"], Some(0.0))?;
/// assert!(figure.to_svg()?.contains("t = 9"));
/// # Ok::<(), odesync_plot::Error>(())
/// ```
///
/// # Errors
///
/// A line whose length is not that of `x`.
pub fn slice_1d(
    x: &[f64],
    lines: &[(&str, &[f64])],
    labels: [&str; 2],
    mark: Option<f64>,
) -> Result<Figure> {
    let all = || {
        lines
            .iter()
            .flat_map(|(_, values)| values.iter().copied())
            .filter(|v| v.is_finite())
    };
    let (least, most) = all().fold((f64::INFINITY, 0.0), |(lo, hi): (f64, f64), v| {
        (lo.min(v), hi.max(v))
    });
    let mut figure = Figure::new().x_label(labels[0]).y_label(labels[1]);
    if least > 0.0 && most > 30.0 * least {
        figure = figure.log_y();
    }
    for (label, values) in lines {
        let style = if lines.len() > 1 {
            Style::new().label(*label)
        } else {
            Style::new()
        };
        figure = figure.line(x, *values, style)?;
    }
    match mark {
        Some(x) => figure.vline(x, Style::new().dash(Dash::Dotted)),
        None => Ok(figure),
    }
}
