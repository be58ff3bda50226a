//! The content of a configuration, typed. The files of `configs/` explain every value.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::tracking::{LoggerKind, LoggerSettings, MlflowSettings, WandbSettings};
use crate::{Error, Result};
use odesync_base::options::{
    Count, Key, Maybe, Named, NonNegative, Number, OneOf, OptionSet, OptionSubset, Text, Whole,
    split,
};
use odesync_base::{error, impl_named, option_set};
use odesync_config::Config;
use odesync_train::datasets::{NoiseOptions, TableOptions};
use odesync_train::schedules::Schedule;
use odesync_train::training::{
    Homotopy, MultipleShooting, Optimizer, TrainOptions, TrainingMethod, WeakConstraint,
};

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
    pub method: TrainingMethod,
    /// Groups `training`, `odesolve` and `trainer`: the options of the run.
    pub options: TrainOptions,
    /// Group `logger`: the loggers.
    pub logger: LoggerSettings,
    /// Whether to show a progress bar, `trainer.progress`.
    pub progress: bool,
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
    #[serde(default, deserialize_with = "skip")]
    pub noise: Option<NoiseSettings>,
}

/// Passes over a part of the configuration that is read as a set of options.
fn skip<'de, D: serde::Deserializer<'de>, T: Default>(part: D) -> std::result::Result<T, D::Error> {
    serde::de::IgnoredAny::deserialize(part).map(|_| T::default())
}

option_set! {
    /// The settings of Gaussian noise: its amplitude, and what [`NoiseOptions`] say.
    #[derive(Debug, Clone)]
    pub struct NoiseSettings {
        /// Standard deviation, in units of `relative_to`.
        pub amplitude: f64 as NonNegative = 0.0, "to be given";
    }
    sets {
        /// Unit of the amplitude, and seed.
        pub options: NoiseOptions;
    }
}

/// Format of a file of data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataFormat {
    /// A text table.
    Csv,
    /// JSON.
    Json,
    /// An array of numpy's.
    Npy,
    /// Several arrays of numpy's.
    Npz,
    /// Tensors.
    Safetensors,
    /// The pendulums of Schmidt and Lipson.
    SchmidtLipson,
    /// A table of Excel, Parquet, MATLAB or HDF5.
    Table,
}

impl_named!(
    DataFormat,
    "format",
    Csv = "csv",
    Json = "json",
    Npy = "npy",
    Npz = "npz",
    Safetensors = "safetensors",
    SchmidtLipson = "schmidt_lipson",
    Table = "table",
);

option_set! {
    /// The settings of measured data, which are read from a file.
    #[derive(Debug, Clone)]
    pub struct FileDataSettings {
        /// Path of the file.
        pub path: Option<String> as Maybe<Text> = None, "to be given";
        /// Format of the file.
        pub format: Option<DataFormat> as Maybe<OneOf<DataFormat>> = None, "by the file's ending";
        /// Number of the trial to read.
        pub trial: usize as Whole = 0;
        /// Index of the first row to use.
        pub from: usize as Whole = 0;
        /// Number of rows to use.
        pub rows: Option<usize> as Maybe<Whole> = None, "all further rows";
        /// Stride of the selected rows: 1 for every row, 2 for every second row.
        pub every: usize as Count = 1;
        /// Factor that the state is multiplied by.
        pub scale: f64 as Number = 1.0;
        /// Number of times of the training data.
        pub train: Option<usize> as Maybe<Whole> = None, "all";
        /// Number of times after the training data.
        pub extrapolate: Option<usize> as Maybe<Whole> = None, "the rest";
    }
    sets {
        /// Columns of the time and the state, or the names of their arrays, the time between two selected rows of a file without
        /// times, and how a table is written.
        pub table: TableOptions;
    }
    others {
        /// Noise to add; none where `None`.
        pub noise: Option<NoiseSettings> = None;
        /// Names of the options that were given.
        pub given: Vec<&'static str> = vec![];
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

inventory::submit! {
    odesync_config::RenamedKey { old: "odesolve.method", new: "odesolve.solver" }
}

impl ExperimentSettings {
    /// Reads the settings from a configuration.
    ///
    /// # Errors
    /// A value of the wrong type, or a key that is missing or unknown, each with the key's full path.
    pub fn read(config: &Config) -> Result<Self> {
        let mut options = TrainOptions::default();
        let method = read_method(config, &mut options)?;
        config.read_options("odesolve", &mut [&mut options.solver], &[])?;
        let mut trainer = OptionSubset::new(&mut options, &[TRAINER]);
        config.read_options("trainer", &mut [&mut trainer], &["progress"])?;
        Ok(ExperimentSettings {
            experiment: config.section("experiment")?,
            random_seed: config.section("random_seed")?,
            dataset: match config.section::<String>("dataset.kind")?.as_str() {
                "simulated" => DatasetSettings::Simulated(SimulatedDataSettings {
                    noise: read_noise(config)?,
                    ..config.section("dataset")?
                }),
                "file" => DatasetSettings::File(Box::new(read_file_settings(config)?)),
                other => return Err(error::unknown("dataset.kind", other, ["simulated", "file"])),
            },
            model: config.section("model")?,
            method,
            options,
            logger: read_loggers(config)?,
            progress: config.section("trainer.progress")?,
        })
    }
}

/// Reads the group `dataset` of measured data.
fn read_file_settings(config: &Config) -> Result<FileDataSettings> {
    let mut file = FileDataSettings::default();
    file.given = config.read_options("dataset", &mut [&mut file], &["kind", "noise"])?;
    file.noise = read_noise(config)?;
    Ok(file)
}

/// Reads the noise of the data; none where it is `null`.
fn read_noise(config: &Config) -> Result<Option<NoiseSettings>> {
    const PATH: &str = "dataset.noise";
    if config.get(PATH).is_none_or(odesync_config::Value::is_null) {
        return Ok(None);
    }
    let mut noise = NoiseSettings::default();
    let given = config.read_options(PATH, &mut [&mut noise], &[])?;
    for key in ["amplitude", "relative_to", "seed"] {
        let value = given.contains(&key).then_some(());
        required(value, &format!("{PATH}.{key}"), "noise needs it")?;
    }
    Ok(Some(noise))
}

/// Reads the group `logger`: `kind` is csv or none, the other loggers have a map each.
fn read_loggers(config: &Config) -> Result<LoggerSettings> {
    const KNOWN: [&str; 4] = ["kind", "tensorboard", "wandb", "mlflow"];
    let mut loggers = LoggerSettings::none();
    let root = match config.get("logger") {
        None | Some(odesync_config::Value::Null) => return Ok(loggers),
        Some(root) => root,
    };
    let entries = root.as_mapping().ok_or_else(|| {
        Error::invalid("logger should be a map: kind, tensorboard, wandb and mlflow")
    })?;
    for name in entries.keys().filter_map(odesync_config::Value::as_str) {
        let path = format!("logger.{name}");
        match name {
            "kind" => loggers.add(LoggerKind::from_name(&config.section::<String>(&path)?)?),
            "tensorboard" => {
                config.read_options(&path, &mut [], &[])?;
                loggers.tensorboard = true;
            }
            "wandb" => {
                let mut settings = WandbSettings::default();
                config.read_options(&path, &mut [&mut settings], &[])?;
                loggers.wandb = Some(settings);
            }
            "mlflow" => {
                let mut settings = MlflowSettings::default();
                config.read_options(&path, &mut [&mut settings], &[])?;
                loggers.mlflow = Some(settings);
            }
            other => return Err(error::unknown("key of logger", other, KNOWN)),
        }
    }
    Ok(loggers)
}

const PARTS: (&[Key], &[Key]) = split(TrainOptions::OPTIONS, "out");

/// The options of a run that the group `trainer` holds.
const TRAINER: &[Key] = split(PARTS.1, "max_failures").1;

/// Reads the group `training`: the method with its settings, and options of the run.
fn read_method(config: &Config, options: &mut TrainOptions) -> Result<TrainingMethod> {
    const METHODS: [&str; 5] = [
        "vanilla",
        "multiple_shooting",
        "homotopy",
        "weak_constraint",
        "adaptive_homotopy",
    ];
    let mut shooting = MultipleShooting::default();
    let mut intervals = WeakConstraint::default();
    let mut homotopy = Homotopy::default();
    let mut run = OptionSubset::new(options, &[PARTS.0, Optimizer::OPTIONS]);
    let sets: &mut [&mut dyn OptionSet] =
        &mut [&mut run, &mut shooting, &mut homotopy, &mut intervals];
    let given = config.read_options("training", sets, &["method", "schedule"])?;
    let method: String = config.section("training.method")?;
    let needs = |key: &str| match given.contains(&key) {
        true => Ok(()),
        false => Err(missing(key, &method)),
    };
    let chosen = match method.as_str() {
        "vanilla" => TrainingMethod::Vanilla,
        "multiple_shooting" => {
            needs("segments")?;
            needs("continuity_weight")?;
            shooting.into()
        }
        "homotopy" => {
            needs("coupling")?;
            let schedule = config.get("training.schedule");
            if schedule.is_none_or(odesync_config::Value::is_null) {
                return Err(missing("schedule", &method));
            }
            homotopy.schedule = Schedule::new(config.section("training.schedule")?)?;
            homotopy.into()
        }
        "weak_constraint" => TrainingMethod::WeakConstraint(intervals),
        "adaptive_homotopy" => TrainingMethod::AdaptiveHomotopy(intervals),
        other => return Err(error::unknown("training.method", other, METHODS)),
    };
    let fits = chosen.check_given(given.iter().copied());
    fits.map_err(|e| Error::invalid(format!("training.{e}")))?;
    let fits = options.optimizer.check_given(given);
    fits.map_err(|e| {
        Error::invalid(format!(
            "training.{e}; training=lm and training=lm_multishoot have what it needs"
        ))
    })?;
    Ok(chosen)
}

fn missing(key: &str, method: &str) -> Error {
    Error::invalid(format!(
        "training.{key} is missing: training by {method} needs it"
    ))
}

/// Returns the value of a key that other settings make necessary.
pub(super) fn required<T>(value: Option<T>, key: &str, because: &str) -> Result<T> {
    value.ok_or_else(|| Error::invalid(format!("{key} is missing: {because}")))
}
