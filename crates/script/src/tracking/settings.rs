//! Which loggers a training has, and their settings: the group `logger` of a configuration, the option `logger` of a script.

use crate::{Error, Result};
use odesync_base::error::unknown;
use odesync_base::options::{
    Keys, Maybe, Mismatch, Named, OneOf, OptionKind, Text, TextList, Value, read_map,
};
use odesync_base::{impl_named, option_set};

/// A kind of logger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoggerKind {
    /// The table `metrics.csv`.
    Csv,
    /// TensorBoard's event file.
    TensorBoard,
    /// Weights & Biases.
    Wandb,
    /// MLflow.
    Mlflow,
    /// None.
    None,
}

impl_named!(
    LoggerKind,
    "logger",
    Csv = "csv",
    TensorBoard = "tensorboard",
    Wandb = "wandb",
    Mlflow = "mlflow",
    None = "none",
);

/// Where wandb keeps a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrackerMode {
    /// On its server, at once.
    Online,
    /// In files beside the run, for `wandb sync`.
    Offline,
    /// Nowhere.
    Disabled,
}

impl_named!(
    TrackerMode,
    "mode",
    Online = "online",
    Offline = "offline",
    Disabled = "disabled",
);

option_set! {
    /// The settings of the logger `wandb`.
    #[derive(Debug, Clone, PartialEq)]
    pub struct WandbSettings {
        /// Project.
        pub project: String as Text = "odesync".into();
        /// User or team.
        pub entity: Option<String> as Maybe<Text> = None, "that of the key";
        /// Group of runs.
        pub group: Option<String> as Maybe<Text> = None, "the ensemble or multirun";
        /// Type of the job.
        pub job_type: Option<String> as Maybe<Text> = None;
        /// Tags.
        pub tags: Vec<String> as TextList = vec![];
        /// `"online"`, `"offline"` (files beside the run, for `wandb sync`) or `"disabled"`.
        pub mode: Option<TrackerMode> as Maybe<OneOf<TrackerMode>> = None, "`\"online\"` where a key is set, else `\"offline\"`";
    }
}

option_set! {
    /// The settings of the logger `mlflow`.
    #[derive(Debug, Clone, PartialEq)]
    pub struct MlflowSettings {
        /// Address of the store or server: `sqlite:///mlflow.db`, `http://host:5000`.
        pub tracking_uri: Option<String> as Maybe<Text> = None, "`MLFLOW_TRACKING_URI`, else `sqlite:///mlflow.db`";
        /// Experiment.
        pub experiment_name: String as Text = "odesync".into();
        /// Tags.
        pub tags: Vec<String> as TextList = vec![];
    }
}

/// The loggers of a training and their settings.
#[derive(Debug, Clone, PartialEq)]
pub struct LoggerSettings {
    /// Whether `metrics.csv` is written.
    pub csv: bool,
    /// Whether TensorBoard's event file is written.
    pub tensorboard: bool,
    /// Weights & Biases.
    pub wandb: Option<WandbSettings>,
    /// MLflow.
    pub mlflow: Option<MlflowSettings>,
}

impl Default for LoggerSettings {
    /// The table `metrics.csv` alone.
    fn default() -> Self {
        LoggerSettings {
            csv: true,
            ..LoggerSettings::none()
        }
    }
}

impl LoggerSettings {
    /// Returns no loggers.
    pub fn none() -> Self {
        LoggerSettings {
            csv: false,
            tensorboard: false,
            wandb: None,
            mlflow: None,
        }
    }

    /// Adds a logger with its default settings.
    pub fn add(&mut self, kind: LoggerKind) {
        match kind {
            LoggerKind::Csv => self.csv = true,
            LoggerKind::TensorBoard => self.tensorboard = true,
            LoggerKind::Wandb => self.wandb = Some(WandbSettings::default()),
            LoggerKind::Mlflow => self.mlflow = Some(MlflowSettings::default()),
            LoggerKind::None => {}
        }
    }

    /// Whether there is a logger besides `metrics.csv`.
    pub fn has_others(&self) -> bool {
        self.tensorboard || self.wandb.is_some() || self.mlflow.is_some()
    }

    fn kinds(&self) -> Vec<LoggerKind> {
        let all = [
            (self.csv, LoggerKind::Csv),
            (self.tensorboard, LoggerKind::TensorBoard),
            (self.wandb.is_some(), LoggerKind::Wandb),
            (self.mlflow.is_some(), LoggerKind::Mlflow),
        ];
        let given = all.into_iter().filter(|(given, _)| *given);
        given.map(|(_, kind)| kind).collect()
    }

    /// Adds a logger from its name, or from a map with its name under `kind` and its settings.
    fn add_value(&mut self, value: &Value) -> std::result::Result<(), Mismatch> {
        match value {
            Value::Text(name) => self.add(LoggerKind::from_name(name)?),
            Value::Map(entries) => {
                let kind = entries.iter().find(|(name, _)| name == "kind");
                let kind = kind.and_then(|(_, value)| value.text()).ok_or_else(|| {
                    Error::invalid(
                        "logger: the map needs a kind, #{ kind: \"wandb\", project: \"pendulum\" }",
                    )
                })?;
                let kind = LoggerKind::from_name(kind)?;
                self.add(kind);
                let rest = entries.iter().filter(|(name, _)| name != "kind");
                let rest = Value::Map(rest.cloned().collect());
                let read = match (kind, &mut self.wandb, &mut self.mlflow) {
                    (LoggerKind::Wandb, Some(settings), _) => read_map(settings, &rest),
                    (LoggerKind::Mlflow, _, Some(settings)) => read_map(settings, &rest),
                    _ => no_settings(kind, &rest),
                };
                read.map_err(Mismatch::Within)?;
            }
            _ => return Err(Mismatch::Value),
        }
        Ok(())
    }
}

fn no_settings(kind: LoggerKind, rest: &Value) -> Result<()> {
    match rest {
        Value::Map(entries) => match entries.first() {
            None => Ok(()),
            Some((name, _)) => Err(unknown("option", name, ["kind"])),
        },
        _ => Err(Error::invalid(format!(
            "{} has no settings",
            kind.to_name()
        ))),
    }
}

/// The kind of the option `logger`.
#[derive(Debug, Clone, Copy)]
pub struct LoggerOption;

impl OptionKind for LoggerOption {
    type Field = LoggerSettings;
    const EXPECTED: &'static str = "the name of a logger, a map with its kind, or a list of them";
    const CHOICES: &'static [&'static str] = LoggerKind::NAMES;
    const NESTED: Keys = &[
        &[odesync_base::options::Key::new("kind").doc("Name of the logger.")],
        WandbSettings::OPTIONS,
        MlflowSettings::OPTIONS,
    ];

    fn read(value: &Value) -> std::result::Result<LoggerSettings, Mismatch> {
        let mut settings = LoggerSettings::none();
        match value {
            Value::List(list) => {
                for item in list {
                    settings.add_value(item)?;
                }
            }
            one => settings.add_value(one)?,
        }
        Ok(settings)
    }

    fn write(field: &LoggerSettings) -> Value {
        let names = field.kinds().into_iter().map(|kind| kind.to_name().into());
        Value::List(names.collect())
    }
}
