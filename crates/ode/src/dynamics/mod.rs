//! Benchmark systems, one file each, with the parameters of the paper's experiments as defaults.
//!
//! The constants of a system are parameter blocks, frozen unless made trainable: `lotka_volterra()?.trainable(&["a", "b"])?`.

mod double_pendulum;
mod lorenz;
mod lotka_volterra;
mod robertson;
mod van_der_pol;

pub use double_pendulum::double_pendulum;
pub use lorenz::lorenz;
pub use lotka_volterra::lotka_volterra;
pub use robertson::robertson;
pub use van_der_pol::van_der_pol;

use crate::Result;
use crate::field::VectorField;
use odesync_base::error;

/// A benchmark system: its name and the function that constructs it.
pub type NamedSystem = (&'static str, fn() -> Result<VectorField>);

/// All benchmark systems, by name.
pub const SYSTEMS: [NamedSystem; 5] = [
    ("lotka_volterra", lotka_volterra),
    ("lorenz", lorenz),
    ("van_der_pol", van_der_pol),
    ("robertson", robertson),
    ("double_pendulum", double_pendulum),
];

/// Returns the benchmark system of this name.
///
/// # Errors
/// A name that no system has.
pub fn by_name(name: &str) -> Result<VectorField> {
    match SYSTEMS.iter().find(|(known, _)| *known == name) {
        Some((_, make)) => make(),
        None => Err(error::unknown("system", name, SYSTEMS.map(|(n, _)| n))),
    }
}
