//! The assignment of an interrupted training's result to a variable.

use std::sync::Arc;

use rhai::{Dynamic, Scope};

use super::super::ensembles::ScriptEnsemble;
use super::super::interrupted_training::{InterruptedTraining, LAST_VALUE};
use super::super::training::ScriptRun;

/// Returns whether a variable holds this same run or ensemble.
fn holds_training(training: &InterruptedTraining, value: &Dynamic) -> bool {
    match training {
        InterruptedTraining::Run(stored) => value
            .read_lock::<ScriptRun>()
            .is_some_and(|run| Arc::ptr_eq(&run.0, stored)),
        InterruptedTraining::Ensemble(stored) => value
            .read_lock::<ScriptEnsemble>()
            .is_some_and(|ensemble| Arc::ptr_eq(&ensemble.0, stored)),
    }
}

/// Ensures that a variable holds the result of the interrupted training, and returns a message that names it.
pub(super) fn bind_to_variable(
    training: InterruptedTraining,
    scope: &mut Scope<'static>,
) -> String {
    let epochs = training.epochs();
    let holder = scope
        .iter_raw()
        .find(|(_, _, value)| holds_training(&training, value))
        .map(|(name, _, _)| name.to_string());
    let name = holder.unwrap_or_else(|| {
        let value = match training {
            InterruptedTraining::Run(run) => Dynamic::from(ScriptRun(run)),
            InterruptedTraining::Ensemble(all) => Dynamic::from(ScriptEnsemble(all)),
        };
        scope.set_value(LAST_VALUE, value);
        LAST_VALUE.into()
    });
    format!("{name} holds the {epochs} epochs that were done")
}
