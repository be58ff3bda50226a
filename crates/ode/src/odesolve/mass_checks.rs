//! Which solvers and breakpoints a mass matrix goes together with.

use super::mass_matrix::MassMatrix;
use super::solver::{Solver, SolverFamily};
use super::solvers;
use crate::{Error, Result};

/// Checks that a solver takes a mass matrix.
///
/// # Errors
/// An explicit method, or one that may turn to an explicit one; the message names those that do.
pub(crate) fn check_solver(solver: &Solver) -> Result<()> {
    if solver.supports_mass_matrix() {
        return Ok(());
    }
    let able = solvers::ALL.iter().filter(|m| m.supports_mass_matrix());
    let names: Vec<String> = able.map(|m| format!("\"{}\"", m.name)).collect();
    Err(Error::invalid(format!(
        "mass_matrix is for implicit methods ({}), and \"{}\" {}; take one of them, or leave mass_matrix out and divide by it in the \
         equations",
        names.join(", "),
        solver.name,
        match solver.family {
            SolverFamily::Auto { .. } => "begins with an explicit one",
            _ => "is none",
        }
    )))
}

/// Checks that steps of a solver that cross jumps of the field, at breakpoints, can have this mass matrix.
///
/// # Errors
/// A multistep method with a singular matrix: algebraic variables jump with the field, and its differences do not.
pub(crate) fn check_breakpoints(
    solver: &Solver,
    mass: Option<&MassMatrix>,
    has_breakpoints: bool,
) -> Result<()> {
    let is_singular = mass.is_some_and(MassMatrix::is_singular);
    let is_multistep = matches!(solver.family, SolverFamily::Bdf);
    match has_breakpoints && is_multistep && is_singular {
        false => Ok(()),
        true => Err(Error::invalid(
            "\"bdf\" goes on from the steps before, and with a singular mass_matrix the algebraic variables jump at the breakpoints of \
             the field; take \"radau\", \"kvaerno5\" or \"rodas5p\"",
        )),
    }
}
