//! The results of a run: the entries of its table, and of `result.json`.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::data::ExperimentData;
use super::run_dir::RESULT_FILE;
use crate::{Error, Result};
use odesync_base::files::write_atomically;
use odesync_train::training::{Run, StopReason};

/// The results of a run. Mean squared errors are those of the uncoupled model with the best mse. A value that could not be
/// measured is `None`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunResults {
    /// Name of the experiment.
    pub experiment: String,
    /// Name of the training method.
    pub method: String,
    /// Seed of the weights.
    pub seed: u64,
    /// Number of parameters.
    pub parameters: usize,
    /// Best mse against the training data over all epochs.
    pub best_mse: Option<f64>,
    /// Normalised mse of the model with the best mse against the training data.
    #[serde(default)]
    pub best_nmse: Option<f64>,
    /// Mse on the data that are held out; `None` where there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best_validation: Option<f64>,
    /// Epoch of the best mse.
    pub best_epoch: usize,
    /// Best mse against the training data over the epochs with λ = 0.
    pub best_mse_at_zero: Option<f64>,
    /// Mse against the truth (measured data: against themselves) at the times of the training data.
    pub interpolation_mse: Option<f64>,
    /// Mse against the truth (measured data: against themselves) at the times after the training data.
    pub extrapolation_mse: Option<f64>,
    /// Number of completed epochs.
    pub epochs: usize,
    /// Number of epochs in which a solve failed.
    pub failed_epochs: usize,
    /// Number of evaluations of the vector field by the training solves.
    pub evaluations: usize,
    /// Duration of all epochs, s.
    pub seconds: f64,
    /// Reason for the end: `finished`, `stopped early`, `interrupted` or `failing`.
    pub stop: String,
}

fn finite_or_none(x: f64) -> Option<f64> {
    x.is_finite().then_some(x)
}

impl RunResults {
    /// Computes the results of a run.
    pub fn new(experiment: &str, seed: u64, run: &Run, data: &ExperimentData) -> Self {
        let n = data.train_len();
        RunResults {
            experiment: experiment.into(),
            method: run.method.clone(),
            seed,
            parameters: run.model.n_params(),
            best_mse: finite_or_none(run.best_mse),
            best_nmse: run.best_nmse,
            best_validation: run.best_validation,
            best_epoch: run.best_epoch,
            best_mse_at_zero: finite_or_none(run.best_mse_at_lambda_zero()),
            interpolation_mse: mse_between(run, data, 0, n),
            extrapolation_mse: mse_between(run, data, n, data.truth.len()),
            epochs: run.history.len(),
            failed_epochs: run.failures(),
            evaluations: run.evaluations(),
            seconds: run.seconds(),
            stop: match run.stop {
                StopReason::Finished => "finished",
                StopReason::EarlyStop => "stopped early",
                StopReason::Interrupted => "interrupted",
                StopReason::Failing(_) => "failing",
            }
            .into(),
        }
    }

    /// Returns the rows of the table, name and formatted value.
    pub fn rows(&self) -> Vec<(&'static str, String)> {
        let number = |x: Option<f64>| x.map_or_else(|| "–".to_string(), |x| format!("{x:.4e}"));
        let mut rows = vec![
            ("method", self.method.replace('_', " ")),
            ("seed", self.seed.to_string()),
            ("parameters", self.parameters.to_string()),
            ("best mse, data", number(self.best_mse)),
            ("  at epoch", self.best_epoch.to_string()),
            ("best nmse, data", number(self.best_nmse)),
            ("best mse at λ = 0", number(self.best_mse_at_zero)),
            ("mse, truth, fitted times", number(self.interpolation_mse)),
            ("mse, truth, beyond them", number(self.extrapolation_mse)),
            ("epochs", self.epochs.to_string()),
            ("  that failed", self.failed_epochs.to_string()),
            ("evaluations", self.evaluations.to_string()),
            ("seconds", format!("{:.2}", self.seconds)),
            ("ended", self.stop.clone()),
        ];
        if self.best_validation.is_some() {
            rows.insert(6, ("mse, data held out", number(self.best_validation)));
        }
        rows
    }

    /// Writes the `result.json` of a run's folder.
    ///
    /// # Errors
    /// Those of the operating system.
    pub fn write(&self, folder: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self).map_err(|e| Error::invalid(e.to_string()))?;
        write_atomically(&folder.join(RESULT_FILE), (text + "\n").as_bytes())
    }

    /// Reads the `result.json` of a run's folder; `None` where the run is not over.
    ///
    /// # Errors
    /// A file that can't be read or is damaged.
    pub fn read(folder: &Path) -> Result<Option<Self>> {
        let path = folder.join(RESULT_FILE);
        match odesync_base::files::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map(Some)
                .map_err(|e| Error::Checkpoint {
                    path,
                    reason: e.to_string(),
                }),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(Error::io("read", &path, &e)),
        }
    }
}

/// Returns the mse of the best model against the truth at the times with index `from` to `to`; `None` without times or if the
/// model cannot be solved that far.
fn mse_between(run: &Run, data: &ExperimentData, from: usize, to: usize) -> Option<f64> {
    let t = data.truth.t().to_vec();
    let predicted = run.predict(t.get(..to)?).ok()?;
    let truth = data.truth.u();
    let mut sum = 0.0;
    let mut n = 0usize;
    for i in from..to {
        for (a, b) in predicted
            .index_axis(ndarray::Axis(1), i)
            .iter()
            .zip(truth.index_axis(ndarray::Axis(1), i))
        {
            if !b.is_nan() {
                sum += (a - b) * (a - b);
                n += 1;
            }
        }
    }
    (n > 0).then(|| sum / n as f64).and_then(finite_or_none)
}

impl std::fmt::Display for RunResults {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let rows = self.rows();
        let width = rows
            .iter()
            .map(|(name, _)| name.chars().count())
            .max()
            .unwrap_or(0);
        write!(f, "{}", self.experiment)?;
        for (name, value) in rows {
            write!(f, "\n  {name:width$}  {value}")?;
        }
        Ok(())
    }
}
