//! The callbacks of the loggers of a training.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use super::record::RunRecord;
use super::settings::{LoggerKind, LoggerOption, LoggerSettings};
use super::tensorboard::TensorBoardLogger;
use super::tracker::TrackerLogger;
use crate::{Error, Result};
use odesync_base::option_set;
use odesync_base::permissions::{Access, Permissions, check};
use odesync_train::datasets::Dataset;
use odesync_train::progress::CsvLogger;
use odesync_train::training::{Callbacks, TrainOptions, TrainingMethod};

option_set! {
    /// The loggers of a training, the option `logger` of `train`.
    #[derive(Debug, Clone, PartialEq)]
    pub struct RunLoggers {
        /// What is written of each epoch besides checkpoints: a name, a list of names, or maps with settings,
        /// `#{ kind: "wandb", project: "pendulum" }`. Needs `out`.
        pub logger: LoggerSettings as LoggerOption = LoggerSettings::default(), "`\"csv\"`, metrics.csv in `out`";
    }
}

/// A function that takes a remark.
type Say = dyn Fn(&str) + Send + Sync;

/// Where a logger's remarks for the user go; nowhere by default.
#[derive(Clone, Default)]
pub struct NoteSink(Option<Arc<Say>>);

impl NoteSink {
    /// Creates a sink that calls a function.
    pub fn new(say: impl Fn(&str) + Send + Sync + 'static) -> Self {
        NoteSink(Some(Arc::new(say)))
    }

    /// Says a remark.
    pub fn say(&self, text: &str) {
        if let Some(say) = &self.0 {
            say(text);
        }
    }
}

impl fmt::Debug for NoteSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NoteSink")
    }
}

impl RunLoggers {
    /// Checks that a training with loggers has a folder, and that a script that is held to some folders names no other place.
    ///
    /// # Errors
    /// A logger besides `csv` without `out`; a server, or a file that the script may not write.
    pub fn check(&self, options: &TrainOptions) -> Result<()> {
        if self.logger.has_others() && options.out.is_none() {
            return Err(Error::invalid(
                "a logger writes into the folder of the run: give out, #{ out: \"runs/mine\", logger: \"tensorboard\" }",
            ));
        }
        let mlflow = self.logger.mlflow.as_ref();
        let uri = mlflow.and_then(|settings| settings.tracking_uri.as_deref());
        let Some(uri) = uri.filter(|_| Permissions::current().is_some()) else {
            return Ok(());
        };
        match uri.strip_prefix("sqlite:///") {
            Some(path) => Ok(check(Access::Write, Path::new(path)).map(|_| ())?),
            None => Err(Error::invalid(
                "logger: a script may name a file of MLflow, \"sqlite:///mlflow.db\", and no server: set MLFLOW_TRACKING_URI instead",
            )),
        }
    }

    /// Adds the callbacks of the loggers of a training on `data` with these options, whose folder is `out`; none where there is no
    /// folder.
    pub fn attach(
        &self,
        (method, options): (&TrainingMethod, &TrainOptions),
        data: &Arc<Dataset>,
        group: &str,
        note: &NoteSink,
        to: &mut Callbacks,
    ) {
        if let Some(out) = &options.out {
            let record = RunRecord::new(out).group(group).data(Arc::clone(data));
            let record = record.training(method, options);
            self.logger.attach(record, note, to);
        }
    }
}

impl LoggerSettings {
    /// Adds the callbacks of the loggers of a run.
    pub fn attach(&self, record: RunRecord, note: &NoteSink, to: &mut Callbacks) {
        if self.csv {
            to.push(CsvLogger::new(&record.folder));
        }
        if self.tensorboard {
            to.push(TensorBoardLogger::new(record.clone()));
        }
        if let Some(settings) = &self.wandb {
            let kind = LoggerKind::Wandb;
            to.push(TrackerLogger::new(
                kind,
                settings,
                record.clone(),
                note.clone(),
            ));
        }
        if let Some(settings) = &self.mlflow {
            to.push(TrackerLogger::new(
                LoggerKind::Mlflow,
                settings,
                record,
                note.clone(),
            ));
        }
    }
}
