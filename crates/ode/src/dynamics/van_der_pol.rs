//! Van der Pol's oscillator.

use super::with_constants;
use crate::Result;
use crate::field::VectorField;
use odesync_base::option_set;
use odesync_base::options::Number;

option_set! {
    /// Constants of Van der Pol's oscillator.
    #[derive(Debug)]
    pub(super) struct VanDerPolConstants {
        /// Strength μ of the nonlinear damping.
        mu: f64 as Number = 1000.0;
    }
}

/// Returns Van der Pol's oscillator u₀′ = u₁, u₁′ = μ (1 − u₀²) u₁ − u₀, μ = 1000 (parameter `mu`). It is stiff; take a small μ
/// for an explicit method.
///
/// # Errors
/// None in practice; the type is that of every system.
pub fn van_der_pol() -> Result<VectorField> {
    with_constants(2, VanDerPolConstants::OPTIONS, |_, u, p| {
        let (x, v) = (u.at(0), u.at(1));
        vec![v.clone(), p.get("mu") * (1.0 - x.square()) * &v - &x]
    })
}
