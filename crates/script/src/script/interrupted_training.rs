//! The result of an interrupted training in an interactive session.

use std::sync::Arc;

use super::error::RhaiResult;
use super::host::Host;
use crate::Error;
use odesync_train::training::{Ensemble, Run};

/// Name of the variable that holds the last value of an interactive session, and an interrupted training that no other
/// variable holds.
pub const LAST_VALUE: &str = "ans";

/// The result of a training up to the interrupt.
#[derive(Clone)]
pub(super) enum InterruptedTraining {
    Run(Arc<Run>),
    Ensemble(Arc<Ensemble>),
}

impl InterruptedTraining {
    pub fn epochs(&self) -> usize {
        match self {
            InterruptedTraining::Run(run) => run.history.len(),
            InterruptedTraining::Ensemble(all) => all.runs().map(|run| run.history.len()).sum(),
        }
    }
}

/// Ends a training that the user stopped. In an interactive session the result so far is returned as its value, and the code
/// stops after it; otherwise the code stops here, and `remark` says what is on disk.
pub(super) fn finish_interrupted<T: Clone + Into<InterruptedTraining>>(
    host: &Host,
    done: T,
    remark: Option<&str>,
) -> RhaiResult<T> {
    if let Some(remark) = remark {
        host.note(remark);
    }
    let training: InterruptedTraining = done.clone().into();
    if !host.interactive() || training.epochs() == 0 {
        return Err(Error::Interrupted.into());
    }
    host.store_interrupted(training);
    Ok(done)
}
