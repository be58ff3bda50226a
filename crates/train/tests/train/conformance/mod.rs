//! One suite that every method must pass, whatever its family: order of convergence, dense output, reverse time, replays,
//! gradients, failures. A method that is added to `methods::ALL` is tested by it at once.

mod failures;
mod gradients;
mod orders;
mod problems;
mod runs;
