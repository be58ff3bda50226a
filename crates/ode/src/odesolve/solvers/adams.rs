//! Adams methods of fixed step size.
//!
//! E. Hairer, S. Nørsett, G. Wanner, *Solving Ordinary Differential Equations I*, III.1.

use super::super::tableau::AdamsTableau;
use super::{Solver, SolverFamily};

/// Adams-Bashforth method of order 2: one evaluation per step.
pub const ADAMS2: Solver = Solver {
    name: "adams2",
    order: 2,
    family: SolverFamily::Adams(&AdamsTableau {
        predictor: &[1.5, -0.5],
        corrector: None,
    }),
};

/// Adams-Bashforth method of order 3: one evaluation per step.
pub const ADAMS3: Solver = Solver {
    name: "adams3",
    order: 3,
    family: SolverFamily::Adams(&AdamsTableau {
        predictor: &[23.0 / 12.0, -16.0 / 12.0, 5.0 / 12.0],
        corrector: None,
    }),
};

/// Adams-Bashforth method of order 4: one evaluation per step.
pub const ADAMS4: Solver = Solver {
    name: "adams4",
    order: 4,
    family: SolverFamily::Adams(&AdamsTableau {
        predictor: BASHFORTH4,
        corrector: None,
    }),
};

/// Adams-Bashforth-Moulton method of order 4: predict, evaluate, correct, evaluate.
pub const IMPLICIT_ADAMS: Solver = Solver {
    name: "implicit_adams",
    order: 4,
    family: SolverFamily::Adams(&AdamsTableau {
        predictor: BASHFORTH4,
        corrector: Some(&[9.0 / 24.0, 19.0 / 24.0, -5.0 / 24.0, 1.0 / 24.0]),
    }),
};

const BASHFORTH4: &[f64] = &[55.0 / 24.0, -59.0 / 24.0, 37.0 / 24.0, -9.0 / 24.0];
