//! What a solve works on and leaves behind.

use super::checkpoints::Checkpoints;
use super::events::EventHit;
use super::plan::{Stats, StepPlan};
use super::{adams, auto, bdf, esdirk, explicit_rk, radau, rosenbrock};

/// Everything one solve works on, kept between solves so that nothing is allocated in the loop.
#[derive(Debug, Clone, Default)]
pub(crate) struct Workspace {
    /// What the steps leave for a gradient, step by step, in the layout of the method's scheme.
    pub tape: Vec<f64>,
    /// What outputs inside steps leave for a gradient beside the steps themselves, one such step after the other.
    pub output_tape: Vec<f64>,
    /// Number of steps that were taken to outputs inside others.
    pub n_output_steps: usize,
    /// The end of such a step, `[dof]`.
    pub output_state: Vec<f64>,
    /// The most numbers that both may hold.
    pub tape_limit: usize,
    pub plan: StepPlan,
    /// Whether the plan was a given one.
    pub is_replay: bool,
    /// The size of the step before the first one, where the solve was taken up at a checkpoint.
    pub previous_h: Option<f64>,
    /// What a solve without a tape leaves for a gradient.
    pub record: ForwardRecord,
    pub stats: Stats,
    /// The solution, `[time, dof]`.
    pub u: Vec<f64>,
    /// The state at the start of the step, `[dof]`.
    pub state: Vec<f64>,
    /// The state at the end of the step, `[dof]`.
    pub next: Vec<f64>,
    /// The events of the solve, and the time at which one ended it.
    pub event_hits: Vec<EventHit>,
    pub terminated_at: Option<f64>,
    /// For each event whether its function was a number anywhere.
    pub event_was_defined: Vec<bool>,
    pub explicit: explicit_rk::ExplicitRkCache,
    pub radau: radau::RadauCache,
    pub esdirk: esdirk::EsdirkCache,
    pub rosenbrock: rosenbrock::RosenbrockCache,
    pub bdf: bdf::BdfCache,
    pub adams: adams::AdamsCache,
    /// The segments of `auto`.
    pub segments: Vec<auto::AutoSegment>,
    pub tstops: Vec<f64>,
}

/// What a solve leaves for a gradient beside its tape, where it has one.
#[derive(Debug, Clone, Default)]
pub(crate) enum ForwardRecord {
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
