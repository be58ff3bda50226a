//! The options `observe`, `u0` and `train_u0`: the observed state variables, and the initial states of the model.

use ndarray::Array2;

use super::keys::Key;
use super::options::Options;
use crate::Result;
use odesync_base::options::split;
use odesync_train::datasets::arrays::initial_states;
use odesync_train::training::Observation;

/// The option keys `observe`, `u0` and `train_u0`.
pub(super) const OBSERVATION: &[Key] = Observation::OPTIONS;

/// The option key `observe`.
pub(super) const OBSERVE: &[Key] = split(Observation::OPTIONS, "u0").0;

/// Reads the options `observe`, `u0` and `train_u0`, as far as the call has them.
///
/// # Errors
/// A value of the wrong type.
pub(super) fn observation(options: &mut Options) -> Result<Observation> {
    let mut observation = Observation::default();
    if options.has("u0") {
        observation.u0 = u0_option(options)?;
    }
    options.read_set(&mut observation)?;
    Ok(observation)
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
