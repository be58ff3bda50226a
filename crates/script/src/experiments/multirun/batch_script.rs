//! The file that runs the members of a multirun on another machine or at another time.

use std::fmt::Write as _;
use std::ops::Range;
use std::path::Path;

use super::Multirun;
use super::launcher::{ScriptLauncher, SlurmLauncher};
use crate::{Error, Result};
use odesync_base::files::write_atomically;

/// Name of the file in the folder of the multirun.
pub const BATCH_SCRIPT_FILE: &str = "launch.sh";

/// A file that runs members: a batch script of Slurm, or command lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchScript {
    /// Content of the file.
    pub text: String,
    /// Number of tasks.
    pub tasks: usize,
}

/// Puts a text in quotes for a POSIX shell.
fn quote(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=,+@%".contains(c);
    match !text.is_empty() && text.chars().all(plain) {
        true => text.into(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

fn quoted_path(path: &Path) -> Result<String> {
    let text = path.to_str().ok_or_else(|| {
        Error::invalid(format!(
            "{} is not UTF-8: a batch script cannot name it",
            path.display()
        ))
    })?;
    // A line break would end a line of #SBATCH.
    match text.contains(['\n', '\r']) {
        true => Err(Error::invalid(
            "the folder's name has a line break: choose another one by --out",
        )),
        false => Ok(quote(text)),
    }
}

/// The command that runs members of a multirun. All paths should be absolute.
#[derive(Debug, Clone, Copy)]
pub struct TaskCommand<'a> {
    /// The program.
    pub program: &'a Path,
    /// Folder of the multirun.
    pub folder: &'a Path,
    /// Folder in which the program runs.
    pub working_dir: &'a Path,
    /// Flags that say what the members may touch.
    pub flags: &'a [String],
}

impl TaskCommand<'_> {
    /// Returns the command for a shell, without the members. The arguments of the members were typed, and so were the flags.
    fn text(&self) -> Result<String> {
        let mut text = format!(
            "{} multirun run {} --typed-arguments",
            quoted_path(self.program)?,
            quoted_path(self.folder)?
        );
        for flag in self.flags {
            text.push(' ');
            text.push_str(&quote(flag));
        }
        Ok(text)
    }
}

impl BatchScript {
    /// Makes the batch script of Slurm for these members: an array of jobs, each with the members of one task. A task that nears the
    /// end of its time stops its members at a checkpoint and is queued again; one that is killed with its machine is queued again by
    /// Slurm. Where the array would be longer than a cluster takes, tasks have more members.
    ///
    /// # Errors
    /// A setting with a line break; a path that is not UTF-8.
    pub fn slurm(
        multirun: &Multirun,
        members: Range<usize>,
        settings: &SlurmLauncher,
        command: &TaskCommand,
    ) -> Result<Self> {
        // The task with the number i has the members from i · each.
        let fewest = members.end.div_ceil(settings.max_array_size.max(1));
        let each = settings.members_per_task.max(fewest).max(1);
        let (first, last) = (members.start / each, members.end.saturating_sub(1) / each);
        let tasks = last + 1 - first;
        let mut array = format!("{first}-{last}");
        if let Some(most) = settings.array_parallelism {
            let _ = write!(array, "%{most}");
        }
        let stem = multirun.script.file_stem().unwrap_or_default();
        let name = match &settings.job_name {
            Some(name) => name.clone(),
            None => stem.to_string_lossy().into_owned(),
        };
        let mut options: Vec<(String, Option<String>)> = vec![
            ("job-name".into(), Some(name)),
            ("array".into(), Some(array)),
            // %A is the job, %a the task.
            (
                "output".into(),
                Some(command.folder.join("slurm-%A_%a.log").display().to_string()),
            ),
            ("open-mode".into(), Some("append".into())),
            ("requeue".into(), None),
            (
                "signal".into(),
                Some(format!("B:USR1@{}", settings.signal_delay_s)),
            ),
            ("nodes".into(), Some("1".into())),
            ("ntasks".into(), Some("1".into())),
            (
                "cpus-per-task".into(),
                Some(settings.cpus_per_task.to_string()),
            ),
        ];
        let optional = [
            ("partition", settings.partition.clone()),
            ("account", settings.account.clone()),
            ("time", settings.time.as_ref().map(ToString::to_string)),
            ("mem", settings.mem.as_ref().map(ToString::to_string)),
            ("gres", settings.gres.clone()),
        ];
        let given = optional
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_string(), Some(value?))));
        options.extend(given);
        let further = settings.additional_parameters.iter();
        options.extend(further.map(|(name, value)| (name.clone(), Some(value.to_string()))));
        let mut text = String::from("#!/bin/sh\n");
        for (name, value) in options {
            let line = match value {
                None => format!("--{name}"),
                Some(value) => format!("--{name}={}", quote(&value)),
            };
            if line.contains(['\n', '\r']) {
                return Err(Error::invalid(format!(
                    "launcher.{} has a line break",
                    name.replace('-', "_")
                )));
            }
            let _ = writeln!(text, "#SBATCH {line}");
        }
        let _ = writeln!(text, "\ncd {} || exit 1", quoted_path(command.working_dir)?);
        for line in &settings.setup {
            let _ = writeln!(text, "{line}");
        }
        let last = members.end.saturating_sub(1);
        let _ = write!(
            text,
            r#"
first=$((SLURM_ARRAY_TASK_ID * {each}))
last=$((first + {each} - 1))
if [ "$last" -gt {last} ]; then last={last}; fi

# USR1 comes before the end of the time, TERM by scancel or when the job makes room for another one. The members then stop at a
# checkpoint; the first time only, the task is queued again here.
again=0
trap 'again=1; kill -TERM "$task"' USR1
trap 'kill -TERM "$task"' TERM
{run} --members "$first-$last" --threads "${{SLURM_CPUS_PER_TASK:-{cpus}}}" &
task=$!
wait "$task"
code=$?
while kill -0 "$task" 2>/dev/null; do
  wait "$task"
  code=$?
done
if [ "$again" = 1 ] && [ "$code" = 130 ]; then
  scontrol requeue "${{SLURM_ARRAY_JOB_ID:-$SLURM_JOB_ID}}_$SLURM_ARRAY_TASK_ID"
fi
exit "$code"
"#,
            run = command.text()?,
            cpus = settings.cpus_per_task,
        );
        Ok(BatchScript { text, tasks })
    }

    /// Makes a file with a command line for each task, which may run in any order and again after a stop; see
    /// [`BatchScript::slurm`].
    ///
    /// # Errors
    /// A path that is not UTF-8.
    pub fn command_lines(
        multirun: &Multirun,
        settings: &ScriptLauncher,
        command: &TaskCommand,
    ) -> Result<Self> {
        let each = settings.members_per_task;
        let members = multirun.members.len();
        let tasks = members.div_ceil(each);
        let (run, working_dir) = (command.text()?, quoted_path(command.working_dir)?);
        let mut text = String::new();
        for task in 0..tasks {
            let (first, last) = (task * each, ((task + 1) * each).min(members) - 1);
            let _ = writeln!(
                text,
                "cd {working_dir} && {run} --members {first}-{last} --threads {}",
                settings.cpus_per_task
            );
        }
        Ok(BatchScript { text, tasks })
    }

    /// Writes the file into the folder of the multirun.
    ///
    /// # Errors
    /// Those of the operating system.
    pub fn write(&self, folder: &Path) -> Result<()> {
        write_atomically(&folder.join(BATCH_SCRIPT_FILE), self.text.as_bytes())
    }
}
