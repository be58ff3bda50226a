//! A method of solving: its name, its order and its family, which determines how its steps are computed.

use super::tableau::{AdamsTableau, EsdirkTableau, RosenbrockTableau, Tableau};

/// A method of solving initial value problems, one file each in `solvers/`.
#[derive(Debug)]
pub struct Solver {
    /// Name of the method, as in `method: "dopri5"`.
    pub name: &'static str,
    /// Order of convergence of `u⁺`.
    pub order: usize,
    /// Family of the method with its coefficients.
    pub family: SolverFamily,
}

/// The families of methods, each with the coefficients of one method. Each family has its own step method, in a file of its
/// own.
#[derive(Debug)]
pub enum SolverFamily {
    /// An explicit Runge-Kutta method.
    ExplicitRungeKutta(&'static Tableau),
    /// The implicit Runge-Kutta method Radau IIA of order 5.
    Radau,
    /// A diagonally implicit Runge-Kutta method.
    Esdirk(&'static EsdirkTableau),
    /// A linearly implicit method.
    Rosenbrock(&'static RosenbrockTableau),
    /// Backward differentiation formulas of variable order.
    Bdf,
    /// An Adams method.
    Adams(&'static AdamsTableau),
    /// An explicit method combined with a method for stiff problems, with automatic switching between the two.
    Auto {
        /// Explicit method, used first and wherever the problem is not stiff.
        explicit: &'static Solver,
        /// Method used where the problem is stiff.
        stiff: &'static Solver,
    },
}

impl Solver {
    /// Returns the tableau of an explicit Runge-Kutta method; `None` for any other method.
    pub const fn tableau(&self) -> Option<&'static Tableau> {
        match self.family {
            SolverFamily::ExplicitRungeKutta(tableau) => Some(tableau),
            _ => None,
        }
    }

    /// Whether the method is meant for stiff problems.
    pub(crate) fn handles_stiffness(&self) -> bool {
        !matches!(
            self.family,
            SolverFamily::ExplicitRungeKutta(_) | SolverFamily::Adams(_)
        )
    }

    /// Whether the method estimates the error of a step and so adapts the step size; otherwise steps have a fixed size.
    pub fn is_adaptive(&self) -> bool {
        match self.family {
            SolverFamily::ExplicitRungeKutta(tableau) => tableau.error.is_some(),
            SolverFamily::Adams(_) => false,
            _ => true,
        }
    }

    /// Whether the method has a dense output, from which the solution at output times is evaluated; otherwise steps end at
    /// the output times.
    pub fn has_dense_output(&self) -> bool {
        match self.family {
            SolverFamily::ExplicitRungeKutta(tableau) => tableau.dense.is_some(),
            _ => true,
        }
    }

    /// Whether an output time inside a step is reached by an additional step rather than by evaluating a polynomial.
    pub(crate) fn substeps_to_outputs(&self) -> bool {
        matches!(
            self.family,
            SolverFamily::Radau | SolverFamily::Esdirk(_) | SolverFamily::Rosenbrock(_)
        )
    }

    /// Whether the method can take steps of a given size.
    pub fn supports_fixed_steps(&self) -> bool {
        !matches!(self.family, SolverFamily::Bdf | SolverFamily::Auto { .. })
    }

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
