//! Settings of a run as its checkpoint stores them.

use serde::de::Error as _;
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::method::TrainingMethod;
use super::options::TrainOptions;
use crate::Result;
use crate::observation::Observation;
use odesync_base::options::{Named, OptionSet, Value, read_map, write_map};
use odesync_ode::odesolve::{Controller, Dose, Event, SolveOptions, Solver, SolverFamily};

/// The method and the options of a run that its results depend on, except the solver options, which are in
/// [`Run::solver`](super::Run::solver).
#[derive(Debug, Clone)]
pub struct TrainSettings {
    /// The training method with its settings.
    pub method: TrainingMethod,
    /// Number of epochs requested; 0 where there is none, and the run takes as many as it needs.
    pub epochs: usize,
    /// Whether other data are held out; the data themselves are not stored.
    pub validate: bool,
    /// The options that the results depend on; the others have their defaults.
    pub options: TrainOptions,
}

/// The options of a run that its checkpoint stores, in the order of the file. The optimiser and the schedule of the learning rate
/// have forms of their own there, the others that of scripts.
const SAVED: [&str; 12] = [
    "optimizer",
    "lr",
    "lr_schedule",
    "clip",
    "patience",
    "max_failures",
    "observe",
    "train_u0",
    "trajectory_every",
    "epochs",
    "engine",
    "device",
];

/// Those that the first checkpoints do not have.
const LATER: [&str; 3] = ["observe", "train_u0", "trajectory_every"];

/// The options that results do not depend on, which no checkpoint stores.
const NOT_SAVED: [&str; 4] = ["out", "resume", "overwrite", "checkpoint_every"];

/// Returns the options that a checkpoint stores where they are not the defaults, in the form of scripts but for the part that is held
/// out: all others.
fn saved_if_set() -> impl Iterator<Item = &'static str> {
    let names = TrainOptions::OPTIONS.iter().map(|key| key.name);
    names.filter(|name| !SAVED.contains(name) && !NOT_SAVED.contains(name))
}

impl TrainSettings {
    pub(super) fn new(method: &TrainingMethod, options: &TrainOptions) -> Self {
        let defaults = TrainOptions::default();
        TrainSettings {
            method: method.clone(),
            epochs: options.epochs.unwrap_or_else(|| method.default_epochs()),
            validate: options.validation.is_some(),
            options: TrainOptions {
                epochs: defaults.epochs,
                out: defaults.out,
                resume: defaults.resume,
                overwrite: defaults.overwrite,
                checkpoint_every: defaults.checkpoint_every,
                solver: defaults.solver,
                validation: defaults.validation,
                shuffle_seed: defaults.shuffle_seed,
                interrupt: defaults.interrupt,
                observation: Observation {
                    u0: None,
                    ..options.observation.clone()
                },
                ..options.clone()
            },
        }
    }

    /// Whether there are data that the training does not see.
    pub fn has_validation(&self) -> bool {
        self.options.holdout.is_some() || self.validate
    }
}

impl TrainSettings {
    /// Whether the steps are damped ones of Levenberg and Marquardt.
    pub fn has_damping(&self) -> bool {
        let is_least_squares = self.options.optimizer.least_squares().is_some();
        is_least_squares && self.method.self_setting().is_none()
    }
}

/// Settings are equal where a checkpoint stores the same of them.
impl PartialEq for TrainSettings {
    fn eq(&self, other: &Self) -> bool {
        let saved = |settings: &Self| serde_json::to_value(settings).ok();
        matches!((saved(self), saved(other)), (Some(a), Some(b)) if a == b)
    }
}

impl Serialize for TrainSettings {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let options = &self.options;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("method", &self.method)?;
        for name in SAVED {
            match name {
                "optimizer" => map.serialize_entry(name, &options.optimizer)?,
                "lr_schedule" => map.serialize_entry(name, &options.lr_schedule)?,
                "epochs" => map.serialize_entry(name, &self.epochs)?,
                _ => map.serialize_entry(name, &options.get(name))?,
            }
        }
        let defaults = TrainOptions::default();
        for name in saved_if_set() {
            match (name, &options.holdout) {
                ("holdout", None) => {}
                ("holdout", Some(holdout)) => map.serialize_entry(name, holdout)?,
                _ if options.get(name) == defaults.get(name) => {}
                _ => map.serialize_entry(name, &options.get(name))?,
            }
        }
        if self.validate {
            map.serialize_entry("validate", &true)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for TrainSettings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let mut map = serde_json::Map::deserialize(deserializer)?;
        let mut read = || -> std::result::Result<Self, String> {
            let method = take(&mut map, "method")?;
            let (mut options, mut epochs) = (TrainOptions::default(), 0);
            for name in SAVED {
                match name {
                    _ if LATER.contains(&name) && !map.contains_key(name) => {}
                    "optimizer" => options.optimizer = take(&mut map, name)?,
                    "lr_schedule" => options.lr_schedule = take(&mut map, name)?,
                    "epochs" => epochs = take(&mut map, name)?,
                    _ => {
                        let value: Value = take(&mut map, name)?;
                        options.set(name, &value).map_err(|e| e.to_string())?;
                    }
                }
            }
            for name in saved_if_set() {
                if name == "holdout" && map.contains_key(name) {
                    options.holdout = take(&mut map, name)?;
                } else if map.contains_key(name) {
                    let value: Value = take(&mut map, name)?;
                    options.set(name, &value).map_err(|e| e.to_string())?;
                }
            }
            let validate = map.contains_key("validate") && take(&mut map, "validate")?;
            match map.keys().next() {
                Some(unknown) => Err(format!("unknown field \"{unknown}\"")),
                None => Ok(TrainSettings {
                    method,
                    epochs,
                    validate,
                    options,
                }),
            }
        };
        read().map_err(D::Error::custom)
    }
}

/// Takes a value out of a map of the file.
fn take<T: serde::de::DeserializeOwned>(
    map: &mut serde_json::Map<String, serde_json::Value>,
    name: &str,
) -> std::result::Result<T, String> {
    let value = map.remove(name);
    let value = value.ok_or_else(|| format!("missing field \"{name}\""))?;
    serde_json::from_value(value).map_err(|e| format!("{name}: {e}"))
}

/// The solver options that every checkpoint stores. Later ones, which are not in this list, it stores where they are not the defaults.
const SAVED_OF_SOLVER: [&str; 13] = [
    "solver",
    "rtol",
    "atol",
    "step_size",
    "substeps",
    "first_step",
    "max_step",
    "controller",
    "max_steps",
    "breakpoints",
    "adjoint",
    "adjoint_rtol",
    "adjoint_atol",
];

/// Solver options as a checkpoint stores them: under their names, but for the controller's; events and doses where there are any.
#[derive(Debug, Clone)]
pub(super) struct SavedSolver(pub SolveOptions);

impl Serialize for SavedSolver {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Saved<'a> {
            #[serde(flatten)]
            options: Value,
            #[serde(skip_serializing_if = "<[_]>::is_empty")]
            events: &'a [Event],
            #[serde(skip_serializing_if = "<[_]>::is_empty")]
            doses: &'a [Dose],
        }
        let controller = saved_controller(self.0.controller, self.0.solver);
        let defaults = SolveOptions::default();
        let mut map = write_map(&self.0);
        if let Value::Map(entries) = &mut map {
            // Checkpoints of before have none of the others.
            entries.retain(|(name, value)| {
                let name = name.as_str();
                SAVED_OF_SOLVER.contains(&name) || defaults.get(name).as_ref() != Some(value)
            });
            let values = entries.iter_mut().filter(|(name, _)| name == "controller");
            values.for_each(|(_, value)| *value = controller.into());
        }
        let saved = Saved {
            options: map,
            events: &self.0.events,
            doses: &self.0.doses,
        };
        saved.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for SavedSolver {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let mut map = serde_json::Map::deserialize(deserializer)?;
        let mut read = || -> std::result::Result<SolveOptions, String> {
            let mut solver = SolveOptions::default();
            if map.contains_key("events") {
                solver.events = take(&mut map, "events")?;
            }
            if map.contains_key("doses") {
                solver.doses = take(&mut map, "doses")?;
            }
            let controller: Option<String> = match map.contains_key("controller") {
                true => Some(take(&mut map, "controller")?),
                false => None,
            };
            let options: Value = serde_json::from_value(std::mem::take(&mut map).into())
                .map_err(|e| e.to_string())?;
            read_map(&mut solver, &options).map_err(|e| e.to_string())?;
            if let Some(name) = controller {
                solver.controller = controller_of(&name).map_err(|e| e.to_string())?;
            }
            solver.check().map_err(|e| e.to_string())?;
            Ok(solver)
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
        Some(other) => other.to_name(),
    }
}

/// Returns the controller with this name on disk.
fn controller_of(name: &str) -> Result<Option<Controller>> {
    match name {
        "i" => Ok(None),
        "integral" => Ok(Some(Controller::Integral)),
        name => Controller::from_name(name).map(Some),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use odesync_ode::odesolve::Adjoint;

    /// The solver of a checkpoint of the first release, without adjoint, and one of today.
    const FIRST: &str = r#"{"solver":"rk4","rtol":1e-7,"atol":1e-9,"step_size":0.5,"substeps":null,"first_step":null,"max_step":null,"controller":"i","max_steps":100000,"breakpoints":true}"#;
    const TODAY: &str = r#"{"solver":"radau","rtol":1e-7,"atol":1e-9,"step_size":null,"substeps":null,"first_step":null,"max_step":2.0,"controller":"integral","max_steps":100000,"breakpoints":true,"adjoint":"adjoint","adjoint_rtol":0.001,"adjoint_atol":null}"#;

    /// Settings of a checkpoint of the first release, and of one of today.
    const FIRST_RUN: &str = r#"{"method":{"name":"vanilla"},"optimizer":{"name":"adamw","beta1":0.9,"beta2":0.999,"eps":1e-8,"weight_decay":0.01},"lr":0.02,"lr_schedule":{"kind":"constant"},"clip":null,"patience":null,"max_failures":10,"epochs":3,"engine":"native","device":"cpu"}"#;
    const RUN: &str = r#"{"method":{"name":"vanilla"},"optimizer":{"name":"sgd","momentum":0.5,"weight_decay":0.0},"lr":0.30000000000000004,"lr_schedule":{"kind":"step","every":5,"factor":0.1},"clip":1.0,"patience":2,"max_failures":10,"observe":[0,2],"train_u0":true,"trajectory_every":4,"epochs":0,"engine":"native","device":"cpu"}"#;

    #[test]
    fn settings_on_disk_are_those_that_were_saved() {
        let first: TrainSettings = serde_json::from_str(FIRST_RUN).unwrap();
        assert_eq!((first.epochs, first.options.lr), (3, 0.02));
        assert_eq!(first.options.observation, Observation::default());
        let run: TrainSettings = serde_json::from_str(RUN).unwrap();
        assert_eq!(run.options.lr, 0.1 + 0.2);
        assert_eq!(run.options.observation.observe, Some(vec![0, 2]));
        assert_eq!(serde_json::to_string(&run).unwrap(), RUN);
        for (before, after) in [
            ("\"lr\"", "\"rate\""),
            ("0.30000000000000004", "-1.0"),
            ("\"patience\":2,", ""),
            ("native", "nativ"),
            ("\"device\"", "\"more\":1,\"device\""),
            ("\"device\"", "\"out\":\"/\",\"device\""),
        ] {
            let damaged = RUN.replace(before, after);
            assert!(
                serde_json::from_str::<TrainSettings>(&damaged).is_err(),
                "{damaged}"
            );
        }
    }

    #[test]
    fn options_that_are_not_the_defaults_are_stored() {
        let scaled = RUN.replace(
            "\"device\":\"cpu\"",
            "\"device\":\"cpu\",\"best_of\":\"all\",\"scale\":\"auto\"",
        );
        let run: TrainSettings = serde_json::from_str(&scaled).unwrap();
        assert!(!run.options.scale.is_none() && run.options.best_of.is_some());
        assert_eq!(serde_json::to_string(&run).unwrap(), scaled);
    }

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
