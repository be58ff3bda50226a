//! A study of Optuna, which chooses the values of runs by the results of those before: asked and told through the bridge.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::bridge::{Bridge, python};
use crate::{Error, Result};
use odesync_config::{SearchDomain, SearchSpace};

/// Longest time that one question to Optuna takes.
const PATIENCE: Duration = Duration::from_secs(600);

/// Name of the file with the study, in the folder of its multirun.
pub const STUDY_FILE: &str = "optuna.db";

/// The settings of a study: `configs/sweeper/optuna.yaml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StudySettings {
    kind: String,
    /// Number of runs.
    pub n_trials: usize,
    /// Number of runs at a time; `None` for as many as the launcher has room for.
    pub n_jobs: Option<usize>,
    /// The number of `result.json` that is sought.
    pub metric: String,
    /// Whether the least or the largest one is sought.
    pub direction: StudyDirection,
    /// What chooses the values.
    pub sampler: StudySampler,
    /// Seed of the sampler.
    pub seed: u64,
    /// What stops runs before their end.
    pub pruner: StudyPruner,
    /// The column of `metrics.csv` by which runs are stopped.
    pub pruner_metric: String,
    /// Number of epochs between two reports to the pruner.
    pub report_every: usize,
    /// Address of the study's storage; `None` for [`STUDY_FILE`] in the folder of the multirun.
    pub storage: Option<String>,
    /// Name of the study in its storage; `None` for that of the folder.
    pub study_name: Option<String>,
}

/// Which results of a study are better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StudyDirection {
    /// Smaller ones.
    Minimize,
    /// Larger ones.
    Maximize,
}

/// What chooses the values of a study's runs, by the names of Optuna's samplers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StudySampler {
    /// Tree-structured Parzen estimator (Bergstra et al. 2011).
    Tpe,
    /// Draws, independent of the results.
    Random,
    /// A quasi-random sequence.
    Qmc,
    /// A Gaussian process; needs the packages scipy and torch.
    Gp,
    /// CMA-ES; needs the package cmaes.
    Cmaes,
}

/// What stops the runs of a study, by the names of Optuna's pruners.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StudyPruner {
    /// Nothing.
    None,
    /// A best value above the median of the others at the same epoch.
    Median,
    /// Successive halving.
    SuccessiveHalving,
    /// Hyperband.
    Hyperband,
}

impl StudySettings {
    /// Checks the numbers.
    ///
    /// # Errors
    /// One that is zero, or too large.
    pub fn check(&self) -> Result<()> {
        const MAX_TRIALS: usize = 10_000;
        let counts = [
            ("n_trials", self.n_trials),
            ("n_jobs", self.n_jobs.unwrap_or(1)),
            ("report_every", self.report_every),
        ];
        if let Some((name, _)) = counts.into_iter().find(|(_, n)| *n == 0) {
            return Err(Error::invalid(format!(
                "sweeper.{name} should be 1 or more"
            )));
        }
        match self.n_trials > MAX_TRIALS {
            true => Err(Error::invalid(format!(
                "sweeper.n_trials: these are more than {MAX_TRIALS} runs"
            ))),
            false => Ok(()),
        }
    }
}

/// What Optuna has chosen for a run.
#[derive(Debug, Clone, PartialEq)]
pub struct StudyTrial {
    /// Number of the trial in the study.
    pub number: u64,
    /// Values by their keys, as texts.
    pub values: BTreeMap<String, String>,
}

/// How the run of a trial ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TrialOutcome {
    /// With a result.
    Complete(f64),
    /// It was stopped by the pruner.
    Pruned,
    /// Without a result.
    Failed,
}

/// A study of Optuna.
#[derive(Debug)]
pub struct Study {
    bridge: Arc<Bridge>,
    id: u64,
}

impl Study {
    /// Opens the study of a multirun's folder, which is begun if there is none. `known` are the numbers of the trials whose runs
    /// have been begun.
    ///
    /// # Errors
    /// A Python that does not start or has no Optuna, with what to do; a study of another space.
    pub fn open(
        settings: &StudySettings,
        space: &SearchSpace,
        folder: &Path,
        known: &[u64],
    ) -> Result<Self> {
        let (bridge, id) = Bridge::shared().map_err(|why| failure(&why))?;
        let folder = std::path::absolute(folder).map_err(|e| Error::io("find", folder, &e))?;
        let own = || format!("sqlite:///{}", folder.join(STUDY_FILE).display());
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        let domains: Map<String, Value> = space
            .searched()
            .map(|(key, domain)| (key.to_string(), domain_json(domain)))
            .collect();
        let study = Study { bridge, id };
        study.request(json!({
            "op": "study",
            "storage": settings.storage.clone().unwrap_or_else(own),
            "own": settings.storage.is_none(),
            "name": settings.study_name.as_deref().unwrap_or(&name),
            "direction": settings.direction,
            "sampler": settings.sampler,
            "pruner": settings.pruner,
            "seed": settings.seed,
            "space": domains,
            "known": known,
        }))?;
        Ok(study)
    }

    fn request(&self, mut message: Value) -> Result<Value> {
        message["id"] = json!(self.id);
        let answer = self.bridge.request(self.id, &message, PATIENCE);
        answer.map_err(|why| failure(&why))
    }

    /// Asks for the values of the next run.
    ///
    /// # Errors
    /// Those of Optuna; a process that is gone.
    pub fn ask(&self) -> Result<StudyTrial> {
        let answer = self.request(json!({ "op": "ask" }))?;
        let values = answer["values"].as_object().into_iter().flatten();
        let values = values.filter_map(|(key, x)| Some((key.clone(), x.as_str()?.to_string())));
        let number = answer["trial"].as_u64();
        Ok(StudyTrial {
            number: number.ok_or_else(|| failure("the answer has no trial"))?,
            values: values.collect(),
        })
    }

    /// Reports what a run has reached at epochs, and returns whether it should be stopped.
    ///
    /// # Errors
    /// Those of Optuna; a process that is gone.
    pub fn report(&self, trial: u64, values: &[(usize, f64)]) -> Result<bool> {
        let answer = self.request(json!({ "op": "report", "trial": trial, "values": values }))?;
        Ok(answer["prune"] == true)
    }

    /// Tells how a run ended, and returns the trial with the best result so far and that result.
    ///
    /// # Errors
    /// Those of Optuna; a process that is gone.
    pub fn tell(&self, trial: u64, outcome: TrialOutcome) -> Result<Option<(u64, f64)>> {
        let (state, value) = match outcome {
            TrialOutcome::Complete(value) => ("complete", Some(value)),
            TrialOutcome::Pruned => ("pruned", None),
            TrialOutcome::Failed => ("fail", None),
        };
        let message = json!({ "op": "tell", "trial": trial, "state": state, "value": value });
        let best = &self.request(message)?["best"];
        Ok(best["trial"].as_u64().zip(best["value"].as_f64()))
    }
}

/// Returns an error with what to do where Optuna is missing.
fn failure(why: &str) -> Error {
    match why.contains("No module named 'optuna'") {
        true => Error::invalid(format!(
            "sweeper=optuna needs the Python package optuna, which {0} does not have: {0} -m pip install optuna, or name another \
             Python by ODESYNC_PYTHON; sweeper=random needs none",
            python().display()
        )),
        false => Error::invalid(format!("sweeper=optuna: {why}")),
    }
}

fn domain_json(domain: &SearchDomain) -> Value {
    match domain {
        SearchDomain::Choice(choices) => json!({ "kind": "choice", "choices": choices }),
        SearchDomain::Float {
            low,
            high,
            log,
            step,
        } => json!({ "kind": "float", "low": low, "high": high, "log": log, "step": step }),
        SearchDomain::Int {
            low,
            high,
            log,
            step,
        } => json!({ "kind": "int", "low": low, "high": high, "log": log, "step": step }),
    }
}
