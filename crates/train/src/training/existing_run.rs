//! The run that a folder holds already: it is replaced only where somebody said so.

use std::path::Path;

use super::run::{Run, StopReason};
use crate::{Error, Result};
use odesync_base::text::count_of;

const OF_FINISHED: &str = "`overwrite: true` replaces it (--overwrite on the command line), and another folder keeps both";
const OF_UNFINISHED: &str = "`resume: true` goes on with it, and `overwrite: true` replaces it (--overwrite on the command line)";

impl Run {
    /// Checks that a folder holds no run that another one would replace. One without an epoch has nothing to lose.
    ///
    /// # Errors
    /// [`Error::RunExists`], which names the ways out.
    pub fn check_replaceable(folder: impl AsRef<Path>) -> Result<()> {
        let folder = folder.as_ref();
        let (run, cure) = match Run::load_if_exists(folder) {
            Ok(None) => return Ok(()),
            Ok(Some(run)) if run.stop == StopReason::Interrupted => match run.progress() {
                Some(progress) => (format!("an unfinished run ({progress})"), OF_UNFINISHED),
                None => return Ok(()),
            },
            Ok(Some(run)) => match run.progress() {
                Some(progress) => (format!("a finished run ({progress})"), OF_FINISHED),
                None => ("a finished run".into(), OF_FINISHED),
            },
            Err(Error::Checkpoint { reason, .. }) => {
                (format!("a run that cannot be read ({reason})"), OF_FINISHED)
            }
            Err(other) => return Err(other),
        };
        Err(Error::RunExists {
            folder: folder.to_path_buf(),
            run,
            cure,
        })
    }

    /// Checks that [`Run::save`] into a folder replaces no other run: it holds none, or this one.
    ///
    /// # Errors
    /// Those of [`Run::check_replaceable`].
    pub fn check_saves_over_nothing(&self, folder: impl AsRef<Path>) -> Result<()> {
        match self.is_saved_in(folder.as_ref()) {
            true => Ok(()),
            false => Run::check_replaceable(folder),
        }
    }

    /// Returns how far a run got; `None` where it has no epoch.
    fn progress(&self) -> Option<String> {
        match (self.history.len(), self.settings.epochs) {
            (0, _) => None,
            (done, 0) => Some(count_of(done, "step")),
            (done, all) if done < all => Some(format!("{done} of {all} epochs")),
            (done, _) => Some(count_of(done, "epoch")),
        }
    }
}
