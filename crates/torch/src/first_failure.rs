//! Which failure a batch reports.

use crate::error::TensorResult;
use odesync_ode::odesolve::SolveFailure;

/// The failure of the first problem (by index) that failed.
#[derive(Default)]
pub(super) struct FirstFailure(Option<(usize, SolveFailure)>);

impl FirstFailure {
    /// Notes that this problem failed; the first note of the first problem stays.
    pub fn record(&mut self, problem: usize, failure: impl FnOnce() -> SolveFailure) {
        if self.is_relevant(problem) {
            self.0 = Some((problem, failure()));
        }
    }

    /// Whether what happens to this problem can still change the result.
    pub fn is_relevant(&self, problem: usize) -> bool {
        self.0.as_ref().is_none_or(|(failed, _)| problem < *failed)
    }

    /// The failure, if there was one.
    pub fn into_result(self) -> TensorResult<()> {
        match self.0 {
            Some((_, failure)) => Err(failure.into()),
            None => Ok(()),
        }
    }
}
