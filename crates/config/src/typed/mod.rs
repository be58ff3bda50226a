//! The reader of a part of a tree as a Rust type, with errors that name the key.

mod de_error;
mod value_deserializer;

use odesync_base::options::{Key, Mismatch};
use serde::de::DeserializeOwned;
use serde_yaml::Value;

use crate::{Error, Result};

use super::origin::Origins;
use super::{tree, write};

use de_error::{DeError, DeErrorKind};
use value_deserializer::ValueDeserializer;

/// Reads a value, which is at `path`, as a Rust type.
pub(super) fn read<T: DeserializeOwned>(value: &Value, path: &str, origins: &Origins) -> Result<T> {
    T::deserialize(ValueDeserializer(value)).map_err(|fault| fault.into_error(value, path, origins))
}

/// What is wrong with a map of options.
#[derive(Debug)]
pub(super) enum OptionFault<'a> {
    /// It is no map.
    NotAMap,
    /// It has a key that is not among the known ones.
    Unknown(&'a str, Vec<&'static str>),
    /// The value of an option does not fit.
    Value(&'static Key, Mismatch),
}

/// Returns the error for the map of options `root`, which is at `path`.
pub(super) fn option_error(
    fault: OptionFault<'_>,
    root: &Value,
    path: &str,
    origins: &Origins,
) -> Error {
    let error = match fault {
        OptionFault::NotAMap => DeError::new(DeErrorKind::InvalidType {
            found: de_error::describe(root),
            expected: "a map".into(),
        }),
        OptionFault::Unknown(key, known) => DeError::new(DeErrorKind::UnknownField {
            key: key.into(),
            known,
        }),
        OptionFault::Value(key, Mismatch::Value) => {
            let found = tree::get(root, key.name).map(de_error::describe);
            DeError::new(DeErrorKind::InvalidType {
                found: found.unwrap_or_default(),
                // Maps are written without the sign that they have in scripts.
                expected: de_error::describe_expected(&key.expected.replace("#{", "{").as_str()),
            })
            .within_key(key.name)
        }
        OptionFault::Value(key, Mismatch::Within(error)) => {
            DeError::new(DeErrorKind::Custom(error.to_string())).within_key(key.name)
        }
        OptionFault::Value(key, mismatch) => {
            let error = mismatch.into_error(&[key], key.name, "");
            DeError::new(DeErrorKind::Custom(error.to_string())).within_key(key.name)
        }
    };
    error.into_error(root, path, origins)
}
