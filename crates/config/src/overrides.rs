//! Overrides and their grammar: `a.b=v`, `+a.b=v`, `++a.b=v`, `~a.b`.

use std::fmt;
use std::str::FromStr;

use serde_yaml::Value;

use crate::{Error, Result};

use super::{flow_yaml, sweep, write};

/// An override, one change of a configuration in the form of the command line; see [the crate](crate) for the forms.
///
/// ```
/// use odesync_config::Override;
///
/// let change: Override = "training.lr=1e-3".parse()?;
/// assert_eq!(change.key(), "training.lr");
/// assert_eq!(change.value().and_then(|v| v.as_f64()), Some(0.001));
/// assert_eq!(change.to_string(), "training.lr=0.001");
/// # Ok::<(), odesync_config::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Override {
    pub(super) action: OverrideType,
    key: String,
    value: Option<Value>,
}

/// The type of an override: what it does with its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OverrideType {
    /// `a=v`: sets the value of a key that must exist.
    Set,
    /// `+a=v`: adds a key that must not exist.
    Add,
    /// `++a=v`: adds a key or replaces its value.
    ForceAdd,
    /// `~a` or `~a=v`: deletes a key that must exist.
    Delete,
}

impl OverrideType {
    fn prefix(self) -> &'static str {
        match self {
            OverrideType::Set => "",
            OverrideType::Add => "+",
            OverrideType::ForceAdd => "++",
            OverrideType::Delete => "~",
        }
    }
}

impl Override {
    /// Returns the key: a path such as `training.lr`, or the name of a group.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Returns the value; a deletion may have none.
    pub fn value(&self) -> Option<&Value> {
        self.value.as_ref()
    }

    /// Creates the override `key=value`.
    pub(super) fn set(key: &str, value: Value) -> Result<Self> {
        check_key(key, key)?;
        Ok(Self {
            action: OverrideType::Set,
            key: key.to_string(),
            value: Some(value),
        })
    }

    /// Parses the override `head=value`, where `head` is the key with its prefix.
    pub(super) fn from_parts(head: &str, value: Option<&str>) -> Result<Self> {
        let head = head.trim();
        let (action, key) = if let Some(key) = head.strip_prefix("++") {
            (OverrideType::ForceAdd, key)
        } else if let Some(key) = head.strip_prefix('+') {
            (OverrideType::Add, key)
        } else if let Some(key) = head.strip_prefix('~') {
            (OverrideType::Delete, key)
        } else {
            (OverrideType::Set, head)
        };
        let whole = || match value {
            Some(value) => format!("{head}={value}"),
            None => head.to_string(),
        };
        check_key(key, &whole())?;
        let value = match value {
            Some(text) => Some(flow_yaml::parse(text).map_err(|message| {
                Error::invalid(format!("override `{}`: the value {message}", whole()))
            })?),
            None if action == OverrideType::Delete => None,
            None => {
                return Err(Error::invalid(format!(
                    "override `{head}` has no value: write {head}=VALUE, or ~{key} to delete it"
                )));
            }
        };
        Ok(Self {
            action,
            key: key.to_string(),
            value,
        })
    }
}

/// Returns the parts of `text` before and after the first `=`.
pub(super) fn split(text: &str) -> (&str, Option<&str>) {
    match text.split_once('=') {
        Some((head, value)) => (head, Some(value)),
        None => (text, None),
    }
}

fn check_key(key: &str, whole: &str) -> Result<()> {
    let good = |segment: &str| {
        !segment.is_empty()
            && !segment.starts_with('-')
            && segment
                .chars()
                .all(|c| c.is_alphanumeric() || c == '_' || c == '-')
    };
    if key.split('.').all(good) {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "override `{whole}`: \"{key}\" is not a key: an override is KEY=VALUE, +KEY=VALUE, ++KEY=VALUE or ~KEY, the key being letters, \
         digits, _ and - with dots between (training.lr=0.1)"
    )))
}

impl FromStr for Override {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (head, value) = split(text);
        if let Some(value) = value
            && sweep::is_sweep(value)
        {
            return Err(Error::invalid(format!(
                "override `{text}` has several values: a multirun (-m) runs each of them; for a list write {head}=[…], for one \
                     text put it in quotes"
            )));
        }
        let cast = value.and_then(sweep::cast).transpose();
        let cast = cast.map_err(|m| Error::invalid(format!("override `{text}`: {m}")))?;
        Self::from_parts(head, cast.as_deref().or(value))
    }
}

impl fmt::Display for Override {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.action.prefix(), self.key)?;
        match &self.value {
            Some(value) => write!(f, "={}", write::to_flow(value)),
            None => Ok(()),
        }
    }
}
