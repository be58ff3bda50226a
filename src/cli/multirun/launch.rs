//! The launchers that hand members to a queue: Slurm, or a file with command lines.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::experiments::multirun::{
    BATCH_SCRIPT_FILE, BatchScript, LauncherSettings, Multirun, TaskCommand,
};
use crate::script::ScriptError;

use super::super::GlobalArgs;
use super::{first_failure, runtime_error, usage_error, write_summary};

/// Writes the file of the launcher into the folder of the multirun, and submits it where the launcher is a queue.
pub(super) fn launch(
    launcher: &LauncherSettings,
    multirun: &Multirun,
    folder: &Path,
    wait: bool,
    common: &GlobalArgs,
) -> Result<(), ScriptError> {
    let program = std::env::current_exe().map_err(runtime_error)?;
    let working_dir = std::env::current_dir().map_err(runtime_error)?;
    let absolute = std::path::absolute(folder).map_err(runtime_error)?;
    let command = TaskCommand {
        program: &program,
        folder: &absolute,
        working_dir: &working_dir,
        flags: &common.access.flags(),
    };
    let file = folder.join(BATCH_SCRIPT_FILE);
    let script = match launcher {
        LauncherSettings::Slurm(settings) => BatchScript::slurm(multirun, settings, &command),
        LauncherSettings::Script(settings) => {
            BatchScript::command_lines(multirun, settings, &command)
        }
        LauncherSettings::Parallel => return Ok(()),
    };
    let script = script.map_err(|e| usage_error(e.to_string()))?;
    script.write(folder).map_err(runtime_error)?;
    let follow = format!(
        "follow it:   odesync multirun status {0}\nsum it up:   odesync multirun collect {0}\n",
        folder.display()
    );
    if !matches!(launcher, LauncherSettings::Slurm(_)) {
        return super::super::print(&format!(
            "{} runs as {} command lines in {}\nrun them:    parallel < {2}\n{follow}",
            multirun.members.len(),
            script.tasks,
            file.display()
        ));
    }
    let job = submit(&absolute.join(BATCH_SCRIPT_FILE), wait, || {
        if wait && !common.quiet {
            super::super::print_error(&format!("waiting for Slurm; {}", follow.trim_end()));
        }
    })?;
    if wait {
        let summary = write_summary(multirun, folder)?;
        let all: Vec<usize> = (0..multirun.members.len()).collect();
        return first_failure(multirun, &summary, &all, folder);
    }
    super::super::print(&format!(
        "{} runs as {} tasks of the job {job}, in {}\nthe queue:   squeue --job {job}\nstop it:     scancel {job}\n{follow}",
        multirun.members.len(),
        script.tasks,
        folder.display()
    ))
}

/// Submits a batch script by sbatch and returns the number of the job.
fn submit(script: &Path, wait: bool, begun: impl FnOnce()) -> Result<String, ScriptError> {
    let mut sbatch = Command::new("sbatch");
    sbatch.arg("--parsable");
    if wait {
        sbatch.arg("--wait");
    }
    let child = sbatch
        .arg(script)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let child = child.map_err(|e| {
        runtime_error(format!(
            "sbatch does not start: {e}; the batch script is {}: submit it on a machine with Slurm by sbatch {0}, or use another \
             launcher (--launcher parallel, --launcher script)",
            script.display()
        ))
    })?;
    begun();
    let answer = child.wait_with_output().map_err(runtime_error)?;
    let text = String::from_utf8_lossy(&answer.stdout).trim().to_string();
    // With --parsable: JOB, or JOB;CLUSTER. sbatch --wait ends with the code of the job, which the members' statuses explain.
    let job = text.lines().next().unwrap_or_default();
    let job = job.split(';').next().unwrap_or_default().to_string();
    if job.is_empty() {
        let reason = String::from_utf8_lossy(&answer.stderr).trim().to_string();
        return Err(runtime_error(format!(
            "sbatch refused {}: {reason}",
            script.display()
        )));
    }
    Ok(job)
}
