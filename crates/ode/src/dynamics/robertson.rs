//! Robertson's chemical kinetics, the classic stiff problem.

use super::with_constants;
use crate::Result;
use crate::field::VectorField;
use odesync_base::option_set;
use odesync_base::options::Number;

option_set! {
    /// Constants of Robertson's kinetics.
    #[derive(Debug)]
    pub(super) struct RobertsonConstants {
        /// Rate of the slow reaction, A → B.
        k1: f64 as Number = 0.04;
        /// Rate of the fast reaction, B + C → A + C.
        k2: f64 as Number = 1e4, "1e4";
        /// Rate of the very fast reaction, 2 B → B + C.
        k3: f64 as Number = 3e7;
    }
}

/// Returns Robertson's system u₀′ = −k₁ u₀ + k₂ u₁ u₂, u₂′ = k₃ u₁², u₁′ = −u₀′ − u₂′; k₁ = 0.04, k₂ = 10⁴, k₃ = 3·10⁷
/// (parameters `k1`, `k2`, `k3`).
///
/// # Errors
/// None in practice; the type is that of every system.
pub fn robertson() -> Result<VectorField> {
    with_constants(3, RobertsonConstants::OPTIONS, |_, u, p| {
        let first = p.get("k2") * u.at(1) * u.at(2) - p.get("k1") * u.at(0);
        let last = p.get("k3") * u.at(1).square();
        vec![first.clone(), -&first - &last, last]
    })
}
