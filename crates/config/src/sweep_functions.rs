//! The functions of a swept value: `choice(…)`, `range(…)`, `glob(…)`, `sort(…)`, `shuffle(…)`, `tag(…)`, `interval(…)`, casts.

use odesync_base::error;
use odesync_base::random::Generator;
use serde_yaml::Value;

use super::sweep::MAX_RUNS;
use super::sweep_text::{arguments, call, split};
use super::{decimal_range, flow_yaml, write};
use crate::ConfigSource;

type Read<T> = std::result::Result<T, String>;

/// The functions whose result is a sweep; a cast is one where its argument is.
const SWEEPS: [&str; 7] = [
    "choice", "range", "glob", "sort", "shuffle", "tag", "interval",
];
const CASTS: [&str; 4] = ["int", "float", "str", "bool"];

/// The values of a sweep.
#[derive(Debug)]
pub(super) enum Sweep {
    /// A list of values, as texts of YAML in one line; at least one.
    Values(Vec<String>),
    /// A continuous interval.
    Interval(Interval),
}

/// A continuous interval.
#[derive(Debug, Clone, Copy)]
pub(super) struct Interval {
    pub low: f64,
    pub high: f64,
    /// Whether the logarithm is uniform: `tag(log, interval(…))`.
    pub log: bool,
    /// Whether whole numbers are drawn, `high` among them: `int(interval(…))`.
    pub whole: bool,
}

/// The patterns of `glob(…)`.
pub(super) struct OptionPatterns {
    include: Vec<glob::Pattern>,
    exclude: Vec<glob::Pattern>,
}

impl OptionPatterns {
    /// Returns the options of a group that match.
    pub fn options(&self, library: &ConfigSource, group: &str) -> Read<Vec<String>> {
        let matches =
            |patterns: &[glob::Pattern], name: &str| patterns.iter().any(|p| p.matches(name));
        let mut names = library.options(group).map_err(|e| e.to_string())?;
        names.retain(|name| matches(&self.include, name) && !matches(&self.exclude, name));
        Ok(names)
    }
}

/// Largest number of parentheses in a value; one with more of them is a text, so that nesting cannot exhaust the stack.
const MAX_CALLS: usize = 64;

fn is_plain_text(text: &str) -> bool {
    text.matches('(').count() > MAX_CALLS
}

/// Whether a part of a value is a sweep by itself.
pub(super) fn is_sweep(part: &str) -> bool {
    match call(part).filter(|_| !is_plain_text(part)) {
        Some((name, _)) if SWEEPS.contains(&name) => true,
        Some((name, inside)) if CASTS.contains(&name) => {
            let parts = split(inside);
            parts.len() > 1 || parts.iter().any(|part| is_sweep(part))
        }
        _ => false,
    }
}

/// Returns the value of a cast of one value; `None` for anything else.
pub(super) fn cast_of_one(text: &str) -> Option<Read<String>> {
    let (name, inside) =
        call(text).filter(|(name, _)| CASTS.contains(name) && !is_plain_text(text))?;
    (!is_sweep(text)).then(|| match cast_of_one(inside) {
        Some(inner) => cast(name, &inner?),
        None => cast(name, inside),
    })
}

/// The options of a group that match patterns.
pub(super) type Glob<'a> = &'a mut dyn FnMut(&OptionPatterns) -> Read<Vec<String>>;

/// Reads the value of an argument: a sweep of at least one value.
pub(super) fn read(value: &str, glob: Glob) -> Read<Sweep> {
    let parts = split(value);
    let several = parts.len() > 1;
    if let [one] = parts[..] {
        return part(one, glob);
    }
    let mut all = Vec::new();
    for text in parts {
        if several && text.trim().is_empty() {
            return Err("has an empty place between its commas; an empty text is \"\"".into());
        }
        match part(text, glob)? {
            Sweep::Values(values) => all.extend(values),
            Sweep::Interval(_) => {
                return Err("an interval cannot stand in a list of values".into());
            }
        }
        if all.len() > MAX_RUNS {
            break;
        }
    }
    Ok(Sweep::Values(all))
}

/// Reads one of the values between commas.
fn part(text: &str, glob: Glob) -> Read<Sweep> {
    let Some((name, inside)) = call(text).filter(|_| !is_plain_text(text)) else {
        return Ok(Sweep::Values(vec![text.to_string()]));
    };
    let (plain, named) = arguments(inside);
    match name {
        "choice" => {
            check_names(name, &named, &[])?;
            match plain.is_empty() {
                true => Err("choice() has no values".into()),
                false => read(inside, glob),
            }
        }
        "range" => range(inside, &plain, &named),
        "glob" => {
            let names = glob(&patterns(&plain, &named)?)?;
            match names.is_empty() {
                true => Err(format!("glob({inside}) matches no option")),
                false => Ok(Sweep::Values(names)),
            }
        }
        "sort" | "shuffle" => reordered(name, &plain, &named, glob),
        "tag" => {
            check_names(name, &named, &[])?;
            let Some((last, tags)) = plain.split_last() else {
                return Err("a tag is tag(NAME, SWEEP)".into());
            };
            let mut swept = part(last, glob)?;
            if let Sweep::Interval(interval) = &mut swept
                && tags.contains(&"log")
            {
                if interval.low <= 0.0 {
                    return Err("a logarithmic interval begins above 0".into());
                }
                interval.log = true;
            }
            Ok(swept)
        }
        "interval" => interval(inside, &plain, &named),
        name if CASTS.contains(&name) => match read(inside, glob)? {
            Sweep::Values(values) => {
                let values = values.iter().map(|value| cast(name, value));
                Ok(Sweep::Values(values.collect::<Read<_>>()?))
            }
            Sweep::Interval(interval) if name == "int" => {
                if interval.low.ceil() > interval.high.floor() {
                    return Err(format!("{} holds no whole number", inside.trim()));
                }
                Ok(Sweep::Interval(Interval {
                    whole: true,
                    ..interval
                }))
            }
            Sweep::Interval(interval) if name == "float" => Ok(Sweep::Interval(interval)),
            Sweep::Interval(_) => Err(format!(
                "{name}() of an interval: numbers of an interval are int or float"
            )),
        },
        // Any other text with parentheses is a text.
        _ => Ok(Sweep::Values(vec![text.to_string()])),
    }
}

fn check_names(function: &str, named: &[(&str, &str)], known: &[&str]) -> Read<()> {
    match named.iter().find(|(name, _)| !known.contains(name)) {
        None => Ok(()),
        Some((name, _)) if known.is_empty() => {
            Err(format!("{function}() has no argument called {name}"))
        }
        Some((name, _)) => {
            let what = format!("argument of {function}()");
            Err(error::unknown(&what, name, known.iter().copied()).to_string())
        }
    }
}

fn range(inside: &str, plain: &[&str], named: &[(&str, &str)]) -> Read<Sweep> {
    check_names("range", named, &["start", "stop", "step"])?;
    let form = "a range is range(stop), range(start, stop) or range(start, stop, step) of numbers";
    let (mut start, mut stop, mut step) = match plain[..] {
        [] => (None, None, None),
        [stop] if named.iter().all(|(name, _)| *name != "stop") => (None, Some(stop), None),
        [start] => (Some(start), None, None),
        [start, stop] => (Some(start), Some(stop), None),
        [start, stop, step] => (Some(start), Some(stop), Some(step)),
        _ => return Err(form.into()),
    };
    for (name, value) in named {
        let place = match *name {
            "start" => &mut start,
            "stop" => &mut stop,
            _ => &mut step,
        };
        if place.replace(value).is_some() {
            return Err(format!("range({inside}) has {name} twice"));
        }
    }
    let stop = stop.ok_or(form)?;
    let values = decimal_range::values(start.unwrap_or("0"), stop, step.unwrap_or("1"))?;
    match values.is_empty() {
        true => Err(format!("range({inside}) has no values")),
        false => Ok(Sweep::Values(values)),
    }
}

fn interval(inside: &str, plain: &[&str], named: &[(&str, &str)]) -> Read<Sweep> {
    check_names("interval", named, &["start", "end"])?;
    let mut ends = plain.to_vec();
    for wanted in ["start", "end"] {
        ends.extend(named.iter().filter(|(n, _)| *n == wanted).map(|(_, v)| *v));
    }
    let numbers: Option<Vec<f64>> = ends.iter().map(|end| end.parse().ok()).collect();
    match numbers.as_deref() {
        Some([low, high]) if low.is_finite() && high.is_finite() && low < high => {
            Ok(Sweep::Interval(Interval {
                low: *low,
                high: *high,
                log: false,
                whole: false,
            }))
        }
        _ => Err(format!(
            "interval({inside}): an interval is interval(start, end), two numbers, the first one less"
        )),
    }
}

/// Reads the arguments of `glob(…)`: a pattern or a list of them, and `exclude`.
fn patterns(plain: &[&str], named: &[(&str, &str)]) -> Read<OptionPatterns> {
    check_names("glob", named, &["include", "exclude"])?;
    let read = |text: &str| -> Read<Vec<glob::Pattern>> {
        let inside = text.strip_prefix('[').and_then(|t| t.strip_suffix(']'));
        split(inside.unwrap_or(text))
            .into_iter()
            .map(|pattern| {
                let pattern = pattern.trim().trim_matches(['"', '\'']);
                glob::Pattern::new(pattern).map_err(|e| format!("glob({pattern}): {e}"))
            })
            .collect()
    };
    let of = |name: &str| named.iter().find(|(n, _)| *n == name).map(|(_, v)| *v);
    let include = match (plain, of("include")) {
        ([one], None) => read(one)?,
        ([], Some(one)) => read(one)?,
        _ => {
            return Err("a glob is glob(PATTERN), glob([PATTERN,PATTERN]), with exclude=PATTERN for what to leave out".into());
        }
    };
    Ok(OptionPatterns {
        include,
        exclude: of("exclude").map_or(Ok(vec![]), read)?,
    })
}

/// `sort(…)` and `shuffle(…)`.
fn reordered(name: &str, plain: &[&str], named: &[(&str, &str)], glob: Glob) -> Read<Sweep> {
    let known: &[&str] = match name {
        "sort" => &["reverse"],
        _ => &["seed"],
    };
    check_names(name, named, known)?;
    if plain.is_empty() {
        return Err(format!("{name}() has no values"));
    }
    // Of a list its elements change places, and it stays one value.
    if let [list] = plain[..]
        && let Some(elements) = list.strip_prefix('[').and_then(|l| l.strip_suffix(']'))
    {
        let values = split(elements).into_iter().map(str::to_string).collect();
        let values = order(name, values, named)?;
        return Ok(Sweep::Values(vec![format!("[{}]", values.join(","))]));
    }
    match read(&plain.join(","), glob)? {
        Sweep::Values(values) => Ok(Sweep::Values(order(name, values, named)?)),
        Sweep::Interval(_) => Err(format!("{name}() of an interval: it has no order")),
    }
}

fn order(name: &str, mut values: Vec<String>, named: &[(&str, &str)]) -> Read<Vec<String>> {
    if name == "shuffle" {
        let seed = match named.first() {
            None => 0,
            Some((_, seed)) => seed
                .parse()
                .map_err(|_| format!("shuffle: the seed should be a whole number, not {seed}"))?,
        };
        let mut generator = Generator::manual_seed(seed);
        // Fisher and Yates.
        for last in (1..values.len()).rev() {
            let other = generator.random64() % (last as u64 + 1);
            values.swap(last, other as usize);
        }
        return Ok(values);
    }
    let numbers: Option<Vec<f64>> = values.iter().map(|v| v.trim().parse().ok()).collect();
    match numbers {
        Some(numbers) => {
            let mut pairs: Vec<(f64, String)> = numbers.into_iter().zip(values).collect();
            pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
            values = pairs.into_iter().map(|(_, value)| value).collect();
        }
        None => values.sort(),
    }
    match named.first() {
        None | Some((_, "false")) => {}
        Some((_, "true")) => values.reverse(),
        Some((_, other)) => {
            return Err(format!(
                "sort: reverse should be true or false, not {other}"
            ));
        }
    }
    Ok(values)
}

/// Casts a value, as Python's `int`, `float`, `str` and `bool` do in hydra.
fn cast(to: &str, text: &str) -> Read<String> {
    let value = flow_yaml::parse(text).map_err(|message| format!("the value {message}"))?;
    let wrong = || format!("{to}({}) is not possible", text.trim());
    let number = match &value {
        Value::Bool(b) => Some(f64::from(u8::from(*b))),
        Value::Number(n) => n.as_f64(),
        Value::String(text) => text.trim().parse::<f64>().ok(),
        _ => None,
    };
    let cast = match to {
        "int" => match &value {
            Value::Number(n) if n.is_i64() || n.is_u64() => value.clone(),
            // The text "1.5" is no whole number, the number 1.5 loses its fraction.
            Value::String(text) => Value::from(text.trim().parse::<i64>().map_err(|_| wrong())?),
            _ => {
                let x = number.filter(|x| x.abs() < 9e15).ok_or_else(wrong)?;
                Value::from(x.trunc() as i64)
            }
        },
        "float" => Value::from(number.ok_or_else(wrong)?),
        "bool" => match &value {
            Value::String(text) => match text.to_lowercase().as_str() {
                "true" => Value::from(true),
                "false" => Value::from(false),
                _ => return Err(wrong()),
            },
            _ => Value::from(number.ok_or_else(wrong)? != 0.0),
        },
        _ => match &value {
            Value::String(_) => value.clone(),
            other => Value::from(write::to_flow(other)),
        },
    };
    Ok(write::to_flow(&cast))
}
