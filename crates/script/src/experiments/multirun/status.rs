//! The status of a member, and the file of its folder that keeps it: `status.json`.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::Result;
use odesync_base::files::write_atomically;

/// Name of the file with the status of a member.
const STATUS_FILE: &str = "status.json";

/// Status of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MemberStatus {
    /// Not started yet.
    Waiting,
    /// Running.
    Running,
    /// Finished.
    Done,
    /// Stopped before its end because others of a study do better.
    Pruned,
    /// Ended with an error.
    Failed,
    /// Stopped by the user; can be resumed.
    Interrupted,
}

impl MemberStatus {
    /// Every status, in the order of a member's life.
    pub const ALL: [MemberStatus; 6] = [
        MemberStatus::Waiting,
        MemberStatus::Running,
        MemberStatus::Done,
        MemberStatus::Pruned,
        MemberStatus::Failed,
        MemberStatus::Interrupted,
    ];

    /// Returns the status as `summary.csv` shows it.
    pub fn name(self) -> &'static str {
        match self {
            MemberStatus::Waiting => "waiting",
            MemberStatus::Running => "running",
            MemberStatus::Done => "done",
            MemberStatus::Pruned => "pruned",
            MemberStatus::Failed => "failed",
            MemberStatus::Interrupted => "interrupted",
        }
    }
}

/// The status of a member and the error that it ended with, empty if it had none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct MemberRecord {
    pub status: MemberStatus,
    pub error: String,
}

impl MemberRecord {
    pub fn new(status: MemberStatus) -> Self {
        MemberRecord {
            status,
            error: String::new(),
        }
    }

    /// Reads the record of a member's folder; `None` where there is none, or none that can be read: the member is then run.
    pub fn read(member_dir: &Path) -> Option<Self> {
        let bytes = odesync_base::files::read(&member_dir.join(STATUS_FILE)).ok()?;
        serde_json::from_slice(&bytes).ok()
    }

    /// Writes the record into a member's folder.
    pub fn write(&self, member_dir: &Path) -> Result<()> {
        let text = serde_json::to_string(self).map_err(|e| crate::Error::invalid(e.to_string()))?;
        write_atomically(&member_dir.join(STATUS_FILE), (text + "\n").as_bytes())
    }
}
