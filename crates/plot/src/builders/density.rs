//! The figure of the spectral density of a Hessian.

use super::super::color::Color;
use super::super::figure::Figure;
use super::super::style::Style;
use super::super::values::{Values, collect};
use odesync_base::error::Result;

/// Returns a figure of a spectral density over the eigenvalue: the density on a logarithmic axis down to a millionth of its
/// largest value, and the exact eigenvalues, where they are known, as marks at the lower edge.
///
/// ```
/// use odesync_plot::builders::density;
/// let grid: Vec<f64> = (-50..=50).map(|i| 0.1 * f64::from(i)).collect();
/// let values: Vec<f64> = grid.iter().map(|x| (-x * x).exp()).collect();
/// let figure = density(&grid, &values, &[-0.5, 0.0, 1.5])?;
/// assert!(figure.to_svg()?.contains("eigenvalue"));
/// # Ok::<(), odesync_plot::Error>(())
/// ```
///
/// # Errors
///
/// `grid` and `density` of different length.
pub fn density(grid: impl Values, density: impl Values, eigenvalues: &[f64]) -> Result<Figure> {
    let (grid, density) = (collect(grid), collect(density));
    let most = density
        .iter()
        .copied()
        .filter(|v| v.is_finite())
        .fold(0.0, f64::max);
    let mut figure = Figure::new().x_label("eigenvalue").y_label("density");
    let floor = 1e-6 * most;
    if most > 0.0 {
        figure = figure.log_y().y_range(floor, 3.0 * most)?;
    }
    let curve = Style::new().color(Color::Palette(0));
    let curve = if eigenvalues.is_empty() {
        curve
    } else {
        curve.label("density")
    };
    // A density of 0 lies far below the frame; on a logarithmic axis the line would break there.
    let shown: Vec<f64> = density
        .iter()
        .map(|v| if *v < 1e-3 * floor { 1e-3 * floor } else { *v })
        .collect();
    figure = figure.line(&grid[..], &shown, curve)?;
    if most > 0.0 && !shown.iter().all(|v| v.is_nan()) {
        let lower = vec![floor; grid.len()];
        let upper: Vec<f64> = shown.iter().map(|v| v.max(floor)).collect();
        let style = Style::new().color(Color::Palette(0)).alpha(0.15);
        figure = figure.band_between(&grid[..], lower, upper, style)?;
    }
    for (i, value) in eigenvalues.iter().filter(|v| v.is_finite()).enumerate() {
        let style = Style::new().color(Color::Palette(1)).width(1.2).alpha(0.8);
        let style = if i == 0 {
            style.label("eigenvalues")
        } else {
            style
        };
        let foot = match most > 0.0 {
            true => [floor, floor * 1.8],
            false => [0.0, 0.05],
        };
        figure = figure.line([*value, *value], foot, style)?;
    }
    Ok(figure)
}
