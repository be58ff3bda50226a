//! Settings of a run as its checkpoint stores them.

use serde::{Deserialize, Serialize};

use super::method::TrainingMethod;
use super::optimizer::Optimizer;
use super::options::{LrSchedule, TrainOptions};
use crate::Result;
use odesync_ode::odesolve::{Adjoint, Controller, SolveOptions, Solver, SolverFamily};

/// The method and the options of a run that its results depend on, except the solver options, which are in
/// [`Run::solver`](super::Run::solver).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainSettings {
    /// The training method with its settings.
    pub method: TrainingMethod,
    /// The optimiser with its settings.
    pub optimizer: Optimizer,
    /// Learning rate.
    pub lr: f64,
    /// Learning-rate schedule.
    pub lr_schedule: LrSchedule,
    /// Upper bound on the Euclidean norm of the gradient.
    pub clip: Option<f64>,
    /// Number of epochs without a better mse after which to stop.
    pub patience: Option<usize>,
    /// Number of consecutive failed epochs after which to stop.
    pub max_failures: usize,
    /// State variables of the data's columns; all of them, in order, where `None`.
    #[serde(default)]
    pub observe: Option<Vec<usize>>,
    /// Whether initial states are trained.
    #[serde(default)]
    pub train_u0: bool,
    /// Number of epochs between two stored points of the parameter path.
    #[serde(default)]
    pub trajectory_every: Option<usize>,
    /// Number of epochs requested.
    pub epochs: usize,
    /// Name of the engine, `native` or `torch`.
    pub engine: String,
    /// Device of the engine.
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

/// Solver options under the names of `train`'s options in a script.
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

/// Returns the adjoint of runs that were saved before there was a choice.
fn default_adjoint() -> String {
    Adjoint::default().name().into()
}

impl SavedSolver {
    pub fn new(options: &SolveOptions) -> Self {
        // Destructured field by field, so that a new option can't be forgotten here.
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
            // Events belong to one solve, the interrupt flag to one session.
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
            controller: saved_controller(*controller, method).into(),
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
            controller: controller_of(&self.controller)?,
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

/// Returns the name of a controller on disk: "i" is the solver's own, as it was when the others could not be chosen for every
/// solver; integral control where it is not the solver's own is "integral".
fn saved_controller(controller: Option<Controller>, solver: &Solver) -> &'static str {
    let own = matches!(
        solver.family,
        SolverFamily::ExplicitRungeKutta(_) | SolverFamily::Bdf
    );
    match controller {
        None => "i",
        Some(Controller::Integral) if own => "i",
        Some(Controller::Integral) => "integral",
        Some(other) => other.name(),
    }
}

/// Returns the controller with this name on disk.
fn controller_of(name: &str) -> Result<Option<Controller>> {
    match name {
        "i" => Ok(None),
        "integral" => Ok(Some(Controller::Integral)),
        name => Controller::by_name(name).map(Some),
    }
}
