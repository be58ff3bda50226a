//! The workspace of a solve: its storage and its results.

use super::any_method::AnyMethod;
use super::auto::AutoSegment;
use super::checkpoints::Checkpoints;
use super::events::{EventHit, EventStart, FiredFunction};
use super::recorded_steps::{OutputPosition, RecordedSteps, Stats};
use super::smooth_piece::SmoothPiece;
use super::trajectory::Trajectory;

/// Storage and results of one solve, reused between solves so that nothing is allocated in the loop.
#[derive(Debug, Default)]
pub(crate) struct Workspace {
    /// Data that a gradient needs of each step, step by step, in the layout of the step method.
    pub tape: Vec<f64>,
    /// Data that a gradient needs of outputs inside steps, in the order of the outputs.
    pub output_tape: Vec<f64>,
    /// Number of output steps: additional steps to output times inside steps.
    pub n_output_steps: usize,
    /// State at the end of an output step, `[dof]`.
    pub output_state: Vec<f64>,
    /// Maximum number of values on `tape` and `output_tape` together.
    pub tape_limit: usize,
    pub recorded: RecordedSteps,
    /// Whether the solve is a replay.
    pub is_replay: bool,
    /// Size of the step before the first one, where the solve started at a checkpoint.
    pub previous_h: Option<f64>,
    /// Record of a solve without a tape for its gradient.
    pub record: ForwardRecord,
    pub stats: Stats,
    /// Solution at the output times, `[time, dof]`.
    pub u: Vec<f64>,
    /// State at the start of the current step, `[dof]`.
    pub state: Vec<f64>,
    /// State at the end of the attempted step, `[dof]`.
    pub next: Vec<f64>,
    /// Event hits of the solve.
    pub event_hits: Vec<EventHit>,
    /// Where the events stand at the start of a solve, and at its end; empty where none was hit before.
    pub event_starts: Vec<EventStart>,
    /// Functions of events and guards for which the solve ended before its last time.
    pub fired: Vec<FiredFunction>,
    /// Size of the step that would have come next; 0 for fixed steps.
    pub proposed_h: f64,
    /// Pieces of a solve with jumps or switches.
    pub pieces: Vec<SmoothPiece>,
    /// Time at which an event terminated the solve.
    pub terminated_at: Option<f64>,
    /// For each event, whether its function was ever different from NaN.
    pub event_was_defined: Vec<bool>,
    /// Step method of the solve before, whose storage the next one reuses.
    pub method: Option<AnyMethod>,
    /// Segments of a solve by `auto`.
    pub segments: Vec<AutoSegment>,
    /// Storage of the step sequencer's tstops.
    pub tstops: Vec<f64>,
}

impl Workspace {
    /// Drops the results of the solve before: nothing is recorded but the output at the start.
    pub fn begin(&mut self) {
        self.recorded.clear();
        self.recorded.outputs.push(OutputPosition::Start);
        self.stats = Stats::default();
        self.event_hits.clear();
        self.fired.clear();
        self.terminated_at = None;
        self.event_was_defined.clear();
    }

    /// Returns the results of a solve without a gradient.
    pub fn into_trajectory(self) -> Trajectory {
        Trajectory {
            u: self.u,
            recorded: self.recorded,
            stats: self.stats,
            event_hits: self.event_hits,
            terminated_at: self.terminated_at,
        }
    }
}

/// Record of a forward solve for its gradient, in addition to the tape where there is one.
#[derive(Debug, Clone, Default)]
pub(crate) enum ForwardRecord {
    /// The steps.
    #[default]
    Steps,
    /// The steps and the states at the start of each of its steps, `[step, dof]`.
    States(Vec<f64>),
    /// Checkpoints. Only the last step is stored, unless the solve is a replay.
    Checkpoints(Checkpoints),
    /// No record: only the last step is stored, unless the solve is a replay.
    Nothing,
}
