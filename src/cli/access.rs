//! What scripts may touch of the file system: the flags, the variables of the environment, and what the command line names.

use std::path::{Path, PathBuf};

use crate::experiments::RunDir;
use crate::permissions::{Permissions, resolve};
use crate::script::{AccessRules, RunPlan, ScriptError};

use super::run::usage_error;

/// Folders that may be read, with colons between.
const ALLOW_READ: &str = "ODESYNC_ALLOW_READ";
/// Folders that may be written, with colons between.
const ALLOW_WRITE: &str = "ODESYNC_ALLOW_WRITE";

#[derive(Debug, Default, clap::Args)]
pub(super) struct AccessArgs {
    /// Scripts may read below this folder too, besides the current one and their own [also: ODESYNC_ALLOW_READ]
    #[arg(long, global = true, value_name = "DIR")]
    allow_read: Vec<PathBuf>,
    /// Scripts may read and write below this folder too [also: ODESYNC_ALLOW_WRITE]
    #[arg(long, global = true, value_name = "DIR")]
    allow_write: Vec<PathBuf>,
    /// Scripts may read and write wherever you may
    #[arg(long, global = true, conflicts_with_all = ["allow_read", "allow_write"])]
    allow_all: bool,
}

impl AccessArgs {
    /// Returns the rules of scripts, which may also touch what the command line names; `None` allows everything. `command` is what
    /// stands before the flags in messages.
    ///
    /// # Errors
    /// A folder to read that is not there.
    pub(super) fn rules(&self, command: &'static str) -> Result<Option<AccessRules>, ScriptError> {
        if self.allow_all {
            return Ok(None);
        }
        if let Some(missing) = self.allow_read.iter().find(|path| !path.exists()) {
            let message = format!("--allow-read: there is no {}", missing.display());
            return Err(usage_error(message));
        }
        let mut permissions = Permissions::none(command);
        permissions.allow_write(".");
        let of_variable = |name: &str| -> Vec<PathBuf> {
            let value = std::env::var_os(name).unwrap_or_default();
            let folders = std::env::split_paths(&value);
            folders
                .filter(|path| !path.as_os_str().is_empty())
                .collect()
        };
        for path in self.allow_read.iter().chain(&of_variable(ALLOW_READ)) {
            permissions.allow_read(path);
        }
        for path in self.allow_write.iter().chain(&of_variable(ALLOW_WRITE)) {
            permissions.allow_write(path);
        }
        Ok(Some(AccessRules {
            permissions,
            restricts_typed_code: false,
            allows_arguments: true,
        }))
    }

    /// Returns the flags for another process that is to have the same rules.
    pub(super) fn flags(&self) -> Vec<String> {
        let flag = |name: &str, path: &Path| {
            // The other process may run in another folder.
            let path = resolve(path).unwrap_or_else(|| path.to_path_buf());
            format!("--{name}={}", path.display())
        };
        let read = self.allow_read.iter().map(|path| flag("allow-read", path));
        let write = self
            .allow_write
            .iter()
            .map(|path| flag("allow-write", path));
        let all = self.allow_all.then(|| "--allow-all".to_string());
        read.chain(write).chain(all).collect()
    }
}

/// Allows what the command line names for the run of a script: its folder, and its configuration unless that name comes from a file.
pub(super) fn allow_plan(rules: &mut AccessRules, runs: &RunPlan, with_config: bool) {
    match &runs.run_dir {
        RunDir::New => {}
        RunDir::At(folder) | RunDir::Replace(folder) | RunDir::Resume(folder) => {
            rules.permissions.allow_write(folder);
        }
    }
    if let Some(file) = runs.config.as_ref().filter(|_| with_config) {
        rules.permissions.allow_read(file);
    }
}
