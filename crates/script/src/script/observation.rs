//! The options `observe`, `u0` and `train_u0`: the observed state variables, and the initial states of the model.

use ndarray::Array2;
use rhai::Dynamic;

use super::convert;
use super::keys::Key;
use super::options::Options;
use crate::Result;
use odesync_train::datasets::arrays::initial_states;
use odesync_train::training::Observation;

/// The option `observe`: the indices of the observed state variables.
pub(super) const OBSERVE: Key = Key::new("observe");

/// The option keys `observe`, `u0` and `train_u0`.
pub(super) const OBSERVATION: &[Key] = &[OBSERVE, Key::new("u0"), Key::flag("train_u0")];

/// Reads the options `observe`, `u0` and `train_u0`.
///
/// # Errors
/// A value of the wrong type.
pub(super) fn observation(options: &mut Options) -> Result<Observation> {
    let observe = observe(options)?;
    Ok(Observation {
        observe,
        u0: u0_option(options)?,
        train_u0: options.bool("train_u0", false)?,
    })
}

/// Reads the option `observe`.
///
/// # Errors
/// A value of the wrong type.
pub(super) fn observe(options: &mut Options) -> Result<Option<Vec<usize>>> {
    let Some(value) = options.take("observe") else {
        return Ok(None);
    };
    let Some(list) = value
        .read_lock::<rhai::Array>()
        .filter(|list| !list.is_empty())
    else {
        return Err(options.invalid_value(
            "observe",
            "a list of state variables, counted from 0, such as [0, 2]",
            &value,
        ));
    };
    let variable = |item: &Dynamic| {
        convert::to_number(item)
            .filter(|x| *x >= 0.0 && x.fract() == 0.0)
            .map(|x| x as usize)
            .ok_or_else(|| {
                let expected = "state variables, whole numbers that are 0 or more";
                options.invalid_item("observe", expected, item)
            })
    };
    list.iter().map(variable).collect::<Result<_>>().map(Some)
}

/// Reads the initial states of the option `u0`.
fn u0_option(options: &mut Options) -> Result<Option<Array2<f64>>> {
    let Some(states) = options.opt_array("u0")? else {
        return Ok(None);
    };
    let u0 = initial_states(states)?;
    match u0.indexed_iter().find(|(_, x)| x.is_nan()) {
        None => Ok(Some(u0)),
        Some(((sample, variable), _)) => {
            let of = match u0.nrows() {
                1 => String::new(),
                _ => format!(" of sample {sample}"),
            };
            Err(options.error(&format!(
                "u0 is NaN at state variable {variable}{of}: give a number there, or leave u0 out to begin at the data's first values"
            )))
        }
    }
}
