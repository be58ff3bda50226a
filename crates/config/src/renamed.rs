//! Keys that have a new name: files that still have the old one are read, with a note; overrides are told the new one.

use serde_yaml::{Mapping, Value};

use crate::{Error, Result};

use super::{Override, tree};

/// A key that older configurations have under another name. A program submits its own with `inventory::submit!`; both paths begin
/// in the same group or map and differ in the last word only.
#[derive(Debug, Clone, Copy)]
pub struct RenamedKey {
    /// The path of before, for example `odesolve.method`.
    pub old: &'static str,
    /// The path of today.
    pub new: &'static str,
}

inventory::collect!(RenamedKey);

fn all() -> impl Iterator<Item = &'static RenamedKey> {
    inventory::iter::<RenamedKey>.into_iter()
}

/// Splits a path into the map it leads to and the key there.
fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('.').unwrap_or(("", path))
}

/// Today's name of the key at `path`.
pub(super) fn current(path: &str) -> Option<&'static str> {
    all().find(|key| key.old == path).map(|key| key.new)
}

/// Gives the keys of one file their new names, in place and order. `prefix` is the path of `map`, a group or nothing; what was
/// renamed comes back as notes.
///
/// # Errors
/// A file that has a key under both names.
pub(super) fn rename_keys(map: &mut Mapping, prefix: &str, file: &str) -> Result<Vec<String>> {
    let mut notes = Vec::new();
    for key in all() {
        let (parent, old) = split(key.old);
        let new = split(key.new).1;
        let Some(parent) = relative(parent, prefix).and_then(|path| descend(map, path)) else {
            continue;
        };
        if !parent.contains_key(old) {
            continue;
        }
        if parent.contains_key(new) {
            return Err(Error::invalid(format!(
                "{file}: {} is the former name of {}, and the file has both: leave {old} out",
                key.old, key.new
            )));
        }
        let renamed = std::mem::take(parent).into_iter().map(|(name, value)| {
            let is_old = name.as_str() == Some(old);
            (if is_old { new.into() } else { name }, value)
        });
        *parent = renamed.collect();
        notes.push(format!(
            "{file}: {} is now called {}; it was read as that",
            key.old, key.new
        ));
    }
    Ok(notes)
}

/// `path` as seen from `prefix`; `None` where it does not lie below.
fn relative<'a>(path: &'a str, prefix: &str) -> Option<&'a str> {
    match (path.strip_prefix(prefix)?, prefix) {
        (rest, "") => Some(rest),
        ("", _) => Some(""),
        (rest, _) => rest.strip_prefix('.'),
    }
}

/// The map at a path below `map`.
fn descend<'a>(map: &'a mut Mapping, path: &str) -> Option<&'a mut Mapping> {
    path.split('.')
        .filter(|segment| !segment.is_empty())
        .try_fold(map, |map, segment| {
            map.get_mut(segment).and_then(Value::as_mapping_mut)
        })
}

/// Refuses an override that sets, adds or deletes a key under its former name, alone or within a map.
///
/// # Errors
/// Such an override; the message says how it is written now.
pub(super) fn check_override(change: &Override) -> Result<()> {
    for renamed in all() {
        let within = renamed
            .old
            .strip_prefix(change.key())
            .and_then(|rest| match rest {
                "" => Some(true),
                rest => Some(tree::get(change.value()?, rest.strip_prefix('.')?).is_some()),
            });
        if within == Some(true) {
            let text = change.to_string();
            let (old, new) = match renamed.old == change.key() {
                true => (renamed.old, renamed.new),
                false => (split(renamed.old).1, split(renamed.new).1),
            };
            return Err(Error::invalid(format!(
                "override `{change}`: {} is now called {}: write {}",
                renamed.old,
                renamed.new,
                text.replacen(old, new, 1)
            )));
        }
    }
    Ok(())
}
