//! `odesync run SCRIPT -m KEY=VALUE,VALUE …`, and `odesync multirun` for what was begun so.

mod command;
mod launch;
mod progress;
mod study;
mod sweep_arguments;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::config::ConfigSource;
use crate::experiments::date_time;
use crate::experiments::multirun::{
    LauncherSettings, MULTIRUN_FILE, MemberList, MemberSource, MemberStatus, Multirun, OUTPUT_FILE,
    SUMMARY_FILE, Summary, WorkerOptions, run_members,
};
use crate::script::{ErrorKind, ScriptError};

use super::GlobalArgs;
use super::run::{RunArgs, usage_error};
pub(super) use command::MultirunArgs;
use progress::MultirunProgress;
use sweep_arguments::SweepArguments;

fn runtime_error(error: impl std::fmt::Display) -> ScriptError {
    ScriptError::new(ErrorKind::Runtime, error.to_string())
}

pub(super) fn run(run: &RunArgs, common: &GlobalArgs) -> Result<(), ScriptError> {
    let arguments = SweepArguments::read(run)?;
    let (folder, multirun) = match &run.resume {
        Some(folder) => (folder.clone(), resume_multirun(run, &arguments, folder)?),
        None => create_multirun(run, &arguments, common)?,
    };
    if multirun.study.is_some() {
        return study::run(multirun, &folder, &arguments.launcher, run, common);
    }
    if arguments.launcher != LauncherSettings::Parallel {
        return launch::launch(&arguments.launcher, &multirun, &folder, run.wait, common);
    }
    let all: Vec<usize> = (0..multirun.members.len()).collect();
    let interrupted = work(
        &MemberList::new(&multirun, &all),
        &folder,
        all.len(),
        common,
        Members {
            summary_of: Some(&|| multirun.clone()),
            are_stored: run.resume.is_some(),
            count: all.len(),
        },
    )?;
    let summary = write_summary(&multirun, &folder)?;
    if interrupted {
        return Err(interrupted_error(&multirun, &folder));
    }
    first_failure(&multirun, &summary, &all, &folder)
}

fn interrupted_error(multirun: &Multirun, folder: &Path) -> ScriptError {
    let message = format!(
        "interrupted; go on with: odesync run {} --resume {}",
        multirun.script.display(),
        folder.display()
    );
    ScriptError::new(ErrorKind::Interrupted, message)
}

/// How members are run.
struct Members<'a> {
    /// The multirun whose summary is written after each of them; `None` for no summary.
    summary_of: Option<&'a (dyn Fn() -> Multirun + Sync)>,
    /// Whether their arguments come from a file, and allow nothing.
    are_stored: bool,
    /// Number of members, for the progress display.
    count: usize,
}

/// Runs the members of a source in processes of their own, `at_once` at a time, and returns whether the user stopped them.
fn work(
    source: &dyn MemberSource,
    folder: &Path,
    at_once: usize,
    common: &GlobalArgs,
    how: Members,
) -> Result<bool, ScriptError> {
    let program = super::torch_package::own_path().map_err(runtime_error)?;
    let mut flags = common.access.flags();
    if how.are_stored {
        flags.push("--stored-arguments".into());
    }
    let interrupt = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&interrupt);
    // The members end by themselves.
    super::on_interrupt_without_end(move || flag.store(true, Ordering::Relaxed));
    let report = MultirunProgress::new(common.quiet, how.count);
    let writing = std::sync::Mutex::new(());
    let listener = |_: usize, name: &str, status: MemberStatus| {
        report.on_status(name, status);
        if let Some(multirun) = how.summary_of
            && status != MemberStatus::Running
        {
            let _one_at_a_time = writing.lock();
            let multirun = multirun();
            // What cannot be written now is reported when all members have ended.
            let _ = Summary::read(&multirun, folder).and_then(|s| s.write_table(&multirun, folder));
        }
    };
    let workers = WorkerOptions {
        program: &program,
        flags: &flags,
        threads: rayon::current_num_threads(),
        interrupt: &interrupt,
        on_status: &listener,
    };
    let ran = run_members(source, folder, at_once, workers);
    report.finish();
    ran.map_err(runtime_error)?;
    Ok(interrupt.load(Ordering::Relaxed))
}

/// Writes the summary of the members as they are, and says so.
fn write_summary(multirun: &Multirun, folder: &Path) -> Result<Summary, ScriptError> {
    let summary = Summary::read(multirun, folder).map_err(runtime_error)?;
    summary.write(multirun, folder).map_err(runtime_error)?;
    let pruned = match summary.count(MemberStatus::Pruned) {
        0 => String::new(),
        n => format!("{n} pruned, "),
    };
    super::print(&format!(
        "{} of {} runs done, {pruned}{} failed; {}\n",
        summary.count(MemberStatus::Done),
        summary.status.len(),
        summary.count(MemberStatus::Failed),
        folder.join(SUMMARY_FILE).display()
    ))?;
    Ok(summary)
}

/// Returns an error if one of `members` failed.
fn first_failure(
    multirun: &Multirun,
    summary: &Summary,
    members: &[usize],
    folder: &Path,
) -> Result<(), ScriptError> {
    let failed: Vec<usize> = members
        .iter()
        .copied()
        .filter(|member| summary.status.get(*member) == Some(&MemberStatus::Failed))
        .collect();
    let Some(first) = failed.first() else {
        return Ok(());
    };
    Err(runtime_error(format!(
        "{} of {} runs failed; what the first of them said is in {}",
        failed.len(),
        members.len(),
        multirun
            .member_dir(folder, *first)
            .join(OUTPUT_FILE)
            .display()
    )))
}

/// Creates a multirun and writes it to its folder.
fn create_multirun(
    run: &RunArgs,
    arguments: &SweepArguments,
    common: &GlobalArgs,
) -> Result<(PathBuf, Multirun), ScriptError> {
    if !run.script.is_file() {
        return Err(usage_error(format!(
            "there is no script {}",
            run.script.display()
        )));
    }
    let library = ConfigSource::find(Some(&run.script));
    let members = arguments.members(&library)?;
    let study = arguments.study(&library)?;
    let here = arguments.launcher == LauncherSettings::Parallel;
    let count = match &study {
        Some(study) => study.settings.n_jobs.unwrap_or(study.settings.n_trials),
        None => members.len(),
    };
    let multirun = Multirun {
        script: run.script.clone(),
        flags: member_flags(run, common, here.then_some(count)),
        members,
        study,
    };
    let stem = run.script.file_stem().unwrap_or_default();
    let folder = match &run.out {
        Some(folder) if folder.join(MULTIRUN_FILE).exists() => {
            return Err(usage_error(format!(
                "{} holds a multirun already: go on with it by --resume {0}, or choose another folder",
                folder.display()
            )));
        }
        Some(folder) => folder.clone(),
        None => Path::new("runs")
            .join("multirun")
            .join(stem)
            .join(date_time()),
    };
    multirun.write(&folder).map_err(runtime_error)?;
    Ok((folder, multirun))
}

/// Loads the multirun of a folder, which must be of the same script; its arguments are those with which it was started.
fn resume_multirun(
    run: &RunArgs,
    arguments: &SweepArguments,
    folder: &Path,
) -> Result<Multirun, ScriptError> {
    let mut multirun = Multirun::read(folder).map_err(runtime_error)?;
    if let Some(study) = &mut multirun.study {
        arguments.change(study)?;
    }
    if !arguments.swept.is_empty() {
        return Err(usage_error(format!(
            "{} goes on with the arguments it was begun with; leave out {}",
            folder.display(),
            arguments.swept.join(" ")
        )));
    }
    if multirun.script != run.script {
        return Err(usage_error(format!(
            "{} is a multirun of {}, not of {}",
            folder.display(),
            multirun.script.display(),
            run.script.display()
        )));
    }
    Ok(multirun)
}

/// Returns the command-line flags of members, in addition to their arguments; `side_by_side` is the number of members that run on this
/// machine.
fn member_flags(run: &RunArgs, common: &GlobalArgs, side_by_side: Option<usize>) -> Vec<String> {
    let mut flags = vec![];
    if let Some(file) = &run.config {
        flags.extend(["--config".into(), file.display().to_string()]);
    }
    if let Some(device) = common.device {
        flags.extend(["--device".into(), device.to_string()]);
    }
    // Members that run at the same time share the memory and the threads; on another machine each has what it finds there.
    let limit = match side_by_side {
        Some(members) => {
            let at_once = rayon::current_num_threads().clamp(1, members.max(1));
            let limit = common.memory.unwrap_or_else(crate::memory::default_limit);
            Some(limit as f64 / at_once as f64)
        }
        None => common.memory.map(|limit| limit as f64),
    };
    flags.extend(common.limits.flags());
    if let Some(limit) = limit {
        let gibibytes = limit / (1u64 << 30) as f64;
        flags.extend(["--memory".into(), format!("{gibibytes:.3}")]);
    }
    flags
}
