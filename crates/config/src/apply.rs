//! The application of overrides to single values of a tree.

use std::sync::Arc;

use serde_yaml::{Mapping, Value};

use crate::{Error, Result};
use odesync_base::error;

use super::Override;
use super::interpolate;
use super::origin::Origins;
use super::overrides::OverrideType;
use super::renamed;
use super::tree;

/// Applies one override to a tree.
pub(super) fn apply(root: &mut Value, origins: &mut Origins, change: &Override) -> Result<()> {
    let origin: Arc<str> = format!("the override `{change}`").into();
    renamed::check_override(change)?;
    let key = change.key();
    let value = || change.value().cloned().unwrap_or(Value::Null);
    match change.action {
        OverrideType::Set => {
            let Some(place) = tree::get_mut(root, key) else {
                let hint = format!("; to add it write +{change}");
                return Err(unknown_key(root, origins, key, &hint));
            };
            *place = coerce(place, value(), change)?;
        }
        OverrideType::Add => {
            if let Some(present) = tree::get(root, key) {
                return Err(Error::invalid(format!(
                    "override `{change}`: {key} is there already, it is {} (from {}); to change it drop the +",
                    tree::abbreviate(present),
                    origins.of(key)
                )));
            }
            add(root, origins, change, value())?;
        }
        OverrideType::ForceAdd => match tree::get_mut(root, key) {
            Some(place) => *place = value(),
            None => add(root, origins, change, value())?,
        },
        OverrideType::Delete => {
            delete(root, origins, change)?;
            origins.forget(key);
            return Ok(());
        }
    }
    origins.forget(key);
    origins.record(key, &origin);
    Ok(())
}

/// Returns the value of an override that replaces `present`, converted to the kind of that, or the error where it is of another
/// kind.
fn coerce(present: &Value, given: Value, change: &Override) -> Result<Value> {
    let refers = |value: &Value| value.as_str().is_some_and(interpolate::is_reference);
    let fits = match (present, &given) {
        // The kind of value that the key should have is not known.
        (Value::Null | Value::String(_), _) => true,
        (_, Value::Null) => true,
        (Value::Bool(_), Value::Bool(_))
        | (Value::Number(_), Value::Number(_))
        | (Value::Sequence(_), Value::Sequence(_))
        | (Value::Mapping(_), Value::Mapping(_)) => true,
        (_, given) => refers(given),
    };
    if !fits {
        return Err(Error::invalid(format!(
            "override `{change}`: {} is {}, it should become {} again, not {}; ++{change} replaces it all the same",
            change.key(),
            tree::abbreviate(present),
            tree::kind(present),
            tree::abbreviate(&given)
        )));
    }
    // 1 instead of 0.5 becomes 1.0, so that the value is still a float.
    if let (Value::Number(present), Value::Number(number)) = (present, &given)
        && present.is_f64()
        && !number.is_f64()
        && let Some(float) = number.as_f64().filter(|x| x.abs() < (1u64 << 53) as f64)
    {
        return Ok(Value::Number(float.into()));
    }
    Ok(given)
}

/// Adds a value at a path that does not exist, with the maps on the way there.
fn add(root: &mut Value, origins: &Origins, change: &Override, value: Value) -> Result<()> {
    let key = change.key();
    let mut place = root;
    let mut path = String::new();
    for segment in key.split('.') {
        if place.is_null() {
            *place = Value::Mapping(Mapping::new());
        }
        place = match place {
            Value::Mapping(map) => map.entry(segment.into()).or_insert(Value::Null),
            Value::Sequence(list) => {
                let length = list.len();
                let element = segment
                    .parse::<usize>()
                    .ok()
                    .and_then(|index| list.get_mut(index));
                match element {
                    Some(element) => element,
                    None => {
                        return Err(Error::invalid(format!(
                            "override `{change}`: {path} is a list of {length}, to which no {segment} can be added: give the whole list, \
                             {path}=[…]"
                        )));
                    }
                }
            }
            other => {
                return Err(Error::invalid(format!(
                    "override `{change}`: {path} is {} (from {}), which has no keys",
                    tree::abbreviate(other),
                    origins.of(&path)
                )));
            }
        };
        path = tree::join(&path, segment);
    }
    *place = value;
    Ok(())
}

fn delete(root: &mut Value, origins: &Origins, change: &Override) -> Result<()> {
    let key = change.key();
    let Some(present) = tree::get(root, key) else {
        return Err(unknown_key(root, origins, key, ""));
    };
    if let Some(expected) = change.value() {
        let equal = match (present, expected) {
            (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
            (a, b) => a == b,
        };
        if !equal {
            return Err(Error::invalid(format!(
                "override `{change}`: {key} is {} (from {})",
                tree::abbreviate(present),
                origins.of(key)
            )));
        }
    }
    let (above, last) = key.rsplit_once('.').unwrap_or(("", key));
    let above_value = match above {
        "" => Some(root),
        above => tree::get_mut(root, above),
    };
    match above_value {
        Some(Value::Mapping(map)) => {
            map.shift_remove(last);
            Ok(())
        }
        _ => Err(Error::invalid(format!(
            "override `{change}`: {above} is a list: give the whole list, {above}=[…]"
        ))),
    }
}

/// Returns the error for a path that does not exist: how far it exists, the known keys there, and the file it would be in.
pub(super) fn unknown_key(root: &Value, origins: &Origins, key: &str, hint: &str) -> Error {
    let mut found = root;
    let mut path = String::new();
    let mut missing = key;
    for segment in key.split('.') {
        let Some(next) = tree::child(found, segment) else {
            missing = segment;
            break;
        };
        found = next;
        path = tree::join(&path, segment);
    }
    let file = origins.of(&path);
    let map = match found {
        Value::Mapping(map) => map,
        Value::Sequence(list) => {
            return Error::invalid(format!(
                "unknown key \"{key}\": {path} is a list of {}, whose elements are {path}.0, {path}.1 and so on (from {file})",
                list.len()
            ));
        }
        other => {
            return Error::invalid(format!(
                "unknown key \"{key}\": {path} is {}, which has no keys (from {file}){hint}",
                tree::abbreviate(other)
            ));
        }
    };
    let known: Vec<String> = tree::keys(map).map(|key| tree::join(&path, key)).collect();
    // `lr=0.1` most likely means a key of the same name elsewhere; the next guess is a similar key here.
    let elsewhere = match key.contains('.') {
        true => None,
        false => find_key(root, key, String::new()),
    };
    let near = elsewhere
        .or_else(|| error::nearest(missing, tree::keys(map)).map(|near| tree::join(&path, near)));
    let near = match near {
        Some(near) => format!(" (did you mean \"{near}\"?)"),
        None => String::new(),
    };
    let known = match known.is_empty() {
        true => "there are none".to_string(),
        false => format!("known: {}", known.join(", ")),
    };
    Error::invalid(format!(
        "unknown key \"{key}\"{near}: it would stand in {file}; {known}{hint}"
    ))
}

/// Returns the path of the first key called `name` in `value`, which is at `path`.
fn find_key(value: &Value, name: &str, path: String) -> Option<String> {
    let Value::Mapping(map) = value else {
        return None;
    };
    if map.contains_key(name) {
        return Some(tree::join(&path, name));
    }
    map.iter()
        .find_map(|(key, value)| find_key(value, name, tree::join(&path, key.as_str()?)))
}
