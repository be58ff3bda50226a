//! The options `observe`, `u0` and `train_u0`: which state variables the data are, and where the model begins.

use rhai::Dynamic;

use super::convert;
use super::keys::Key;
use super::options::Options;
use crate::Result;
use crate::datasets::arrays::initial_states;
use crate::training::Observation;

/// The state variables that the data are.
pub(super) const OBSERVE: Key = Key::new("observe");

/// The three options.
pub(super) const OBSERVATION: &[Key] = &[OBSERVE, Key::new("u0"), Key::flag("train_u0")];

/// Reads the three options.
///
/// # Errors
/// A value of the wrong type.
pub(super) fn observation(options: &mut Options) -> Result<Observation> {
    let observe = observe(options)?;
    let u0 = options.opt_array("u0")?.map(initial_states).transpose()?;
    Ok(Observation {
        observe,
        u0,
        train_u0: options.bool("train_u0", false)?,
    })
}

/// The option `observe` alone.
///
/// # Errors
/// A value of the wrong type.
pub(super) fn observe(options: &mut Options) -> Result<Option<Vec<usize>>> {
    let Some(value) = options.take("observe") else {
        return Ok(None);
    };
    match variables(&value) {
        Some(observe) => Ok(Some(observe)),
        None => Err(options.wrong(
            "observe",
            "a list of state variables, counted from 0, such as [0, 2]",
            &value,
        )),
    }
}

fn variables(value: &Dynamic) -> Option<Vec<usize>> {
    let list = value.read_lock::<rhai::Array>()?;
    let variable = |x: &Dynamic| {
        let x = convert::number(x)?;
        (x >= 0.0 && x.fract() == 0.0).then_some(x as usize)
    };
    let all: Option<Vec<usize>> = list.iter().map(variable).collect();
    all.filter(|all| !all.is_empty())
}
