//! A method by name: its order and the family that says how its steps are taken.

use super::tableau::{Adams, Esdirk, Rosenbrock, Tableau};

/// A method of solving, one file each in `methods/`.
#[derive(Debug)]
pub struct Method {
    /// Name, as in `method: "dopri5"`.
    pub name: &'static str,
    /// Order of convergence of `u⁺`.
    pub order: usize,
    /// How its steps are taken.
    pub family: Family,
}

/// The kinds of methods; each has a stepping file of its own.
#[derive(Debug)]
pub enum Family {
    /// An explicit Runge-Kutta method.
    ExplicitRungeKutta(&'static Tableau),
    /// The implicit Runge-Kutta method Radau IIA of order 5.
    Radau,
    /// A diagonally implicit Runge-Kutta method.
    Esdirk(&'static Esdirk),
    /// A linearly implicit method.
    Rosenbrock(&'static Rosenbrock),
    /// Backward differentiation formulas of variable order.
    Bdf,
    /// An Adams method.
    Adams(&'static Adams),
    /// An explicit method, exchanged for a stiff one where the problem is stiff.
    Auto {
        /// The method to begin with.
        explicit: &'static Method,
        /// The one where the problem is stiff.
        stiff: &'static Method,
    },
}

impl Method {
    /// The tableau of an explicit Runge-Kutta method; None for any other.
    pub const fn tableau(&self) -> Option<&'static Tableau> {
        match self.family {
            Family::ExplicitRungeKutta(tableau) => Some(tableau),
            _ => None,
        }
    }

    /// Whether it estimates the error of a step, and so chooses its steps; else they are of a fixed size.
    pub fn adaptive(&self) -> bool {
        match self.family {
            Family::ExplicitRungeKutta(tableau) => tableau.error.is_some(),
            Family::Adams(_) => false,
            _ => true,
        }
    }

    /// Whether requested times are read from a dense output; else they are stepped onto.
    pub fn dense(&self) -> bool {
        match self.family {
            Family::ExplicitRungeKutta(tableau) => tableau.dense.is_some(),
            _ => true,
        }
    }

    /// Whether a requested time inside a step is reached by a step of its own rather than read from a polynomial.
    pub(crate) fn steps_inside(&self) -> bool {
        matches!(
            self.family,
            Family::Radau | Family::Esdirk(_) | Family::Rosenbrock(_)
        )
    }

    /// Whether it can take steps of a given size.
    pub fn fixed_steps(&self) -> bool {
        !matches!(self.family, Family::Bdf | Family::Auto { .. })
    }
}
