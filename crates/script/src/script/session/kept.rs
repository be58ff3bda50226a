//! What an interrupted training has done becomes a variable.

use std::sync::Arc;

use rhai::{Dynamic, Scope};

use super::super::ensembles::Group;
use super::super::kept::{Kept, LAST};
use super::super::training::Trained;

/// Whether a variable holds this run or ensemble itself.
fn is(kept: &Kept, value: &Dynamic) -> bool {
    match kept {
        Kept::Run(kept) => value
            .read_lock::<Trained>()
            .is_some_and(|run| Arc::ptr_eq(&run.0, kept)),
        Kept::Ensemble(kept) => value
            .read_lock::<Group>()
            .is_some_and(|group| Arc::ptr_eq(&group.0, kept)),
    }
}

/// Makes sure that a variable holds it, and says which.
pub(super) fn bind(kept: Kept, scope: &mut Scope<'static>) -> String {
    let epochs = kept.epochs();
    let holder = scope
        .iter_raw()
        .find(|(_, _, value)| is(&kept, value))
        .map(|(name, _, _)| name.to_string());
    let name = holder.unwrap_or_else(|| {
        let value = match kept {
            Kept::Run(run) => Dynamic::from(Trained(run)),
            Kept::Ensemble(all) => Dynamic::from(Group(all)),
        };
        scope.set_value(LAST, value);
        LAST.into()
    });
    format!("{name} holds the {epochs} epochs that were done")
}
