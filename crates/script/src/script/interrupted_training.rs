//! What an interrupted training leaves to someone who looks on.

use std::sync::Arc;

use super::error::RhaiResult;
use super::host::Host;
use crate::Error;
use odesync_train::training::{Ensemble, Run};

/// The variable that holds the last value of an interactive session, and an interrupted training that no other variable holds.
pub const LAST_VALUE: &str = "ans";

/// What was done before the interrupt.
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

/// The end of a training that the user stopped: where someone looks on, what was done is its value, and the code goes no further
/// after that; else the code ends here, and `remark` says what is on disk.
pub(super) fn finish_interrupted<T: Clone + Into<InterruptedTraining>>(
    host: &Host,
    done: T,
    remark: Option<&str>,
) -> RhaiResult<T> {
    if let Some(remark) = remark {
        host.note(remark);
    }
    let kept: InterruptedTraining = done.clone().into();
    if !host.interactive() || kept.epochs() == 0 {
        return Err(Error::Interrupted.into());
    }
    host.store_interrupted(kept);
    Ok(done)
}
