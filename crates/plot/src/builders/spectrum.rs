//! The figure of all eigenvalues of a Hessian.

use super::super::color::Color;
use super::super::figure::Figure;
use super::super::style::Style;
use odesync_base::error::Result;

/// The threshold of the symlog axis, as a part of the largest magnitude; the axis is linear below it.
const LINEAR_FRACTION: f64 = 1e-6;

/// Returns a figure of eigenvalues by rank, the largest first, on an axis that is logarithmic on either side of 0; negative
/// eigenvalues have another colour.
///
/// ```
/// use odesync_plot::builders::spectrum;
/// let figure = spectrum(&[-0.01, 0.0, 0.002, 1.0, 30.0])?;
/// assert!(figure.to_svg()?.contains("eigenvalue"));
/// # Ok::<(), odesync_plot::Error>(())
/// ```
///
/// # Errors
///
/// Those of the figure.
pub fn spectrum(eigenvalues: &[f64]) -> Result<Figure> {
    let mut values: Vec<f64> = eigenvalues
        .iter()
        .copied()
        .filter(|v| v.is_finite())
        .collect();
    values.sort_by(|a, b| b.total_cmp(a));
    let most = values.iter().fold(0.0, |most: f64, v| most.max(v.abs()));
    let mut figure = Figure::new().x_label("rank").y_label("eigenvalue");
    if most > 0.0 {
        figure = figure.symlog_y((LINEAR_FRACTION * most).max(1e-280))?;
    }
    let ranked = |negative: bool| {
        let all = values
            .iter()
            .enumerate()
            .filter(move |(_, v)| (**v < 0.0) == negative);
        all.map(|(i, v)| ((i + 1) as f64, *v)).unzip()
    };
    let (x, y): (Vec<f64>, Vec<f64>) = ranked(false);
    let below: (Vec<f64>, Vec<f64>) = ranked(true);
    let (blue, red) = (Color::Palette(0), Color::Palette(1));
    match below.0.is_empty() {
        true => figure.scatter(x, y, Style::new().color(blue)),
        false => figure
            .scatter(x, y, Style::new().color(blue).label("0 or above"))?
            .scatter(below.0, below.1, Style::new().color(red).label("below 0")),
    }
}
