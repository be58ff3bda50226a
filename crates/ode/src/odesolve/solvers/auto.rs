//! The method that suits the problem.

use super::{Solver, SolverFamily, dopri5, radau};

/// Begins with `dopri5`, goes on with `radau` where the problem is stiff, and comes back where it no longer is.
pub const AUTO: Solver = Solver {
    name: "auto",
    order: 5,
    family: SolverFamily::Auto {
        explicit: &dopri5::DOPRI5,
        stiff: &radau::RADAU,
    },
};
