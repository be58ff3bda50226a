//! Several training runs in parallel: seeds, or variants of the options.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use ndarray::{Array3, Zip};

use super::callback::{Callback, RunStart};
use super::choice::BestBy;
use super::epoch_record::EpochRecord;
use super::method::TrainingMethod;
use super::options::TrainOptions;
use super::run::{Run, StopReason};
use super::trainer::train;
use crate::datasets::Dataset;
use crate::{Error, Result};
use odesync_base::permissions::Permissions;
use odesync_ode::field::VectorField;

/// A training run of an ensemble before it begins.
#[derive(Debug, Clone)]
pub struct EnsembleMember {
    /// Label that distinguishes the member from the others, for example `seed_10`.
    pub label: String,
    /// Model of which the member trains a copy.
    pub model: VectorField,
    /// Training options of the member.
    pub options: TrainOptions,
}

impl EnsembleMember {
    /// Creates a member for each seed, with the model that `make` returns after [`odesync_base::random::seed`]: the model that
    /// the same lines give for one seed at a time. Each member has a subfolder of `out`, such as `out/seed_10`.
    ///
    /// # Errors
    /// Errors of `make`.
    pub fn seeded(
        seeds: &[u64],
        options: &TrainOptions,
        mut make: impl FnMut() -> Result<VectorField>,
    ) -> Result<Vec<EnsembleMember>> {
        seeds
            .iter()
            .map(|seed| {
                odesync_base::random::seed(*seed);
                let (label, mut options) = (format!("seed_{seed}"), options.clone());
                if let Some(out) = &mut options.out {
                    out.push(&label);
                }
                let model = make()?;
                Ok(EnsembleMember {
                    label,
                    model,
                    options,
                })
            })
            .collect()
    }
}

/// Training runs of one method on the same data, in the order of the members.
#[derive(Debug, Clone)]
pub struct Ensemble {
    /// Label of each member with its run, or the error with which it failed.
    pub members: Vec<(String, Result<Run>)>,
}

/// Quantiles of the members' trajectories, each `[sample, time, dof]`.
#[derive(Debug, Clone)]
pub struct PredictionBand {
    /// Median of the trajectories.
    pub median: Array3<f64>,
    /// Lower quantile of the trajectories.
    pub low: Array3<f64>,
    /// Upper quantile of the trajectories.
    pub high: Array3<f64>,
    /// Number of trajectories. Members that failed, and those whose model can't be solved that far, have none.
    pub members: usize,
}

/// Trains every member, as many at a time as there are threads. Each run is, to the bit, the one of that member trained alone,
/// whatever the number of threads. A member that fails does not end the others.
///
/// `callback` is called for all members as for one run: with the total number of epochs done and the smallest mse of any member,
/// and at the end with the best run. `loggers` creates a callback for each member. After an interrupt the members are as far as
/// they got ([`Ensemble::interrupted`]), and each one's folder holds its epochs so far.
///
/// # Errors
/// No members, members with the same label or the same folder, an error of `callback`, or the first failure if every member
/// failed.
pub fn train_ensemble(
    members: &[EnsembleMember],
    data: &Dataset,
    method: &TrainingMethod,
    callback: &mut dyn Callback,
    loggers: &(dyn Fn(&EnsembleMember) -> Box<dyn Callback> + Sync),
) -> Result<Ensemble> {
    check_ensemble_members(members)?;
    for options in members.iter().map(|member| &member.options) {
        // Found by a member alone it would be the failure of that member, after others have been trained.
        if let Some(out) = options
            .out
            .as_ref()
            .filter(|_| !options.resume && !options.overwrite)
        {
            Run::check_replaceable(out)?;
        }
    }
    let epochs = |member: &EnsembleMember| {
        let requested = member.options.epochs;
        requested.unwrap_or_else(|| method.default_epochs())
    };
    let total = members.iter().map(epochs).sum();
    callback.on_start(&RunStart {
        method,
        epochs: total,
        has_validation: false,
        has_damping: false,
        history: &[],
    })?;
    let progress = Mutex::new(EnsembleProgress {
        callback,
        epochs_done: 0,
        best_mse: f64::NAN,
        notes: BTreeSet::new(),
        callback_result: Ok(()),
    });
    let threads = rayon::current_num_threads();
    let workers = threads.min(members.len());
    let next = AtomicUsize::new(0);
    let results: Vec<Mutex<Option<Result<Run>>>> =
        members.iter().map(|_| Mutex::new(None)).collect();
    // Each worker has its own thread pool: in a shared pool a thread that waits within one member would begin another, with both
    // in memory at once.
    let permissions = Permissions::current();
    let work = |pool: rayon::ThreadPool| {
        while let Some((i, member)) = {
            let i = next.fetch_add(1, Ordering::Relaxed);
            members.get(i).map(|member| (i, member))
        } {
            let mut member_callback = MemberCallback {
                label: &member.label,
                epochs: epochs(member),
                epochs_reported: 0,
                progress: &progress,
                logger: loggers(member),
            };
            let result =
                match member.options.interrupted() || lock(&progress).callback_result.is_err() {
                    true => Err(Error::Interrupted),
                    false => pool.install(|| {
                        let _entered = Permissions::enter(permissions.clone());
                        train(
                            &member.model,
                            data,
                            method,
                            &member.options,
                            &mut member_callback,
                        )
                    }),
                };
            member_callback.report_end(&result);
            *lock(&results[i]) = Some(result);
        }
    };
    let pools = (0..workers)
        .map(|i| {
            let n_threads = threads / workers + usize::from(i < threads % workers);
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(n_threads)
                .build();
            pool.map_err(|e| Error::invalid(format!("no threads could be started: {e}")))
        })
        .collect::<Result<Vec<_>>>()?;
    std::thread::scope(|scope| {
        for pool in pools {
            scope.spawn(|| work(pool));
        }
    });
    let EnsembleProgress {
        callback,
        callback_result,
        ..
    } = progress
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    callback_result?;
    let all = members.iter().zip(results).map(|(member, result)| {
        let result = result.into_inner().unwrap_or_else(PoisonError::into_inner);
        (
            member.label.clone(),
            result.unwrap_or(Err(Error::Interrupted)),
        )
    });
    let ensemble = Ensemble {
        members: all.collect(),
    };
    if ensemble.interrupted() {
        return Ok(ensemble);
    }
    match (ensemble.best(), ensemble.failed().next()) {
        (Some(best), _) => callback.on_finish(best)?,
        (None, Some((label, error))) => {
            return Err(Error::Training(format!(
                "{}; {label}: {error}",
                match members.len() {
                    1 => "the only member of the ensemble could not be trained".into(),
                    n => format!("none of the {n} members of the ensemble could be trained"),
                }
            )));
        }
        (None, None) => {}
    }
    Ok(ensemble)
}

/// Checks that there are members, each with a label and a folder of its own.
pub(crate) fn check_ensemble_members(members: &[EnsembleMember]) -> Result<()> {
    if members.is_empty() {
        return Err(Error::invalid("an ensemble needs at least one member"));
    }
    let (mut labels, mut folders) = (BTreeSet::new(), BTreeSet::new());
    for member in members {
        if !labels.insert(&member.label) {
            return Err(Error::invalid(format!(
                "two members of the ensemble are called {}: give each seed and each variant once",
                member.label
            )));
        }
        if let Some(out) = &member.options.out
            && !folders.insert(out)
        {
            return Err(Error::invalid(format!(
                "two members of the ensemble would write into {}: give each a folder of its own",
                out.display()
            )));
        }
    }
    Ok(())
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Progress of all members, reported to the callback of the ensemble.
struct EnsembleProgress<'a> {
    callback: &'a mut dyn Callback,
    epochs_done: usize,
    best_mse: f64,
    /// Notes that a member has made.
    notes: BTreeSet<String>,
    callback_result: Result<()>,
}

/// Callback of one member, which reports to the progress of the ensemble.
struct MemberCallback<'a, 'b> {
    label: &'a str,
    epochs: usize,
    /// Number of epochs of this member that are counted in the progress.
    epochs_reported: usize,
    progress: &'a Mutex<EnsembleProgress<'b>>,
    logger: Box<dyn Callback>,
}

impl MemberCallback<'_, '_> {
    fn report(&self, epochs: usize, record: &EpochRecord, best: f64) {
        let mut progress = lock(self.progress);
        progress.epochs_done += epochs;
        progress.best_mse = progress.best_mse.min(best);
        let record = EpochRecord {
            epoch: progress.epochs_done.saturating_sub(1),
            ..record.clone()
        };
        let best = progress.best_mse;
        let result = progress.callback.on_epoch_end(&record, best);
        if progress.callback_result.is_ok() {
            progress.callback_result = result;
        }
    }

    /// Reports the end of a member; the epochs that it skips count as done.
    fn report_end(&mut self, result: &Result<Run>) {
        let last = match result {
            Ok(run) => run.history.last().cloned().unwrap_or_default(),
            Err(Error::Interrupted) => return,
            Err(error) => {
                let text = format!("{} failed: {error}", self.label);
                lock(self.progress).callback.on_note(&text);
                EpochRecord::default()
            }
        };
        if self.epochs_reported < self.epochs {
            self.report(self.epochs - self.epochs_reported, &last, f64::NAN);
        }
    }
}

impl Callback for MemberCallback<'_, '_> {
    fn on_start(&mut self, start: &RunStart) -> Result<()> {
        self.epochs_reported = start.history.len();
        lock(self.progress).epochs_done += self.epochs_reported;
        self.logger.on_start(start)
    }

    fn on_epoch_end(&mut self, record: &EpochRecord, best: f64) -> Result<()> {
        self.epochs_reported += 1;
        self.report(1, record, best);
        self.logger.on_epoch_end(record, best)?;
        lock(self.progress).callback_result.clone()
    }

    fn on_note(&mut self, text: &str) {
        let mut progress = lock(self.progress);
        // What holds for all members is said once.
        if progress.notes.insert(text.into()) {
            let text = format!("{}: {text}", self.label);
            progress.callback.on_note(&text);
        }
    }

    fn on_finish(&mut self, run: &Run) -> Result<()> {
        self.logger.on_finish(run)
    }
}

impl Ensemble {
    /// Returns the runs of the members that did not fail, in the order of the members.
    pub fn runs(&self) -> impl Iterator<Item = &Run> {
        self.members.iter().filter_map(|(_, run)| run.as_ref().ok())
    }

    /// Returns label and error of the members that failed.
    pub fn failed(&self) -> impl Iterator<Item = (&str, &Error)> {
        self.members
            .iter()
            .filter_map(|(label, run)| Some((label.as_str(), run.as_ref().err()?)))
    }

    /// Whether an interrupt ended the ensemble before all members were done.
    pub fn interrupted(&self) -> bool {
        self.members.iter().any(|(_, result)| match result {
            Ok(run) => run.stop == StopReason::Interrupted,
            Err(error) => matches!(error, Error::Interrupted),
        })
    }

    /// Returns the run with the smallest validation mse, where the runs are chosen by it; else with the highest evidence, of
    /// weak-constraint training, or the smallest best mse; the first of equal ones.
    pub fn best(&self) -> Option<&Run> {
        let by_validation = self.runs().all(|run| run.best_by() == BestBy::Validation);
        let order = |run: &&Run| {
            if by_validation {
                return run.best_validation.unwrap_or(f64::INFINITY);
            }
            let evidence = run.weak_constraint.as_ref().and_then(|s| s.log_evidence());
            match evidence {
                Some(evidence) if !evidence.is_nan() => -evidence,
                _ if run.best_mse.is_nan() => f64::INFINITY,
                _ => run.best_mse,
            }
        };
        self.runs().min_by(|a, b| order(a).total_cmp(&order(b)))
    }

    /// Returns a quantile of a metric over the runs, for each epoch, with the interpolation of numpy's `quantile`. NaN values and
    /// runs that ended earlier are left out; where no value is left, it is NaN.
    ///
    /// # Errors
    /// An unknown metric, or a quantile outside of [0, 1].
    pub fn quantile(&self, metric: &str, q: f64) -> Result<Vec<f64>> {
        check_quantile(q)?;
        let all = self
            .runs()
            .map(|run| run.metric(metric))
            .collect::<Result<Vec<_>>>()?;
        let epochs = all.iter().map(Vec::len).max().unwrap_or(0);
        let at = |epoch: usize| {
            let values = all.iter().filter_map(|values| values.get(epoch).copied());
            quantile(values.filter(|x| !x.is_nan()).collect(), q)
        };
        Ok((0..epochs).map(at).collect())
    }

    /// Returns quantiles of the best models' trajectories ([`Run::predict`]): the median, and the quantiles `low` and `high`.
    ///
    /// # Errors
    /// Quantiles outside of [0, 1], times before the data's first, or the first failure if no trajectory could be solved.
    pub fn predict(&self, t: &[f64], low: f64, high: f64) -> Result<PredictionBand> {
        check_quantile(low)?;
        check_quantile(high)?;
        let mut failed = None;
        let mut all = vec![];
        for run in self.runs() {
            match run.predict(t) {
                Ok(trajectory) => all.push(trajectory),
                Err(error @ Error::Solve(_)) => failed = failed.or(Some(error)),
                Err(other) => return Err(other),
            }
        }
        let Some(first) = all.first() else {
            return Err(failed.unwrap_or_else(|| Error::invalid("the ensemble has no runs")));
        };
        let shape = first.raw_dim();
        let of = |q: f64| {
            let mut out = Array3::zeros(shape);
            Zip::indexed(&mut out).for_each(|at, out| {
                let values = all.iter().map(|trajectory| trajectory[at]).collect();
                *out = quantile(values, q);
            });
            out
        };
        Ok(PredictionBand {
            median: of(0.5),
            low: of(low),
            high: of(high),
            members: all.len(),
        })
    }
}

fn check_quantile(q: f64) -> Result<()> {
    match (0.0..=1.0).contains(&q) {
        true => Ok(()),
        false => Err(Error::invalid(format!(
            "a quantile lies between 0 and 1, and it is {q}"
        ))),
    }
}

/// Returns a quantile of some numbers, linear between neighbours; NaN if there are none, or if one is NaN.
fn quantile(mut values: Vec<f64>, q: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    if values.iter().any(|x| x.is_nan()) {
        return f64::NAN;
    }
    let at = q * values.len().saturating_sub(1) as f64;
    let below = at.floor() as usize;
    match (values.get(below), values.get(below + 1)) {
        (Some(a), Some(b)) => a + (b - a) * (at - at.floor()),
        (Some(a), None) => *a,
        _ => f64::NAN,
    }
}
