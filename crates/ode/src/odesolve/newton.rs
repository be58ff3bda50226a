//! Convergence test of simplified Newton iteration (Hairer, Wanner, *Solving Ordinary Differential Equations II*, IV.8).

use super::tolerance::{AbsoluteTolerance, error_norm};

/// Result of the convergence test after a Newton increment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NewtonStatus {
    /// The increment is small enough to be the last.
    Converged,
    /// Another iteration is needed.
    Continue,
    /// The iteration diverges, or would need too many iterations.
    Failed,
}

/// Convergence test of simplified Newton iteration, from the norms of the increments, scaled by the tolerances.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Newton {
    tolerance: f64,
    max_iterations: usize,
    previous_norm: f64,
    /// Number of increments so far.
    pub iterations: usize,
    /// Ratio of the norms of the last two increments (0 before there are two).
    pub rate: f64,
}

impl Default for Newton {
    fn default() -> Self {
        Newton::new(1.0, 1)
    }
}

impl Newton {
    /// Creates the test for a step at this relative tolerance, with at most `max_iterations` iterations.
    pub fn new(rtol: f64, max_iterations: usize) -> Self {
        let rtol = rtol.max(1e-12);
        Newton {
            tolerance: (10.0 * f64::EPSILON / rtol).max(rtol.sqrt().min(0.03)),
            max_iterations,
            previous_norm: f64::NAN,
            iterations: 0,
            rate: 0.0,
        }
    }

    /// Whether the Jacobian is too old: convergence is so slow that a new one is worth its cost.
    pub fn needs_new_jacobian(&self) -> bool {
        self.iterations > 2 && self.rate > 1e-3
    }

    /// Returns the safety factor on the next step size, which is smaller after a step that needed many iterations.
    pub fn safety(&self) -> f64 {
        let limit = 2.0 * self.max_iterations as f64;
        0.9 * (limit + 1.0) / (limit + self.iterations as f64)
    }

    /// Records the norm of the next increment and tests for convergence.
    pub fn check_convergence(&mut self, norm: f64) -> NewtonStatus {
        self.iterations += 1;
        if !norm.is_finite() {
            return NewtonStatus::Failed;
        }
        // Far below the tolerance no second increment is needed to estimate the rate.
        if norm <= 0.01 * self.tolerance {
            return NewtonStatus::Converged;
        }
        let last = std::mem::replace(&mut self.previous_norm, norm);
        let more = self.iterations < self.max_iterations;
        if last.is_nan() {
            return if more {
                NewtonStatus::Continue
            } else {
                NewtonStatus::Failed
            };
        }
        self.rate = norm / last;
        // The first ratio compares increments that are dominated by different components, so it is unreliable.
        let first = self.iterations == 2;
        if self.rate >= if first { 2.0 } else { 1.0 } {
            return NewtonStatus::Failed;
        }
        let remaining = match self.rate < 1.0 {
            true => self.rate / (1.0 - self.rate) * norm,
            false => f64::INFINITY,
        };
        if remaining < self.tolerance {
            return NewtonStatus::Converged;
        }
        let left = (self.max_iterations - self.iterations.min(self.max_iterations)) as i32;
        if !more || (!first && self.rate.powi(left) * remaining > self.tolerance) {
            return NewtonStatus::Failed;
        }
        NewtonStatus::Continue
    }
}

/// Returns the scaled norm: the root mean square of `x / (atol + rtol |u|)`.
#[inline(always)]
pub(crate) fn scaled_norm(x: &[f64], u: &[f64], rtol: f64, atol: &AbsoluteTolerance) -> f64 {
    error_norm(x, u, u, rtol, atol)
}

/// Whether full Newton iteration has converged to rounding after this increment: as its convergence is quadratic, the
/// remaining error is below the rounding.
pub(crate) fn converged_to_roundoff(dz: &[f64], u: &[f64]) -> bool {
    let largest = u.iter().fold(0.0, |m: f64, x| m.max(x.abs()));
    dz.iter()
        .zip(u)
        .all(|(dz, u)| dz.abs() <= 1e-11 * u.abs() + 1e-14 * largest)
}
