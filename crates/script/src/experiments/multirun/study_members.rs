//! Members whose arguments Optuna chooses, one after another, by the results of those before.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Multirun;
use super::status::{MemberRecord, MemberStatus};
use super::workers::MemberSource;
use crate::experiments::run_dir::RESULT_FILE;
use crate::tracking::{Study, StudySettings, TrialOutcome};
use crate::{Error, Result};
use odesync_base::files;
use odesync_config::{ConfigSource, SearchSpace};

/// The study of a multirun, as `multirun.json` keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StudyRecord {
    /// Its settings.
    pub settings: StudySettings,
    /// The arguments with what they may be, as they were typed.
    pub arguments: Vec<String>,
    /// The keys that are searched.
    pub keys: Vec<String>,
    /// Number of each member's trial in the study.
    pub trials: Vec<u64>,
}

/// The best run of a study so far.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BestTrial {
    /// Number of the member; `None` where the study has it from another multirun.
    pub member: Option<usize>,
    /// Its result.
    pub value: f64,
}

/// The members of a multirun with a study: those that were begun, then new ones as Optuna chooses them, up to the number of trials.
pub struct StudyMembers {
    folder: PathBuf,
    settings: StudySettings,
    space: SearchSpace,
    state: Mutex<State>,
}

struct State {
    multirun: Multirun,
    study: Study,
    /// Members that were begun and are not over.
    begun: VecDeque<usize>,
    /// Last epoch of each member that the study knows.
    reported: BTreeMap<usize, usize>,
    best: Option<(u64, f64)>,
}

impl StudyMembers {
    /// Opens the study of a multirun's folder, and tells it of the members that have ended.
    ///
    /// # Errors
    /// Those of the arguments; a Python that does not start or has no Optuna.
    pub fn open(
        multirun: Multirun,
        folder: impl Into<PathBuf>,
        library: &ConfigSource,
    ) -> Result<Self> {
        let folder = folder.into();
        let record = multirun.study.clone();
        let record = record.ok_or_else(|| Error::invalid("the multirun has no study"))?;
        let space = SearchSpace::read(&record.arguments, library)?;
        let study = Study::open(&record.settings, &space, &folder, &record.trials)?;
        let (over, begun): (Vec<usize>, Vec<usize>) = (0..multirun.members.len())
            .partition(|m| multirun.is_over(status(&multirun, &folder, *m)));
        let members = StudyMembers {
            folder,
            settings: record.settings,
            space,
            state: Mutex::new(State {
                multirun,
                study,
                begun: begun.into(),
                reported: BTreeMap::new(),
                best: None,
            }),
        };
        for member in over {
            members.on_end(member)?;
        }
        Ok(members)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the multirun as it is now.
    pub fn multirun(&self) -> Multirun {
        self.lock().multirun.clone()
    }

    /// Returns the best run so far.
    pub fn best(&self) -> Option<BestTrial> {
        let state = self.lock();
        let (trial, value) = state.best?;
        let trials = state.multirun.study.iter().flat_map(|study| &study.trials);
        let member = trials.into_iter().position(|t| *t == trial);
        Some(BestTrial { member, value })
    }

    /// Returns up to `n` members that run side by side, those that were begun first.
    ///
    /// # Errors
    /// Those of Optuna; a multirun that cannot be written.
    pub fn batch(&self, n: usize) -> Result<Vec<usize>> {
        let mut members = vec![];
        while members.len() < n
            && let Some((_, member)) = self.next()?
        {
            members.push(member);
        }
        Ok(members)
    }

    /// Tells the study how the members of a batch have ended, and returns the number of those that have not.
    ///
    /// # Errors
    /// Those of Optuna.
    pub fn tell(&self, batch: &[usize]) -> Result<usize> {
        for member in batch {
            self.on_end(*member)?;
        }
        let multirun = self.multirun();
        let unfinished = batch
            .iter()
            .filter(|member| !multirun.is_over(status(&multirun, &self.folder, **member)));
        Ok(unfinished.count())
    }

    /// Reports what the running members have reached since the last call. The status of one that the pruner stops says so, which is
    /// what stops it, on this machine or another one.
    ///
    /// # Errors
    /// Those of Optuna; a status that cannot be written.
    pub fn watch(&self) -> Result<()> {
        let count = self.lock().multirun.members.len();
        for member in 0..count {
            let mut state = self.lock();
            if status(&state.multirun, &self.folder, member) != MemberStatus::Running {
                continue;
            }
            if self.report(&mut state, member)? {
                let member_dir = state.multirun.member_dir(&self.folder, member);
                // It may have ended since.
                if status(&state.multirun, &self.folder, member) == MemberStatus::Running {
                    MemberRecord::new(MemberStatus::Pruned).write(&member_dir)?;
                }
            }
        }
        Ok(())
    }

    /// Reports a member's epochs, and returns whether it should be stopped.
    fn report(&self, state: &mut State, member: usize) -> Result<bool> {
        let Some(trial) = trial_of(&state.multirun, member) else {
            return Ok(false);
        };
        let path = state
            .multirun
            .member_dir(&self.folder, member)
            .join("metrics.csv");
        // A run that has none yet, or writes none, is not pruned.
        let Ok(bytes) = files::read(&path) else {
            return Ok(false);
        };
        let last = state.reported.get(&member).copied().unwrap_or(0);
        let new: Vec<(usize, f64)> = column(&bytes, &self.settings.pruner_metric)
            .into_iter()
            .filter(|(epoch, x)| {
                *epoch > last && epoch.is_multiple_of(self.settings.report_every) && x.is_finite()
            })
            .collect();
        let Some((epoch, _)) = new.last() else {
            return Ok(false);
        };
        state.reported.insert(member, *epoch);
        state.study.report(trial, &new)
    }

    /// Returns how a member that is over ended.
    fn outcome(&self, multirun: &Multirun, member: usize) -> Result<TrialOutcome> {
        match status(multirun, &self.folder, member) {
            MemberStatus::Done => {}
            MemberStatus::Pruned => return Ok(TrialOutcome::Pruned),
            _ => return Ok(TrialOutcome::Failed),
        }
        let path = multirun.member_dir(&self.folder, member).join(RESULT_FILE);
        let bytes = files::read(&path).map_err(|_| {
            Error::invalid(format!(
                "there is no {}: a study needs the results of an experiment, as experiment(config(\"NAME\")).run() writes them",
                path.display()
            ))
        })?;
        let result: serde_json::Map<String, Value> =
            serde_json::from_slice(&bytes).map_err(|e| Error::Checkpoint {
                path: path.clone(),
                reason: e.to_string(),
            })?;
        match result.get(&self.settings.metric) {
            // An mse that is not finite is none.
            Some(Value::Null) => Ok(TrialOutcome::Failed),
            Some(Value::Number(x)) => Ok(x
                .as_f64()
                .map_or(TrialOutcome::Failed, TrialOutcome::Complete)),
            _ => {
                let numbers = result.iter().filter(|(_, x)| x.is_number() || x.is_null());
                let known: Vec<&str> = numbers.map(|(name, _)| name.as_str()).collect();
                Err(odesync_base::error::unknown(
                    "sweeper.metric",
                    &self.settings.metric,
                    known,
                ))
            }
        }
    }
}

impl MemberSource for StudyMembers {
    fn next(&self) -> Result<Option<(Arc<Multirun>, usize)>> {
        let mut state = self.lock();
        if let Some(member) = state.begun.pop_front() {
            return Ok(Some((Arc::new(state.multirun.clone()), member)));
        }
        if state.multirun.members.len() >= self.settings.n_trials {
            return Ok(None);
        }
        let trial = state.study.ask()?;
        let overrides = self.space.overrides(&trial.values)?;
        let arguments = overrides.iter().map(ToString::to_string).collect();
        state.multirun.members.push(arguments);
        if let Some(study) = &mut state.multirun.study {
            study.trials.push(trial.number);
        }
        state.multirun.write(&self.folder)?;
        let member = state.multirun.members.len() - 1;
        Ok(Some((Arc::new(state.multirun.clone()), member)))
    }

    fn on_end(&self, member: usize) -> Result<()> {
        let mut state = self.lock();
        let status = status(&state.multirun, &self.folder, member);
        if !state.multirun.is_over(status) {
            return Ok(());
        }
        let Some(trial) = trial_of(&state.multirun, member) else {
            return Ok(());
        };
        // The pruner compares others with all epochs of this one, however fast it was.
        self.report(&mut state, member)?;
        let outcome = self.outcome(&state.multirun, member)?;
        state.best = state.study.tell(trial, outcome)?;
        Ok(())
    }
}

fn trial_of(multirun: &Multirun, member: usize) -> Option<u64> {
    multirun.study.as_ref()?.trials.get(member).copied()
}

fn status(multirun: &Multirun, folder: &std::path::Path, member: usize) -> MemberStatus {
    let record = MemberRecord::read(&multirun.member_dir(folder, member));
    record.map_or(MemberStatus::Waiting, |record| record.status)
}

/// Returns the epochs and the values of a column of `metrics.csv`, to which a run may be writing.
fn column(bytes: &[u8], name: &str) -> Vec<(usize, f64)> {
    // A line without its end is not whole.
    let whole = bytes
        .iter()
        .rposition(|b| *b == b'\n')
        .map_or(0, |at| at + 1);
    let mut reader = csv::Reader::from_reader(bytes.get(..whole).unwrap_or_default());
    let Ok(head) = reader.headers() else {
        return vec![];
    };
    let place = |name: &str| head.iter().position(|field| field == name);
    let (Some(epoch), Some(value)) = (place("epoch"), place(name)) else {
        return vec![];
    };
    let number = |row: &csv::StringRecord| {
        let epoch = row.get(epoch)?.parse().ok()?;
        Some((epoch, row.get(value)?.parse().ok()?))
    };
    let rows = reader.records().filter_map(std::result::Result::ok);
    rows.filter_map(|row| number(&row)).collect()
}
