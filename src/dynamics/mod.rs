//! Known systems, one file each, with the parameters of the paper's experiments as defaults.
//!
//! Their constants are parameter blocks, not trained unless asked: `lotka_volterra().trainable(&["a", "b"])?`.

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
