//! What an interrupted training leaves to someone who looks on.

use rhai::{Dynamic, Scope};

use super::ensembles::Group;
use super::error::Fallible;
use super::host::Host;
use super::training::Trained;
use crate::Error;

/// The variable that holds the last value of an interactive session, and an interrupted training that no other variable holds.
pub const LAST: &str = "ans";

/// What was done before the interrupt.
#[derive(Clone)]
pub(super) enum Kept {
    Run(Trained),
    Ensemble(Group),
}

impl From<Trained> for Kept {
    fn from(run: Trained) -> Self {
        Kept::Run(run)
    }
}

impl From<Group> for Kept {
    fn from(group: Group) -> Self {
        Kept::Ensemble(group)
    }
}

impl Kept {
    fn epochs(&self) -> usize {
        match self {
            Kept::Run(run) => run.0.history.len(),
            Kept::Ensemble(group) => group.0.runs().map(|run| run.history.len()).sum(),
        }
    }

    /// Whether a variable's value is the very one.
    fn is(&self, value: &Dynamic) -> bool {
        match self {
            Kept::Run(kept) => value
                .read_lock::<Trained>()
                .is_some_and(|run| std::sync::Arc::ptr_eq(&run.0, &kept.0)),
            Kept::Ensemble(kept) => value
                .read_lock::<Group>()
                .is_some_and(|group| std::sync::Arc::ptr_eq(&group.0, &kept.0)),
        }
    }

    fn into_dynamic(self) -> Dynamic {
        match self {
            Kept::Run(run) => Dynamic::from(run),
            Kept::Ensemble(group) => Dynamic::from(group),
        }
    }

    /// Makes sure that a variable holds it, and says which.
    pub fn bind(self, scope: &mut Scope<'static>) -> String {
        let epochs = self.epochs();
        let holder = scope
            .iter_raw()
            .find(|(_, _, value)| self.is(value))
            .map(|(name, _, _)| name.to_string());
        let name = holder.unwrap_or_else(|| {
            scope.set_value(LAST, self.into_dynamic());
            LAST.into()
        });
        format!("{name} holds the {epochs} epochs that were done")
    }
}

/// The end of a training that the user stopped: where someone looks on, what was done is its value, and the code goes no further
/// after that; else the code ends here, and `remark` says what is on disk.
pub(super) fn interrupted<T: Clone + Into<Kept>>(
    host: &Host,
    done: T,
    remark: Option<&str>,
) -> Fallible<T> {
    if let Some(remark) = remark {
        host.note(remark);
    }
    let kept: Kept = done.clone().into();
    if !host.interactive() || kept.epochs() == 0 {
        return Err(Error::Interrupted.into());
    }
    host.keep(kept);
    Ok(done)
}
