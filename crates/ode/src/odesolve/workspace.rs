//! What a solve works on and leaves behind.

use super::checkpoints::Checkpoints;
use super::events::Occurrence;
use super::plan::{Stats, StepPlan};
use super::{adams, auto, bdf, esdirk, explicit, radau, rosenbrock};

/// Everything one solve works on, kept between solves so that nothing is allocated in the loop.
#[derive(Debug, Clone, Default)]
pub(crate) struct Workspace {
    /// What the steps leave for a gradient, step by step, in the layout of the method's scheme.
    pub tape: Vec<f64>,
    /// What outputs inside steps leave for a gradient beside the steps themselves, one such step after the other.
    pub tape_beside: Vec<f64>,
    /// Number of steps that were taken to outputs inside others.
    pub steps_beside: usize,
    /// The end of such a step, `[dof]`.
    pub inside: Vec<f64>,
    /// The most numbers that both may hold.
    pub tape_limit: usize,
    pub plan: StepPlan,
    /// Whether the plan was a given one.
    pub given: bool,
    /// The size of the step before the first one, where the solve was taken up at a checkpoint.
    pub before: Option<f64>,
    /// What a solve without a tape leaves for a gradient.
    pub trace: Trace,
    pub stats: Stats,
    /// The solution, `[time, dof]`.
    pub u: Vec<f64>,
    /// The state at the start of the step, `[dof]`.
    pub state: Vec<f64>,
    /// The state at the end of the step, `[dof]`.
    pub next: Vec<f64>,
    /// The events of the solve, and the time at which one ended it.
    pub occurrences: Vec<Occurrence>,
    pub ended: Option<f64>,
    /// For each event whether its function was a number anywhere.
    pub seen: Vec<bool>,
    pub explicit: explicit::Buffers,
    pub radau: radau::Buffers,
    pub esdirk: esdirk::Buffers,
    pub rosenbrock: rosenbrock::Buffers,
    pub bdf: bdf::Buffers,
    pub adams: adams::Buffers,
    /// The segments of `auto`.
    pub segments: Vec<auto::Segment>,
    pub stops: Vec<f64>,
}

/// What a solve leaves for a gradient beside its tape, where it has one.
#[derive(Debug, Clone, Default)]
pub(crate) enum Trace {
    /// The plan.
    #[default]
    Plan,
    /// The plan, and the states at the start of each of its steps, `[step, dof]`.
    States(Vec<f64>),
    /// Checkpoints. Of the plan only the last step is kept, unless it was given.
    Checkpoints(Checkpoints),
    /// Of the plan only the last step, unless it was given.
    Nothing,
}
