//! The launchers that hand members to a queue: Slurm, or a file with command lines.

use std::ops::Range;
use std::path::Path;
use std::process::{Child, Command, Stdio};

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
    let file = folder.join(BATCH_SCRIPT_FILE);
    let all = 0..multirun.members.len();
    let script = write_script(launcher, multirun, folder, all, common)?;
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
    let sbatch = submit(folder, wait)?;
    if wait && !common.quiet {
        super::super::print_error(&format!("waiting for Slurm; {}", follow.trim_end()));
    }
    let job = job_number(sbatch, folder)?;
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

/// Writes the file of a launcher for these members into the folder of the multirun.
pub(super) fn write_script(
    launcher: &LauncherSettings,
    multirun: &Multirun,
    folder: &Path,
    members: Range<usize>,
    common: &GlobalArgs,
) -> Result<BatchScript, ScriptError> {
    let program = super::super::torch_package::own_path().map_err(runtime_error)?;
    let working_dir = std::env::current_dir().map_err(runtime_error)?;
    let absolute = std::path::absolute(folder).map_err(runtime_error)?;
    let command = TaskCommand {
        program: &program,
        folder: &absolute,
        working_dir: &working_dir,
        flags: &common.access.flags(),
    };
    let script = match launcher {
        LauncherSettings::Slurm(settings) => {
            BatchScript::slurm(multirun, members, settings, &command)
        }
        LauncherSettings::Script(settings) => {
            BatchScript::command_lines(multirun, settings, &command)
        }
        LauncherSettings::Parallel => return Err(usage_error("the launcher parallel has no file")),
    };
    let script = script.map_err(|e| usage_error(e.to_string()))?;
    script.write(folder).map_err(runtime_error)?;
    Ok(script)
}

/// Starts sbatch with the batch script of a multirun's folder; with `wait`, it ends with the job.
pub(super) fn submit(folder: &Path, wait: bool) -> Result<Child, ScriptError> {
    let script = std::path::absolute(folder).map_err(runtime_error)?;
    let script = script.join(BATCH_SCRIPT_FILE);
    let mut sbatch = Command::new("sbatch");
    sbatch.arg("--parsable");
    if wait {
        sbatch.arg("--wait");
    }
    let child = sbatch
        .arg(&script)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    child.map_err(|e| {
        runtime_error(format!(
            "sbatch does not start: {e}; the batch script is {}: submit it on a machine with Slurm by sbatch {0}, or use another \
             launcher (--launcher parallel, --launcher script)",
            script.display()
        ))
    })
}

/// Waits for sbatch and returns the number of the job.
pub(super) fn job_number(sbatch: Child, folder: &Path) -> Result<String, ScriptError> {
    let answer = sbatch.wait_with_output().map_err(runtime_error)?;
    let text = String::from_utf8_lossy(&answer.stdout).trim().to_string();
    // With --parsable: JOB, or JOB;CLUSTER. sbatch --wait ends with the code of the job, which the members' statuses explain.
    let job = text.lines().next().unwrap_or_default();
    let job = job.split(';').next().unwrap_or_default().to_string();
    if job.is_empty() {
        let reason = String::from_utf8_lossy(&answer.stderr).trim().to_string();
        return Err(runtime_error(format!(
            "sbatch refused {}: {reason}",
            folder.join(BATCH_SCRIPT_FILE).display()
        )));
    }
    Ok(job)
}
