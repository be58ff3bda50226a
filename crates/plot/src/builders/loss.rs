//! Figures of losses and the homotopy parameter by epoch.

use super::super::color::Color;
use super::super::figure::Figure;
use super::super::grid::Grid;
use super::super::style::Style;
use odesync_base::error::Result;

/// Returns a figure of losses over the epochs on a logarithmic axis and, in a small panel below that shares the horizontal axis,
/// of the homotopy parameter λ. An epoch without a value is NaN.
///
/// ```
/// use odesync_plot::loss_curve;
/// let grid = loss_curve(
///     &[1.0, 2.0, 3.0],
///     &[("training loss", &[1.0, 0.1, 0.02]), ("mse", &[2.0, f64::NAN, 0.3])],
///     Some(&[1.0, 0.5, 0.0]),
/// )?;
/// assert!(grid.to_svg()?.contains('λ'));
/// # Ok::<(), odesync_plot::Error>(())
/// ```
///
/// # Errors
///
/// A series whose length is not that of `epochs`.
pub fn loss_curve(
    epochs: &[f64],
    series: &[(&str, &[f64])],
    lambda: Option<&[f64]>,
) -> Result<Grid> {
    let mut losses = Figure::new().y_label("loss");
    // Losses that are all exactly 0 cannot be drawn on a logarithmic axis.
    if series
        .iter()
        .any(|(_, values)| values.iter().any(|v| *v > 0.0))
    {
        losses = losses.log_y();
    }
    if let Some((low, high)) = robust_y_range(series) {
        losses = losses.y_range(low, high)?;
    }
    for (label, values) in series {
        losses = losses.line(epochs, *values, Style::new().label(*label).width(1.6))?;
    }
    with_lambda(losses, epochs, lambda)
}

/// Returns the range of the vertical axis where a few values are so far above the others that these would look constant; values
/// above the range are cut off at the upper edge. Such values occur because the coupling keeps the coupled solution near the data
/// while the uncoupled model may be far from it.
fn robust_y_range(series: &[(&str, &[f64])]) -> Option<(f64, f64)> {
    let all = series.iter().flat_map(|(_, values)| values.iter().copied());
    let mut all: Vec<f64> = all.filter(|v| *v > 0.0 && v.is_finite()).collect();
    all.sort_unstable_by(f64::total_cmp);
    let (low, high) = (*all.first()?, *all.last()?);
    let usual = all[(all.len() - 1) * 19 / 20];
    (high > 1e3 * usual).then_some((low / 1.5, 10.0 * usual))
}

/// Returns a figure of the mse of several runs by epoch: the median as a line and the band between the quartiles, on a
/// logarithmic axis, and the homotopy parameter λ in a panel below. `quartiles` are the lower quartile, the median and the upper
/// quartile.
///
/// # Errors
///
/// A series whose length is not that of `epochs`.
pub fn losses_band(epochs: &[f64], quartiles: [&[f64]; 3], lambda: Option<&[f64]>) -> Result<Grid> {
    let [low, median, high] = quartiles;
    let mut losses = Figure::new().y_label("mse");
    if median.iter().any(|v| *v > 0.0) {
        losses = losses.log_y();
    }
    losses = losses
        .line(epochs, median, Style::new().label("median").width(1.8))?
        .band_between(epochs, low, high, Style::new().label("quartiles"))?;
    with_lambda(losses, epochs, lambda)
}

fn with_lambda(losses: Figure, epochs: &[f64], lambda: Option<&[f64]>) -> Result<Grid> {
    let Some(lambda) = lambda else {
        return Grid::new(1, [losses.x_label("epoch")]);
    };
    let homotopy = Figure::new()
        .x_label("epoch")
        .y_label("λ")
        .y_range(
            -0.06,
            lambda
                .iter()
                .copied()
                .filter(|v| v.is_finite())
                .fold(1.0, f64::max)
                * 1.06,
        )?
        .line(epochs, lambda, Style::new().color(Color::Palette(6)))?;
    Grid::new(1, [losses, homotopy])?
        .share_x()
        .row_heights(&[2.4, 1.0])
}
