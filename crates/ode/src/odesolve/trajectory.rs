//! The solution of one problem, with its cost, its events and its recorded steps.

use super::events::EventHit;
use super::recorded_steps::{RecordedSteps, Stats};

/// Solution of one problem of a batch.
#[derive(Debug, Clone, Default)]
pub struct Trajectory {
    /// Solution at the output times, `[time, dof]`.
    pub u: Vec<f64>,
    /// Accepted steps of the solve. Empty after a solve with `keep` for [`Continuous`](super::Adjoint::Continuous),
    /// [`SingleCheckpoint`](super::Adjoint::SingleCheckpoint) or [`AdaptiveCheckpoint`](super::Adjoint::AdaptiveCheckpoint), which do not record steps, unless the solve was a
    /// replay.
    pub recorded: RecordedSteps,
    /// Cost of the solve.
    pub stats: Stats,
    /// Event hits, in the order in which they occurred.
    pub event_hits: Vec<EventHit>,
    /// Time at which an event terminated the solve. The last state of `u` is then the one at this time, in place of the
    /// output times that were not reached.
    pub terminated_at: Option<f64>,
}
