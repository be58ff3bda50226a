//! ODE solvers.
mod failure;
pub use failure::{FailureReason, SolveFailure};
