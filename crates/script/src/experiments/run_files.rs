//! The files next to a run's checkpoint, `result.json` and `config.yaml`, as tables with whatever keys they have.

use std::fmt;
use std::path::Path;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_yaml::Value;

use super::run_dir::{CONFIG_FILE, RESULT_FILE};
use crate::tracking::Hyperparameter;
use crate::{Error, Result};
use odesync_base::tables::TableCell;

/// Largest number of characters of a list or a text in a cell.
const MAX_CELL_WIDTH: usize = 40;

/// Reads a file; `None` if it is missing.
fn read(path: &Path) -> Result<Option<Vec<u8>>> {
    match odesync_base::files::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(Error::io("read", path, &e)),
    }
}

/// Returns the entries of a run's `result.json`, in the order of the file.
pub(super) fn result(folder: &Path) -> Result<Vec<(String, TableCell)>> {
    let path = folder.join(RESULT_FILE);
    let Some(bytes) = read(&path)? else {
        return Ok(Vec::new());
    };
    let entries: Entries = serde_json::from_slice(&bytes).map_err(|e| {
        // serde_json ends its message with line and column, which the error reports itself.
        let fault = e.to_string();
        let fault = fault.split(" at line ").next().unwrap_or(&fault);
        Error::Data {
            file: path,
            line: Some(e.line()).filter(|_| !e.is_data()),
            column: Some(e.column()).filter(|_| !e.is_data()),
            message: match e.is_data() {
                true => "the results of a run are one JSON object, { \"name\": value, ... }".into(),
                false => format!("the JSON is broken: {fault}"),
            },
        }
    })?;
    Ok(entries.0)
}

/// Returns the settings in a run's `config.yaml` by their paths, such as `training.lr`, in the order of the file.
pub(super) fn settings(folder: &Path) -> Result<Option<Vec<(String, Value)>>> {
    let path = folder.join(CONFIG_FILE);
    let Some(bytes) = read(&path)? else {
        return Ok(None);
    };
    let value: Value = serde_yaml::from_slice(&bytes).map_err(|e| Error::Data {
        line: e.location().map(|l| l.line()),
        column: e.location().map(|l| l.column()),
        file: path,
        message: format!(
            "this is not a configuration: {}",
            odesync_config::syntax_message(&e, &String::from_utf8_lossy(&bytes))
        ),
    })?;
    let mut settings = Vec::new();
    flatten("", value, &mut settings);
    Ok(Some(settings))
}

/// Returns the settings of a run as trackers take them, without those that are null; `None` without a `config.yaml`.
pub(super) fn hyperparameters(folder: &Path) -> Result<Option<Vec<(String, Hyperparameter)>>> {
    let Some(settings) = settings(folder)? else {
        return Ok(None);
    };
    let convert = |(name, value): (String, Value)| {
        let value = match value {
            Value::Null => return None,
            Value::Bool(b) => Hyperparameter::Bool(b),
            Value::Number(n) => Hyperparameter::Number(n.as_f64().unwrap_or(f64::NAN)),
            other => Hyperparameter::Text(text(&other)),
        };
        Some((name, value))
    };
    Ok(Some(settings.into_iter().filter_map(convert).collect()))
}

/// Appends the value and its path; maps are flattened recursively, lists are values. The YAML reader bounds the nesting depth.
fn flatten(path: &str, value: Value, into: &mut Vec<(String, Value)>) {
    let Value::Mapping(map) = value else {
        into.push((path.into(), value));
        return;
    };
    for (key, value) in map {
        let key = match key {
            Value::String(key) => key,
            other => text(&other),
        };
        let inner = match path {
            "" => key,
            path => format!("{path}.{key}"),
        };
        flatten(&inner, value, into);
    }
}

/// Converts a setting to the cell of a table.
pub(super) fn cell(value: &Value) -> TableCell {
    match value {
        Value::Null => TableCell::Text("null".into()),
        Value::Number(n) => match (n.as_i64(), n.as_f64()) {
            (Some(n), _) => TableCell::Count(n),
            (None, x) => TableCell::Number(x.unwrap_or(f64::NAN)),
        },
        other => TableCell::Text(truncate(&text(other))),
    }
}

/// Formats a value on one line.
fn text(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Bool(b) => b.to_string(),
        Value::Number(n) => n.to_string(),
        Value::String(text) => text.clone(),
        Value::Sequence(list) => {
            let items: Vec<String> = list.iter().map(text).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Mapping(map) => {
            let entries = map.iter().map(|(k, v)| format!("{}: {}", text(k), text(v)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
        Value::Tagged(tagged) => text(&tagged.value),
    }
}

fn truncate(text: &str) -> String {
    match text.char_indices().nth(MAX_CELL_WIDTH) {
        None => text.into(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

/// A JSON object with its entries in the order of the file.
struct Entries(Vec<(String, TableCell)>);

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserializer.deserialize_map(EntriesVisitor)
    }
}

struct EntriesVisitor;

impl<'de> Visitor<'de> for EntriesVisitor {
    type Value = Entries;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Entries, A::Error> {
        let mut entries = Vec::new();
        while let Some((key, value)) = map.next_entry::<String, serde_json::Value>()? {
            let cell = match value {
                serde_json::Value::Null => TableCell::Empty,
                serde_json::Value::String(text) => TableCell::Text(truncate(&text)),
                serde_json::Value::Number(n) => match (n.as_i64(), n.as_f64()) {
                    (Some(n), _) => TableCell::Count(n),
                    (None, x) => TableCell::Number(x.unwrap_or(f64::NAN)),
                },
                other => TableCell::Text(truncate(&other.to_string())),
            };
            entries.push((key, cell));
        }
        Ok(Entries(entries))
    }
}
