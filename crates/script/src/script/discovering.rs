//! The bindings that find a model, or equations, from data with no setting.

use std::sync::Arc;

use rhai::{Dynamic, ImmutableString, Map};

use super::array::ScriptArray;
use super::convert;
use super::data::ScriptDataset;
use super::fields::{ScriptField, ScriptInput};
use super::host::Host;
use super::keys::{Key, Keys};
use super::observation::{OBSERVATION, observation};
use super::options::Options;
use super::registry::{Registry, ScriptType};
use super::runs::{SAVE, check_save, non_empty_path, prediction_map};
use super::training::ScriptRun;
use crate::report::discovery_folder;
use crate::{Error, Result};
use odesync_base::options::split;
use odesync_ode::field::InputSignal;
use odesync_train::datasets::Dataset;
use odesync_train::discovery::{DiscoverOptions, Discovery, discover};
use odesync_train::equations::{EquationSearch, Equations, Library};

/// The script type of a discovery, `Discovery`.
#[derive(Clone)]
pub struct ScriptDiscovery(pub Arc<Discovery>);

/// The script type of equations that were found, `Equations`.
#[derive(Clone)]
pub struct ScriptEquations(pub Arc<Equations>);

/// The script type of a library of terms, `Library`.
#[derive(Clone)]
pub struct ScriptLibrary(pub Library);

impl ScriptType for ScriptDiscovery {
    const NAME: &'static str = "Discovery";

    fn show(&self) -> String {
        match self.0.report() {
            Ok(report) => report,
            Err(error) => format!("Discovery: {error}"),
        }
    }
}

impl ScriptType for ScriptEquations {
    const NAME: &'static str = "Equations";

    fn show(&self) -> String {
        let notes = self.0.notes.iter().map(|note| format!("\nnote: {note}"));
        format!(
            "{}\nlog evidence {:.1}, the network's {:.1}{}",
            self.0.text(),
            self.0.log_evidence,
            self.0.network_log_evidence,
            notes.collect::<String>()
        )
    }
}

impl ScriptType for ScriptLibrary {
    const NAME: &'static str = "Library";

    fn show(&self) -> String {
        "Library of terms".into()
    }
}

/// The option keys of the initial states; the model is one of the data's own columns.
const INITIAL_STATES: &[Key] = split(OBSERVATION, "u0").1;

const DISCOVER: Keys = &[
    DiscoverOptions::OPTIONS,
    &[Key::new("input")
        .doc(
            "Known input of the system, which the model sees: the names of the data's columns that are inputs, or an `input(…)`. Columns \
             are linear between their values, and keep the last one beyond the data.",
        )
        .literals(&["["])
        .default(|| odesync_base::options::Value::Unit, "none")],
    INITIAL_STATES,
];

const EQUATIONS: Keys = &[
    &[Key::new("library")
        .doc("The terms among which the equations are sought, such as `polynomials(2)`.")
        .literals(&["polynomials("])
        .default(|| odesync_base::options::Value::Unit, "`polynomials(2)`")],
    OBSERVATION,
];

fn discover_model(
    host: &Host,
    data: &ScriptDataset,
    mut options: Options,
) -> Result<ScriptDiscovery> {
    let mut discover_options = DiscoverOptions::default();
    options.read_set(&mut discover_options)?;
    let (data, input) = split_input(&data.0, &mut options)?;
    discover_options.input = input;
    discover_options.train.observation = observation(&mut options)?;
    discover_options.train.interrupt = host.interrupt_flag();
    options.finish()?;
    let mut progress = host.progress("discover");
    let found = discover(&data, &discover_options, progress.as_mut())?;
    Ok(ScriptDiscovery(Arc::new(found)))
}

/// Reads the option `input`, and returns the data of the state and the input.
fn split_input(data: &Dataset, options: &mut Options) -> Result<(Dataset, Option<InputSignal>)> {
    let Some(value) = options.take("input") else {
        return Ok((data.clone(), None));
    };
    if let Some(input) = value.clone().try_cast::<ScriptInput>() {
        return Ok((data.clone(), Some(input.0)));
    }
    let expected = "an input(…) or the names of columns, such as [\"force\"]";
    let names = options.strings("input", expected, &value)?;
    let (state, input) = data.split_inputs(&names)?;
    Ok((state, Some(input)))
}

fn equation_search(
    host: &Host,
    mut options: Options,
) -> Result<(EquationSearch, impl Fn() -> Result<()> + use<>)> {
    let library =
        options.opt_value::<ScriptLibrary>("library", "a library, such as polynomials(2)")?;
    let library = library.map_or_else(|| Library::polynomials(2), |library| library.0);
    let search = EquationSearch::new(library).with_observation(observation(&mut options)?);
    options.finish()?;
    let flag = host.interrupt_flag();
    let check = move || match flag.load(std::sync::atomic::Ordering::Relaxed) {
        true => Err(Error::Interrupted),
        false => Ok(()),
    };
    Ok((search, check))
}

pub(super) fn register(reg: &mut Registry) {
    reg.script_type::<ScriptDiscovery>();
    reg.script_type::<ScriptEquations>();
    reg.script_type::<ScriptLibrary>();
    let host = reg.host();
    reg.function(
        "discover(data, #{ hidden: [32] }) -> Discovery",
        "Finds a model of the data with no setting: black box or second order and the width by evidence, several seeds, failed ones \
         dropped; the mean of the others predicts, and a report says how far to trust it.",
        "discover(dataset(lotka_volterra(), [1, 1], arange(0, 3, 0.1)), #{ hidden: [8], seeds: [10] }).model.n_params",
    )
    .options(DISCOVER)
    .body(move |data: ScriptDataset, options: Options| discover_model(&host, &data, options));
    discovery_properties(reg);
    let (of_data, of_run) = (reg.host(), reg.host());
    reg.function(
        "equations(data, #{ library: polynomials(2) }) -> Equations, or equations(run, data) -> Equations",
        "The sparse set of terms that explains the data, with standard errors: all terms of the library are trained as known \
         equations, begun at a network's states, and dropped while the evidence rises. Of a run of weak_constraint() the network is \
         that of the run; of a gray box the unknown part alone is replaced.",
        "equations(dataset(lotka_volterra(), [1, 1], arange(0, 6, 0.1)).add_noise(0.02, #{ seed: 1 })).terms",
    )
    .options(EQUATIONS)
    .body(move |data: ScriptDataset, options: Options| -> Result<ScriptEquations> {
        let (search, check) = equation_search(&of_data, options)?;
        let found = search.search_data(&data.0, &mut |_| check())?;
        Ok(ScriptEquations(Arc::new(found)))
    })
    .body(move |run: ScriptRun, data: ScriptDataset, options: Options| -> Result<ScriptEquations> {
        let (search, check) = equation_search(&of_run, options)?;
        let found = search.search_run(&run.0, &data.0, &mut |_| check())?;
        Ok(ScriptEquations(Arc::new(found)))
    });
    equation_properties(reg);
    reg.function(
        "polynomials(degree) -> Library",
        "The products of state variables up to this degree, and 1: terms for equations.",
        "equations(dataset(lotka_volterra(), [1, 1], arange(0, 6, 0.1)).add_noise(0.02, #{ seed: 1 }), #{ library: polynomials(2) }).terms",
    )
    .body(|degree: i64| -> Result<ScriptLibrary> {
        match usize::try_from(degree) {
            Ok(degree) if (1..=6).contains(&degree) => Ok(ScriptLibrary(Library::polynomials(degree))),
            _ => Err(Error::invalid(format!("polynomials: the degree should be 1 to 6, not {degree}"))),
        }
    });
    reg.function(
        "library.trigonometric(k) -> Library",
        "The library with sine and cosine of k times each state variable.",
        "polynomials(2).trigonometric(1.0)",
    )
    .body(
        |library: &mut ScriptLibrary, k: Dynamic| -> Result<ScriptLibrary> {
            let k = convert::number(&k, "trigonometric: k")?;
            Ok(ScriptLibrary(library.0.clone().with_trigonometric(k)))
        },
    );
}

/// Prepends a short discovery to an example.
macro_rules! discovery_example {
    ($then:literal) => {
        concat!(
            "let found = discover(dataset(lotka_volterra(), [1, 1], arange(0, 3, 0.1)), #{ hidden: [8], seeds: [10] }); ",
            $then
        )
    };
}

fn discovery_properties(reg: &mut Registry) {
    reg.property(
        "found.report -> string",
        "What was seen in the data, what was tried, how well the model fits and how far to trust it.",
        discovery_example!("found.report"),
    )
    .get(|d: &mut ScriptDiscovery| d.0.report());
    reg.property(
        "found.best -> Run",
        "The run of the highest evidence.",
        discovery_example!("found.best.trust.noise"),
    )
    .get(|d: &mut ScriptDiscovery| -> Result<ScriptRun> {
        Ok(ScriptRun(Arc::new(d.0.best()?.clone())))
    });
    reg.property(
        "found.model -> Field",
        "The model of the highest evidence: the equations where they explain the data better, else the network of found.best.",
        discovery_example!("show(found.model)"),
    )
    .get(|d: &mut ScriptDiscovery| -> Result<ScriptField> {
        Ok(ScriptField(d.0.model()?.clone()))
    });
    reg.property(
        "found.equations -> Equations",
        "The equations that were tried against the network; () where there are none.",
        discovery_example!("found.equations"),
    )
    .get(|d: &mut ScriptDiscovery| match &d.0.equations {
        Ok(equations) => Dynamic::from(ScriptEquations(Arc::new(equations.clone()))),
        Err(_) => Dynamic::UNIT,
    });
    let host = reg.host();
    reg.function(
        "found.save(\"runs/mine\")",
        "Writes the run of the highest evidence (load reads it), the data, figures of the fit, the equations and a page, index.html, into \
         a folder. A folder that holds another run is an error, unless overwrite is true.",
        discovery_example!("found.save(\"runs/found\")"),
    )
    .options(SAVE)
    .body(move |d: &mut ScriptDiscovery, folder: ImmutableString, options: Options| -> Result<()> {
        let folder = non_empty_path("save", &folder)?;
        check_save(&host, d.0.best()?, folder, options)?;
        discovery_folder::save(&d.0, folder)?;
        host.note(&format!("wrote {folder}; look at {folder}/index.html"));
        Ok(())
    });
    reg.overload("predict")
        .body(|d: &mut ScriptDiscovery, t: Dynamic| -> Result<Map> {
            Ok(prediction_map(
                &d.0.predict(&convert::to_vector(&t, "predict: t")?)?,
            ))
        });
}

/// Prepends a short search to an example.
macro_rules! equations_example {
    ($then:literal) => {
        concat!(
            "let found = equations(dataset(lotka_volterra(), [1, 1], arange(0, 6, 0.1)).add_noise(0.02, #{ seed: 1 })); ",
            $then
        )
    };
}

fn equation_properties(reg: &mut Registry) {
    reg.overload("predict")
        .body(|e: &mut ScriptEquations, t: Dynamic| -> Result<Map> {
            Ok(prediction_map(
                &e.0.predict(&convert::to_vector(&t, "predict: t")?)?,
            ))
        });
    reg.property(
        "equations.terms -> int",
        "The number of terms.",
        equations_example!("found.terms"),
    )
    .get(|e: &mut ScriptEquations| e.0.terms() as i64);
    reg.property(
        "equations.system -> Field",
        "The equations as a field with named constants.",
        equations_example!("solve(found.system, [1, 1], [0, 1]).u"),
    )
    .get(|e: &mut ScriptEquations| ScriptField(e.0.system.clone()));
    reg.property(
        "equations.coefficients -> Array",
        "The coefficients of the terms.",
        equations_example!("found.coefficients"),
    )
    .get(|e: &mut ScriptEquations| {
        ScriptArray::from_vec(e.0.coefficients.iter().map(|c| c.value).collect())
    });
    reg.property(
        "equations.errors -> Array",
        "The standard errors of the coefficients.",
        equations_example!("found.errors"),
    )
    .get(|e: &mut ScriptEquations| ScriptArray::from_vec(e.0.errors()));
    reg.property(
        "equations.latex -> string",
        "The equations in LaTeX.",
        equations_example!("found.latex"),
    )
    .get(|e: &mut ScriptEquations| e.0.latex());
    reg.property(
        "equations.script -> string",
        "A script that makes the equations a field.",
        equations_example!("found.script"),
    )
    .get(|e: &mut ScriptEquations| e.0.script());
    reg.property(
        "equations.log_evidence -> float",
        "The log evidence of the equations; that of the network model is network_log_evidence.",
        equations_example!("found.log_evidence"),
    )
    .get(|e: &mut ScriptEquations| e.0.log_evidence);
    reg.property(
        "equations.network_log_evidence -> float",
        "The log evidence of the network model.",
        equations_example!("found.network_log_evidence"),
    )
    .get(|e: &mut ScriptEquations| e.0.network_log_evidence);
    reg.property(
        "equations.notes -> list",
        "What the data do not tell, and whether the library explains them.",
        equations_example!("found.notes"),
    )
    .get(|e: &mut ScriptEquations| {
        let notes = e.0.notes.iter().map(|note| Dynamic::from(note.clone()));
        notes.collect::<rhai::Array>()
    });
}
