//! The bindings of data in other units, and of names and units.

use rhai::{Array as List, Dynamic, Map};

use super::{ScriptDataset, wrap};
use crate::Result;
use crate::script::convert;
use crate::script::keys::Keys;
use crate::script::options::Options;
use crate::script::registry::{Number, Operand, Registry};
use odesync_base::option_set;
use odesync_base::options::{Number as AnyNumber, OptionKind, Positive, TextList};
use odesync_train::datasets::Dataset;

option_set! {
    /// Options of `data.scaled`.
    #[derive(Debug)]
    struct TimeScale {
        /// Time that becomes 0.
        t0: f64 as AnyNumber = 0.0;
        /// Unit of time: times are divided by it.
        t: f64 as Positive = 1.0;
    }
}

const SCALED: Keys = &[TimeScale::OPTIONS];

/// Reads one number, or one for each component.
fn per_component(value: &Dynamic, what: &str) -> Result<Vec<f64>> {
    match convert::to_number(value) {
        Some(number) => Ok(vec![number]),
        None => convert::to_vector(value, what),
    }
}

fn scaled(d: &Dataset, scale: &Dynamic, mut options: Options) -> Result<ScriptDataset> {
    let mut time = TimeScale::default();
    options.read_set(&mut time)?;
    options.finish()?;
    let data = d.scaled(&per_component(scale, "scaled: the scale")?)?;
    Ok(wrap(match (time.t0, time.t) {
        (0.0, 1.0) => data,
        (start, unit) => data.with_time_scale(start, unit)?,
    }))
}

/// A change of data by one number, or by one for each component.
type Change = fn(&Dataset, &[f64]) -> Result<Dataset>;

fn subtracted(d: &Dataset, numbers: &[f64]) -> Result<Dataset> {
    let negative: Vec<f64> = numbers.iter().map(|x| -x).collect();
    d.shifted(&negative)
}

pub(super) fn register(reg: &mut Registry) {
    reg.function(
        "data.scaled(scale) or data.scaled(scale, #{ t0: 0.0, t: 1.0 }) -> Dataset",
        "The data divided by a number, or by one for each state variable; the names stay, as with data / 30.0, data * 2, data - [1, 2]. \
         The options count time from t0 in units of t.",
        "dataset([1900, 1901], [[30.0, 4.0], [47.2, 6.1]]).scaled(30.0, #{ t0: 1900 }).u",
    )
    .options(SCALED)
    .body(|d: &mut ScriptDataset, scale: Dynamic, options: Options| scaled(&d.0, &scale, options));
    let operators: [(&'static str, &'static str, Change); 4] = [
        ("+", "the right of +", Dataset::shifted),
        ("-", "the right of -", subtracted),
        ("*", "the right of *", Dataset::multiplied),
        ("/", "the right of /", Dataset::scaled),
    ];
    for (name, what, change) in operators {
        reg.overload(name).body(
            move |d: ScriptDataset, x: Operand| -> Result<ScriptDataset> {
                Ok(wrap(change(&d.0, &per_component(&x.0, what)?)?))
            },
        );
    }
    for (name, change) in [
        ("+", Dataset::shifted as Change),
        ("*", Dataset::multiplied),
    ] {
        reg.overload(name).body(
            move |x: Number, d: ScriptDataset| -> Result<ScriptDataset> {
                Ok(wrap(change(&d.0, &[x.0])?))
            },
        );
    }
    reg.function(
        "data.with_names(names) -> Dataset",
        "The same data with these names of the state variables.",
        "dataset([0, 1, 2], [[1.0], [2.0], [3.0]]).with_names([\"x\"]).names",
    )
    .body(
        |d: &mut ScriptDataset, names: Dynamic| -> Result<ScriptDataset> {
            let value = convert::to_option_value(&names);
            let names = TextList::read(&value).map_err(|_| {
                crate::Error::invalid(format!(
                    "with_names: a list of names was expected, not {}",
                    convert::describe(&names)
                ))
            })?;
            Ok(wrap(Dataset::clone(&d.0).with_names(names)?))
        },
    );
    reg.property(
        "data.units -> #{ time, state }",
        "The units that a table had in a row below its header: that of the times, and a list of those of the state variables; an empty \
         text where it is not known.",
        "dataset([0, 1, 2], [[1.0], [2.0], [3.0]]).units.time",
    )
    .get(|d: &mut ScriptDataset| {
        let units = d.0.units();
        let state = (0..d.0.dof()).map(|j| Dynamic::from(units.of_component(j).to_string()));
        Map::from([
            ("time".into(), Dynamic::from(units.time.clone())),
            ("state".into(), Dynamic::from(state.collect::<List>())),
        ])
    });
}
