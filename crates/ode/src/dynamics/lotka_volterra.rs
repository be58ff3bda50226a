//! The predator-prey model of Lotka and Volterra.

use crate::Result;
use crate::field::{VectorField, system};

/// Returns the Lotka–Volterra system u₀′ = a u₀ − b u₀ u₁, u₁′ = c u₀ u₁ − d u₁, with prey u₀ and predators u₁; a = 1.3,
/// b = 0.9, c = 0.8, d = 1.8.
///
/// # Errors
/// None in practice; the type is that of every system.
pub fn lotka_volterra() -> Result<VectorField> {
    let params = [("a", 1.3), ("b", 0.9), ("c", 0.8), ("d", 1.8)];
    system(2, &params, |_, u, p| {
        let (prey, predators) = (u.at(0), u.at(1));
        let meetings = &prey * &predators;
        vec![
            p.get("a") * &prey - p.get("b") * &meetings,
            p.get("c") * &meetings - p.get("d") * &predators,
        ]
    })
}
