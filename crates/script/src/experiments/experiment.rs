//! An experiment: data, model, method and options from a configuration, and its run.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::data::ExperimentData;
use super::results::Results;
use super::run_dir::RunDir;
use super::settings::{ExperimentSettings, LoggerKind};
use super::{environment, instantiate};
use crate::Result;
use odesync_config::Config;
use odesync_ode::field::VectorField;
use odesync_train::progress::CsvLogger;
use odesync_train::training::{
    Callback, Callbacks, Run, StopReason, TrainOptions, TrainingMethod, train,
};

/// An experiment, ready to run. Its parts may be changed before it does.
#[derive(Debug, Clone)]
pub struct Experiment {
    /// The configuration it came of.
    pub config: Config,
    /// The same, typed.
    pub settings: ExperimentSettings,
    /// The data.
    pub data: ExperimentData,
    /// The untrained model.
    pub model: VectorField,
    /// The training method.
    pub method: TrainingMethod,
    /// How to train.
    pub options: TrainOptions,
    /// The folder of the last run.
    pub folder: Option<PathBuf>,
}

/// Where and how an experiment runs.
#[derive(Debug, Clone)]
pub struct RunRequest {
    /// The folder under which new runs get theirs.
    pub root: PathBuf,
    /// Which folder.
    pub run_dir: RunDir,
    /// Raised to stop after the current epoch.
    pub interrupt: Arc<AtomicBool>,
}

impl Default for RunRequest {
    fn default() -> Self {
        RunRequest {
            root: "runs".into(),
            run_dir: RunDir::default(),
            interrupt: Arc::default(),
        }
    }
}

impl Experiment {
    /// Reads or simulates the data and makes the model.
    ///
    /// # Errors
    /// Whatever the configuration says wrong, by the key's full path; a file that can't be read.
    pub fn new(config: Config) -> Result<Self> {
        let settings = ExperimentSettings::read(&config)?;
        let data = ExperimentData::new(&settings.dataset)?;
        let method = instantiate::method(&settings.training)?;
        method.check(data.train.len(), data.train.dof())?;
        Ok(Experiment {
            model: instantiate::model(&settings.model, data.train.dof(), settings.random_seed)?,
            options: instantiate::options(&settings)?,
            folder: None,
            config,
            settings,
            data,
            method,
        })
    }

    /// Trains the model into a folder of its own, or goes on with the run of one: `config.yaml` and `environment.json` are
    /// written first, checkpoints and the log on the way, `result.json` when it is over. After an interrupt the run is as far
    /// as it got ([`StopReason::Interrupted`]).
    ///
    /// # Errors
    /// Those of [`RunDir::create`] and [`train`].
    pub fn run(&mut self, request: &RunRequest, observer: impl Callback) -> Result<Run> {
        let config = self.config.to_yaml();
        let folder = request
            .run_dir
            .create(&request.root, &self.settings.experiment, &config)?;
        self.folder = Some(folder.clone());
        environment::write_environment(&folder, &self.options.engine, &self.options.device)?;
        let options = TrainOptions {
            out: Some(folder.clone()),
            resume: request.run_dir.is_resume(),
            interrupt: request.interrupt.clone(),
            ..self.options.clone()
        };
        let mut observers = Callbacks(vec![Box::new(observer)]);
        if self.settings.logger.kind == LoggerKind::Csv {
            observers.push(CsvLogger::new(&folder));
        }
        let run = train(
            &self.model,
            &self.data.train,
            &self.method,
            &options,
            &mut observers,
        )?;
        if run.stop != StopReason::Interrupted {
            self.results(&run).write(&folder)?;
        }
        Ok(run)
    }

    /// The figures of a run's table.
    pub fn results(&self, run: &Run) -> Results {
        Results::new(
            &self.settings.experiment,
            self.settings.random_seed,
            run,
            &self.data,
        )
    }

    /// The path of a figure in the last run's folder; in the current folder before there is one.
    pub fn figure_path(&self, name: &str) -> PathBuf {
        self.folder
            .as_deref()
            .unwrap_or(Path::new("."))
            .join("figures")
            .join(name)
    }
}
