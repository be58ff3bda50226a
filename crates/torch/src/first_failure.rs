//! The failure that a batch reports.

use crate::error::TensorResult;
use odesync_ode::odesolve::SolveFailure;

/// The failure of the first problem, by index, that failed; none where no problem failed.
#[derive(Default)]
pub(super) struct FirstFailure(Option<(usize, SolveFailure)>);

impl FirstFailure {
    /// Records that this problem failed, unless an earlier problem, or the same one before, failed.
    pub fn record(&mut self, problem: usize, failure: impl FnOnce() -> SolveFailure) {
        if self.is_relevant(problem) {
            self.0 = Some((problem, failure()));
        }
    }

    /// Returns whether a failure of this problem would change the result.
    pub fn is_relevant(&self, problem: usize) -> bool {
        self.0.as_ref().is_none_or(|(failed, _)| problem < *failed)
    }

    /// Returns the failure as an error, if there was one.
    pub fn into_result(self) -> TensorResult<()> {
        match self.0 {
            Some((_, failure)) => Err(failure.into()),
            None => Ok(()),
        }
    }
}
