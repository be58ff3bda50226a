//! What a configuration says, typed. The files of `configs/` explain every value.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

use crate::{Error, Result};
use odesync_base::error;
use odesync_config::Config;
use odesync_train::schedules::ScheduleKind;

/// `experiment`, `random_seed` and the groups.
#[derive(Debug, Clone)]
pub struct ExperimentSettings {
    /// Name of the experiment.
    pub experiment: String,
    /// Seed of the network's weights.
    pub random_seed: u64,
    /// The data.
    pub dataset: DatasetSettings,
    /// The model.
    pub model: ModelSettings,
    /// The training method.
    pub training: TrainingSettings,
    /// The solver.
    pub odesolve: SolverSettings,
    /// The log.
    pub logger: LoggerSettings,
    /// The loop.
    pub trainer: TrainerSettings,
}

/// Group `dataset`.
#[derive(Debug, Clone)]
pub enum DatasetSettings {
    /// `kind: simulated`.
    Simulated(SimulatedDataSettings),
    /// `kind: file`.
    File(Box<FileDataSettings>),
}

/// A known system, solved and covered with noise.
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
    /// Constants other than the system's own.
    pub params: BTreeMap<String, f64>,
    /// Initial state, `[dof]`.
    pub u0: Vec<f64>,
    /// Time between two measurements.
    pub dt: f64,
    /// Number of times to train on.
    pub train: usize,
    /// Number of times after them.
    pub extrapolate: usize,
    /// Noise of the measurements.
    pub noise: Option<NoiseSettings>,
}

/// Gaussian noise.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoiseSettings {
    /// Standard deviation, in units of `relative_to`.
    pub amplitude: f64,
    /// `mean`, `std` or `nothing`.
    pub relative_to: String,
    /// Seed of its own.
    pub seed: u64,
}

/// Measured data.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileDataSettings {
    #[allow(
        dead_code,
        reason = "read before the rest, to know which settings these are"
    )]
    kind: String,
    /// The file.
    pub path: Option<PathBuf>,
    /// Its format, else by its ending.
    pub format: Option<String>,
    /// The time's column or array.
    pub time: Option<String>,
    /// The state's columns, or its array.
    pub state: Option<OneOrMany<String>>,
    /// Which trial.
    pub trial: u32,
    /// Time between two rows that are taken, where the file holds no times.
    pub dt: Option<f64>,
    /// The first row.
    pub from: usize,
    /// The number of rows.
    pub rows: Option<usize>,
    /// Every so many-th row.
    pub every: usize,
    /// Factor of the state.
    pub scale: f64,
    /// Number of times to train on.
    pub train: Option<usize>,
    /// Number of times after them.
    pub extrapolate: Option<usize>,
    /// Noise to add.
    pub noise: Option<NoiseSettings>,
}

/// A value or a list of values.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged, expecting = "should be one value or a list of them")]
pub enum OneOrMany<T> {
    /// A value.
    One(T),
    /// A list.
    Many(Vec<T>),
}

impl<T> OneOrMany<T> {
    /// The values.
    pub fn into_vec(self) -> Vec<T> {
        match self {
            OneOrMany::One(one) => vec![one],
            OneOrMany::Many(more) => more,
        }
    }
}

/// Group `model`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelSettings {
    /// `blackbox`, `second_order` or `graybox`.
    pub kind: String,
    /// The known factor of each state variable (gray box), `[dof]`.
    pub linear: Option<Vec<f64>>,
    /// Number of hidden layers.
    pub hidden_layers: usize,
    /// Width of each.
    pub nodes_per_layer: usize,
    /// Name of the activation.
    pub activation: String,
}

/// Group `training`; what belongs to one method alone is optional.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingSettings {
    /// `vanilla`, `multiple_shooting` or `homotopy`.
    pub method: String,
    /// Learning rate.
    pub lr: f64,
    /// Number of updates.
    pub epochs: Option<usize>,
    /// `adamw`, `adam` or `sgd`.
    pub optimizer: String,
    /// Weight decay.
    pub weight_decay: f64,
    /// How the learning rate changes.
    pub lr_schedule: LrScheduleSettings,
    /// Bound on the norm of the gradient.
    pub clip: Option<f64>,
    /// Epochs without improvement before the run stops.
    pub patience: Option<usize>,
    /// Number of segments (multiple shooting).
    pub segments: Option<usize>,
    /// Weight of the gaps (multiple shooting).
    pub continuity_weight: Option<f64>,
    /// K (homotopy).
    pub coupling: Option<CouplingSettings>,
    /// α of the spline (homotopy).
    pub smoothing: Option<f64>,
    /// λ (homotopy).
    pub schedule: Option<ScheduleKind>,
}

/// A number, a list or a matrix.
#[derive(Debug, Clone, Deserialize)]
#[serde(
    untagged,
    expecting = "should be a number, a list of numbers or a matrix"
)]
pub enum CouplingSettings {
    /// One number for all.
    Number(f64),
    /// One for each state variable.
    Diagonal(Vec<f64>),
    /// `[dof][dof]`.
    Full(Vec<Vec<f64>>),
}

/// `constant`, `cosine`, `{rate: 0.999}` or `{every: 500, factor: 0.5}`.
#[derive(Debug, Clone, Deserialize)]
#[serde(
    untagged,
    expecting = "should be constant, cosine, {rate: 0.999} or {every: 500, factor: 0.5}"
)]
pub enum LrScheduleSettings {
    /// By name.
    Name(String),
    /// Exponential or stepwise.
    Rates(LrDecaySettings),
}

/// An exponential or stepwise fall of the learning rate.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LrDecaySettings {
    /// Factor of every epoch.
    pub rate: Option<f64>,
    /// Epochs between two steps.
    pub every: Option<usize>,
    /// Factor of a step.
    pub factor: Option<f64>,
}

/// Group `odesolve`; a method of fixed steps has no tolerances.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SolverSettings {
    /// Name of the method.
    pub method: String,
    /// Relative tolerance.
    pub rtol: Option<f64>,
    /// Absolute tolerance.
    pub atol: Option<f64>,
    /// Size of the first step.
    pub first_step: Option<f64>,
    /// Size of fixed steps.
    pub step_size: Option<f64>,
    /// Fixed steps between two times.
    pub substeps: Option<usize>,
    /// Bound on the size of a step.
    pub max_step: Option<f64>,
    /// `i` or `pi`.
    pub controller: Option<String>,
    /// Limit on attempted steps.
    pub max_steps: Option<usize>,
    /// Whether to step onto the knots of û.
    pub breakpoints: Option<bool>,
    /// Name of the way to compute gradients.
    pub adjoint: Option<String>,
    /// Relative tolerance of the continuous adjoint.
    pub adjoint_rtol: Option<f64>,
    /// Its absolute tolerance.
    pub adjoint_atol: Option<f64>,
}

/// Group `logger`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoggerSettings {
    /// Which one.
    pub kind: LoggerKind,
}

/// What is logged beside the checkpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LoggerKind {
    /// `metrics.csv`.
    Csv,
    /// Nothing.
    None,
}

/// Group `trainer`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainerSettings {
    /// `native` or `torch`.
    pub engine: String,
    /// `cpu`, `cuda` or `cuda:N`.
    pub device: String,
    /// Epochs between two checkpoints.
    pub checkpoint_every: usize,
    /// Epochs between two points of the parameters' path that are kept.
    pub trajectory_every: Option<usize>,
    /// Failed epochs in a row that end the run.
    pub max_failures: usize,
    /// Whether a progress bar is shown.
    pub progress: bool,
}

impl ExperimentSettings {
    /// Reads a configuration.
    ///
    /// # Errors
    /// A value of the wrong type, a key that is missing or unknown: each with the key's full path.
    pub fn read(config: &Config) -> Result<Self> {
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
            odesolve: config.section("odesolve")?,
            logger: config.section("logger")?,
            trainer: config.section("trainer")?,
        })
    }
}

/// The value of a key that its neighbours need.
pub(super) fn required<T>(value: Option<T>, key: &str, because: &str) -> Result<T> {
    value.ok_or_else(|| Error::invalid(format!("{key} is missing: {because}")))
}
