//! Which solves a mass matrix goes together with, and the initial states that it moves.

use super::MassMatrix;
use crate::odesolve::options::SolveOptions;
use crate::odesolve::solver::{Solver, SolverFamily};
use crate::odesolve::solvers;
use crate::{Error, Result};

impl Solver {
    /// Whether the method solves `M du/dt = f` with a mass matrix M.
    pub fn supports_mass_matrix(&self) -> bool {
        matches!(
            self.family,
            SolverFamily::Radau
                | SolverFamily::Esdirk(_)
                | SolverFamily::Rosenbrock(_)
                | SolverFamily::Bdf
        )
    }
}

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

/// Checks that a solve with steps that cross jumps of the field, at breakpoints, can have the mass matrix of its options.
///
/// # Errors
/// A multistep method with a singular matrix: algebraic variables jump with the field, and its differences do not.
pub(crate) fn check_breakpoints(options: &SolveOptions, has_breakpoints: bool) -> Result<()> {
    let is_singular = |mass: &MassMatrix| mass.is_singular();
    let is_multistep = matches!(options.solver.family, SolverFamily::Bdf);
    let has_breakpoints = has_breakpoints && options.breakpoints.of_field();
    match has_breakpoints && is_multistep && options.mass_matrix.as_ref().is_some_and(is_singular) {
        false => Ok(()),
        true => Err(Error::invalid(
            "\"bdf\" goes on from the steps before, and with a singular mass_matrix the algebraic variables jump at the breakpoints of \
             the field; take \"radau\", \"kvaerno5\" or \"rodas5p\"",
        )),
    }
}

impl SolveOptions {
    /// Returns the state variables that a solve with a singular mass matrix moved by more than its tolerances, so that the initial state
    /// `u0` satisfies the algebraic equations; `start` is the solution at the first time.
    pub fn moved_at_start(&self, u0: &[f64], start: &[f64]) -> Vec<usize> {
        if self.mass_matrix.is_none() {
            return vec![];
        }
        let is_moved = |(i, (u0, start)): (usize, (&f64, &f64))| {
            let size = self.atol.at(i) + self.rtol * u0.abs().max(start.abs());
            ((u0 - start).abs() > size).then_some(i)
        };
        u0.iter()
            .zip(start)
            .enumerate()
            .filter_map(is_moved)
            .collect()
    }
}
