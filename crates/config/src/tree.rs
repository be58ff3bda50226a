//! Trees of values: paths, kinds, merging, and the bounds that every tree keeps.

use std::sync::Arc;

use serde_yaml::{Mapping, Value};

use crate::{Error, Result};

use super::origin::Origins;
use super::write;

/// Levels of maps and lists within each other.
pub(super) const MAX_DEPTH: usize = 32;
/// Values of all kinds, in maps and lists of all levels.
pub(super) const MAX_VALUES: usize = 20_000;
/// Bytes of all texts and keys together.
pub(super) const MAX_TEXT: usize = 1 << 16;
/// Characters of a key: YAML wants a colon within 1024 bytes of an ordinary key's beginning, and one character may take ten.
pub(super) const MAX_KEY: usize = 100;

/// What is counted of a tree against its bounds.
#[derive(Debug, Default)]
pub(super) struct Budget {
    values: usize,
    text: usize,
}

impl Budget {
    /// Counts one value, `depth` levels below the top.
    pub fn value(&mut self, depth: usize) -> std::result::Result<(), String> {
        self.values += 1;
        if depth > MAX_DEPTH {
            return Err(format!(
                "maps and lists are nested more than {MAX_DEPTH} levels deep"
            ));
        }
        if self.values > MAX_VALUES {
            return Err(format!(
                "there are more than {MAX_VALUES} values: keep data in a data file"
            ));
        }
        Ok(())
    }

    /// Counts a text.
    pub fn text(&mut self, text: &str) -> std::result::Result<(), String> {
        self.text += text.len();
        if self.text > MAX_TEXT {
            return Err(format!(
                "the texts together are longer than {MAX_TEXT} bytes"
            ));
        }
        Ok(())
    }

    /// Counts a key.
    pub fn key(&mut self, key: &str) -> std::result::Result<(), String> {
        if key.chars().count() > MAX_KEY {
            return Err(format!("a key is longer than {MAX_KEY} characters"));
        }
        if key == "<<" {
            return Err(
                "merge keys (<<) are not known: build on another file with `defaults`".into(),
            );
        }
        self.text(key)
    }
}

/// Whether a tree keeps the bounds, so that what is saved can be read again.
pub(super) fn check(value: &Value) -> Result<()> {
    fn visit(value: &Value, depth: usize, budget: &mut Budget) -> std::result::Result<(), String> {
        budget.value(depth)?;
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
            Value::String(text) => budget.text(text),
            Value::Sequence(list) => list
                .iter()
                .try_for_each(|element| visit(element, depth + 1, budget)),
            Value::Mapping(map) => map.iter().try_for_each(|(key, value)| {
                let key = key.as_str().ok_or("a key is not text")?;
                budget.key(key)?;
                visit(value, depth + 1, budget)
            }),
            Value::Tagged(_) => Err("a value has a YAML tag (!…): tags are not known".into()),
        }
    }
    visit(value, 0, &mut Budget::default())
        .map_err(|message| Error::invalid(format!("this is no configuration: {message}")))
}

/// The value at a path; the empty path is the whole.
pub(super) fn get<'a>(root: &'a Value, path: &str) -> Option<&'a Value> {
    if path.is_empty() {
        return Some(root);
    }
    path.split('.').try_fold(root, child)
}

/// A map's value or a list's element.
pub(super) fn child<'a>(value: &'a Value, segment: &str) -> Option<&'a Value> {
    match value {
        Value::Mapping(map) => map.get(segment),
        Value::Sequence(list) => list.get(segment.parse::<usize>().ok()?),
        _ => None,
    }
}

/// As [`get`], to change it.
pub(super) fn get_mut<'a>(root: &'a mut Value, path: &str) -> Option<&'a mut Value> {
    path.split('.')
        .try_fold(root, |value, segment| match value {
            Value::Mapping(map) => map.get_mut(segment),
            Value::Sequence(list) => list.get_mut(segment.parse::<usize>().ok()?),
            _ => None,
        })
}

/// The path of `key` below `path`.
pub(super) fn join(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_string()
    } else {
        format!("{path}.{key}")
    }
}

/// What a value is, in words.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Sequence(_) => "a list",
        Value::Mapping(_) => "a map",
        Value::Tagged(_) => "a tagged value",
    }
}

/// A value in few characters, for messages.
pub(super) fn abbreviate(value: &Value) -> String {
    let text = write::to_flow(value);
    if text.chars().count() <= 50 {
        return text;
    }
    let begin: String = text.chars().take(45).collect();
    format!("{begin} …")
}

/// The keys of a map that are text: all of them, in a checked tree.
pub(super) fn keys(map: &Mapping) -> impl Iterator<Item = &str> {
    map.keys().filter_map(Value::as_str)
}

/// Puts `from` over `into`: maps key by key, all else replaced.
pub(super) fn merge(
    into: &mut Mapping,
    from: Mapping,
    path: &str,
    file: &Arc<str>,
    origins: &mut Origins,
) {
    for (key, value) in from {
        let path = join(path, key.as_str().unwrap_or_default());
        if let Value::Mapping(from) = value {
            if !matches!(into.get(&key), Some(Value::Mapping(_))) {
                origins.forget(&path);
                origins.record(&path, file);
                into.insert(key.clone(), Value::Mapping(Mapping::new()));
            }
            if let Some(Value::Mapping(into)) = into.get_mut(&key) {
                merge(into, from, &path, file, origins);
            }
        } else {
            origins.forget(&path);
            origins.record(&path, file);
            into.insert(key, value);
        }
    }
}
