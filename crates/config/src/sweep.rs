//! Sweeps over several values of keys: the runs of a multirun, in hydra's grammar.

use crate::{ConfigSource, Error, Result};

use super::sweep_functions::{self, Sweep};
use super::{Override, overrides, sweep_text};

/// Largest number of runs of one multirun; more are more likely a typing error.
pub(super) const MAX_RUNS: usize = 10_000;

/// Returns the overrides of each run of a multirun: all combinations of the arguments' values, the last argument changing fastest.
///
/// An argument has one or several values, as in hydra: `a,b` or `choice(a,b)`; `range(stop)`, `range(start,stop)` or
/// `range(start,stop,step)` without `stop`; `glob(*)` for options of a group in `library`; `sort(…)` and `shuffle(…)` of these, and
/// casts, `int(…)`, `float(…)`, `str(…)`, `bool(…)`. Commas within brackets, parentheses or quotes are part of a value.
///
/// ```
/// use odesync_config::{ConfigSource, sweep};
///
/// let arguments = ["training=vanilla,homotopy", "random_seed=range(10,30,10)", "model.layers=[2,2]"].map(String::from);
/// let runs = sweep(&arguments, &ConfigSource::find(None))?;
/// let runs: Vec<String> = runs.iter().map(|run| format!("{} {} {}", run[0], run[1], run[2])).collect();
/// assert_eq!(runs, [
///     "training=vanilla random_seed=10 model.layers=[2, 2]",
///     "training=vanilla random_seed=20 model.layers=[2, 2]",
///     "training=homotopy random_seed=10 model.layers=[2, 2]",
///     "training=homotopy random_seed=20 model.layers=[2, 2]",
/// ]);
/// # Ok::<(), odesync_config::Error>(())
/// ```
///
/// # Errors
/// An argument that is not an override; an empty place between commas; a range or glob without values; an interval, which has no
/// list of values (see [`RandomSearch`](super::RandomSearch)); more than 10,000 runs.
pub fn sweep(arguments: &[String], library: &ConfigSource) -> Result<Vec<Vec<Override>>> {
    let choices = arguments
        .iter()
        .map(|argument| match SweptKey::read(argument, library)? {
            SweptKey::Values(values) => Ok(values),
            SweptKey::Interval(..) => Err(Error::invalid(format!(
                "override `{argument}`: an interval has no list of values; draw from it by `-m sweeper=random sweeper.n=50`, or \
                 write range(start, stop, step)"
            ))),
        })
        .collect::<Result<Vec<_>>>()?;
    let runs = choices
        .iter()
        .try_fold(1usize, |runs, values| runs.checked_mul(values.len()))
        .filter(|runs| *runs <= MAX_RUNS);
    let Some(runs) = runs else {
        return Err(too_many());
    };
    Ok((0..runs)
        .map(|run| {
            let mut index = run;
            let mut picked: Vec<Override> = choices
                .iter()
                .rev()
                .map(|values| {
                    let value = values[index % values.len()].clone();
                    index /= values.len();
                    value
                })
                .collect();
            picked.reverse();
            picked
        })
        .collect())
}

pub(super) fn too_many() -> Error {
    Error::invalid(format!("these are more than {MAX_RUNS} runs"))
}

/// An argument of a multirun with what its key may be.
pub(super) enum SweptKey {
    /// Each of a list, which is not empty.
    Values(Vec<Override>),
    /// A number of an interval.
    Interval(String, sweep_functions::Interval),
}

impl SweptKey {
    pub fn read(argument: &str, library: &ConfigSource) -> Result<Self> {
        let (head, value) = overrides::split(argument);
        let Some(value) = value else {
            return Ok(SweptKey::Values(vec![Override::from_parts(head, None)?]));
        };
        let group = head.trim().trim_start_matches('+');
        let found = sweep_functions::read(value, &mut |patterns| patterns.options(library, group));
        let found =
            found.map_err(|message| Error::invalid(format!("override `{argument}`: {message}")))?;
        match found {
            Sweep::Interval(interval) => Ok(SweptKey::Interval(head.to_string(), interval)),
            Sweep::Values(texts) => {
                if texts.len() > MAX_RUNS {
                    return Err(too_many());
                }
                let values = texts
                    .iter()
                    .map(|text| Override::from_parts(head, Some(text)));
                Ok(SweptKey::Values(values.collect::<Result<_>>()?))
            }
        }
    }
}

/// Returns whether a value is a list of several values or a function of sweeps.
pub(super) fn is_sweep(value: &str) -> bool {
    let parts = sweep_text::split(value);
    parts.len() > 1 || parts.iter().any(|part| sweep_functions::is_sweep(part))
}

/// Returns the value that a cast such as `str(1)` makes; `None` where `text` is not a cast of one value.
pub(super) fn cast(text: &str) -> Option<std::result::Result<String, String>> {
    sweep_functions::cast_of_one(text)
}
