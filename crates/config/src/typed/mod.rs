//! The reader of a part of a tree as a Rust type, with errors that name the key.

mod de_error;
mod value_deserializer;

use serde::de::DeserializeOwned;
use serde_yaml::Value;

use crate::Result;

use super::origin::Origins;
use super::{tree, write};

use value_deserializer::ValueDeserializer;

/// Reads a value, which is at `path`, as a Rust type.
pub(super) fn read<T: DeserializeOwned>(value: &Value, path: &str, origins: &Origins) -> Result<T> {
    T::deserialize(ValueDeserializer(value)).map_err(|fault| fault.into_error(value, path, origins))
}
