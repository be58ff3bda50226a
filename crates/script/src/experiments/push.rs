//! Runs that are over, handed to a tracker.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::compare::find_run_folders;
use super::run_files::hyperparameters;
use crate::tracking::{
    LoggerKind, MlflowSettings, NoteSink, RunRecord, TensorBoardLogger, TrackerLogger,
    WandbSettings, now,
};
use crate::{Error, Result};
use odesync_base::options::OptionSet;
use odesync_train::training::Run;

/// Longest time that one epoch of a run that is handed over waits for the client.
const PATIENCE: Duration = Duration::from_secs(600);

/// Where runs are handed over to.
#[derive(Debug, Clone)]
pub enum PushTarget {
    /// TensorBoard's event files, each in the folder of its run.
    TensorBoard,
    /// Weights & Biases.
    Wandb(WandbSettings),
    /// MLflow.
    Mlflow(MlflowSettings),
}

/// The runs that were handed over.
#[derive(Debug, Clone, Default)]
pub struct PushedRuns {
    /// Folder of each run, and where it is kept now.
    pub done: Vec<(PathBuf, String)>,
    /// Folders that were left out, with the reason.
    pub skipped: Vec<(PathBuf, String)>,
}

/// Hands over the runs of these folders; of a folder that is none itself, all runs in it as a group with the folder's name.
///
/// # Errors
/// A folder without a run; a damaged run; a client that fails.
pub fn push(folders: &[PathBuf], target: &PushTarget) -> Result<PushedRuns> {
    let mut pushed = PushedRuns::default();
    for folder in folders {
        let (runs, skipped) = find_run_folders(folder)?;
        pushed.skipped.extend(skipped);
        for run_folder in runs {
            let group = match run_folder == *folder {
                true => String::new(),
                false => RunRecord::new(folder).name,
            };
            let place = push_run(&run_folder, &group, target)?;
            pushed.done.push((run_folder, place));
        }
    }
    Ok(pushed)
}

fn push_run(folder: &Path, group: &str, target: &PushTarget) -> Result<String> {
    let run = Run::load(folder)?;
    // Data that are no longer there are no reason to keep the run back: it goes without the picture of its fit.
    let data = super::saved_data(folder).ok().flatten().map(Arc::new);
    let record = RunRecord::new(folder).group(group).data(data);
    let record = match hyperparameters(folder)? {
        Some(settings) => record.settings(settings),
        None => record.training(&run.settings.method, &run.settings.options),
    };
    let (kind, settings): (LoggerKind, &dyn OptionSet) = match target {
        PushTarget::TensorBoard => {
            TensorBoardLogger::write(record, &run)?;
            return Ok(folder.display().to_string());
        }
        PushTarget::Wandb(settings) => (LoggerKind::Wandb, settings),
        PushTarget::Mlflow(settings) => (LoggerKind::Mlflow, settings),
    };
    // What a training would note is an error here.
    let notes = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let of_sink = notes.clone();
    let sink = NoteSink::new(move |text: &str| {
        if let Ok(mut notes) = of_sink.lock() {
            notes.push(text.to_string());
        }
    });
    let mut logger = TrackerLogger::new(kind, settings, record, sink);
    logger.begin(&run.settings.method, false);
    let mut left: f64 = run.history.iter().map(|record| record.seconds).sum();
    for record in &run.history {
        left -= record.seconds;
        logger.log(record, now() - left.max(0.0), Some(PATIENCE));
    }
    match logger.end(&run) {
        Some(place) => Ok(place),
        None => {
            let notes = notes.lock().map(|notes| notes.join("; "));
            let why = notes.unwrap_or_default();
            let why = why
                .split("; the training goes on")
                .next()
                .unwrap_or_default();
            Err(Error::invalid(format!("{}: {why}", folder.display())))
        }
    }
}
