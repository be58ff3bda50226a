//! The figure of a smoothing spline and its derivative.

use ndarray::{Array2, ArrayView3, Axis};

use crate::{Error, Result};
use odesync_plot::Grid;
use odesync_plot::builders;
use odesync_train::datasets::Dataset;
use odesync_train::smoothing::SmoothingSpline;

/// Returns the first sample, `[time, dof]`.
fn first_sample(u: ArrayView3<'_, f64>) -> Array2<f64> {
    u.index_axis(Axis(0), 0).to_owned()
}

/// Plots a spline and its derivative for the first sample, with the data that it smooths; without data, with its values at its
/// knots.
pub fn spline(spline: &SmoothingSpline, data: Option<&Dataset>) -> Result<Grid> {
    let knots = spline.knots(0);
    let (Some(start), Some(end)) = (knots.first(), knots.last()) else {
        return Err(Error::invalid("plot: the spline has no knots"));
    };
    let n = 800;
    let fine: Vec<f64> = (0..=n)
        .map(|i| start + (end - start) * f64::from(i) / f64::from(n))
        .collect();
    let (values, slopes) = (
        first_sample(spline.at(&fine).view()),
        first_sample(spline.derivative_at(&fine).view()),
    );
    let (t, u, names) = match data {
        Some(data) => {
            let one = data.single_sample(0)?;
            (
                one.t().to_vec(),
                first_sample(one.u()),
                one.names().to_vec(),
            )
        }
        None => (
            knots.clone(),
            first_sample(spline.at(&knots).view()),
            Vec::new(),
        ),
    };
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    builders::spline(&fine, &values, &slopes, (&t, &u), &names)
}
