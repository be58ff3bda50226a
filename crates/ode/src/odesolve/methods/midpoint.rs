//! The explicit midpoint rule.

use super::{Family, Method, Tableau};

/// Order 2, two stages, fixed steps.
pub const MIDPOINT: Method = Method {
    name: "midpoint",
    order: 2,
    family: Family::ExplicitRungeKutta(&Tableau {
        c: &[0.0, 0.5],
        a: &[&[], &[0.5]],
        b: &[0.0, 1.0],
        error: None,
        second_error: None,
        dense: None,
        extra: &[],
        fsal: false,
    }),
};
