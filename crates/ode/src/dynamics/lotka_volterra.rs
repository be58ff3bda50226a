//! The predator-prey model of Lotka and Volterra.

use super::with_constants;
use crate::Result;
use crate::field::VectorField;
use odesync_base::option_set;
use odesync_base::options::Number;

option_set! {
    /// Constants of the system of Lotka and Volterra.
    #[derive(Debug)]
    pub(super) struct LotkaVolterraConstants {
        /// Growth rate of the prey.
        a: f64 as Number = 1.3;
        /// Loss of prey in a meeting.
        b: f64 as Number = 0.9;
        /// Growth of the predators by a meeting.
        c: f64 as Number = 0.8;
        /// Death rate of the predators.
        d: f64 as Number = 1.8;
    }
}

/// Returns the Lotka–Volterra system u₀′ = a u₀ − b u₀ u₁, u₁′ = c u₀ u₁ − d u₁, with prey u₀ and predators u₁. The
/// parameters' values are those of the paper.
///
/// # Errors
/// None in practice; the type is that of every system.
pub fn lotka_volterra() -> Result<VectorField> {
    with_constants(2, LotkaVolterraConstants::OPTIONS, |_, u, p| {
        let (prey, predators) = (u.at(0), u.at(1));
        let meetings = &prey * &predators;
        vec![
            p.get("a") * &prey - p.get("b") * &meetings,
            p.get("c") * &meetings - p.get("d") * &predators,
        ]
    })
}
