//! An experiment: data, model, method and options from a configuration, and its run.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::data::ExperimentData;
use super::results::RunResults;
use super::run_dir::{CONFIG_FILE, RunDir};
use super::settings::ExperimentSettings;
use super::{environment, instantiate};
use crate::Result;
use crate::tracking::{NoteSink, RunRecord};
use odesync_base::files;
use odesync_config::{Config, ConfigSource};
use odesync_ode::field::VectorField;
use odesync_train::datasets::{self, Dataset, TableOptions};
use odesync_train::training::{
    Callback, Callbacks, Run, StopReason, TrainOptions, TrainingMethod, train,
};

/// An experiment, ready to run. Its fields may be changed before it runs.
#[derive(Debug, Clone)]
pub struct Experiment {
    /// The configuration that the experiment was made from.
    pub config: Config,
    /// The settings: the configuration, typed.
    pub settings: ExperimentSettings,
    /// The data.
    pub data: ExperimentData,
    /// The untrained model.
    pub model: VectorField,
    /// The training method.
    pub method: TrainingMethod,
    /// The training options.
    pub options: TrainOptions,
    /// Folder of the last run.
    pub folder: Option<PathBuf>,
}

/// Options of an experiment's run.
#[derive(Debug, Clone)]
pub struct RunRequest {
    /// Folder in which the folders of new runs are made.
    pub root: PathBuf,
    /// Folder of the run.
    pub run_dir: RunDir,
    /// Flag that stops the run after the current epoch.
    pub interrupt: Arc<AtomicBool>,
    /// Where remarks of the loggers go.
    pub notes: NoteSink,
}

impl Default for RunRequest {
    fn default() -> Self {
        RunRequest {
            root: "runs".into(),
            run_dir: RunDir::default(),
            interrupt: Arc::default(),
            notes: NoteSink::default(),
        }
    }
}

/// Returns the data of a run's folder: its `data.csv`, or those of the `config.yaml` of an experiment; `None` where it has neither.
///
/// # Errors
/// A table or a configuration that can't be read.
pub fn saved_data(folder: &Path) -> Result<Option<Dataset>> {
    let (table, config) = (folder.join("data.csv"), folder.join(CONFIG_FILE));
    if files::is_file(&table) {
        return datasets::read_table(&table, &TableOptions::default()).map(Some);
    }
    if !files::is_file(&config) {
        return Ok(None);
    }
    let config = Config::from_file(&config, &ConfigSource::find(None), &[])?;
    Ok(Some(Experiment::new(config)?.data.train))
}

impl Experiment {
    /// Makes an experiment from a configuration: reads or simulates the data and makes the model.
    ///
    /// # Errors
    /// Every mistake in the configuration, with the key's full path; a file that cannot be read.
    pub fn new(config: Config) -> Result<Self> {
        let settings = ExperimentSettings::read(&config)?;
        let data = ExperimentData::new(&settings.dataset)?;
        settings.options.check()?;
        let method = settings.method.clone();
        method.check(data.train.len(), data.train.dof())?;
        Ok(Experiment {
            model: instantiate::model(&settings.model, data.train.dof(), settings.random_seed)?,
            options: settings.options.clone(),
            folder: None,
            config,
            settings,
            data,
            method,
        })
    }

    /// Trains the model in a new folder, or resumes the run of a folder. `config.yaml` and `environment.json` are written first,
    /// checkpoints and the log during the training, `result.json` at the end. After an interrupt the returned run ends at the
    /// last completed epoch ([`StopReason::Interrupted`]).
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
            overwrite: matches!(request.run_dir, RunDir::Replace(_)),
            interrupt: request.interrupt.clone(),
            shuffle_seed: Some(self.settings.random_seed),
            ..self.options.clone()
        };
        let mut observers = Callbacks(vec![Box::new(observer)]);
        let settings = super::run_files::hyperparameters(&folder)?.unwrap_or_default();
        let logger = &self.settings.logger;
        let record = RunRecord::new(&folder)
            .group(super::multirun::group_of(&folder))
            .data(
                logger
                    .has_others()
                    .then(|| Arc::new(self.data.train.clone())),
            )
            .settings(settings);
        logger.attach(record, &request.notes, &mut observers);
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

    /// Computes the results of a run: the rows of its table.
    pub fn results(&self, run: &Run) -> RunResults {
        RunResults::new(
            &self.settings.experiment,
            self.settings.random_seed,
            run,
            &self.data,
        )
    }

    /// Returns the path of a figure in the last run's folder, or in the current folder if nothing has run yet.
    pub fn figure_path(&self, name: &str) -> PathBuf {
        self.folder
            .as_deref()
            .unwrap_or(Path::new("."))
            .join("figures")
            .join(name)
    }
}
