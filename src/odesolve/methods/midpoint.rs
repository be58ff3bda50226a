//! The explicit midpoint rule.

use super::Tableau;

/// Order 2, two stages, fixed steps.
pub const MIDPOINT: Tableau = Tableau {
    name: "midpoint",
    order: 2,
    c: &[0.0, 0.5],
    a: &[&[], &[0.5]],
    b: &[0.0, 1.0],
    error: None,
    dense: None,
    fsal: false,
};
