//! The explicit Euler method.

use super::{Family, Method, Tableau};

/// Order 1, one stage, fixed steps.
pub const EULER: Method = Method {
    name: "euler",
    order: 1,
    family: Family::ExplicitRungeKutta(&Tableau {
        c: &[0.0],
        a: &[&[]],
        b: &[1.0],
        error: None,
        second_error: None,
        dense: None,
        extra: &[],
        fsal: false,
    }),
};
