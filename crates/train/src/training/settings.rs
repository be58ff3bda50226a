//! Settings of a run as its checkpoint stores them.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::choice::{BestBy, BestOf};
use super::holdout::Holdout;
use super::lr_schedule::LrSchedule;
use super::method::TrainingMethod;
use super::optimizer::Optimizer;
use super::options::TrainOptions;
use super::scaling::Scaling;
use crate::Result;
use odesync_base::options::{Value, read_map, write_map};
use odesync_ode::odesolve::{Controller, SolveOptions, Solver, SolverFamily};

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
    /// Part of the data that is held out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holdout: Option<Holdout>,
    /// Whether other data are held out.
    #[serde(default, skip_serializing_if = "is_false")]
    pub validate: bool,
    /// What the model is chosen by, where it is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best_by: Option<BestBy>,
    /// Epochs that the model is chosen among, where it is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best_of: Option<BestOf>,
    /// Variables of the training.
    #[serde(default, skip_serializing_if = "Scaling::is_none")]
    pub scale: Scaling,
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
            holdout: options.holdout,
            validate: options.validation.is_some(),
            best_by: options.best_by,
            best_of: options.best_of,
            scale: options.scale.clone(),
            engine: options.engine.clone(),
            device: options.device.clone(),
        }
    }

    /// Whether there are data that the training does not see.
    pub fn has_validation(&self) -> bool {
        self.holdout.is_some() || self.validate
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_false(x: &bool) -> bool {
    !*x
}

/// Solver options as a checkpoint stores them: under their names, but for the controller's.
#[derive(Debug, Clone)]
pub(super) struct SavedSolver(pub SolveOptions);

impl Serialize for SavedSolver {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let controller = saved_controller(self.0.controller, self.0.solver);
        let mut map = write_map(&self.0);
        if let Value::Map(entries) = &mut map {
            let values = entries.iter_mut().filter(|(name, _)| name == "controller");
            values.for_each(|(_, value)| *value = controller.into());
        }
        map.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for SavedSolver {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let mut map = Value::deserialize(deserializer)?;
        let mut controller = None;
        if let Value::Map(entries) = &mut map {
            let place = entries.iter().position(|(name, _)| name == "controller");
            controller = place.map(|i| entries.remove(i).1);
        }
        let read = || -> Result<SolveOptions> {
            let mut solver = SolveOptions::default();
            read_map(&mut solver, &map)?;
            if let Some(name) = controller.as_ref().and_then(Value::text) {
                solver.controller = controller_of(name)?;
            }
            solver.check().map(|()| solver)
        };
        read().map(SavedSolver).map_err(D::Error::custom)
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

#[cfg(test)]
mod tests {
    use super::*;
    use odesync_ode::odesolve::Adjoint;

    /// The solver of a checkpoint of the first release, without adjoint, and one of today.
    const FIRST: &str = r#"{"solver":"rk4","rtol":1e-7,"atol":1e-9,"step_size":0.5,"substeps":null,"first_step":null,"max_step":null,"controller":"i","max_steps":100000,"breakpoints":true}"#;
    const TODAY: &str = r#"{"solver":"radau","rtol":1e-7,"atol":1e-9,"step_size":null,"substeps":null,"first_step":null,"max_step":2.0,"controller":"integral","max_steps":100000,"breakpoints":true,"adjoint":"adjoint","adjoint_rtol":0.001,"adjoint_atol":null}"#;

    #[test]
    fn a_solver_on_disk_is_the_one_that_was_saved() {
        let SavedSolver(first) = serde_json::from_str(FIRST).unwrap();
        assert_eq!((first.solver.name, first.step_size), ("rk4", Some(0.5)));
        assert_eq!((first.controller, first.adjoint), (None, Adjoint::Backprop));
        let today: SavedSolver = serde_json::from_str(TODAY).unwrap();
        assert_eq!(today.0.controller, Some(Controller::Integral));
        assert_eq!(serde_json::to_string(&today).unwrap(), TODAY);
        for (before, after) in [
            ("radau", "radow"),
            ("0.001", "-1.0"),
            ("integral", "pid"),
            ("max_step\"", "most_step\""),
        ] {
            let damaged = TODAY.replace(before, after);
            assert!(
                serde_json::from_str::<SavedSolver>(&damaged).is_err(),
                "{damaged}"
            );
        }
    }
}
