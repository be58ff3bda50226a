//! Lorenz' system, a model of convection.

use crate::Result;
use crate::field::{VectorField, system};

/// Returns Lorenz' system u₀′ = σ (u₁ − u₀), u₁′ = u₀ (ρ − u₂) − u₁, u₂′ = u₀ u₁ − β u₂; σ = 10, ρ = 28, β = 8/3 (parameters
/// `sigma`, `rho`, `beta`).
///
/// # Errors
/// None in practice; the type is that of every system.
pub fn lorenz() -> Result<VectorField> {
    let params = [("sigma", 10.0), ("rho", 28.0), ("beta", 8.0 / 3.0)];
    system(3, &params, |_, u, p| {
        let (x, y, z) = (u.at(0), u.at(1), u.at(2));
        vec![
            p.get("sigma") * (&y - &x),
            &x * (p.get("rho") - &z) - &y,
            &x * &y - p.get("beta") * &z,
        ]
    })
}
