//! The prediction of several runs: their mean, with a standard deviation of their spread and of each by itself.

use ndarray::Array3;

use super::ensemble::Ensemble;
use super::run::Run;
use crate::weak_constraint::Prediction;
use crate::{Error, Result};

impl Ensemble {
    /// Returns the mean of the best models' trajectories with their standard deviation: that of the spread of the runs, and, where the
    /// method knows it, of each run by itself. A run that cannot be solved so far is left out.
    ///
    /// # Errors
    /// Times before the data's first, or the first failure if no trajectory could be solved.
    pub fn predict_with_bands(&self, t: &[f64]) -> Result<Prediction> {
        mean_prediction(self.runs(), t)
    }
}

/// Returns mean and standard deviation over the runs: the variance is the mean of their own variances, which are 0 for a method that
/// does not know them, plus the variance of their means. A run that cannot be solved so far is left out.
pub(crate) fn mean_prediction<'a>(
    runs: impl Iterator<Item = &'a Run>,
    t: &[f64],
) -> Result<Prediction> {
    let mut failed = None;
    let mut all: Vec<Prediction> = vec![];
    for run in runs {
        let prediction = match run.weak_constraint {
            Some(_) => run.predict_with_bands(t),
            None => run.predict(t).map(|u| Prediction {
                sd: Array3::zeros(u.raw_dim()),
                u,
            }),
        };
        match prediction {
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
