//! Which of the seeds' runs are as good as the best.

use super::log_evidence;
use crate::datasets::Dataset;
use crate::training::Ensemble;
use crate::{Error, Result};

/// Log evidence by which a run may be below the best: a number and a part of the number of data.
const FAILED_EVIDENCE: (f64, f64) = (15.0, 0.05);

/// Labels of runs.
type Labels = Vec<String>;

/// Label of a run that was dropped, and why.
type Dropped = (String, String);

/// Returns the labels of the runs that are as good as the best, and those of the others with a reason.
pub(super) fn sort_out(ensemble: &Ensemble, data: &Dataset) -> Result<(Labels, Vec<Dropped>)> {
    let n_data = data
        .trajectories()
        .flat_map(|(_, u)| u)
        .filter(|x| !x.is_nan())
        .count();
    let best = ensemble
        .runs()
        .map(log_evidence)
        .fold(f64::NEG_INFINITY, f64::max);
    let worst = best - FAILED_EVIDENCE.0 - FAILED_EVIDENCE.1 * n_data as f64;
    let (mut kept, mut dropped) = (vec![], vec![]);
    for (label, result) in &ensemble.members {
        match result {
            Err(error) => dropped.push((label.clone(), error.to_string())),
            Ok(run) if log_evidence(run) >= worst => kept.push(label.clone()),
            Ok(run) => {
                let below = best - log_evidence(run);
                dropped.push((
                    label.clone(),
                    format!("its log evidence is {below:.0} below the best"),
                ));
            }
        }
    }
    match kept.is_empty() {
        true => Err(Error::Training(
            "none of the seeds found a model that follows the data; look at the data, or measure more of the state".into(),
        )),
        false => Ok((kept, dropped)),
    }
}
