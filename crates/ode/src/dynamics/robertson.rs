//! Robertson's chemical kinetics, the classic stiff problem.

use crate::Result;
use crate::field::{VectorField, system};

/// Returns Robertson's system u₀′ = −k₁ u₀ + k₂ u₁ u₂, u₂′ = k₃ u₁², u₁′ = −u₀′ − u₂′; k₁ = 0.04, k₂ = 10⁴, k₃ = 3·10⁷
/// (parameters `k1`, `k2`, `k3`).
///
/// # Errors
/// None in practice; the type is that of every system.
pub fn robertson() -> Result<VectorField> {
    let params = [("k1", 0.04), ("k2", 1e4), ("k3", 3e7)];
    system(3, &params, |_, u, p| {
        let first = p.get("k2") * u.at(1) * u.at(2) - p.get("k1") * u.at(0);
        let last = p.get("k3") * u.at(1).square();
        vec![first.clone(), -&first - &last, last]
    })
}
