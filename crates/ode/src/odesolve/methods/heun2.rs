//! Heun's method of order 2 under torchdiffeq's name.

use super::Method;
use super::heun::HEUN;

/// Order 2, two stages, fixed steps: the same as `heun`.
pub const HEUN2: Method = Method {
    name: "heun2",
    ..HEUN
};
