//! The error of a value that does not fit its Rust type, in the terms of a configuration.

use std::fmt;

use serde::de::{self, Expected, Unexpected};
use serde_yaml::Value;

use crate::Error;
use odesync_base::error;

use super::{Origins, tree, write};

/// The error of a value that does not fit its Rust type, with the path of the value.
#[derive(Debug)]
pub(super) struct DeError {
    /// Keys and indices of the path, innermost first.
    path: Vec<String>,
    kind: DeErrorKind,
}

/// The kind of a [`DeError`].
#[derive(Debug)]
pub(super) enum DeErrorKind {
    InvalidType {
        found: String,
        expected: String,
    },
    UnknownField {
        key: String,
        known: Vec<&'static str>,
    },
    UnknownVariant {
        found: String,
        known: Vec<&'static str>,
    },
    MissingField(&'static str),
    Custom(String),
}

impl DeError {
    pub fn new(what: DeErrorKind) -> Self {
        Self {
            path: Vec::new(),
            kind: what,
        }
    }

    pub fn within_key(mut self, key: impl Into<String>) -> Self {
        self.path.push(key.into());
        self
    }

    /// Returns the crate's error for this one, which occurred in the section `root` at `path`.
    pub fn into_error(self, root: &Value, path: &str, origins: &Origins) -> Error {
        let relative: Vec<&str> = self.path.iter().rev().map(String::as_str).collect();
        let mut at = relative.join(".");
        // serde reads an internally tagged enum from a copy, at which the path ends: the wrong value itself may identify the key.
        if let DeErrorKind::InvalidType { found, .. } | DeErrorKind::UnknownVariant { found, .. } =
            &self.kind
            && let Some(key) = tree::get(root, &at).and_then(|value| sole_key_with(value, found))
        {
            at = tree::join(&at, key);
        }
        let full = match at.as_str() {
            "" => path.to_string(),
            at => tree::join(path, at),
        };
        let (full, message) = match self.kind {
            DeErrorKind::InvalidType { found, expected } => {
                let message = format!("should be {expected}, not {found}");
                (full, message)
            }
            DeErrorKind::UnknownVariant { found, known } => {
                let near = match error::nearest(found.trim_matches('"'), known.iter().copied()) {
                    Some(near) => format!(" (did you mean \"{near}\"?)"),
                    None => String::new(),
                };
                let message = format!("cannot be {found}{near}; known: {}", known.join(", "));
                (full, message)
            }
            DeErrorKind::UnknownField { key, known } => {
                let full = tree::join(&full, &key);
                let near = match error::nearest(&key, known.iter().copied()) {
                    Some(near) => format!(" (did you mean \"{near}\"?)"),
                    None => String::new(),
                };
                let known = match known.is_empty() {
                    true => "there are none".to_string(),
                    false => format!("known: {}", known.join(", ")),
                };
                let message = format!("unknown key{near}; {known}");
                (full, message)
            }
            DeErrorKind::MissingField(key) => (tree::join(&full, key), "is missing".to_string()),
            DeErrorKind::Custom(message) => (full, message),
        };
        let origin = origins.of(&full);
        let subject = match full.as_str() {
            "" => "the configuration",
            full => full,
        };
        let colon = match message.starts_with("should") || message.starts_with("is ") {
            true => "",
            false => ":",
        };
        Error::invalid(format!("{subject}{colon} {message} (from {origin})"))
    }
}

/// Returns the only key of a map whose value [`describe`] writes as `found`.
fn sole_key_with<'a>(value: &'a Value, found: &str) -> Option<&'a str> {
    let Value::Mapping(map) = value else {
        return None;
    };
    let mut matching = map
        .iter()
        .filter(|(_, value)| describe(value) == found)
        .filter_map(|(key, _)| key.as_str());
    let key = matching.next()?;
    matching.next().is_none().then_some(key)
}

pub(super) fn describe(value: &Value) -> String {
    match value {
        Value::Sequence(_) | Value::Mapping(_) => tree::kind(value).to_string(),
        Value::String(text) => quoted(text),
        other => write::to_flow(other),
    }
}

pub(super) fn quoted(text: &str) -> String {
    let text: String = match text.chars().count() {
        ..=60 => text.to_string(),
        _ => text.chars().take(55).chain(" …".chars()).collect(),
    };
    format!("{text:?}")
}

fn describe_unexpected(unexpected: &Unexpected<'_>) -> String {
    match unexpected {
        Unexpected::Bool(value) => value.to_string(),
        Unexpected::Unsigned(value) => value.to_string(),
        Unexpected::Signed(value) => value.to_string(),
        Unexpected::Float(value) => write::number(&(*value).into()),
        Unexpected::Str(text) => quoted(text),
        Unexpected::Unit | Unexpected::Option => "null".into(),
        Unexpected::Seq => "a list".into(),
        Unexpected::Map => "a map".into(),
        other => other.to_string(),
    }
}

/// Returns what serde expects, in the terms of a configuration.
pub(super) fn describe_expected(expected: &dyn Expected) -> String {
    let name = expected.to_string();
    match name.as_str() {
        "f32" | "f64" => "a number".into(),
        "u8" | "u16" | "u32" | "u64" | "usize" | "a nonzero usize" | "a nonzero u64" => {
            match name.starts_with("a nonzero") {
                true => "a whole number above 0".into(),
                false => "a whole number that is 0 or above".into(),
            }
        }
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number".into(),
        "a boolean" => "true or false".into(),
        "a string" => "a text (a number as text in quotes)".into(),
        "a sequence" => "a list".into(),
        "unit" => "null".into(),
        name if name.starts_with("struct ") => "a map".into(),
        name if name.starts_with("enum ") || name.starts_with("internally tagged enum ") => {
            "a name or a map with one".into()
        }
        name => {
            // "an array of length 2", "a tuple of size 2", "tuple struct Pair with 2 elements"
            let length = name
                .strip_prefix("an array of length ")
                .or_else(|| name.strip_prefix("a tuple of size "))
                .or_else(|| name.strip_prefix("tuple ")?.rsplit(' ').nth(1));
            match length {
                Some(length) => format!("a list of {length}"),
                None => name.to_string(),
            }
        }
    }
}

impl fmt::Display for DeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.kind)
    }
}

impl std::error::Error for DeError {}

impl de::Error for DeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(DeErrorKind::Custom(message.to_string()))
    }

    fn invalid_type(unexpected: Unexpected<'_>, exp: &dyn Expected) -> Self {
        Self::new(DeErrorKind::InvalidType {
            found: describe_unexpected(&unexpected),
            expected: describe_expected(exp),
        })
    }

    fn invalid_value(unexpected: Unexpected<'_>, exp: &dyn Expected) -> Self {
        Self::invalid_type(unexpected, exp)
    }

    fn invalid_length(length: usize, exp: &dyn Expected) -> Self {
        Self::new(DeErrorKind::InvalidType {
            found: format!("of length {length}"),
            expected: describe_expected(exp),
        })
    }

    fn unknown_variant(variant: &str, known: &'static [&'static str]) -> Self {
        Self::new(DeErrorKind::UnknownVariant {
            found: quoted(variant),
            known: known.to_vec(),
        })
    }

    fn unknown_field(field: &str, known: &'static [&'static str]) -> Self {
        Self::new(DeErrorKind::UnknownField {
            key: field.to_string(),
            known: known.to_vec(),
        })
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(DeErrorKind::MissingField(field))
    }
}
