//! The methods, one file each.

mod bosh3;
mod dopri5;
mod euler;
mod heun;
mod midpoint;
mod rk4;
mod tsit5;

use super::tableau::Tableau;

/// Every method.
pub const ALL: [&Tableau; 7] = [
    &euler::EULER,
    &midpoint::MIDPOINT,
    &heun::HEUN,
    &rk4::RK4,
    &bosh3::BOSH3,
    &dopri5::DOPRI5,
    &tsit5::TSIT5,
];

/// The default method.
pub const DEFAULT: &Tableau = &dopri5::DOPRI5;

/// The method of this name.
///
/// # Errors
/// A name that no method has; the message lists the known ones.
pub fn by_name(name: &str) -> crate::Result<&'static Tableau> {
    ALL.into_iter()
        .find(|m| m.name == name)
        .ok_or_else(|| crate::error::unknown("method", name, ALL.iter().map(|m| m.name)))
}
