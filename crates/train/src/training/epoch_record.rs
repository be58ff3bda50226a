//! The metrics of one epoch.

use super::settings::TrainSettings;

/// Metrics of one epoch, measured before its update.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct EpochRecord {
    /// Number of the epoch, counted from 0.
    pub epoch: usize,
    /// Homotopy parameter λ.
    pub lambda: f64,
    /// Loss of the training method; NaN when its solve failed.
    pub train_loss: f64,
    /// Mean squared error against the data of the uncoupled model, solved from the initial states over the whole time span; NaN
    /// when that solve failed.
    pub mse: f64,
    /// Data part of the loss.
    pub data_loss: f64,
    /// Continuity part of the loss (multiple shooting), not multiplied by its weight.
    pub continuity: f64,
    /// Number of evaluations of the vector field by the training solve.
    pub evaluations: usize,
    /// Wall-clock time, s.
    pub seconds: f64,
    /// Learning rate; NaN for `lm`, which has none.
    pub lr: f64,
    /// Euclidean norm of the gradient before clipping.
    pub gradient_norm: f64,
    /// Whether the training solve failed and the update was skipped.
    pub failed: bool,
    /// Model error q of weak-constraint training, in units of the data's spread; 0 where the model is free.
    #[serde(default)]
    pub q: f64,
    /// Σ ((state − datum)/σ)² of weak-constraint training, over the number of data.
    #[serde(default)]
    pub chi2: f64,
    /// Log evidence of weak-constraint training.
    #[serde(default)]
    pub log_evidence: f64,
    /// Mean squared error of the uncoupled model against the data that are held out, NaN when that solve failed; `None` where all
    /// data are trained on.
    #[serde(default)]
    pub validation: Option<f64>,
    /// Damping μ of the epoch's step of Levenberg and Marquardt; `None` of another optimiser.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub damping: Option<f64>,
}

/// Names of the metrics of every method, in the order of a checkpoint.
const METRICS: [&str; 11] = [
    "epoch",
    "lambda",
    "train_loss",
    "mse",
    "data_loss",
    "continuity",
    "evaluations",
    "seconds",
    "lr",
    "gradient_norm",
    "failed",
];

/// Names of the metrics of methods that set themselves, after those of every method.
const SELF_SETTING_METRICS: [&str; 3] = ["q", "chi2", "log_evidence"];

/// Returns the names of the metrics of a run with these settings.
pub(super) fn metrics(settings: &TrainSettings) -> Vec<&'static str> {
    let mut names = METRICS.to_vec();
    if settings.method.self_setting().is_some() {
        names.extend(SELF_SETTING_METRICS);
    }
    if settings.has_validation() {
        names.push("validation");
    }
    if settings.has_damping() {
        names.push("damping");
    }
    names
}

impl EpochRecord {
    /// Whether the model that was trained was free: neither coupled to the data nor with a model error.
    pub fn is_free(&self) -> bool {
        (self.lambda == 0.0 || self.lambda.is_nan()) && self.q == 0.0
    }

    /// Returns the metric of this name; NaN for an unknown one.
    fn metric(&self, name: &str) -> f64 {
        match name {
            "epoch" => self.epoch as f64,
            "lambda" => self.lambda,
            "train_loss" => self.train_loss,
            "mse" => self.mse,
            "data_loss" => self.data_loss,
            "continuity" => self.continuity,
            "evaluations" => self.evaluations as f64,
            "seconds" => self.seconds,
            "lr" => self.lr,
            "gradient_norm" => self.gradient_norm,
            "failed" => f64::from(u8::from(self.failed)),
            "q" => self.q,
            "chi2" => self.chi2,
            "log_evidence" => self.log_evidence,
            "validation" => self.validation.unwrap_or(f64::NAN),
            "damping" => self.damping.unwrap_or(f64::NAN),
            _ => f64::NAN,
        }
    }

    /// Sets the metric of this name.
    fn set_metric(&mut self, name: &str, x: f64) {
        match name {
            "epoch" => self.epoch = x as usize,
            "lambda" => self.lambda = x,
            "train_loss" => self.train_loss = x,
            "mse" => self.mse = x,
            "data_loss" => self.data_loss = x,
            "continuity" => self.continuity = x,
            "evaluations" => self.evaluations = x as usize,
            "seconds" => self.seconds = x,
            "lr" => self.lr = x,
            "gradient_norm" => self.gradient_norm = x,
            "failed" => self.failed = x != 0.0,
            "q" => self.q = x,
            "chi2" => self.chi2 = x,
            "log_evidence" => self.log_evidence = x,
            "validation" => self.validation = Some(x),
            "damping" => self.damping = Some(x),
            _ => {}
        }
    }

    /// Returns the values of these metrics.
    pub(super) fn row(&self, names: &[&str]) -> Vec<f64> {
        names.iter().map(|name| self.metric(name)).collect()
    }

    /// Returns the record with these values of these metrics; `None` if they are not the row of a record.
    pub(super) fn from_row(names: &[&str], row: &[f64]) -> Option<Self> {
        let mut record = EpochRecord::default();
        let pairs = names.iter().zip(row);
        pairs.for_each(|(name, x)| record.set_metric(name, *x));
        let bits = |row: &[f64]| row.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        (bits(&record.row(names)) == bits(row)).then_some(record)
    }
}
