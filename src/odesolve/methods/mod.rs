//! The methods, one file each.

mod bosh3;
mod dopri5;
mod euler;
mod heun;
mod midpoint;
pub(crate) mod radau;
mod rk4;
mod tsit5;

use super::method::{Family, Method};
use super::tableau::Tableau;

/// Every method.
pub const ALL: &[&Method] = &[
    &euler::EULER,
    &midpoint::MIDPOINT,
    &heun::HEUN,
    &rk4::RK4,
    &bosh3::BOSH3,
    &dopri5::DOPRI5,
    &tsit5::TSIT5,
    &radau::RADAU,
];

/// The default method.
pub const DEFAULT: &Method = &dopri5::DOPRI5;

/// The method of this name.
///
/// # Errors
/// A name that no method has; the message lists the known ones.
pub fn by_name(name: &str) -> crate::Result<&'static Method> {
    ALL.iter()
        .find(|m| m.name == name)
        .copied()
        .ok_or_else(|| crate::error::unknown("method", name, ALL.iter().map(|m| m.name)))
}
