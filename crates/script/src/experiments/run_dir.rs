//! The folder of a run: `runs/EXPERIMENT/DATE_TIME/`.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::{Error, Result};
use odesync_base::files::{HiddenFolder, create_folder, is_file, remove, write_atomically};
use odesync_train::training::Run;

/// Name of the file with the configuration of the run.
pub const CONFIG_FILE: &str = "config.yaml";
/// Name of the file with the environment of the run.
pub const ENVIRONMENT_FILE: &str = "environment.json";
/// Name of the file with the results; it is written when the run is over.
pub const RESULT_FILE: &str = "result.json";

/// Choice of the folder of a run.
#[derive(Debug, Clone, Default)]
pub enum RunDir {
    /// A new folder under `runs/`.
    #[default]
    New,
    /// The given folder, which must not hold a run yet.
    At(PathBuf),
    /// The given folder; a run that it holds is replaced.
    Replace(PathBuf),
    /// The given folder, whose run is resumed.
    Resume(PathBuf),
}

impl RunDir {
    /// Creates the folder, with the configuration in it, and returns its path. A new folder gets its name only after the
    /// configuration is written, so that every visible folder can be resumed.
    ///
    /// # Errors
    /// A folder that holds a run already, or one without a run to resume; errors of the operating system.
    pub fn create(&self, root: &Path, experiment: &str, config: &str) -> Result<PathBuf> {
        match self {
            RunDir::New => create_unique(&root.join(experiment), config),
            RunDir::At(path) if holds_run(path) => Err(Error::invalid(format!(
                "{} holds a run already: go on with it by --resume {0}, replace it by --overwrite, or choose another folder",
                path.display()
            ))),
            RunDir::Resume(path) if !holds_run(path) => Err(Error::invalid(format!(
                "{} holds no run to go on with: there is no {CONFIG_FILE} in it",
                path.display()
            ))),
            RunDir::Replace(path) => {
                // Whenever the new run ends, it must not have the results of the old one.
                remove(&path.join(RESULT_FILE))?;
                write_atomically(&path.join(CONFIG_FILE), config.as_bytes())?;
                Ok(path.clone())
            }
            RunDir::At(path) | RunDir::Resume(path) => {
                if !self.is_resume() {
                    // The run of a script, which has no configuration.
                    Run::check_replaceable(path)?;
                }
                write_atomically(&path.join(CONFIG_FILE), config.as_bytes())?;
                Ok(path.clone())
            }
        }
    }

    /// Returns whether a run is resumed.
    pub fn is_resume(&self) -> bool {
        matches!(self, RunDir::Resume(_))
    }
}

/// Returns whether a folder is that of a run, finished or not.
pub fn holds_run(path: &Path) -> bool {
    is_file(&path.join(CONFIG_FILE))
}

/// Creates a folder named by the current time; runs that begin in the same second get different folders.
fn create_unique(parent: &Path, config: &str) -> Result<PathBuf> {
    create_folder(parent)?;
    let failed = |e: std::io::Error| Error::io("create a folder in", parent, &e);
    let mut hidden = HiddenFolder::create_in(parent).map_err(failed)?;
    let now = date_time();
    write_atomically(&hidden.path().join(CONFIG_FILE), config.as_bytes())
        .map_err(|error| error.at(&parent.join(&now).join(CONFIG_FILE)))?;
    for n in 1..10_000 {
        let path = parent.join(match n {
            1 => now.clone(),
            n => format!("{now}_{n}"),
        });
        match hidden.show_as(&path) {
            Ok(()) => return Ok(path),
            Err(e)
                if matches!(
                    e.kind(),
                    ErrorKind::AlreadyExists | ErrorKind::DirectoryNotEmpty
                ) => {}
            Err(e) => return Err(failed(e)),
        }
    }
    Err(Error::invalid(format!(
        "{} is full of runs of this second",
        parent.display()
    )))
}

/// Returns the local date and time as the name of a folder, `2026-03-09_14-05-59`.
pub fn date_time() -> String {
    jiff::Zoned::now().strftime("%Y-%m-%d_%H-%M-%S").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_of_one_second_differ_and_runs_are_not_written_over() {
        let root = tempfile::tempdir().unwrap();
        let make = |run_dir: RunDir| run_dir.create(root.path(), "e", "a: 1\n");
        let one = make(RunDir::New).unwrap();
        let two = make(RunDir::New).unwrap();
        assert!(holds_run(&one) && holds_run(&two) && one != two);
        assert!(one.starts_with(root.path().join("e")));
        assert_eq!(std::fs::read_dir(root.path().join("e")).unwrap().count(), 2);

        assert_eq!(make(RunDir::Resume(one.clone())).unwrap(), one);
        std::fs::write(one.join(RESULT_FILE), "{}").unwrap();
        assert_eq!(make(RunDir::Replace(one.clone())).unwrap(), one);
        assert!(!one.join(RESULT_FILE).exists());
        let message = make(RunDir::At(one)).unwrap_err().to_string();
        assert!(message.contains("--resume"), "{message}");
        let message = make(RunDir::Resume(root.path().into()))
            .unwrap_err()
            .to_string();
        assert!(message.contains("no run to go on with"), "{message}");
    }
}
