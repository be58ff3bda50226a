//! Automatic switching between an explicit and a stiff method.

use super::{Solver, SolverFamily, dopri5, radau};

/// Automatic method: starts with `dopri5`, switches to `radau` where the problem becomes stiff, and back where it no longer
/// is.
pub const AUTO: Solver = Solver {
    name: "auto",
    order: 5,
    family: SolverFamily::Auto {
        explicit: &dopri5::DOPRI5,
        stiff: &radau::RADAU,
    },
};
