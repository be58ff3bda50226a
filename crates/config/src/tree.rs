//! Trees of values: paths, kinds, merging, and the bounds on every tree.

use std::sync::Arc;

use serde_yaml::{Mapping, Value};

use crate::{Error, Result};

use super::origin::Origins;
use super::write;

/// Largest depth of nested maps and lists.
pub(super) const MAX_DEPTH: usize = 32;
/// Largest number of values of a tree, of all kinds and on all levels.
pub(super) const MAX_VALUES: usize = 20_000;
/// Largest number of bytes of all texts and keys of a tree together.
pub(super) const MAX_TEXT: usize = 1 << 16;
/// Largest number of characters of a key: YAML requires the colon within 1024 bytes of the beginning of an ordinary key, and one
/// character may take ten bytes.
pub(super) const MAX_KEY: usize = 100;

/// Counts of a tree's values and text, which are checked against the bounds.
#[derive(Debug, Default)]
pub(super) struct Budget {
    values: usize,
    text: usize,
}

impl Budget {
    /// Counts one value, `depth` levels below the root.
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

/// Checks that a tree is within the bounds, so that its saved form can be read again.
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

/// Returns the value at a path; the empty path is the whole tree.
pub(super) fn get<'a>(root: &'a Value, path: &str) -> Option<&'a Value> {
    if path.is_empty() {
        return Some(root);
    }
    path.split('.').try_fold(root, child)
}

/// Returns the value of a map's key, or the element of a list, of this name.
pub(super) fn child<'a>(value: &'a Value, segment: &str) -> Option<&'a Value> {
    match value {
        Value::Mapping(map) => map.get(segment),
        Value::Sequence(list) => list.get(segment.parse::<usize>().ok()?),
        _ => None,
    }
}

/// Returns the value at a path that is not empty, as mutable.
pub(super) fn get_mut<'a>(root: &'a mut Value, path: &str) -> Option<&'a mut Value> {
    path.split('.')
        .try_fold(root, |value, segment| match value {
            Value::Mapping(map) => map.get_mut(segment),
            Value::Sequence(list) => list.get_mut(segment.parse::<usize>().ok()?),
            _ => None,
        })
}

/// Returns the path of `key` below `path`.
pub(super) fn join(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_string()
    } else {
        format!("{path}.{key}")
    }
}

/// Returns the kind of a value, in words.
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

/// Returns a value in few characters, for messages.
pub(super) fn abbreviate(value: &Value) -> String {
    let text = write::to_flow(value);
    if text.chars().count() <= 50 {
        return text;
    }
    let begin: String = text.chars().take(45).collect();
    format!("{begin} …")
}

/// Returns the keys of a map that are text, which in a checked tree are all keys.
pub(super) fn keys(map: &Mapping) -> impl Iterator<Item = &str> {
    map.keys().filter_map(Value::as_str)
}

/// Merges `from` into `into`: maps are merged key by key, other values are replaced.
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
