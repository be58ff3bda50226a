//! The Python packages beside the program: which trackers a training can hand its metrics to, and Optuna.

use std::path::PathBuf;

use super::Finding;
use super::programs::{find, run};
use crate::tracking::python;

/// Prints the version of each package that is installed, without importing it: that takes seconds.
const QUESTION: &str = "
import importlib.metadata as m
for name in ('wandb', 'mlflow', 'tensorboard', 'optuna'):
    try:
        print(name, m.version(name))
    except m.PackageNotFoundError:
        pass
";

/// Returns the findings about the loggers besides metrics.csv, and about Optuna.
pub(super) fn check_trackers() -> Vec<Finding> {
    let python = python();
    let path: Option<PathBuf> = match python.components().count() {
        1 => find(&python.to_string_lossy()),
        _ => Some(python.clone()),
    };
    let answer = match path {
        None => Err(format!("there is no {}", python.display())),
        Some(path) => run(&path, &["-c", QUESTION]),
    };
    let installed = answer.as_deref().unwrap_or_default();
    let version = |name: &str| {
        let mut lines = installed.lines().filter_map(|line| line.split_once(' '));
        lines.find(|(n, _)| *n == name).map(|(_, version)| version)
    };
    let install = |name: &str| format!("{} -m pip install {name}", python.display());
    let package = |topic: &'static str, of: &str| match (version(topic), &answer) {
        (Some(version), _) => Finding::present(topic, format!("{version}, for {of}={topic}")),
        (None, Ok(_)) => Finding::missing(
            topic,
            format!("not in {}; only {of}={topic} needs it", python.display()),
            install(topic),
        ),
        (None, Err(why)) => Finding::missing(
            topic,
            format!("{why}; only {of}={topic} needs it"),
            "install Python, or name it: export ODESYNC_PYTHON=/path/to/python3",
        ),
    };
    let viewer = match version("tensorboard") {
        Some(version) => Finding::present(
            "tensorboard",
            format!(
                "logger=tensorboard writes without it; {version} shows: tensorboard --logdir runs"
            ),
        ),
        None => Finding::missing(
            "tensorboard",
            "logger=tensorboard writes without it; to look at what was written it is needed",
            install("tensorboard"),
        ),
    };
    vec![
        viewer,
        package("wandb", "logger"),
        package("mlflow", "logger"),
        package("optuna", "sweeper"),
    ]
}
