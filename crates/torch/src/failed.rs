//! Which failure a batch reports.

use crate::error::Result;
use odesync_ode::odesolve::SolveFailure;

/// The failure of the first problem (by index) that failed.
#[derive(Default)]
pub(super) struct Failed(Option<(usize, SolveFailure)>);

impl Failed {
    /// Notes that this problem failed; the first note of the first problem stays.
    pub fn note(&mut self, problem: usize, failure: impl FnOnce() -> SolveFailure) {
        if self.matters(problem) {
            self.0 = Some((problem, failure()));
        }
    }

    /// Whether what happens to this problem can still change the result.
    pub fn matters(&self, problem: usize) -> bool {
        self.0.as_ref().is_none_or(|(failed, _)| problem < *failed)
    }

    /// The failure, if there was one.
    pub fn check(self) -> Result<()> {
        match self.0 {
            Some((_, failure)) => Err(failure.into()),
            None => Ok(()),
        }
    }
}
