//! The bindings of vector fields: known systems, models, user-defined equations.
//!
//! | file | content |
//! |---|---|
//! | `symbol` | the values of `t`, `u`, `p.a` and `nn` while a closure is traced |
//! | `symbol_functions` | functions of symbols that are made of the graph's operations |
//! | `conditions` | comparisons of symbols, joined by `&`, `\|` and `!` |
//! | `trace` | runs a closure on symbols to build the graph, and on numbers to check it |
//! | `inputs` | external inputs |
//! | `event` | traces the closures of events and jumps |
//! | `loss` | traces the closure of a loss |
//! | `activations` | gelu, relu, … on numbers and arrays; masks |

mod activations;
mod conditions;
mod event;
mod inputs;
mod loss;
mod symbol;
mod symbol_functions;
mod trace;

pub(crate) use event::{event, jump};
pub(super) use inputs::ScriptInput;
pub(crate) use loss::{LossClosure, solve_failure_to_nan};
pub(crate) use symbol::NO_BRANCH;

use std::sync::LazyLock;

use rhai::{Array as List, Dynamic, FnPtr, ImmutableString, Map, NativeCallContext};

use super::array::ScriptArray;
use super::convert;
use super::error::RhaiResult;
use super::keys::{Key, Keys, distinct};
use super::options::Options;
use super::registry::{Registry, ScriptType, same_number};
use crate::Result;
use odesync_base::options::Value;
use odesync_base::random::{Generator, with_default_generator};
use odesync_base::tables::format_number;
use odesync_ode::dynamics;
use odesync_ode::field::{ConstantSpec, FieldBuilder, InputSignal, Unary, VectorField};
use odesync_train::models::{Mlp, blackbox, driven_blackbox, driven_second_order, second_order};
use trace::EquationClosure;

/// The script type of a vector field, `Field`: one system or model.
#[derive(Clone)]
pub struct ScriptField(pub VectorField);

/// The documentation of the [`dynamics::SYSTEMS`], in their order: description, example.
const SYSTEM_DOCS: [(&str, &str); dynamics::SYSTEMS.len()] = [
    (
        "Predators and prey: u0' = a u0 − b u0 u1, u1' = c u0 u1 − d u1.",
        "lotka_volterra(#{ a: 1.1 })",
    ),
    ("Lorenz' model of convection.", "lorenz()"),
    (
        "Van der Pol's oscillator; stiff for a large mu.",
        "van_der_pol(#{ mu: 2 })",
    ),
    (
        "Robertson's chemical kinetics, a stiff problem.",
        "robertson()",
    ),
    (
        "Two masses on rods: angles (rad) and angular velocities (rad/s); k1, k2 are linear friction.",
        "double_pendulum(#{ k1: 0.1 })",
    ),
];

/// The signatures of the systems, `lorenz(#{ sigma: 10, rho: 28, beta: 8.0/3 }) -> Field`.
static SYSTEM_SIGNATURES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let constant = |key: &Key| match ((key.default)(), key.default_words) {
        (Value::Float(x), "") => format!("{}: {}", key.name, format_number(x, 6)),
        (_, words) => format!("{}: {words}", key.name),
    };
    let signature = |system: &dynamics::NamedSystem| {
        let constants: Vec<String> = distinct([system.constants])
            .into_iter()
            .map(constant)
            .collect();
        format!("{}(#{{ {} }}) -> Field", system.name, constants.join(", "))
    };
    dynamics::SYSTEMS.iter().map(signature).collect()
});

impl ScriptType for ScriptField {
    const NAME: &'static str = "Field";

    fn show(&self) -> String {
        summary(&self.0)
    }

    const CHANGES_IN_PLACE: bool = true;

    /// Only the parameters can be assigned.
    fn is_same(&self, other: &Self) -> bool {
        let (a, b) = (self.0.params(), other.0.params());
        a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| same_number(*a, *b))
    }
}

pub(super) fn register(reg: &mut Registry) {
    symbol::register(reg);
    symbol_functions::register(reg);
    conditions::register(reg);
    activations::register(reg);
    inputs::register(reg);
    reg.script_type::<ScriptField>();
    let described = SYSTEM_SIGNATURES.iter().zip(SYSTEM_DOCS);
    for (system, (signature, (text, example))) in dynamics::SYSTEMS.iter().zip(described) {
        reg.function(signature, text, example)
            .options(system.constants)
            .body(move |params: Option<Map>| -> RhaiResult<ScriptField> {
                let mut field = (system.make)()?;
                for (name, value) in trace::constants(&params.unwrap_or_default())? {
                    field = field.with_param(&name, &[value])?;
                }
                Ok(ScriptField(field))
            });
    }
    user_systems(reg);
    networks(reg);
    properties(reg);
}

/// Describes a field: one summary line, then its equations.
fn summary(field: &VectorField) -> String {
    format!(
        "Field: {} state variables, {} trainable parameters\n{}",
        field.dof(),
        field.n_params(),
        field.show()
    )
}

/// Reads a number of state variables.
fn dof(n: i64) -> Result<usize> {
    usize::try_from(n)
        .ok()
        .filter(|n| (1..=10_000).contains(n))
        .ok_or_else(|| {
            crate::Error::invalid(format!(
                "the number of state variables should lie between 1 and 10000, not {n}"
            ))
        })
}

fn system(
    context: &NativeCallContext,
    n: i64,
    closure: FnPtr,
    params: &Map,
) -> RhaiResult<ScriptField> {
    let (inputs, params) = inputs::split_inputs(params);
    let (dof, constants) = (dof(n)?, trace::constants(&params)?);
    let equations = EquationClosure::new(context, closure, &constants, &inputs, dof);
    let b = FieldBuilder::new(dof);
    let output = equations.trace(&b, None)?;
    let field = b.finish(output)?;
    equations.check(0)?;
    Ok(ScriptField(field))
}

fn user_systems(reg: &mut Registry) {
    reg.function(
        "system(dof, |t, u, p| [...], #{ name: value }) -> Field",
        "Equations of your own. The closure runs once, on symbols; p holds the named constants and external inputs (see input).",
        "system(2, |t, u, p| [u[1], -p.g * sin(u[0])], #{ g: 9.81 })",
    )
    .body(
        |context: NativeCallContext, n: i64, closure: FnPtr, params: Option<Map>| {
            system(&context, n, closure, &params.unwrap_or_default())
        },
    );
}

const NETWORK: Keys = &[&[
    Key::new("activation")
        .doc("Activation function of the hidden layers.")
        .choices(&Unary::ACTIVATIONS)
        .default(|| Value::from(Unary::ACTIVATIONS[0]), ""),
    Key::new("input")
        .doc("External input, which the network sees after the state; its first layer is that much wider.")
        .literals(&["input("])
        .default(|| Value::Unit, "none"),
]];

/// Reads the widths of a network's layers.
fn nodes(list: &List) -> Result<Vec<usize>> {
    convert::to_shape(&Dynamic::from(list.clone()), "the layers' widths")
}

fn graybox(
    context: &NativeCallContext,
    widths: &List,
    activation: &str,
    closure: FnPtr,
    params: &Map,
) -> RhaiResult<ScriptField> {
    let activation = Unary::activation(activation)?;
    let network = with_default_generator(|g| Mlp::new(&nodes(widths)?, activation, g))?;
    let (inputs, params) = inputs::split_inputs(params);
    let constants = trace::constants(&params)?;
    let equations = EquationClosure::new(context, closure, &constants, &inputs, network.inputs());
    let b = FieldBuilder::new(network.inputs());
    let nn = network.apply(&b, &b.state())?;
    let output = equations.trace(&b, Some(nn))?;
    let field = b.finish(output)?;
    equations.check(network.outputs())?;
    Ok(ScriptField(field))
}

fn networks(reg: &mut Registry) {
    reg.function(
        "seed(n)",
        "Seeds the generator that draws the weights of models, as torch.manual_seed does.",
        "seed(10)",
    )
    .body(|n: i64| -> Result<()> {
        let n = u64::try_from(n)
            .map_err(|_| crate::Error::invalid(format!("a seed should be 0 or above, not {n}")))?;
        odesync_base::random::seed(n);
        Ok(())
    });
    type MakeNetwork = fn(&[usize], Unary, &mut Generator) -> Result<VectorField>;
    type MakeDrivenNetwork =
        fn(&[usize], Unary, InputSignal, &mut Generator) -> Result<VectorField>;
    let both: [(MakeNetwork, MakeDrivenNetwork, &str, &str, &str); 2] = [
        (
            blackbox,
            driven_blackbox,
            "blackbox([2, 32, 2], \"gelu\") or blackbox([3, 32, 2], #{ activation: \"gelu\", input: w }) -> Field",
            "du/dt = network(u), a multilayer perceptron; activations: gelu, tanh, relu, silu, softplus, sigmoid, sin. With an external \
             input w(t) it is network(u, w), the first width being that of both together.",
            "blackbox([2, 8, 2], \"tanh\")",
        ),
        (
            second_order,
            driven_second_order,
            "second_order([4, 50, 50, 2], \"gelu\") or second_order([5, 50, 50, 2], #{ activation: \"gelu\", input: w }) -> Field",
            "Positions and velocities: the network gives the accelerations; with an external input as blackbox.",
            "second_order([4, 8, 2])",
        ),
    ];
    for (make, driven, signature, text, example) in both {
        reg.function(signature, text, example)
            .options(NETWORK)
            .body(
                move |widths: List, mut options: Options| -> Result<ScriptField> {
                    let activation = Unary::activation(options.choice("activation")?)?;
                    let input = options.opt_value::<ScriptInput>("input", "an input(t, values)")?;
                    options.finish()?;
                    let nodes = nodes(&widths)?;
                    Ok(ScriptField(with_default_generator(|g| match input {
                        Some(input) => driven(&nodes, activation, input.0, g),
                        None => make(&nodes, activation, g),
                    })?))
                },
            )
            .body(
                move |widths: List, activation: ImmutableString| -> Result<ScriptField> {
                    let activation = Unary::activation(&activation)?;
                    Ok(ScriptField(with_default_generator(|g| {
                        make(&nodes(&widths)?, activation, g)
                    })?))
                },
            );
    }
    reg.function(
        "graybox([2, 20, 20, 2], |t, u, nn, p| [...], #{ name: value }) -> Field",
        "Known terms and nn = network(u) for the unknown ones; an activation may stand before the closure, constants and external \
         inputs after it.",
        "graybox([2, 8, 2], |t, u, nn| [1.3 * u[0] + nn[0], -1.8 * u[1] + nn[1]])",
    )
    .body(|c: NativeCallContext, w: List, f: FnPtr, p: Option<Map>| {
        graybox(&c, &w, "gelu", f, &p.unwrap_or_default())
    })
    .body(
        |c: NativeCallContext, w: List, a: ImmutableString, f: FnPtr, p: Option<Map>| {
            graybox(&c, &w, &a, f, &p.unwrap_or_default())
        },
    );
}

/// What may be known of a trained constant.
const KNOWN: Keys = &[ConstantSpec::OPTIONS];

/// Reads what is known of the constant `name`.
fn constant_spec(name: &str, known: &Dynamic) -> Result<ConstantSpec> {
    let Some(map) = known.clone().try_cast::<Map>() else {
        return Err(crate::Error::invalid(format!(
            "trainable: what is known of \"{name}\" should be a map, such as #{{ min: 0 }}, or #{{}}, not {}",
            convert::describe(known)
        )));
    };
    let mut options = Options::new(format!("trainable: {name}"), KNOWN, map);
    let mut spec = ConstantSpec::default();
    options.read_set(&mut spec)?;
    options.finish()?;
    Ok(spec)
}

/// Reads a list of names of parameters.
fn names(list: &List) -> Result<Vec<String>> {
    let name = |x: &Dynamic| {
        convert::to_text(x).ok_or_else(|| {
            crate::Error::invalid(
                "the names of parameters should be strings, for example [\"a\", \"b\"]",
            )
        })
    };
    list.iter().map(name).collect()
}

fn properties(reg: &mut Registry) {
    reg.property(
        "field.dof -> int",
        "The number of state variables.",
        "lorenz().dof",
    )
    .get(|f: &mut ScriptField| f.0.dof() as i64);
    reg.property(
        "field.n_params -> int",
        "The number of trainable parameters.",
        "blackbox([2, 4, 2]).n_params",
    )
    .get(|f: &mut ScriptField| f.0.n_params() as i64);
    reg.property(
        "field.params -> Array",
        "The trainable parameters in order, layer by layer, weights before biases. It may be assigned.",
        "let f = lorenz().trainable([\"rho\"]); f.params = [24]; f.params",
    )
    .get(|f: &mut ScriptField| ScriptArray::from_vec(f.0.params()))
    .set(|f: &mut ScriptField, x: Dynamic| -> Result<()> {
        f.0 = f.0.with_params(&convert::to_vector(&x, "params")?)?;
        Ok(())
    });
    reg.property(
        "field.param_names -> list",
        "The names of the trainable parameters, one for each number of field.params and in the same order: that in which the field \
         declares them, whatever the order of the list in trainable([…]).",
        "lotka_volterra().trainable([\"d\", \"a\"]).param_names",
    )
    .get(|f: &mut ScriptField| {
        let names = f.0.param_names().into_iter().map(Dynamic::from);
        names.collect::<List>()
    });
    reg.function(
        "field.param(name)",
        "The values of one parameter block, in its shape.",
        "lotka_volterra().param(\"a\")",
    )
    .body(
        |f: &mut ScriptField, name: ImmutableString| -> Result<Dynamic> {
            Ok(ScriptArray::new(f.0.param(&name)?).into_dynamic())
        },
    );
    reg.function(
        "field.with_param(name, values) -> Field",
        "The same field with other values of one block.",
        "lorenz().with_param(\"rho\", 24)",
    )
    .body(
        |f: &mut ScriptField, name: ImmutableString, x: Dynamic| -> Result<ScriptField> {
            let values = convert::to_array(&x, "the parameter")?;
            let values: Vec<f64> = values.iter().copied().collect();
            Ok(ScriptField(f.0.with_param(&name, &values)?))
        },
    );
    reg.function(
        "field.trainable([\"a\", \"b\"]) or field.trainable(#{ a: #{ min: 0, max: 5, prior: [1, 0.5] }, b: #{ log: true }, c: #{} }) -> Field",
        "The same field with these parameters trained as well; field.param_names has their order. A map says what is known of each constant: bounds that training never \
         crosses, a normal prior (mean and standard deviation, in the constant's units), and whether its logarithm is trained. \
         weak_constraint() and homotopy() without a coupling honour it; gradient descent refuses it.",
        "lotka_volterra().trainable([\"a\", \"d\"]).params",
    )
    .options(KNOWN)
    .body(|f: &mut ScriptField, list: List| -> Result<ScriptField> {
        Ok(ScriptField(f.0.trainable(&names(&list)?)?))
    })
    .body(|f: &mut ScriptField, constants: Map| -> Result<ScriptField> {
        let mut field = f.0.clone();
        for (name, known) in constants {
            field = field.trainable_with(&name, constant_spec(&name, &known)?)?;
        }
        Ok(ScriptField(field))
    });
    reg.function(
        "field.frozen([\"a\"]) -> Field",
        "The same field with these parameters no longer trained.",
        "lotka_volterra().trainable([\"a\", \"d\"]).frozen([\"a\"]).n_params",
    )
    .body(|f: &mut ScriptField, list: List| -> Result<ScriptField> {
        Ok(ScriptField(f.0.frozen(&names(&list)?)?))
    });
    reg.function(
        "field.derivative(t, u) -> Array",
        "du/dt at time t and state u.",
        "lotka_volterra().derivative(0.0, [1, 2])",
    )
    .body(
        |f: &mut ScriptField, t: Dynamic, u: Dynamic| -> Result<ScriptArray> {
            let t = convert::number(&t, "derivative: t")?;
            let u = convert::to_vector(&u, "derivative: u")?;
            Ok(ScriptArray::from_vec(f.0.derivative(t, &u)?))
        },
    );
    let host = reg.host();
    reg.function(
        "show(field)",
        "Prints the equations and the parameters.",
        "show(lorenz())",
    )
    .body(move |f: ScriptField| host.print(&f.0.show()));
}
