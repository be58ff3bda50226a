//! Heun's method of order 2 under torchdiffeq's name.

use super::Solver;
use super::heun::HEUN;

/// Heun's method of order 2 under torchdiffeq's name: order 2, two stages, fixed steps: the same as `heun`.
pub const HEUN2: Solver = Solver {
    name: "heun2",
    ..HEUN
};
