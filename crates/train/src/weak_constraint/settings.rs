//! The settings of weak-constraint training.

use serde::{Deserialize, Serialize};

use odesync_base::option_set;
use odesync_base::options::{Count, Maybe, Text};

use super::noise_model::{ComponentWeights, DataLoss, NoiseModel};
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
    sets {
        /// What is known of the noise of the data.
        #[serde(skip_serializing_if = "NoiseModel::is_default")]
        pub noise: NoiseModel;
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

    /// Sets the precisions of the data's components relative to each other, one over the variance of the noise in the data's units.
    #[must_use]
    pub fn weights(mut self, weights: &[f64]) -> Self {
        self.noise.weights = Some(ComponentWeights::Listed(weights.to_vec()));
        self
    }

    /// Sets the loss of a residual.
    #[must_use]
    pub fn loss(mut self, loss: DataLoss) -> Self {
        self.noise.loss = loss;
        self
    }

    /// Checks the settings.
    ///
    /// # Errors
    /// An unknown solver, no substeps, substeps of a solver that chooses its own, or a noise that cannot be.
    pub fn check(&self) -> Result<()> {
        self.noise
            .check()
            .map_err(|e| Error::invalid(format!("weak_constraint: {e}")))?;
        self.solve_options(&SolveOptions::default()).map(drop)
    }

    /// Returns the options of a solve of an interval; tolerances and limits are those of `base`.
    pub(super) fn solve_options(&self, base: &SolveOptions) -> Result<SolveOptions> {
        if self.substeps == Some(0) {
            return Err(Error::invalid(
                "weak_constraint: substeps must be at least 1",
            ));
        }
        if base.mass_matrix.is_some() {
            return Err(Error::invalid(
                "weak_constraint() and homotopy() without a coupling take the equations as du/dt = f, and a mass_matrix makes others of \
                 them: train by vanilla() or multiple_shooting()",
            ));
        }
        if !base.events.is_empty() || !base.doses.is_empty() {
            return Err(Error::invalid(
                "weak_constraint() and homotopy() without a coupling know smooth solutions between the times of the data: with events or \
                 doses train by vanilla() or by homotopy() with a coupling",
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
            doses: vec![],
            ..base.clone()
        };
        options.check()?;
        Ok(options)
    }
}
