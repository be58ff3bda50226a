//! `odesync multirun run|status|collect DIR`.

use std::path::PathBuf;

use crate::experiments::multirun::{MemberList, MemberStatus, Multirun, OUTPUT_FILE, Summary};
use crate::script::{ErrorKind, ScriptError};

use super::super::GlobalArgs;
use super::{Members, first_failure, runtime_error, usage_error, work, write_summary};

/// The arguments of `odesync multirun`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
DIR is the folder of odesync run SCRIPT -m …, whoever runs its members: this machine, Slurm, another queue.

Examples:
  odesync multirun status runs/multirun/train_lotka_volterra/2026-03-09_14-05-59
  odesync multirun collect runs/multirun/train_lotka_volterra/2026-03-09_14-05-59
  odesync multirun run runs/multirun/train_lotka_volterra/2026-03-09_14-05-59 --members 4-7")]
pub(in crate::cli) struct MultirunArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Show the runs, the best first, with the settings in which they differ
    Status {
        /// Folder of the multirun
        dir: PathBuf,
    },
    /// Write summary.csv and summary.svg of the runs as they are now
    Collect {
        /// Folder of the multirun
        dir: PathBuf,
    },
    /// Run members that are not done, from where they were stopped; batch scripts call this
    Run {
        /// Folder of the multirun
        dir: PathBuf,
        /// Members: 3, 4-7 or 0,2,4-7 [default: all]
        #[arg(long, value_name = "LIST")]
        members: Option<String>,
        /// The members' arguments were typed by who wrote the batch script, so that they allow the paths in them
        #[arg(long, hide = true)]
        typed_arguments: bool,
    },
}

impl MultirunArgs {
    pub(in crate::cli) fn run(&self, common: &GlobalArgs) -> Result<(), ScriptError> {
        let (Action::Status { dir } | Action::Collect { dir } | Action::Run { dir, .. }) =
            &self.action;
        let multirun = Multirun::read(dir).map_err(|e| {
            usage_error(format!(
                "{e}; the folder of a multirun is one of odesync run SCRIPT -m"
            ))
        })?;
        match &self.action {
            Action::Status { .. } => {
                let summary = Summary::read(&multirun, dir).map_err(runtime_error)?;
                super::super::print(&status_text(&multirun, &summary, dir))
            }
            Action::Collect { .. } => write_summary(&multirun, dir).map(|_| ()),
            Action::Run {
                members,
                typed_arguments,
                ..
            } => {
                let members = match members {
                    None => (0..multirun.members.len()).collect(),
                    Some(list) => parse_members(list, multirun.members.len())?,
                };
                let how = Members {
                    summary_of: None,
                    are_stored: !typed_arguments,
                    count: members.len(),
                };
                let source = MemberList::new(&multirun, &members);
                if work(&source, dir, members.len(), common, how)? {
                    let message = "interrupted; the same command goes on";
                    return Err(ScriptError::new(ErrorKind::Interrupted, message));
                }
                let summary = Summary::read(&multirun, dir).map_err(runtime_error)?;
                first_failure(&multirun, &summary, &members, dir)
            }
        }
    }
}

fn status_text(multirun: &Multirun, summary: &Summary, dir: &std::path::Path) -> String {
    let counts = MemberStatus::ALL
        .into_iter()
        .map(|status| (summary.count(status), status.name()))
        .filter(|(n, _)| *n > 0)
        .map(|(n, name)| format!("{n} {name}"));
    let counts: Vec<String> = counts.collect();
    let mut text = format!(
        "{}\n\n{} runs: {}\n",
        summary.table(multirun).to_text(4),
        summary.status.len(),
        counts.join(", ")
    );
    for (member, error) in summary.errors.iter().enumerate() {
        if !error.is_empty() {
            text.push_str(&format!(
                "run {member} failed: {error}\n  {}\n",
                multirun.member_dir(dir, member).join(OUTPUT_FILE).display()
            ));
        }
    }
    text
}

/// Reads a list of members such as `0,2,4-7`.
fn parse_members(list: &str, n: usize) -> Result<Vec<usize>, ScriptError> {
    let wrong = || {
        usage_error(format!(
            "--members {list}: should be numbers from 0 to {}, as 3, 4-7 or 0,2,4-7",
            n.saturating_sub(1)
        ))
    };
    let number = |text: &str| text.trim().parse::<usize>().ok().filter(|m| *m < n);
    let mut members = vec![];
    for part in list.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (number(first), number(last));
        let (Some(first), Some(last)) = (first, last) else {
            return Err(wrong());
        };
        members.extend(first..=last);
    }
    match members.is_empty() {
        true => Err(wrong()),
        false => Ok(members),
    }
}
