//! Lorenz' system, a model of convection.

use super::with_constants;
use crate::Result;
use crate::field::VectorField;
use odesync_base::option_set;
use odesync_base::options::Number;

option_set! {
    /// Constants of Lorenz' system.
    #[derive(Debug)]
    pub(super) struct LorenzConstants {
        /// Prandtl number σ.
        sigma: f64 as Number = 10.0;
        /// Rayleigh number ρ, relative to the critical one.
        rho: f64 as Number = 28.0;
        /// Aspect of the convection rolls, β.
        beta: f64 as Number = 8.0 / 3.0, "8.0/3";
    }
}

/// Returns Lorenz' system u₀′ = σ (u₁ − u₀), u₁′ = u₀ (ρ − u₂) − u₁, u₂′ = u₀ u₁ − β u₂; σ = 10, ρ = 28, β = 8/3 (parameters
/// `sigma`, `rho`, `beta`).
///
/// # Errors
/// None in practice; the type is that of every system.
pub fn lorenz() -> Result<VectorField> {
    with_constants(3, LorenzConstants::OPTIONS, |_, u, p| {
        let (x, y, z) = (u.at(0), u.at(1), u.at(2));
        vec![
            p.get("sigma") * (&y - &x),
            &x * (p.get("rho") - &z) - &y,
            &x * &y - p.get("beta") * &z,
        ]
    })
}
