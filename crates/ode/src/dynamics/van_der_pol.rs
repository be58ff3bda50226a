//! Van der Pol's oscillator.

use crate::Result;
use crate::field::{VectorField, system};

/// Returns Van der Pol's oscillator u₀′ = u₁, u₁′ = μ (1 − u₀²) u₁ − u₀, μ = 1000 (parameter `mu`). It is stiff; take a small μ
/// for an explicit method.
///
/// # Errors
/// None in practice; the type is that of every system.
pub fn van_der_pol() -> Result<VectorField> {
    system(2, &[("mu", 1000.0)], |_, u, p| {
        let (x, v) = (u.at(0), u.at(1));
        vec![v.clone(), p.get("mu") * (1.0 - x.square()) * &v - &x]
    })
}
