//! A method by name: its order and the family that says how its steps are taken.

use super::tableau::{AdamsTableau, EsdirkTableau, RosenbrockTableau, Tableau};

/// A method of solving, one file each in `methods/`.
#[derive(Debug)]
pub struct Solver {
    /// Name, as in `method: "dopri5"`.
    pub name: &'static str,
    /// Order of convergence of `u⁺`.
    pub order: usize,
    /// How its steps are taken.
    pub family: SolverFamily,
}

/// The kinds of methods; each has a stepping file of its own.
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
    /// An explicit method, exchanged for a stiff one where the problem is stiff.
    Auto {
        /// The method to begin with.
        explicit: &'static Solver,
        /// The one where the problem is stiff.
        stiff: &'static Solver,
    },
}

impl Solver {
    /// The tableau of an explicit Runge-Kutta method; None for any other.
    pub const fn tableau(&self) -> Option<&'static Tableau> {
        match self.family {
            SolverFamily::ExplicitRungeKutta(tableau) => Some(tableau),
            _ => None,
        }
    }

    /// Whether it estimates the error of a step, and so chooses its steps; else they are of a fixed size.
    pub fn is_adaptive(&self) -> bool {
        match self.family {
            SolverFamily::ExplicitRungeKutta(tableau) => tableau.error.is_some(),
            SolverFamily::Adams(_) => false,
            _ => true,
        }
    }

    /// Whether requested times are read from a dense output; else they are stepped onto.
    pub fn has_dense_output(&self) -> bool {
        match self.family {
            SolverFamily::ExplicitRungeKutta(tableau) => tableau.dense.is_some(),
            _ => true,
        }
    }

    /// Whether a requested time inside a step is reached by a step of its own rather than read from a polynomial.
    pub(crate) fn substeps_to_outputs(&self) -> bool {
        matches!(
            self.family,
            SolverFamily::Radau | SolverFamily::Esdirk(_) | SolverFamily::Rosenbrock(_)
        )
    }

    /// Whether it can take steps of a given size.
    pub fn supports_fixed_steps(&self) -> bool {
        !matches!(self.family, SolverFamily::Bdf | SolverFamily::Auto { .. })
    }
}
