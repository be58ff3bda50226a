//! `odesync run SCRIPT -m KEY=VALUE,VALUE …`

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::config::{ConfigSource, sweep};
use crate::experiments::date_time;
use crate::experiments::multirun::{
    MULTIRUN_FILE, MemberStatus, Multirun, OUTPUT_FILE, SUMMARY_FILE, WorkerOptions,
};
use crate::script::{ErrorKind, ScriptError};

use super::GlobalArgs;
use super::run::{RunArgs, usage_error};

fn runtime_error(error: impl std::fmt::Display) -> ScriptError {
    ScriptError::new(ErrorKind::Runtime, error.to_string())
}

pub(super) fn run(run: &RunArgs, common: &GlobalArgs) -> Result<(), ScriptError> {
    let (folder, multirun) = match &run.resume {
        Some(folder) => (folder.clone(), resume_multirun(run, folder)?),
        None => create_multirun(run, common)?,
    };
    let program = std::env::current_exe().map_err(runtime_error)?;
    let interrupt = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&interrupt);
    super::on_interrupt(move || flag.store(true, Ordering::Relaxed));
    let report = MultirunProgress::new(common.quiet, multirun.members.len());
    let listener = |_: usize, name: &str, status: MemberStatus| report.on_status(name, status);
    let workers = WorkerOptions {
        program: &program,
        threads: rayon::current_num_threads(),
        interrupt: &interrupt,
        on_status: &listener,
    };
    let statuses = multirun.run(&folder, workers).map_err(runtime_error)?;
    report.finish();
    let count = |status: MemberStatus| statuses.iter().filter(|s| **s == status).count();
    super::print(&format!(
        "{} of {} runs done, {} failed; {}\n",
        count(MemberStatus::Done),
        statuses.len(),
        count(MemberStatus::Failed),
        folder.join(SUMMARY_FILE).display()
    ))?;
    if interrupt.load(Ordering::Relaxed) {
        let message = format!(
            "interrupted; go on with: odesync run {} --resume {}",
            multirun.script.display(),
            folder.display()
        );
        return Err(ScriptError::new(ErrorKind::Interrupted, message));
    }
    match statuses.iter().position(|s| *s == MemberStatus::Failed) {
        Some(first) => Err(runtime_error(format!(
            "{} of {} runs failed; what the first of them said is in {}",
            count(MemberStatus::Failed),
            statuses.len(),
            folder
                .join(multirun.member_name(first))
                .join(OUTPUT_FILE)
                .display()
        ))),
        None => Ok(()),
    }
}

/// Creates a multirun and writes it to its folder.
fn create_multirun(run: &RunArgs, common: &GlobalArgs) -> Result<(PathBuf, Multirun), ScriptError> {
    let library = ConfigSource::find(Some(&run.script));
    let members = sweep(&run.arguments, &library).map_err(|e| usage_error(e.to_string()))?;
    let members: Vec<Vec<String>> = members
        .iter()
        .map(|member| member.iter().map(ToString::to_string).collect())
        .collect();
    if !run.script.is_file() {
        return Err(usage_error(format!(
            "there is no script {}",
            run.script.display()
        )));
    }
    let multirun = Multirun {
        script: run.script.clone(),
        flags: member_flags(run, common, members.len()),
        members,
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
fn resume_multirun(run: &RunArgs, folder: &Path) -> Result<Multirun, ScriptError> {
    let multirun = Multirun::read(folder).map_err(runtime_error)?;
    if !run.arguments.is_empty() {
        return Err(usage_error(format!(
            "{} goes on with the arguments it was begun with; leave out {}",
            folder.display(),
            run.arguments.join(" ")
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

/// Returns the command-line flags of members, in addition to their arguments.
fn member_flags(run: &RunArgs, common: &GlobalArgs, members: usize) -> Vec<String> {
    let mut flags = vec![];
    if let Some(file) = &run.config {
        flags.extend(["--config".into(), file.display().to_string()]);
    }
    if let Some(device) = common.device {
        flags.extend(["--device".into(), device.to_string()]);
    }
    // Members that run at the same time share the memory and the threads.
    let at_once = rayon::current_num_threads().clamp(1, members.max(1));
    let limit = common.memory.unwrap_or_else(crate::memory::default_limit);
    let each = limit as f64 / at_once as f64 / (1u64 << 30) as f64;
    flags.extend(["--memory".into(), format!("{each:.3}")]);
    flags
}

/// The progress display of a multirun: how many members are done and which are running.
struct MultirunProgress {
    bar: Option<ProgressBar>,
    quiet: bool,
}

impl MultirunProgress {
    fn new(quiet: bool, members: usize) -> Self {
        let bar = (!quiet && std::io::stderr().is_terminal()).then(|| {
            let bar =
                ProgressBar::with_draw_target(Some(members as u64), ProgressDrawTarget::stderr());
            let template = "{wide_bar:.cyan/dim} {pos}/{len} runs  {elapsed} so far";
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style.progress_chars("━╸─"));
            }
            bar.enable_steady_tick(std::time::Duration::from_millis(500));
            bar
        });
        MultirunProgress { bar, quiet }
    }

    fn on_status(&self, name: &str, status: MemberStatus) {
        if let Some(bar) = &self.bar {
            if status != MemberStatus::Running {
                bar.println(format!("{}: {name}", status.name()));
                bar.inc(1);
            }
        } else if !self.quiet {
            super::print_error(&format!("{}: {name}", status.name()));
        }
    }

    fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
