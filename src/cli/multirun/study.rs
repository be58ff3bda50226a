//! Multiruns whose members Optuna chooses: `-m sweeper=optuna`.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::config::ConfigSource;
use crate::experiments::multirun::{LauncherSettings, Multirun, StudyMembers, Summary};
use crate::script::ScriptError;

use super::super::GlobalArgs;
use super::launch::{job_number, submit, write_script};
use super::{Members, interrupted_error, runtime_error, work, write_summary};
use crate::cli::run::RunArgs;

/// Time between two reports of what the running members have reached.
const WATCH_INTERVAL: Duration = Duration::from_millis(200);

/// Number of runs that Slurm gets at a time where the settings have none.
const BATCH: usize = 8;

/// Runs the members of a study until there are as many as asked for.
pub(super) fn run(
    multirun: Multirun,
    folder: &Path,
    launcher: &LauncherSettings,
    run: &RunArgs,
    common: &GlobalArgs,
) -> Result<(), ScriptError> {
    let settings = multirun.study.as_ref().map(|study| &study.settings);
    let (n_jobs, n_trials) =
        settings.map_or((None, 0), |settings| (settings.n_jobs, settings.n_trials));
    let library = ConfigSource::find(Some(&run.script));
    let members = StudyMembers::open(multirun, folder, &library).map_err(runtime_error)?;
    let interrupted = match launcher {
        LauncherSettings::Slurm(_) => {
            run_batches(&members, launcher, folder, n_jobs.unwrap_or(BATCH), common)?
        }
        _ => {
            let at_once = n_jobs.unwrap_or_else(rayon::current_num_threads);
            let how = Members {
                summary_of: Some(&|| members.multirun()),
                are_stored: run.resume.is_some(),
                count: n_trials,
            };
            watched(&members, || {
                work(&members, folder, at_once.min(n_trials), common, how)
            })?
        }
    };
    let multirun = members.multirun();
    let summary = write_summary(&multirun, folder)?;
    if interrupted {
        return Err(interrupted_error(&multirun, folder));
    }
    report_best(&members, &multirun, &summary)
}

/// Reports to the pruner while `body` runs. A failure there stops no run: what is not reported is not pruned.
fn watched<T>(members: &StudyMembers, body: impl FnOnce() -> T) -> T {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) && members.watch().is_ok() {
                std::thread::sleep(WATCH_INTERVAL);
            }
        });
        let result = body();
        over.store(true, Ordering::Relaxed);
        result
    })
}

/// Submits the members to Slurm, `n` at a time, and waits for each batch; returns whether a job ended before its members, as by
/// scancel.
fn run_batches(
    members: &StudyMembers,
    launcher: &LauncherSettings,
    folder: &Path,
    n: usize,
    common: &GlobalArgs,
) -> Result<bool, ScriptError> {
    loop {
        let batch = members.batch(n).map_err(runtime_error)?;
        let (Some(first), Some(last)) = (batch.iter().min(), batch.iter().max()) else {
            return Ok(false);
        };
        let multirun = members.multirun();
        write_script(launcher, &multirun, folder, *first..last + 1, common)?;
        let sbatch = submit(folder, true)?;
        if !common.quiet {
            super::super::print_error(&format!(
                "waiting for Slurm: the runs {first} to {last}; odesync multirun status {}",
                folder.display()
            ));
        }
        watched(members, || job_number(sbatch, folder))?;
        if members.tell(&batch).map_err(runtime_error)? > 0 {
            return Ok(true);
        }
    }
}

/// Says which run is the best, or that there is none.
fn report_best(
    members: &StudyMembers,
    multirun: &Multirun,
    summary: &Summary,
) -> Result<(), ScriptError> {
    let Some(best) = members.best() else {
        return Err(runtime_error(format!(
            "none of the {} runs has a result; odesync multirun status says why",
            summary.status.len()
        )));
    };
    let name = match best.member {
        Some(member) => format!("run {}", multirun.member_name(member)),
        None => "of the study, by another multirun".into(),
    };
    super::super::print(&format!("best: {:.4e}, {name}\n", best.value))
}
