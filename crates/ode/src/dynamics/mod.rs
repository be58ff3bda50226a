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
use crate::field::{Expr, Parameters, VectorField, system};
use odesync_base::error;
use odesync_base::options::{Key, Keys};

/// A benchmark system.
#[derive(Debug, Clone, Copy)]
pub struct NamedSystem {
    /// Name of the system.
    pub name: &'static str,
    /// Descriptions of its constants, with their defaults.
    pub constants: Keys,
    /// The function that constructs it.
    pub make: fn() -> Result<VectorField>,
}

/// Declares the table of the benchmark systems: each is the function of its module, beside the set of its constants.
macro_rules! systems {
    ($($name:ident with $constants:ident),+ $(,)?) => {
        /// All benchmark systems.
        pub const SYSTEMS: &[NamedSystem] = &[$(NamedSystem {
            name: stringify!($name),
            constants: &[$name::$constants::OPTIONS],
            make: $name::$name,
        }),+];
    };
}

systems!(
    lotka_volterra with LotkaVolterraConstants,
    lorenz with LorenzConstants,
    van_der_pol with VanDerPolConstants,
    robertson with RobertsonConstants,
    double_pendulum with DoublePendulumConstants,
);

/// Returns the benchmark system of this name.
///
/// # Errors
/// A name that no system has.
pub fn by_name(name: &str) -> Result<VectorField> {
    match SYSTEMS.iter().find(|system| system.name == name) {
        Some(system) => (system.make)(),
        None => {
            let known = SYSTEMS.iter().map(|system| system.name);
            Err(error::unknown("system", name, known))
        }
    }
}

/// Builds the field of a system whose constants have these descriptions, with their defaults, as [`system`] does.
fn with_constants(
    dof: usize,
    constants: &[Key],
    equations: impl FnOnce(Expr, Expr, Parameters) -> Vec<Expr>,
) -> Result<VectorField> {
    let default = |key: &Key| Some((key.name, (key.default)().number()?));
    let params: Vec<(&str, f64)> = constants.iter().filter_map(default).collect();
    system(dof, &params, equations)
}
