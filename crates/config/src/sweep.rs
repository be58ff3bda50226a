//! Sweeps over several values of keys: the runs of a multirun.

use crate::{Error, Result};

use super::Override;
use super::overrides;

/// Largest number of runs of one multirun; more are more likely a typing error.
const MAX_RUNS: usize = 10_000;

/// Returns the overrides of each run of a multirun. Every argument has one or several values, separated by commas or as
/// `range(start, stop)` or `range(start, stop, step)` (whole numbers, without `stop`), and the runs are all combinations, the
/// last argument changing fastest. Commas within brackets, parentheses or quotes are part of a value.
///
/// ```
/// use odesync_config::sweep;
///
/// let runs = sweep(&["training=vanilla,homotopy".into(), "random_seed=10,20".into(), "model.layers=[2,2]".into()])?;
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
/// An argument that is not an override; an empty place between commas; a range without values; more than 10,000 runs.
pub fn sweep(arguments: &[String]) -> Result<Vec<Vec<Override>>> {
    let choices = arguments
        .iter()
        .map(|argument| expand(argument))
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

fn too_many() -> Error {
    Error::invalid(format!("these are more than {MAX_RUNS} runs"))
}

/// Returns whether a value is a list of several values or a range.
pub(super) fn is_sweep(value: &str) -> bool {
    let parts = split(value);
    parts.len() > 1 || parts.iter().any(|part| range_arguments(part).is_some())
}

/// Returns the overrides of all values of one argument, at least one.
fn expand(argument: &str) -> Result<Vec<Override>> {
    let (head, value) = overrides::split(argument);
    let Some(value) = value else {
        return Ok(vec![Override::from_parts(head, None)?]);
    };
    let parts = split(value);
    let mut all = Vec::new();
    for part in &parts {
        if let Some(arguments) = range_arguments(part) {
            let numbers = range(arguments)
                .map_err(|message| Error::invalid(format!("override `{argument}`: {message}")))?;
            for number in numbers {
                all.push(Override::from_parts(head, Some(&number.to_string()))?);
            }
        } else if part.trim().is_empty() && parts.len() > 1 {
            return Err(Error::invalid(format!(
                "override `{argument}` has an empty place between its commas; an empty text is \"\""
            )));
        } else {
            all.push(Override::from_parts(head, Some(part))?);
        }
        if all.len() > MAX_RUNS {
            return Err(too_many());
        }
    }
    Ok(all)
}

/// Splits a text at the commas that are not within brackets, parentheses or quotes. A text in which one of these is not closed is
/// one part: parsing it as a value gives the better error.
fn split(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut begin = 0;
    let mut depth = 0usize;
    let mut quote = None;
    // A quote opens only at the beginning of a value: `don't` is a text.
    let mut at_start = true;
    let mut characters = text.char_indices();
    while let Some((i, c)) = characters.next() {
        match (quote, c) {
            (Some('"'), '\\') => drop(characters.next()),
            (Some(open), c) if open == c => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') if at_start => quote = Some(c),
            (None, '[' | '{' | '(') => depth += 1,
            (None, ']' | '}' | ')') => depth = depth.saturating_sub(1),
            (None, ',') if depth == 0 => {
                parts.push(&text[begin..i]);
                begin = i + 1;
            }
            _ => {}
        }
        at_start = matches!(c, ',' | '[' | '{' | ':') || (at_start && c.is_whitespace());
    }
    if depth > 0 || quote.is_some() {
        return vec![text];
    }
    parts.push(&text[begin..]);
    parts
}

/// Returns the text within the parentheses of `range(…)`, if `text` is a range.
fn range_arguments(text: &str) -> Option<&str> {
    text.trim().strip_prefix("range(")?.strip_suffix(')')
}

fn range(arguments: &str) -> std::result::Result<Vec<i64>, String> {
    let form = "a range is range(start, stop) or range(start, stop, step) of whole numbers";
    let numbers = arguments
        .split(',')
        .map(|number| number.trim().parse::<i64>())
        .collect::<std::result::Result<Vec<_>, _>>()
        .map_err(|_| form.to_string())?;
    let (start, stop, step) = match numbers[..] {
        [start, stop] => (start, stop, 1),
        [start, stop, step] => (start, stop, step),
        _ => return Err(form.into()),
    };
    if step == 0 {
        return Err("the step of a range cannot be 0".into());
    }
    let inside = |value: &i64| {
        if step > 0 {
            *value < stop
        } else {
            *value > stop
        }
    };
    let values: Vec<i64> = std::iter::successors(Some(start), |value| value.checked_add(step))
        .take_while(inside)
        .take(MAX_RUNS + 1)
        .collect();
    match values.is_empty() {
        true => Err(format!("range({arguments}) has no values")),
        false => Ok(values),
    }
}
