//! A smooth piece of a solve in [pieces](super::pieces), and what happens between two of them.

use std::sync::Arc;

use super::options::SolveOptions;
use super::workspace::Workspace;
use crate::field::{HeldField, VectorField};
use crate::{Error, Result};

/// Share of a time, or of the span where that is longer, below which two times are the same but for rounding.
pub(crate) const SAME_TIME: f64 = 64.0 * f64::EPSILON;

/// A piece of a solve.
#[derive(Debug)]
pub(crate) struct SmoothPiece {
    /// What came before its start; nothing at the start of most solves.
    pub start: Transition,
    /// The field with its conditions in the state held; `None` where it has none or they are not located.
    pub held: Option<Arc<HeldField>>,
    /// Initial state, after the jump, and the times of the solve: its start, output times, and its end where that is known.
    pub u0: Vec<f64>,
    pub times: Vec<f64>,
    pub breakpoints: Vec<f64>,
    /// Size of the first step, where it was known.
    pub first_step: Option<f64>,
    /// Output time that is the start of the piece, by its index.
    pub start_output: Option<usize>,
    /// Output times inside the piece.
    pub outputs: std::ops::Range<usize>,
    /// Time at which an event or a switch ended it.
    pub ends_at: Option<f64>,
    /// Whether another piece follows, so that the last output is its end.
    pub is_followed: bool,
    /// Storage and results of its solve; there are no steps in a piece that begins at the last output time.
    pub work: Workspace,
}

/// The jumps and switches between two pieces, at one time.
#[derive(Debug, Default)]
pub(crate) struct Transition {
    pub t: f64,
    /// State before and after.
    pub before: Vec<f64>,
    pub after: Vec<f64>,
    /// Jumps that were applied, in order, with the state before each.
    pub jumps: Vec<(Cause, Vec<f64>)>,
    /// Functions whose zero the time is: events with a jump by their index, then the guards; empty where the time was given.
    pub fired: Vec<usize>,
}

/// Whose jump it is, by the index in the options.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    Event(usize),
    Dose(usize),
}

/// Whether a solve of this field with these options is one in pieces.
pub(crate) fn is_in_pieces(field: &VectorField, options: &SolveOptions) -> bool {
    options.has_jumps() || (options.switches && field.switches_with_state())
}

/// Checks that a solve is not one in pieces.
///
/// # Errors
/// One that is. `what` is what knows smooth solves only, in the plural.
pub fn check_is_smooth(field: &VectorField, options: &SolveOptions, what: &str) -> Result<()> {
    let (cause, cure) = match options {
        _ if options.has_jumps() => (
            "jumps of the state (doses, events with a jump)",
            "leave them out",
        ),
        _ if is_in_pieces(field, options) => (
            "switches: true",
            "leave it out, or make the conditions in the state smooth, 1/(1 + exp(-(u - c)/width)) in place of u > c",
        ),
        _ => return Ok(()),
    };
    Err(Error::invalid(format!(
        "{what} know no solves with {cause}: {cure}; gradients by \"backprop\", \"adjoint\", \"single_ckpt\", \"adaptive_ckpt\" and \
         \"symplectic\" on the native engine do"
    )))
}
