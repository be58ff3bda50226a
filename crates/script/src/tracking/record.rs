//! A run as all loggers see it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Map, json};

use odesync_base::options::{Value, write_map};
use odesync_train::datasets::Dataset;
use odesync_train::training::{EpochRecord, Run, StopReason, TrainOptions, TrainingMethod};

/// The value of a setting, as trackers take it.
#[derive(Debug, Clone, PartialEq)]
pub enum Hyperparameter {
    /// A number.
    Number(f64),
    /// True or false.
    Bool(bool),
    /// A text, and everything else as text.
    Text(String),
}

impl Hyperparameter {
    /// The type's number in TensorBoard's hparams plugin.
    pub(super) fn data_type(&self) -> i64 {
        match self {
            Hyperparameter::Text(_) => 1,
            Hyperparameter::Bool(_) => 2,
            Hyperparameter::Number(_) => 3,
        }
    }

    fn json(&self) -> serde_json::Value {
        match self {
            // What JSON has no number for is a text.
            Hyperparameter::Number(x) if !x.is_finite() => json!(x.to_string()),
            Hyperparameter::Number(x) if x.fract() == 0.0 && x.abs() < 9e15 => json!(*x as i64),
            Hyperparameter::Number(x) => json!(x),
            Hyperparameter::Bool(b) => json!(b),
            Hyperparameter::Text(text) => json!(text),
        }
    }
}

/// A run as loggers see it: where it is, what it is called, its settings.
#[derive(Debug, Clone, Default)]
pub struct RunRecord {
    /// Folder of the run.
    pub folder: PathBuf,
    /// Name of the run: that of its folder.
    pub name: String,
    /// Name of the group that it belongs to, an ensemble or a multirun; empty where there is none.
    pub group: String,
    /// Settings by their names, such as `training.lr`.
    pub hyperparameters: Vec<(String, Hyperparameter)>,
    /// The data that the run is trained on, for a picture of the fit at its end; `None` where they are not known.
    pub data: Option<Arc<Dataset>>,
}

impl RunRecord {
    /// Creates the record of the run in a folder.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        let folder: PathBuf = folder.into();
        let full = folder
            .canonicalize()
            .or_else(|_| std::path::absolute(&folder));
        let full = full.unwrap_or_else(|_| folder.clone());
        let name = full.file_name().unwrap_or_default();
        RunRecord {
            name: name.to_string_lossy().into_owned(),
            folder,
            ..RunRecord::default()
        }
    }

    /// Sets the group.
    #[must_use]
    pub fn group(mut self, group: impl Into<String>) -> Self {
        self.group = group.into();
        self
    }

    /// Adds the options of a training to the settings.
    #[must_use]
    pub fn training(mut self, method: &TrainingMethod, options: &TrainOptions) -> Self {
        let text = |name: &str| Hyperparameter::Text(name.into());
        self.hyperparameters
            .push(("method".into(), text(method.name())));
        // Where the run is and how it is kept is no setting of it.
        const OTHERS: [&str; 3] = ["out", "resume", "checkpoint_every"];
        if let Value::Map(entries) = write_map(options) {
            for (name, value) in entries {
                if !OTHERS.contains(&name.as_str()) {
                    flatten(&name, &value, &mut self.hyperparameters);
                }
            }
        }
        self
    }

    /// Sets the data.
    #[must_use]
    pub fn data(mut self, data: impl Into<Option<Arc<Dataset>>>) -> Self {
        self.data = data.into();
        self
    }

    /// Adds settings by their names.
    #[must_use]
    pub fn settings(
        mut self,
        settings: impl IntoIterator<Item = (String, Hyperparameter)>,
    ) -> Self {
        self.hyperparameters.extend(settings);
        self
    }

    /// Returns the settings as an object of JSON.
    pub(super) fn config_json(&self) -> Map<String, serde_json::Value> {
        let settings = self.hyperparameters.iter();
        settings.map(|(name, x)| (name.clone(), x.json())).collect()
    }
}

/// Appends a value by its name; entries of maps as `name.key`.
fn flatten(name: &str, value: &Value, into: &mut Vec<(String, Hyperparameter)>) {
    let value = match value {
        Value::Unit => return,
        Value::Bool(b) => Hyperparameter::Bool(*b),
        Value::Int(n) => Hyperparameter::Number(*n as f64),
        Value::Float(x) => Hyperparameter::Number(*x),
        Value::Text(text) => Hyperparameter::Text(text.clone()),
        Value::Map(entries) => {
            for (key, value) in entries {
                flatten(&format!("{name}.{key}"), value, into);
            }
            return;
        }
        other => Hyperparameter::Text(other.to_string()),
    };
    into.push((name.into(), value));
}

/// Returns the metrics of an epoch by the names of the columns of `metrics.csv`, without its number and what is not a number.
pub(super) fn scalars(record: &EpochRecord, method: &TrainingMethod) -> Vec<(&'static str, f64)> {
    let mut all = vec![
        ("lambda", record.lambda),
        ("train_loss", record.train_loss),
        ("mse", record.mse),
        ("evaluations", record.evaluations as f64),
        ("seconds", record.seconds),
        ("lr", record.lr),
        ("gradient_norm", record.gradient_norm),
    ];
    match method {
        TrainingMethod::MultipleShooting(_) => all.extend([
            ("data_loss", record.data_loss),
            ("continuity", record.continuity),
        ]),
        TrainingMethod::WeakConstraint(_) | TrainingMethod::AdaptiveHomotopy(_) => all.extend([
            ("q", record.q),
            ("chi2", record.chi2),
            ("log_evidence", record.log_evidence),
        ]),
        TrainingMethod::Vanilla | TrainingMethod::Homotopy(_) => {}
    }
    all.extend(record.validation.map(|x| ("validation", x)));
    all.extend(record.damping.map(|x| ("damping", x)));
    all.retain(|(_, x)| !x.is_nan());
    all
}

/// Returns the results of a run by name, without what is not a number.
pub(super) fn results(run: &Run) -> Vec<(&'static str, f64)> {
    let mut all = vec![
        ("best_mse", run.best_mse),
        ("best_epoch", run.best_epoch as f64),
        ("epochs", run.history.len() as f64),
    ];
    all.extend(run.best_nmse.map(|x| ("best_nmse", x)));
    all.extend(run.best_validation.map(|x| ("best_validation", x)));
    all.retain(|(_, x)| x.is_finite());
    all
}

/// Whether a run came to its end.
pub(super) fn succeeded(run: &Run) -> bool {
    matches!(run.stop, StopReason::Finished | StopReason::EarlyStop)
}

/// Returns the time in seconds since 1970.
pub(crate) fn now() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0.0, |duration| duration.as_secs_f64())
}
