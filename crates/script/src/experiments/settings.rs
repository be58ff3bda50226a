//! The content of a configuration, typed. The files of `configs/` explain every value.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

use crate::{Error, Result};
use odesync_base::error;
use odesync_config::Config;
use odesync_ode::odesolve::SolveOptions;
use odesync_train::schedules::ScheduleKind;

/// The settings of an experiment: `experiment`, `random_seed` and the groups.
#[derive(Debug, Clone)]
pub struct ExperimentSettings {
    /// Name of the experiment.
    pub experiment: String,
    /// Seed of the network's weights.
    pub random_seed: u64,
    /// Group `dataset`: the data.
    pub dataset: DatasetSettings,
    /// Group `model`: the model.
    pub model: ModelSettings,
    /// Group `training`: the training method.
    pub training: TrainingSettings,
    /// Group `odesolve`: the solver.
    pub odesolve: SolveOptions,
    /// Group `logger`: the log.
    pub logger: LoggerSettings,
    /// Group `trainer`: the training loop.
    pub trainer: TrainerSettings,
}

/// The settings of the data: group `dataset`.
#[derive(Debug, Clone)]
pub enum DatasetSettings {
    /// Simulated data: `kind: simulated`.
    Simulated(SimulatedDataSettings),
    /// Data from a file: `kind: file`.
    File(Box<FileDataSettings>),
}

/// The settings of simulated data: the solution of a known system with noise added.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SimulatedDataSettings {
    #[allow(
        dead_code,
        reason = "read before the rest, to know which settings these are"
    )]
    kind: String,
    /// Name of the system.
    pub system: String,
    /// Values of constants that replace the system's defaults.
    pub params: BTreeMap<String, f64>,
    /// Initial state, `[dof]`.
    pub u0: Vec<f64>,
    /// Time between two measurements.
    pub dt: f64,
    /// Number of times of the training data.
    pub train: usize,
    /// Number of times after the training data.
    pub extrapolate: usize,
    /// Noise of the measurements; none where `None`.
    pub noise: Option<NoiseSettings>,
}

/// The settings of Gaussian noise.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoiseSettings {
    /// Standard deviation, in units of `relative_to`.
    pub amplitude: f64,
    /// Unit of `amplitude`: `mean`, `std` or `nothing`.
    pub relative_to: String,
    /// Seed of the noise.
    pub seed: u64,
}

/// The settings of measured data, which are read from a file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileDataSettings {
    #[allow(
        dead_code,
        reason = "read before the rest, to know which settings these are"
    )]
    kind: String,
    /// Path of the file.
    pub path: Option<PathBuf>,
    /// Format of the file; implied by its extension where `None`.
    pub format: Option<String>,
    /// Column or array of the times.
    pub time: Option<String>,
    /// Columns, or array, of the state.
    pub state: Option<OneOrMany<String>>,
    /// Number of the trial to read.
    pub trial: u32,
    /// Time between two selected rows, for a file without times.
    pub dt: Option<f64>,
    /// Index of the first row to use.
    pub from: usize,
    /// Number of rows to use; all further rows where `None`.
    pub rows: Option<usize>,
    /// Stride of the selected rows: 1 for every row, 2 for every second row.
    pub every: usize,
    /// Factor that the state is multiplied by.
    pub scale: f64,
    /// Number of times of the training data.
    pub train: Option<usize>,
    /// Number of times after the training data.
    pub extrapolate: Option<usize>,
    /// Noise to add; none where `None`.
    pub noise: Option<NoiseSettings>,
}

/// A value or a list of values.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged, expecting = "should be one value or a list of them")]
pub enum OneOrMany<T> {
    /// A single value.
    One(T),
    /// A list of values.
    Many(Vec<T>),
}

impl<T> OneOrMany<T> {
    /// Returns the values as a list.
    pub fn into_vec(self) -> Vec<T> {
        match self {
            OneOrMany::One(one) => vec![one],
            OneOrMany::Many(more) => more,
        }
    }
}

/// The settings of the model: group `model`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelSettings {
    /// Kind of the model: `blackbox`, `second_order` or `graybox`.
    pub kind: String,
    /// Known linear factor of each state variable (gray box), `[dof]`.
    pub linear: Option<Vec<f64>>,
    /// Number of hidden layers.
    pub hidden_layers: usize,
    /// Width of each hidden layer.
    pub nodes_per_layer: usize,
    /// Name of the activation function.
    pub activation: String,
}

/// The settings of the training method: group `training`. Settings of a single method are optional.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingSettings {
    /// Name of the method: `vanilla`, `multiple_shooting` or `homotopy`.
    pub method: String,
    /// Learning rate.
    pub lr: f64,
    /// Number of epochs, each with one update.
    pub epochs: Option<usize>,
    /// Name of the optimizer: `adamw`, `adam` or `sgd`.
    pub optimizer: String,
    /// Weight decay.
    pub weight_decay: f64,
    /// Schedule of the learning rate.
    pub lr_schedule: LrScheduleSettings,
    /// Largest norm of the gradient, to which larger gradients are clipped; no clipping where `None`.
    pub clip: Option<f64>,
    /// Epochs without improvement before the run stops.
    pub patience: Option<usize>,
    /// Number of segments (multiple shooting).
    pub segments: Option<usize>,
    /// Weight of the continuity penalty (multiple shooting).
    pub continuity_weight: Option<f64>,
    /// Coupling strength K (homotopy).
    pub coupling: Option<CouplingSettings>,
    /// Smoothing parameter α of the spline (homotopy).
    pub smoothing: Option<f64>,
    /// Schedule of the homotopy parameter λ (homotopy).
    pub schedule: Option<ScheduleKind>,
}

/// The coupling strength K: a number, a list or a matrix.
#[derive(Debug, Clone, Deserialize)]
#[serde(
    untagged,
    expecting = "should be a number, a list of numbers or a matrix"
)]
pub enum CouplingSettings {
    /// One number for all state variables.
    Number(f64),
    /// One number for each state variable, `[dof]`.
    Diagonal(Vec<f64>),
    /// A full matrix, `[dof][dof]`.
    Full(Vec<Vec<f64>>),
}

/// The schedule of the learning rate: `constant`, `cosine`, `{rate: 0.999}` or `{every: 500, factor: 0.5}`.
#[derive(Debug, Clone, Deserialize)]
#[serde(
    untagged,
    expecting = "should be constant, cosine, {rate: 0.999} or {every: 500, factor: 0.5}"
)]
pub enum LrScheduleSettings {
    /// A schedule without parameters, by its name.
    Name(String),
    /// An exponential or stepwise decay.
    Rates(LrDecaySettings),
}

/// The settings of an exponential or stepwise decay of the learning rate.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LrDecaySettings {
    /// Factor of the learning rate in every epoch (exponential).
    pub rate: Option<f64>,
    /// Number of epochs between two steps (stepwise).
    pub every: Option<usize>,
    /// Factor of the learning rate at a step (stepwise).
    pub factor: Option<f64>,
}

inventory::submit! {
    odesync_config::RenamedKey { old: "odesolve.method", new: "odesolve.solver" }
}

/// The settings of the log: group `logger`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoggerSettings {
    /// Kind of the log.
    pub kind: LoggerKind,
}

/// Kind of the log that is written in addition to the checkpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LoggerKind {
    /// A table of metrics, `metrics.csv`.
    Csv,
    /// No log.
    None,
}

/// The settings of the training loop: group `trainer`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainerSettings {
    /// Engine of the solves: `native` or `torch`.
    pub engine: String,
    /// Device: `cpu`, `cuda` or `cuda:N`.
    pub device: String,
    /// Number of epochs between two checkpoints.
    pub checkpoint_every: usize,
    /// Number of epochs between two recorded points of the parameter path.
    pub trajectory_every: Option<usize>,
    /// Number of consecutive failed epochs that end the run.
    pub max_failures: usize,
    /// Whether to show a progress bar.
    pub progress: bool,
}

impl ExperimentSettings {
    /// Reads the settings from a configuration.
    ///
    /// # Errors
    /// A value of the wrong type, or a key that is missing or unknown, each with the key's full path.
    pub fn read(config: &Config) -> Result<Self> {
        let mut odesolve = SolveOptions::default();
        config.read_options("odesolve", &mut [&mut odesolve], &[])?;
        Ok(ExperimentSettings {
            experiment: config.section("experiment")?,
            random_seed: config.section("random_seed")?,
            dataset: match config.section::<String>("dataset.kind")?.as_str() {
                "simulated" => DatasetSettings::Simulated(config.section("dataset")?),
                "file" => DatasetSettings::File(Box::new(config.section("dataset")?)),
                other => return Err(error::unknown("dataset.kind", other, ["simulated", "file"])),
            },
            model: config.section("model")?,
            training: config.section("training")?,
            odesolve,
            logger: config.section("logger")?,
            trainer: config.section("trainer")?,
        })
    }
}

/// Returns the value of a key that other settings make necessary.
pub(super) fn required<T>(value: Option<T>, key: &str, because: &str) -> Result<T> {
    value.ok_or_else(|| Error::invalid(format!("{key} is missing: {because}")))
}
