//! What a run was begun with, as its checkpoint keeps it.

use serde::{Deserialize, Serialize};

use super::method::TrainingMethod;
use super::optimizer::Optimizer;
use super::options::{LrSchedule, TrainOptions};
use crate::Result;
use odesync_ode::odesolve::{Adjoint, Controller, SolveOptions};

/// The method and the options of a run that its results depend on; the solver stands beside them, in
/// [`Run::solver`](super::Run::solver).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainSettings {
    /// The method, with its own settings.
    pub method: TrainingMethod,
    /// The optimiser, with its own settings.
    pub optimizer: Optimizer,
    /// Learning rate.
    pub lr: f64,
    /// How it changes over the run.
    pub lr_schedule: LrSchedule,
    /// Bound on the Euclidean norm of the gradient.
    pub clip: Option<f64>,
    /// Epochs without a better mse after which to stop.
    pub patience: Option<usize>,
    /// Failed epochs in a row after which to stop.
    pub max_failures: usize,
    /// The state variables that the data are; all of them, in order, where it is none.
    #[serde(default)]
    pub observe: Option<Vec<usize>>,
    /// Whether initial states are trained.
    #[serde(default)]
    pub train_u0: bool,
    /// Epochs between two points of the path that are kept.
    #[serde(default)]
    pub trajectory_every: Option<usize>,
    /// Number of epochs that was asked for.
    pub epochs: usize,
    /// `native` or `torch`.
    pub engine: String,
    /// The engine's device.
    pub device: String,
}

impl TrainSettings {
    pub(super) fn new(method: &TrainingMethod, options: &TrainOptions) -> Self {
        TrainSettings {
            method: method.clone(),
            optimizer: options.optimizer.clone(),
            lr: options.lr,
            lr_schedule: options.lr_schedule.clone(),
            clip: options.clip,
            patience: options.patience,
            max_failures: options.max_failures,
            observe: options.observation.observe.clone(),
            train_u0: options.observation.train_u0,
            trajectory_every: options.trajectory_every,
            epochs: options.epochs.unwrap_or_else(|| method.default_epochs()),
            engine: options.engine.clone(),
            device: options.device.clone(),
        }
    }
}

/// The solver's options under the names that `train` has for them in a script.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SavedSolver {
    solver: String,
    rtol: f64,
    atol: f64,
    step_size: Option<f64>,
    substeps: Option<usize>,
    first_step: Option<f64>,
    max_step: Option<f64>,
    controller: String,
    max_steps: usize,
    breakpoints: bool,
    #[serde(default = "default_adjoint")]
    adjoint: String,
    #[serde(default)]
    adjoint_rtol: Option<f64>,
    #[serde(default)]
    adjoint_atol: Option<f64>,
}

/// That of a run saved before there was a choice.
fn default_adjoint() -> String {
    Adjoint::default().name().into()
}

impl SavedSolver {
    pub fn new(options: &SolveOptions) -> Self {
        // Taken apart field by field, so that an option that is new can't be forgotten here.
        let SolveOptions {
            solver: method,
            rtol,
            atol,
            step_size,
            substeps,
            first_step,
            max_step,
            controller,
            max_steps,
            breakpoints,
            adjoint,
            adjoint_rtol,
            adjoint_atol,
            // Of one solve, and of one session.
            events: _,
            interrupt: _,
        } = options;
        SavedSolver {
            solver: method.name.into(),
            rtol: *rtol,
            atol: *atol,
            step_size: *step_size,
            substeps: *substeps,
            first_step: *first_step,
            max_step: *max_step,
            controller: controller.name().into(),
            max_steps: *max_steps,
            breakpoints: *breakpoints,
            adjoint: adjoint.name().into(),
            adjoint_rtol: *adjoint_rtol,
            adjoint_atol: *adjoint_atol,
        }
    }

    pub fn options(&self) -> Result<SolveOptions> {
        let solver = SolveOptions {
            step_size: self.step_size,
            substeps: self.substeps,
            first_step: self.first_step,
            max_step: self.max_step,
            controller: Controller::by_name(&self.controller)?,
            max_steps: self.max_steps,
            breakpoints: self.breakpoints,
            adjoint: Adjoint::by_name(&self.adjoint)?,
            adjoint_rtol: self.adjoint_rtol,
            adjoint_atol: self.adjoint_atol,
            ..SolveOptions::default()
                .solver(&self.solver)?
                .tolerances(self.rtol, self.atol)
        };
        solver.check().map(|()| solver)
    }
}
