//! Multiruns: many runs of one script over the product of lists of values; each member is a separate process.
//!
//! Separate processes isolate the members: one that fails or takes too much memory does not end the others, and each has a random
//! generator of its own. `multirun.json` records the members, `status.json` in a member's folder how it ended, `summary.csv` both
//! and the results; from them a multirun can be resumed, by another process and on another machine too.
//!
//! | file | content |
//! |---|---|
//! | `status` | the status of a member, in its folder |
//! | `workers` | the processes of members |
//! | `study_members` | members whose arguments Optuna chooses, one after another |
//! | `summary` | the table and the picture of all members |
//! | `launcher`, `batch_script` | how the processes are started: here, by Slurm, by any other queue |

mod batch_script;
mod launcher;
mod picture;
mod status;
mod study_members;
mod summary;
mod workers;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::{Error, Result};
use odesync_base::files::write_atomically;

pub use batch_script::{BATCH_SCRIPT_FILE, BatchScript, TaskCommand};
pub use launcher::{LauncherSettings, NumberOrText, ScriptLauncher, SlurmLauncher};
pub use picture::{PICTURE_FILE, sweep_figure};
pub use status::MemberStatus;
pub use study_members::{BestTrial, StudyMembers, StudyRecord};
pub use summary::{SUMMARY_FILE, Summary};
pub use workers::{MemberList, MemberSource, StatusCallback, WorkerOptions, run_members};

/// Name of the file that records the members.
pub const MULTIRUN_FILE: &str = "multirun.json";
/// Name of the file with the output of a member.
pub const OUTPUT_FILE: &str = "output.log";

/// A multirun: one script and the arguments of each of its runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Multirun {
    /// File of the script.
    pub script: PathBuf,
    /// Command-line flags that every member is called with, for example `--config FILE`.
    pub flags: Vec<String>,
    /// Arguments of each member, as `KEY=VALUE`; the arguments that all members share come first.
    pub members: Vec<Vec<String>>,
    /// The study that chooses the arguments, where one does; more members come while it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub study: Option<StudyRecord>,
}

impl Multirun {
    /// Reads the `multirun.json` of a folder.
    ///
    /// # Errors
    /// A file that can't be read or is damaged.
    pub fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(MULTIRUN_FILE);
        let bytes = odesync_base::files::read(&path).map_err(|e| Error::io("read", &path, &e))?;
        serde_json::from_slice(&bytes).map_err(|e| Error::Checkpoint {
            path,
            reason: e.to_string(),
        })
    }

    /// Writes `multirun.json` into a folder, which is created if it is missing.
    ///
    /// # Errors
    /// Those of the operating system.
    pub fn write(&self, folder: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self).map_err(|e| Error::invalid(e.to_string()))?;
        write_atomically(&folder.join(MULTIRUN_FILE), (text + "\n").as_bytes())
    }

    /// Returns the keys of the arguments in which members differ, in the order of the arguments; those of a study are what it searches.
    pub fn varying_keys(&self) -> Vec<String> {
        // The names of members must not change when more of them come.
        if let Some(study) = &self.study {
            return study.keys.clone();
        }
        let Some(first) = self.members.first() else {
            return vec![];
        };
        let differs = |i: usize| self.members.iter().any(|m| m.get(i) != first.get(i));
        (0..first.len())
            .filter(|i| differs(*i))
            .map(|i| key(&first[i]).to_string())
            .collect()
    }

    /// Returns a member's name, which is also that of its folder: its index and the arguments in which it differs from the
    /// others.
    pub fn member_name(&self, member: usize) -> String {
        self.name_by(member, &self.varying_keys())
    }

    /// Returns the names of all members.
    pub(super) fn member_names(&self) -> Vec<String> {
        let varied = self.varying_keys();
        let members = 0..self.members.len();
        members
            .map(|member| self.name_by(member, &varied))
            .collect()
    }

    fn name_by(&self, member: usize, varied: &[String]) -> String {
        let parts: Vec<&str> = self.members[member]
            .iter()
            .filter(|argument| varied.iter().any(|v| v == key(argument)))
            .map(String::as_str)
            .collect();
        let plain: String = parts
            .join(",")
            .chars()
            .map(|c| match c {
                '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|' => '_',
                c if c.is_control() || c.is_whitespace() => '_',
                c => c,
            })
            .collect();
        // The index keeps the names distinct even where they are cut.
        let short: String = plain.chars().take(100).collect();
        format!("{member}_{short}")
            .trim_end_matches('_')
            .to_string()
    }

    /// Returns the value that a member has for a key of the arguments; empty if it has none.
    pub(super) fn value(&self, member: usize, name: &str) -> &str {
        let mut arguments = self.members.get(member).into_iter().flatten();
        let argument = arguments.find(|argument| key(argument) == name);
        argument
            .and_then(|argument| argument.split_once('='))
            .map_or("", |(_, value)| value)
    }

    /// Returns a member's folder in the folder of the multirun.
    pub fn member_dir(&self, folder: &Path, member: usize) -> PathBuf {
        folder.join(self.member_name(member))
    }
}

/// Returns the name of the multirun whose member's folder this is; empty where it is none.
pub(super) fn group_of(member_dir: &Path) -> String {
    let full = std::path::absolute(member_dir).unwrap_or_default();
    match full.parent() {
        Some(folder) if folder.join(MULTIRUN_FILE).is_file() => {
            let name = folder.file_name().unwrap_or_default();
            name.to_string_lossy().into_owned()
        }
        _ => String::new(),
    }
}

/// Returns the key of `key=value`, without the signs of an override.
fn key(argument: &str) -> &str {
    argument
        .split_once('=')
        .map_or(argument, |(key, _)| key)
        .trim_start_matches(['+', '~'])
}
