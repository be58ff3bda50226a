//! The methods of solving, one file each.

mod adams;
mod adaptive_heun;
mod auto;
pub(crate) mod bdf;
mod bosh3;
mod dopri5;
mod dopri8;
mod euler;
mod fehlberg2;
mod heun;
mod heun2;
mod heun3;
mod kvaerno5;
mod midpoint;
pub(crate) mod radau;
pub(crate) mod rk4;
mod rk4_38;
mod rodas5p;
mod tsit5;
mod vern7;

use super::solver::{Solver, SolverFamily};
use super::tableau::{ExtraStage, Tableau};
use odesync_base::options::Named;

/// All methods.
pub const ALL: &[&Solver] = &[
    &euler::EULER,
    &midpoint::MIDPOINT,
    &heun::HEUN,
    &heun2::HEUN2,
    &heun3::HEUN3,
    &rk4::RK4,
    &rk4_38::RK4_38,
    &fehlberg2::FEHLBERG2,
    &adaptive_heun::ADAPTIVE_HEUN,
    &bosh3::BOSH3,
    &dopri5::DOPRI5,
    &tsit5::TSIT5,
    &radau::RADAU,
    &vern7::VERN7,
    &dopri8::DOPRI8,
    &kvaerno5::KVAERNO5,
    &rodas5p::RODAS5P,
    &bdf::BDF,
    &adams::ADAMS2,
    &adams::ADAMS3,
    &adams::ADAMS4,
    &adams::IMPLICIT_ADAMS,
    &auto::AUTO,
];

/// Names of all methods, in the order of [`ALL`].
pub const NAMES: [&str; ALL.len()] = {
    let mut names = [""; ALL.len()];
    let mut i = 0;
    while i < ALL.len() {
        names[i] = ALL[i].name;
        i += 1;
    }
    names
};

/// The default method.
pub const DEFAULT: &Solver = &dopri5::DOPRI5;

impl Named for &'static Solver {
    const NAMES: &'static [&'static str] = &NAMES;

    fn from_name(name: &str) -> crate::Result<Self> {
        by_name(name)
    }

    fn to_name(&self) -> &'static str {
        self.name
    }
}

/// Returns the method with this name.
///
/// # Errors
/// No method has this name; the message lists the known names.
pub fn by_name(name: &str) -> crate::Result<&'static Solver> {
    ALL.iter()
        .find(|m| m.name == name)
        .copied()
        .ok_or_else(|| odesync_base::error::unknown("solver", name, NAMES))
}
