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
    /// A group, its options, merged in order (`None` leaves the group out), and the file that chooses them (`None` where an
    /// override does).
    Group(String, Option<Vec<String>>, Option<Arc<str>>),
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

/// Returns the names of the options that are chosen, one or a list of them; a name may look like a number. `None` for null.
pub(super) fn option_names(value: &Value) -> std::result::Result<Option<Vec<String>>, String> {
    let name = |one: &Value| match one {
        Value::Bool(value) => Some(value.to_string()),
        Value::Number(value) => Some(value.to_string()),
        Value::String(value) => Some(value.clone()),
        _ => None,
    };
    match value {
        Value::Null => Ok(None),
        Value::Sequence(list) if !list.is_empty() => {
            let names: Option<Vec<String>> = list.iter().map(name).collect();
            names.map(Some).ok_or_else(|| tree::abbreviate(value))
        }
        one => match name(one) {
            Some(name) => Ok(Some(vec![name])),
            None => Err(tree::abbreviate(one)),
        },
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
    let option = match change.value().map(option_names) {
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
            names_text(option.as_deref())
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

/// Returns the chosen options as an override has them.
fn names_text(names: Option<&[String]>) -> String {
    match names {
        None => "null".into(),
        Some([one]) => one.clone(),
        Some(several) => format!("[{}]", several.join(",")),
    }
}

/// Applies `~group` or `~group=option`; returns false where no option of the group was chosen.
fn delete_choice(
    parts: &mut Vec<DefaultsEntry>,
    change: &Override,
    option: Option<Vec<String>>,
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
            names_text(current.as_deref())
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
