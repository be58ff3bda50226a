//! The explicit Euler method.

use super::Tableau;

/// Order 1, one stage, fixed steps.
pub const EULER: Tableau = Tableau {
    name: "euler",
    order: 1,
    c: &[0.0],
    a: &[&[]],
    b: &[1.0],
    error: None,
    dense: None,
    fsal: false,
};
