//! The `defaults` list: its entries, the choices of groups, and the overrides that change them.

use std::sync::Arc;

use serde_yaml::{Mapping, Value};

use crate::{Error, Result};

use super::overrides::OverrideType;
use super::{ConfigSource, Override, tree};

/// An entry of the list of parts that are merged in order.
pub(super) enum DefaultsEntry {
    /// A file's own keys.
    SelfKeys(Arc<str>, Mapping),
    /// A group, its option (`None` leaves the group out), and the file that chooses it (`None` where an override does).
    Group(String, Option<String>, Option<Arc<str>>),
}

impl DefaultsEntry {
    pub fn is_group(&self, name: &str) -> bool {
        matches!(self, DefaultsEntry::Group(group, ..) if group == name)
    }
}

/// Sets the choice of a group: replaces the entry of the group, or appends one where there is none.
pub(super) fn set_choice(parts: &mut Vec<DefaultsEntry>, choice: DefaultsEntry) {
    let entry = parts.iter_mut().find(|part| match (part, &choice) {
        (DefaultsEntry::Group(group, ..), DefaultsEntry::Group(chosen, ..)) => group == chosen,
        _ => false,
    });
    match entry {
        Some(entry) => *entry = choice,
        None => parts.push(choice),
    }
}

/// Returns the name of an option, which may look like a number; `None` for null.
pub(super) fn option_name(value: &Value) -> std::result::Result<Option<String>, String> {
    match value {
        Value::Null => Ok(None),
        Value::Bool(value) => Ok(Some(value.to_string())),
        Value::Number(value) => Ok(Some(value.to_string())),
        Value::String(value) => Ok(Some(value.clone())),
        other => Err(tree::abbreviate(other)),
    }
}

/// Applies an override that chooses an option; returns false where the override is of a value.
pub(super) fn apply_choice(
    library: &ConfigSource,
    parts: &mut Vec<DefaultsEntry>,
    change: &Override,
    file: &Arc<str>,
) -> Result<bool> {
    let group = change.key();
    if !library.has_group(group) {
        return Ok(false);
    }
    let present = parts
        .iter()
        .any(|part| matches!(part, DefaultsEntry::Group(name, Some(_), _) if name == group));
    let listed = parts.iter().any(|part| part.is_group(group));
    let inline = parts
        .iter()
        .any(|part| matches!(part, DefaultsEntry::SelfKeys(_, keys) if keys.contains_key(group)));
    let option = match change.value().map(option_name) {
        None => None,
        Some(Ok(option)) => option,
        // A whole section instead of an option is a value as any other, for the overrides that may replace any value.
        Some(Err(_)) if change.action != OverrideType::Set => return Ok(false),
        Some(Err(given)) => {
            return Err(Error::invalid(format!(
                "override `{change}`: {group} is chosen by name, {group}=OPTION (known: {}), not by {given}; set single values as \
                 {group}.KEY=VALUE, or replace it as a whole with ++{change}",
                library.options(group)?.join(", ")
            )));
        }
    };
    match change.action {
        OverrideType::Set if !listed && !inline => Err(Error::invalid(format!(
            "override `{change}`: {file} chooses no {group}; to add one write +{change}"
        ))),
        OverrideType::Add if present || inline => Err(Error::invalid(format!(
            "override `{change}`: {file} has its {group} already; to choose another drop the +: {group}={}",
            option.unwrap_or_else(|| "null".into())
        ))),
        OverrideType::Delete => delete_choice(parts, change, option),
        OverrideType::Set | OverrideType::Add | OverrideType::ForceAdd => {
            if !listed && inline {
                // The choice replaces a section in the file itself, as in a saved configuration.
                for part in parts.iter_mut() {
                    if let DefaultsEntry::SelfKeys(_, keys) = part {
                        keys.shift_remove(group);
                    }
                }
            }
            set_choice(parts, DefaultsEntry::Group(group.to_string(), option, None));
            Ok(true)
        }
    }
}

/// Applies `~group` or `~group=option`; returns false where no option of the group was chosen.
fn delete_choice(
    parts: &mut Vec<DefaultsEntry>,
    change: &Override,
    option: Option<String>,
) -> Result<bool> {
    let group = change.key();
    let chosen = parts.iter().position(|part| part.is_group(group));
    let Some(DefaultsEntry::Group(_, current, _)) = chosen.and_then(|index| parts.get(index))
    else {
        return Ok(false);
    };
    if change.value().is_some() && *current != option {
        return Err(Error::invalid(format!(
            "override `{change}`: {group} is {}",
            current.as_deref().unwrap_or("null")
        )));
    }
    parts.retain(|part| !part.is_group(group));
    for part in parts {
        if let DefaultsEntry::SelfKeys(_, keys) = part {
            keys.shift_remove(group);
        }
    }
    Ok(true)
}
