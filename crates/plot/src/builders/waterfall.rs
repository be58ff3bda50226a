//! The figure of spectral densities over a training.

use ndarray::{ArrayBase, Data, Ix2};

use super::super::figure::Figure;
use super::super::layers::Waterfall;
use odesync_base::error::Result;

/// Returns a figure of spectral densities over the training, `rows` `[epoch, eigenvalue]`, one curve behind the other, coloured
/// by height; the density is logarithmic, down to a millionth of its largest value.
///
/// ```
/// use ndarray::Array2;
/// use odesync_plot::builders::waterfall;
/// let grid: Vec<f64> = (0..60).map(|i| 0.1 * f64::from(i)).collect();
/// let rows = Array2::from_shape_fn((5, 60), |(i, j)| (-(grid[j] - 0.5 * i as f64).powi(2)).exp());
/// let figure = waterfall(&grid, &rows, &[0.0, 50.0, 100.0, 150.0, 200.0])?;
/// assert!(figure.to_svg()?.contains("epoch"));
/// # Ok::<(), odesync_plot::Error>(())
/// ```
///
/// # Errors
///
/// Shapes that do not fit, or no positive density.
pub fn waterfall<S: Data<Elem = f64>>(
    grid: &[f64],
    rows: &ArrayBase<S, Ix2>,
    epochs: &[f64],
) -> Result<Figure> {
    let most = rows
        .iter()
        .copied()
        .filter(|v| v.is_finite())
        .fold(0.0, f64::max);
    let mut figure = Figure::new()
        .size(900, 620)?
        .x_label("eigenvalue")
        .y_label("epoch")
        .z_label("density")
        .view(-68.0, 32.0)?;
    let mut options = Waterfall::new();
    if most > 0.0 {
        figure = figure.log_z().z_range(1e-6 * most, most)?;
        options = options.log();
    }
    figure.waterfall(grid, epochs, rows, &options)
}
