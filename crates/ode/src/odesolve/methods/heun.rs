//! Heun's method, the explicit trapezoidal rule.

use super::{Family, Method, Tableau};

/// Order 2, two stages, fixed steps.
pub const HEUN: Method = Method {
    name: "heun",
    order: 2,
    family: Family::ExplicitRungeKutta(&Tableau {
        c: &[0.0, 1.0],
        a: &[&[], &[1.0]],
        b: &[0.5, 0.5],
        error: None,
        second_error: None,
        dense: None,
        extra: &[],
        fsal: false,
    }),
};
