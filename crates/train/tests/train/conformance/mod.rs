//! Conformance suite for every solver, whatever its family: order of convergence, dense output, reverse time, replays, gradients,
//! failures. It tests every solver in `solvers::ALL`.

mod failures;
mod gradients;
mod orders;
mod problems;
mod runs;
