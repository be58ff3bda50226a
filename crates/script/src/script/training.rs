//! The bindings of training methods and training.

use std::path::Path;
use std::sync::Arc;

use rhai::{Dynamic, FnPtr, Map, NativeCallContext};

use super::array::ScriptArray;
use super::data::ScriptDataset;
use super::ensembles::{self, ModelSource};
use super::error::RhaiResult;
use super::event_options::{EVENTS_AND_DOSES, read_events_and_doses};
use super::fields::ScriptField;
use super::host::Host;
use super::interrupted_training::{InterruptedTraining, finish_interrupted};
use super::keys::{Key, Keys, distinct, find};
use super::observation::{OBSERVATION, observation};
use super::options::Options;
use super::registry::{Registry, ScriptType};
use super::solving::{ADJOINT, ENGINE, SOLVER, engine_and_device, solver};
use super::synchronizing::{coupling, schedule};
use crate::tracking::{NoteSink, RunLoggers};
use crate::{Error, Result};
use odesync_base::options::{Named, OptionSet, Value, split};
use odesync_ode::devices::Device;
use odesync_ode::engines::engine;
use odesync_ode::odesolve::SolveOptions;
use odesync_train::training::{
    Callbacks, DataLoss, Homotopy, MultipleShooting, NoiseModel, Objective, Optimizer, Run,
    StopReason, TrainOptions, TrainingMethod, WeakConstraint, note_on_conditions, train,
};

/// The script type of a training method, `Method`.
#[derive(Clone)]
pub struct ScriptMethod(pub TrainingMethod);

/// The option keys of one run.
pub(super) const RUN: &[Key] = split(TrainOptions::OPTIONS, "engine").0;

/// The option key of data that a training does not see.
const VALIDATE: &[Key] = &[Key::new("validate")
    .doc("Other data that the training does not see, with initial states of their own, in place of a part that is held out.")
    .expected("a dataset")];

/// The option keys of an ensemble: what its members differ in.
const ENSEMBLE: &[Key] = &[
    Key::new("seeds").doc(
        "Train once for each seed, side by side; the model is then a closure, `|| blackbox([2, 32, 2])`.",
    ),
    Key::new("variants")
        .doc("Train once for each map of options in a list.")
        .nested(&[
            RUN,
            VALIDATE,
            Optimizer::OPTIONS,
            OBSERVATION,
            SOLVER,
            EVENTS_AND_DOSES,
            ADJOINT,
            ENGINE,
        ]),
];

/// The option key of the progress display.
pub(super) const PROGRESS: &[Key] = &[Key::flag("progress")
    .doc("Show progress; `--quiet` turns it off as well.")
    .default(|| true.into(), "")];

/// The option key of the loggers.
pub(super) const LOGGER: &[Key] = RunLoggers::OPTIONS;

/// The option keys of `train`.
pub(super) const TRAIN: Keys = &[
    RUN,
    VALIDATE,
    Optimizer::OPTIONS,
    OBSERVATION,
    SOLVER,
    EVENTS_AND_DOSES,
    ADJOINT,
    ENGINE,
    ENSEMBLE,
    LOGGER,
    PROGRESS,
];

/// The option key of λ.
pub(super) const LAMBDA: Key = Key::new("lambda")
    .doc("Homotopy parameter λ, the factor of the coupling.")
    .expected("a number")
    .default(|| Value::Unit, "1 for homotopy, else 0");

const LOSS: Keys = &[
    &[LAMBDA],
    OBSERVATION,
    SOLVER,
    EVENTS_AND_DOSES,
    ADJOINT,
    ENGINE,
];

const SHOOTING: Keys = &[MultipleShooting::OPTIONS];

const HOMOTOPY: Keys = &[Homotopy::OPTIONS];

const WEAK_CONSTRAINT: Keys = &[WeakConstraint::OPTIONS, NoiseModel::OPTIONS];

/// Options of both kinds of homotopy.
const ANY_HOMOTOPY: Keys = &[
    Homotopy::OPTIONS,
    WeakConstraint::OPTIONS,
    NoiseModel::OPTIONS,
];

/// The script type of a run, `Run`.
#[derive(Clone)]
pub struct ScriptRun(pub Arc<Run>);

impl From<ScriptRun> for InterruptedTraining {
    fn from(run: ScriptRun) -> Self {
        InterruptedTraining::Run(run.0)
    }
}

impl ScriptType for ScriptRun {
    const NAME: &'static str = "Run";

    fn show(&self) -> String {
        super::runs::summary(&self.0)
    }
}

pub(super) fn register(reg: &mut Registry) {
    methods(reg);
    let (of_model, of_default, of_closure) = (reg.host(), reg.host(), reg.host());
    reg.function(
        "train(model, data, method, #{ lr: 0.02, epochs: 600 }) -> Run, train(model, data), or train(|| blackbox([2, 32, 2]), data, method, #{ seeds: [10, 20, 30] }) -> Ensemble",
        "Trains a copy of the model, by weak_constraint() where no method is given; with seeds the model that a closure makes after each of them, with variants (a list of option \
         maps) each variant, side by side; every member is the run that it would be alone.",
        "train(blackbox([2, 4, 2]), dataset(lotka_volterra(), [1, 1], arange(0, 1, 0.1)), vanilla(), #{ epochs: 2 }).best_epoch",
    )
    .options(TRAIN)
    .body(
        move |context: NativeCallContext,
              f: ScriptField,
              data: ScriptDataset,
              m: ScriptMethod,
              options: Option<Map>| {
            let options = options.unwrap_or_default();
            let source = ModelSource::Model(&f);
            ensembles::train(&of_model, (&context, &source), &data, &m, options)
        },
    )
    .body(
        move |context: NativeCallContext,
              f: ScriptField,
              data: ScriptDataset,
              options: Option<Map>| {
            let method = ScriptMethod(WeakConstraint::default().into());
            let options = options.unwrap_or_default();
            let source = ModelSource::Model(&f);
            ensembles::train(&of_default, (&context, &source), &data, &method, options)
        },
    )
    .body(
        move |context: NativeCallContext,
              f: FnPtr,
              data: ScriptDataset,
              m: ScriptMethod,
              options: Option<Map>| {
            let options = options.unwrap_or_default();
            let source = ModelSource::Closure(&f);
            ensembles::train(&of_closure, (&context, &source), &data, &m, options)
        },
    );
    let host = reg.host();
    reg.function(
        "loss_and_gradient(model, data, method, #{ lambda: 1.0, adjoint: \"backprop\", engine: \"native\" }) -> map",
        "The method's loss and its gradient: the model's parameters, then the method's own, then the initial states if train_u0 is \
         true. adjoint says how the gradient is computed: \"backprop\" (exact, all stages stored), \"adjoint\" (continuous, solved \
         backwards with adjoint_rtol and adjoint_atol), \"single_ckpt\" (exact, the solve taken again), \"adaptive_ckpt\" (exact, \
         memory of the root of the number of steps), \"symplectic\" (exact, states stored; explicit Runge-Kutta methods). Also \
         takes observe, u0, train_u0, adjoint_rtol, adjoint_atol, solver (its method) and the solver's options.",
        "loss_and_gradient(blackbox([2, 4, 2]), dataset(lotka_volterra(), [1, 1], arange(0, 1, 0.1)), vanilla()).loss",
    )
    .options(LOSS)
    .body(
        move |context: NativeCallContext,
              f: ScriptField,
              d: ScriptDataset,
              m: ScriptMethod,
              options: Options| {
            loss_and_gradient((&context, &host), &f, &d, &m, options)
        },
    );
}

impl ScriptType for ScriptMethod {
    const NAME: &'static str = "Method";

    fn show(&self) -> String {
        match &self.0 {
            TrainingMethod::Vanilla => "Method: vanilla".into(),
            TrainingMethod::MultipleShooting(m) => {
                format!(
                    "Method: multiple shooting, {} segments, continuity weight {}",
                    m.segments, m.continuity_weight
                )
            }
            TrainingMethod::Homotopy(h) => {
                format!(
                    "Method: homotopy, coupling {}, smoothing {}, {} epochs",
                    h.coupling,
                    h.smoothing,
                    h.schedule.epochs()
                )
            }
            TrainingMethod::WeakConstraint(w) => format!("Method: weak constraint{}", noise(w)),
            TrainingMethod::AdaptiveHomotopy(w) => {
                format!("Method: homotopy that sets itself{}", noise(w))
            }
        }
    }
}

/// Describes what a method is told of the noise.
fn noise(method: &WeakConstraint) -> String {
    let noise = &method.noise;
    let known = [
        ("weights", noise.weights.is_some()),
        ("loss", noise.loss != DataLoss::default()),
    ];
    let known = known.into_iter().filter(|(_, is_known)| *is_known);
    known
        .filter_map(|(key, _)| Some(format!(", {key} {}", noise.get(key)?)))
        .collect()
}

fn methods(reg: &mut Registry) {
    reg.script_type::<ScriptMethod>();
    reg.function(
        "vanilla() -> Method",
        "One solve over the whole time span.",
        "vanilla()",
    )
    .body(|| ScriptMethod(TrainingMethod::Vanilla));
    reg.function(
        "multiple_shooting(#{ segments: 5, continuity_weight: 0.01 }) -> Method",
        "Short solves with initial states of their own, whose ends must meet.",
        "multiple_shooting(#{ segments: 4 })",
    )
    .options(SHOOTING)
    .body(|mut options: Options| -> Result<ScriptMethod> {
        let mut method = MultipleShooting::default();
        options.read_set(&mut method)?;
        options.finish()?;
        Ok(ScriptMethod(TrainingMethod::MultipleShooting(method)))
    });
    reg.function(
        "homotopy(#{ coupling: 6.0, schedule: power_law(6, 100, 0.6), smoothing: 0.0 }) or homotopy(#{ loss: \"student_t\" }) -> Method",
        "One solve of the model coupled to a smoothing spline of the data; λ falls by the schedule, as published. Without a coupling it \
         sets itself: the coupling follows from the data's rate of change, λ falls as far as the model follows, and each step is one \
         of Gauss and Newton with evidence. It then has the options of weak_constraint().",
        "homotopy(#{ coupling: 6.0, schedule: power_law(6, 100, 0.6) })",
    )
    .options(ANY_HOMOTOPY)
    .body(|options: Option<Map>| -> Result<ScriptMethod> {
        match options {
            None => Ok(ScriptMethod(TrainingMethod::AdaptiveHomotopy(WeakConstraint::default()))),
            Some(map) => homotopy(map),
        }
    });
    reg.function(
        "weak_constraint(#{ solver: \"rk4\", loss: \"gaussian\" }) -> Method",
        "Training that sets itself: the states at the data's times are unknowns too, and the model's error between them falls to zero. \
         Scales, noise, regularisation and steps follow from the data; there is no learning rate. A stiff model needs an implicit \
         solver, such as \"kvaerno5\"; data with outliers loss: \"student_t\" or \"huber\"; weights says how precise components are \
         relative to each other where that is known.",
        "weak_constraint()",
    )
    .options(WEAK_CONSTRAINT)
    .body(|options: Options| Ok::<_, Error>(ScriptMethod(self_setting(options)?.into())));
}

/// Reads the settings of a method that sets itself.
fn self_setting(mut options: Options) -> Result<WeakConstraint> {
    let mut method = WeakConstraint::default();
    options.read_set(&mut method)?;
    options.finish()?;
    method.check()?;
    Ok(method)
}

/// Reads the options of a homotopy: one that sets itself where all that is given are options of such methods.
fn homotopy(map: Map) -> Result<ScriptMethod> {
    let of = |keys: Keys, key: &str| find(keys, key).is_some();
    let is_self_setting =
        map.keys().any(|key| of(WEAK_CONSTRAINT, key)) && !map.keys().any(|key| of(HOMOTOPY, key));
    if is_self_setting {
        let settings = self_setting(Options::new("homotopy", WEAK_CONSTRAINT, map))?;
        return Ok(ScriptMethod(TrainingMethod::AdaptiveHomotopy(settings)));
    }
    let mut options = Options::new("homotopy", HOMOTOPY, map);
    for key in distinct([WEAK_CONSTRAINT]) {
        options.refuse(
            key.name,
            "it belongs to a homotopy that sets itself; leave out coupling, schedule and smoothing",
        )?;
    }
    let Some(k) = options.take("coupling") else {
        return Err(Error::invalid(
            "homotopy: give a coupling strength, for example #{ coupling: 6.0 }; it should pull harder than the dynamics pull apart",
        ));
    };
    let mut method = Homotopy {
        coupling: coupling(&k)?,
        ..Homotopy::default()
    };
    if let Some(value) = options.take("schedule") {
        method.schedule = schedule(&value)?;
    }
    options.read_set(&mut method)?;
    options.finish()?;
    Ok(ScriptMethod(TrainingMethod::Homotopy(method)))
}

/// The parsed options of a call of `train`.
pub(super) struct TrainCall {
    pub options: TrainOptions,
    /// What is written of each epoch.
    pub loggers: RunLoggers,
    /// Whether to show the progress of the training.
    pub progress: bool,
}

impl TrainCall {
    /// Reads the options of one run of `model`.
    ///
    /// # Errors
    /// An unknown option, or a value of the wrong type or out of its range.
    pub fn read(
        (context, host): (&NativeCallContext, &Host),
        model: &ScriptField,
        options: Map,
    ) -> RhaiResult<Self> {
        let mut options = Options::new("train", TRAIN, options);
        // These keys are valid here too; they make an ensemble.
        options.take("seeds");
        options.take("variants");
        let mut given = SolveOptions::default();
        read_events_and_doses(context, model, &mut options, &mut given)?;
        let mut call = Self::read_options(host, options)?;
        let solver = &mut call.options.solver;
        (solver.events, solver.doses) = (given.events, given.doses);
        Ok(call)
    }

    /// Reads the options of one run, of a call that may lack some of them.
    ///
    /// # Errors
    /// As [`TrainCall::read`].
    pub fn read_options(host: &Host, mut options: Options) -> Result<Self> {
        let (engine, device) = engine_and_device(host, &mut options)?;
        let mut train_options = TrainOptions {
            observation: observation(&mut options)?,
            solver: solver(&mut options)?,
            engine,
            device,
            interrupt: host.interrupt_flag(),
            ..TrainOptions::default()
        };
        options.read_set(&mut train_options)?;
        if host.runs().overwrite && train_options.out.is_some() {
            // What is said on the command line holds for all that the script trains.
            train_options.overwrite = true;
            train_options.resume = false;
        }
        if options.has("validate") {
            let data = options.opt_value::<ScriptDataset>("validate", "a dataset")?;
            train_options.validation = data.map(|data| data.0);
        }
        let mut loggers = RunLoggers::default();
        options.read_set(&mut loggers)?;
        loggers.check(&train_options)?;
        let progress = options.bool("progress", true)? && !host.quiet();
        options.finish()?;
        Ok(TrainCall {
            options: train_options,
            loggers,
            progress,
        })
    }
}

/// Checks that a method has the options that it is given, and chooses the native engine for one that has no other.
///
/// # Errors
/// An option of gradient descent for a method that sets itself.
pub(super) fn check_options_of(
    host: &Host,
    method: &ScriptMethod,
    options: &mut Map,
) -> Result<()> {
    let optimizer = options.get("optimizer").cloned();
    let optimizer = optimizer.and_then(|name| name.into_string().ok());
    let optimizer = optimizer.and_then(|name| Optimizer::from_name(&name).ok());
    let is_least_squares = optimizer
        .as_ref()
        .is_some_and(|o| o.least_squares().is_some());
    if method.0.self_setting().is_none() && !is_least_squares {
        return Ok(());
    }
    let given = || options.keys().map(|key| key.as_str());
    let fits = match (&optimizer, method.0.self_setting()) {
        (Some(optimizer), None) => optimizer.check_given(given()),
        _ => method.0.check_given(given()),
    };
    fits.map_err(|e| Error::invalid(format!("train: {e}")))?;
    if !options.contains_key("engine") && !options.contains_key("device") {
        if host.device() != Device::Cpu {
            host.note("train: this method computes on the native engine, on the CPU");
        }
        options.insert("engine".into(), "native".into());
    }
    Ok(())
}

/// Returns the sink of loggers' remarks, which are said once each.
pub(super) fn note_sink(host: &Host) -> NoteSink {
    let host = host.clone();
    NoteSink::new(move |text| host.note_once(text))
}

/// Trains one run.
pub(super) fn run(
    (context, host): (&NativeCallContext, &Host),
    model: &ScriptField,
    data: &ScriptDataset,
    method: &ScriptMethod,
    options: Map,
) -> RhaiResult<ScriptRun> {
    let TrainCall {
        options: train_options,
        loggers,
        progress,
    } = TrainCall::read((context, host), model, options)?;
    let mut observers = Callbacks::default();
    if progress {
        observers.push(host.progress(""));
    }
    let notes = note_sink(host);
    let of_run = (&method.0, &train_options);
    loggers.attach(of_run, &data.0, "", &notes, &mut observers);
    let run = train(&model.0, &data.0, &method.0, &train_options, &mut observers)?;
    let run = ScriptRun(Arc::new(run));
    note_stiff_run(host, run.0.first_stiff);
    if run.0.stop == StopReason::Interrupted {
        let go_on = resume_hint(host, &run.0, train_options.out.as_deref());
        return finish_interrupted(host, run, go_on.as_deref());
    }
    Ok(run)
}

/// Writes a note if `auto` switched to a stiff solver during a training.
pub(super) fn note_stiff_run(host: &Host, stiff: Option<(usize, f64)>) {
    if let Some((epoch, t)) = stiff {
        host.note(&format!(
            "train: in epoch {epoch} the problem is stiff from t = {t:.6} on; changed to a stiff method there"
        ));
    }
}

/// Returns the hint for a user who stopped a run; in an interactive session without a folder there is none, because the user is
/// told which variable holds the run.
fn resume_hint(host: &Host, run: &Run, out: Option<&Path>) -> Option<String> {
    let done = match run.settings.epochs {
        0 => format!("stopped after {} steps", run.history.len()),
        all => format!("stopped after {} of {all} epochs", run.history.len()),
    };
    match out {
        Some(out) => Some(format!(
            "{done}; they are kept in {}: to go on, run the script again with resume: true in the options of train",
            out.display()
        )),
        None if host.interactive() => None,
        None => Some(format!(
            "{done}, which are lost: with out: \"FOLDER\" in the options of train they are kept, and resume: true goes on"
        )),
    }
}

fn loss_and_gradient(
    (context, host): (&NativeCallContext, &Host),
    model: &ScriptField,
    data: &ScriptDataset,
    method: &ScriptMethod,
    mut options: Options,
) -> RhaiResult<Map> {
    let default = if matches!(method.0, TrainingMethod::Homotopy(_)) {
        1.0
    } else {
        0.0
    };
    let lambda = options.f64("lambda", default)?;
    let (name, device) = engine_and_device(host, &mut options)?;
    let observation = observation(&mut options)?;
    let mut solver = SolveOptions {
        interrupt: Some(host.interrupt_flag()),
        ..solver(&mut options)?
    };
    read_events_and_doses(context, model, &mut options, &mut solver)?;
    options.finish()?;
    if let Some(note) = note_on_conditions(&model.0, solver.switches) {
        host.note(&format!("loss_and_gradient: {note}"));
    }
    let mut objective = Objective::with_observation(
        &model.0,
        &data.0,
        &method.0,
        &observation,
        &solver,
        engine(&name, &device)?,
    )?;
    let loss = objective.evaluate(&objective.initial_params(), lambda, true, None)?;
    let mut map = super::solving::stats(loss.stats);
    map.insert("loss".into(), loss.loss.into());
    map.insert("data_loss".into(), loss.data_loss.into());
    map.insert("continuity".into(), loss.continuity.into());
    map.insert(
        "gradient".into(),
        Dynamic::from(ScriptArray::from_vec(loss.gradient)),
    );
    Ok(map)
}
