//! The prediction of several runs: their mean, with a standard deviation of their spread and of each by itself.

use ndarray::Array3;

use crate::training::{Prediction, Run};
use crate::{Error, Result};

/// Returns mean and standard deviation over the runs: the variance is the mean of their own variances plus the variance of their
/// means. A run that cannot be solved so far is left out.
pub(super) fn predict<'a>(runs: impl Iterator<Item = &'a Run>, t: &[f64]) -> Result<Prediction> {
    let mut failed = None;
    let mut all: Vec<Prediction> = vec![];
    for run in runs {
        match run.predict_with_bands(t) {
            Ok(prediction) => all.push(prediction),
            Err(error @ (Error::Solve(_) | Error::Training(_))) => failed = Some(error),
            Err(error) => return Err(error),
        }
    }
    let Some(first) = all.first() else {
        return Err(failed.unwrap_or_else(|| Error::invalid("there are no runs")));
    };
    let n = all.len() as f64;
    let shape = first.u.raw_dim();
    let mut mean = Array3::zeros(shape);
    for prediction in &all {
        mean += &prediction.u;
    }
    mean /= n;
    let mut variance = Array3::zeros(shape);
    for prediction in &all {
        variance += &prediction.sd.mapv(|sd| sd * sd);
        variance += &(&prediction.u - &mean).mapv(|d| d * d);
    }
    Ok(Prediction {
        u: mean,
        sd: variance.mapv(|v| (v / n).sqrt()),
    })
}
