//! The space of a search that chooses the values of runs one after another.

use std::collections::BTreeMap;

use super::sweep::SweptKey;
use super::sweep_functions::Interval;
use super::{overrides, sweep_text, write};
use crate::{ConfigSource, Error, Override, Result};

/// The values that a key of a search may have.
#[derive(Debug, Clone, PartialEq)]
pub enum SearchDomain {
    /// One of a list of values, as texts of YAML in one line.
    Choice(Vec<String>),
    /// A number of `[low, high]`.
    Float {
        /// Least number.
        low: f64,
        /// Largest number.
        high: f64,
        /// Whether the logarithm is searched: `tag(log, interval(…))`.
        log: bool,
        /// Distance of two values; `None` for any number.
        step: Option<f64>,
    },
    /// A whole number of `low` to `high`, both among them.
    Int {
        /// Least number.
        low: i64,
        /// Largest number.
        high: i64,
        /// Whether the logarithm is searched.
        log: bool,
        /// Distance of two values.
        step: i64,
    },
}

/// The arguments of a multirun as the space of a search: `interval(0,1)`, `int(interval(8,64))` and `range(1,9,2)` are numbers with
/// their order, `choice(a,b)` and all else are lists without one; an argument with one value is the same in all runs.
///
/// ```
/// use odesync_config::{ConfigSource, SearchSpace};
///
/// let arguments = ["training.lr=tag(log,interval(1e-4,1e-1))", "training=vanilla,homotopy", "random_seed=1"].map(String::from);
/// let space = SearchSpace::read(&arguments, &ConfigSource::find(None))?;
/// let searched: Vec<&str> = space.searched().map(|(key, _)| key).collect();
/// assert_eq!(searched, ["training.lr", "training"]);
/// let values = [("training.lr", "0.01"), ("training", "vanilla")].map(|(k, v)| (k.to_string(), v.to_string()));
/// let run = space.overrides(&values.into())?;
/// let run: Vec<String> = run.iter().map(ToString::to_string).collect();
/// assert_eq!(run, ["training.lr=0.01", "training=vanilla", "random_seed=1"]);
/// # Ok::<(), odesync_config::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct SearchSpace {
    /// The arguments: the key with its signs, and what it may be.
    keys: Vec<(String, SearchedKey)>,
}

#[derive(Debug, Clone, PartialEq)]
enum SearchedKey {
    Fixed(Override),
    Searched(SearchDomain),
}

/// Returns the key without the signs of an override.
fn name(head: &str) -> &str {
    head.trim().trim_start_matches(['+', '~'])
}

impl SearchSpace {
    /// Reads the arguments of a multirun, as [`RandomSearch::draw`](crate::RandomSearch::draw) takes them.
    ///
    /// # Errors
    /// An argument that is none; a key that stands twice; arguments of which none has more than one value.
    pub fn read(arguments: &[String], library: &ConfigSource) -> Result<Self> {
        let mut keys: Vec<(String, SearchedKey)> = Vec::new();
        for argument in arguments {
            let (head, value) = overrides::split(argument);
            let key = match SweptKey::read(argument, library)? {
                SweptKey::Interval(_, interval) => {
                    SearchedKey::Searched(SearchDomain::of_interval(interval))
                }
                SweptKey::Values(values) => match &values[..] {
                    [one] => SearchedKey::Fixed(one.clone()),
                    values => SearchedKey::Searched(SearchDomain::of_values(values, value)),
                },
            };
            if keys.iter().any(|(other, _)| name(other) == name(head)) {
                return Err(Error::invalid(format!(
                    "override `{argument}`: {} stands there twice",
                    name(head)
                )));
            }
            keys.push((head.trim().to_string(), key));
        }
        let space = SearchSpace { keys };
        if space.searched().next().is_none() {
            return Err(Error::invalid(
                "a search needs a key with more than one value: 'training.lr=tag(log,interval(1e-4,1e-1))', 'model.nodes_per_layer=int(interval(8,64))', 'training=choice(vanilla,homotopy)'",
            ));
        }
        Ok(space)
    }

    /// Returns the keys that are searched, and what they may be.
    pub fn searched(&self) -> impl Iterator<Item = (&str, &SearchDomain)> {
        self.keys.iter().filter_map(|(head, key)| match key {
            SearchedKey::Searched(domain) => Some((name(head), domain)),
            SearchedKey::Fixed(_) => None,
        })
    }

    /// Returns the overrides of a run, whose searched keys have these values.
    ///
    /// # Errors
    /// A key without a value; a value that is none of YAML.
    pub fn overrides(&self, values: &BTreeMap<String, String>) -> Result<Vec<Override>> {
        let overrides = self.keys.iter().map(|(head, key)| match key {
            SearchedKey::Fixed(one) => Ok(one.clone()),
            SearchedKey::Searched(domain) => {
                let value = values.get(name(head)).ok_or_else(|| {
                    Error::invalid(format!("the search has chosen no value of {}", name(head)))
                })?;
                Override::from_parts(head, Some(&domain.text(value)))
            }
        });
        overrides.collect()
    }
}

impl SearchDomain {
    /// Returns a value as an argument has it: of 0.1 + 2 · 0.1 the decimal that is meant.
    fn text(&self, value: &str) -> String {
        match (self, value.parse::<f64>()) {
            (SearchDomain::Float { step: Some(_), .. }, Ok(x)) => {
                let rounded = format!("{x:.12e}").parse::<f64>();
                format!("{:?}", rounded.unwrap_or(x))
            }
            _ => value.to_string(),
        }
    }

    fn of_interval(interval: Interval) -> Self {
        let Interval {
            low,
            high,
            log,
            whole,
        } = interval;
        match whole {
            true => SearchDomain::Int {
                low: low.ceil() as i64,
                high: high.floor() as i64,
                log,
                step: 1,
            },
            false => SearchDomain::Float {
                low,
                high,
                log,
                step: None,
            },
        }
    }

    /// Returns the domain of at least two values. Those of a range have an order and one distance.
    fn of_values(values: &[Override], text: Option<&str>) -> Self {
        let call = text.and_then(sweep_text::call);
        let range = call.filter(|(name, _)| *name == "range");
        let number = |value: &Override| value.value().cloned().unwrap_or_default();
        let all: Vec<_> = values.iter().map(number).collect();
        if range.is_some() {
            let whole: Option<Vec<i64>> = all.iter().map(|v| v.as_i64()).collect();
            if let Some([first, second, ..]) = whole.as_deref()
                && let Some(last) = whole.as_deref().and_then(<[i64]>::last)
            {
                return SearchDomain::Int {
                    low: *first.min(last),
                    high: *first.max(last),
                    log: false,
                    step: (second - first).abs(),
                };
            }
            let numbers: Option<Vec<f64>> = all.iter().map(|v| v.as_f64()).collect();
            if let Some([first, second, ..]) = numbers.as_deref()
                && let Some(last) = numbers.as_deref().and_then(<[f64]>::last)
            {
                return SearchDomain::Float {
                    low: first.min(*last),
                    high: first.max(*last),
                    log: false,
                    step: Some((second - first).abs()),
                };
            }
        }
        let mut texts: Vec<String> = Vec::new();
        for text in all.iter().map(write::to_flow) {
            if !texts.contains(&text) {
                texts.push(text);
            }
        }
        SearchDomain::Choice(texts)
    }
}
