//! Adams methods of fixed step size.
//!
//! E. Hairer, S. Nørsett, G. Wanner, *Solving Ordinary Differential Equations I*, III.1.

use super::super::tableau::Adams;
use super::{Family, Method};

/// Adams-Bashforth, order 2: one evaluation a step.
pub const ADAMS2: Method = Method {
    name: "adams2",
    order: 2,
    family: Family::Adams(&Adams {
        predictor: &[1.5, -0.5],
        corrector: None,
    }),
};

/// Adams-Bashforth, order 3: one evaluation a step.
pub const ADAMS3: Method = Method {
    name: "adams3",
    order: 3,
    family: Family::Adams(&Adams {
        predictor: &[23.0 / 12.0, -16.0 / 12.0, 5.0 / 12.0],
        corrector: None,
    }),
};

/// Adams-Bashforth, order 4: one evaluation a step.
pub const ADAMS4: Method = Method {
    name: "adams4",
    order: 4,
    family: Family::Adams(&Adams {
        predictor: BASHFORTH4,
        corrector: None,
    }),
};

/// Adams-Bashforth-Moulton, order 4: predict, evaluate, correct, evaluate.
pub const IMPLICIT_ADAMS: Method = Method {
    name: "implicit_adams",
    order: 4,
    family: Family::Adams(&Adams {
        predictor: BASHFORTH4,
        corrector: Some(&[9.0 / 24.0, 19.0 / 24.0, -5.0 / 24.0, 1.0 / 24.0]),
    }),
};

const BASHFORTH4: &[f64] = &[55.0 / 24.0, -59.0 / 24.0, 37.0 / 24.0, -9.0 / 24.0];
