//! The bindings of external inputs.

use ndarray::{Axis, Ix2, Ix3};
use rhai::{Array as List, Dynamic, ImmutableString, Map};

use super::super::array::ScriptArray;
use super::super::convert;
use super::super::keys::Keys;
use super::super::options::Options;
use super::super::registry::{Registry, ScriptType};
use super::ScriptField;
use crate::{Error, Result};
use odesync_base::impl_named;
use odesync_base::option_set;
use odesync_base::options::{NonNegative, OneOf};
use odesync_base::text::count_of;
use odesync_ode::field::{InputSignal, Signal};
use odesync_train::smoothing::spline_input;

/// The script type of an external input, `Input`.
#[derive(Clone)]
pub struct ScriptInput(pub InputSignal);

/// Splits a map of constants into the named inputs and the other constants.
pub(super) fn split_inputs(map: &Map) -> (Vec<(String, InputSignal)>, Map) {
    let mut rest = map.clone();
    let mut inputs = vec![];
    for (name, value) in map {
        if let Some(input) = value.read_lock::<ScriptInput>() {
            inputs.push((name.to_string(), input.0.clone()));
            rest.remove(name);
        }
    }
    (inputs, rest)
}

/// How an input passes between its samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Interpolation {
    Linear,
    Spline,
    Hold,
}

impl_named!(
    Interpolation,
    "kind",
    Linear = "linear",
    Spline = "spline",
    Hold = "hold",
);

option_set! {
    /// Options of an external input.
    #[derive(Debug)]
    struct InputOptions {
        /// How the input passes between its samples: in straight lines, as a `"spline"`, or `"hold"`, which keeps each value up to the
        /// next time.
        kind: Interpolation as OneOf<Interpolation> = Interpolation::Linear;
        /// How much a spline smooths, α.
        smoothing: f64 as NonNegative = 0.0;
    }
}

const INPUT: Keys = &[InputOptions::OPTIONS];

fn make_input(t: &Dynamic, values: &Dynamic, mut options: Options) -> Result<ScriptInput> {
    let mut read = InputOptions::default();
    options.read_set(&mut read)?;
    options.finish()?;
    let smoothing = read.smoothing;
    if smoothing != 0.0 && read.kind != Interpolation::Spline {
        return Err(Error::invalid("input: smoothing needs kind: \"spline\""));
    }
    let t = convert::to_vector(t, "input: t")?;
    let values = convert::to_array(values, "input: values")?;
    let one = |values: ndarray::ArrayView2<f64>| match read.kind {
        Interpolation::Linear => InputSignal::linear(&t, values),
        Interpolation::Spline => spline_input(&t, values, smoothing),
        Interpolation::Hold => InputSignal::hold(&t, values),
    };
    let shape = values.shape().to_vec();
    let wrong = |_| {
        Error::invalid(format!(
            "input: values should have shape [time], [time, component] or [sample, time, component], not {shape:?}"
        ))
    };
    Ok(ScriptInput(match shape.len() {
        3 => {
            let values = values.into_dimensionality::<Ix3>().map_err(wrong)?;
            let all: Vec<InputSignal> = values.outer_iter().map(one).collect::<Result<_>>()?;
            InputSignal::per_sample(&all)?
        }
        1 => {
            let values = values.insert_axis(Axis(1));
            one(values.into_dimensionality::<Ix2>().map_err(wrong)?.view())?
        }
        _ => one(values.into_dimensionality::<Ix2>().map_err(wrong)?.view())?,
    }))
}

fn inputs_per_sample(list: &List) -> Result<ScriptInput> {
    let inputs = list
        .iter()
        .map(|x| match x.read_lock::<ScriptInput>() {
            Some(input) => Ok(input.0.clone()),
            None => Err(Error::invalid(format!(
                "input: a list of inputs, one for each sample, was expected, and it holds {}; one input is input(t, values)",
                convert::describe(x)
            ))),
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(ScriptInput(InputSignal::per_sample(&inputs)?))
}

/// Returns the field with another input in place of the one of this name, or of its only one.
fn with_input(f: &ScriptField, name: Option<&str>, w: ScriptInput) -> Result<ScriptField> {
    let names: Vec<String> = f.0.inputs().map(|(name, _)| name.into()).collect();
    let name = match (name, &names[..]) {
        (Some(name), _) => name,
        (None, [only]) => only.as_str(),
        (None, []) => {
            return Err(Error::invalid(
                "with_input: the field has no input that could be replaced; it gets one where it is made, for example blackbox([3, 32, 2], #{ input: w })",
            ));
        }
        (None, [first, ..]) => {
            return Err(Error::invalid(format!(
                "with_input: the field has the inputs {}: name one, with_input(\"{first}\", input)",
                names.join(", "),
            )));
        }
    };
    Ok(ScriptField(f.0.with_input(name, w.0)?))
}

impl ScriptType for ScriptInput {
    const NAME: &'static str = "Input";

    fn show(&self) -> String {
        let (components, samples) = (self.0.dof(), self.0.n_samples());
        let t = self.0.times(0);
        format!(
            "Input: {}, {} from {} to {}{}",
            count_of(components, "component"),
            count_of(t.len(), "time"),
            t.first().copied().unwrap_or(f64::NAN),
            t.last().copied().unwrap_or(f64::NAN),
            match samples {
                1 => String::new(),
                n => format!(", one for each of {n} samples"),
            }
        )
    }
}

pub(super) fn register(reg: &mut Registry) {
    reg.script_type::<ScriptInput>();
    let host = reg.host();
    reg.function(
        "input(t, values, \"linear\") -> Input, or input(\"question\") -> string",
        "An external input given as samples, for the equations of system and graybox, for blackbox and second_order: linear between \
         them, a \"spline\", or \"hold\", each value up to the next time; #{ kind: \"spline\", smoothing: 0.001 } smooths. Values are [time] or [time, component]. Beyond its \
         times it keeps the first and the last value. input([w1, w2]) has one for each sample of the data. With a string alone it asks \
         the user that question and returns the line that is typed.",
        "system(2, |t, u, p| [u[1], -p.g * sin(u[0]) + p.w], #{ g: 9.81, w: input([0, 1, 2], [0.0, 0.5, 0.0]) })",
    )
    .options(INPUT)
    .body(|t: Dynamic, values: Dynamic, options: Options| make_input(&t, &values, options))
    .body(|t: Dynamic, values: Dynamic, kind: ImmutableString| {
        let options = Map::from([("kind".into(), kind.into())]);
        make_input(&t, &values, Options::new("input", INPUT, options))
    })
    .body(|list: List| inputs_per_sample(&list))
    .body(move |question: ImmutableString| host.read_line(&question));
    reg.function(
        "input.at(t)",
        "The input's value at a time or its values at several; of an input for each sample, those of the first.",
        "input([0, 1, 2], [0.0, 0.5, 0.0]).at([0.5, 3])",
    )
    .body(|w: &mut ScriptInput, t: Dynamic| -> Result<Dynamic> {
        if let Some(t) = convert::to_number(&t) {
            let row = w.0.values_at(0, &[t]).index_axis_move(Axis(0), 0);
            return Ok(ScriptArray::new(row.into_dyn()).into_dynamic());
        }
        let t = convert::to_vector(&t, "the input's times")?;
        Ok(ScriptArray::new(w.0.values_at(0, &t).into_dyn()).into_dynamic())
    });
    reg.function(
        "field.with_input(input) or field.with_input(\"name\", input) -> Field",
        "The same field, trained or not, under another external input.",
        "system(1, |t, u, p| [p.w - u[0]], #{ w: input([0, 1], [0.0, 1.0]) }).with_input(input([0, 1], [1.0, 1.0])).derivative(0.0, [0.0])",
    )
    .body(|f: &mut ScriptField, w: ScriptInput| with_input(f, None, w))
    .body(|f: &mut ScriptField, name: ImmutableString, w: ScriptInput| {
        with_input(f, Some(&name), w)
    });
}
