//! The settings of weak-constraint training.

use serde::{Deserialize, Serialize};

use odesync_base::option_set;
use odesync_base::options::{Count, Maybe, Text};

use crate::{Error, Result};
use odesync_ode::odesolve::{SolveOptions, solvers};

/// Method of the intervals between nodes where none is given.
const DEFAULT_SOLVER: &str = "rk4";

option_set! {
    /// Settings of weak-constraint training and of the homotopy that sets itself; nothing has to be set.
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    pub struct WeakConstraint {
        /// ODE solver of the intervals between the data; a stiff model needs an implicit one, such as `"kvaerno5"`.
        pub solver: Option<String> as Maybe<Text> = None, "`\"rk4\"`";
        /// Number of fixed steps of an interval between two data.
        pub substeps: Option<usize> as Maybe<Count> = None, "2 to 12, by the rate of change of the data";
    }
}

impl WeakConstraint {
    /// Sets the ODE solver of the intervals between the data.
    #[must_use]
    pub fn solver(mut self, name: &str) -> Self {
        self.solver = Some(name.into());
        self
    }

    /// Sets the number of fixed steps of an interval.
    #[must_use]
    pub fn substeps(mut self, n: usize) -> Self {
        self.substeps = Some(n);
        self
    }

    /// Checks the settings.
    ///
    /// # Errors
    /// An unknown solver, no substeps, or substeps of a solver that chooses its own.
    pub fn check(&self) -> Result<()> {
        self.solve_options(&SolveOptions::default()).map(drop)
    }

    /// Returns the options of a solve of an interval; tolerances and limits are those of `base`.
    pub(super) fn solve_options(&self, base: &SolveOptions) -> Result<SolveOptions> {
        if self.substeps == Some(0) {
            return Err(Error::invalid(
                "weak_constraint: substeps must be at least 1",
            ));
        }
        let options = SolveOptions {
            solver: solvers::by_name(self.solver.as_deref().unwrap_or(DEFAULT_SOLVER))?,
            step_size: None,
            substeps: self.substeps,
            first_step: None,
            controller: None,
            adjoint: Default::default(),
            adjoint_rtol: None,
            adjoint_atol: None,
            events: vec![],
            ..base.clone()
        };
        options.check()?;
        Ok(options)
    }
}
