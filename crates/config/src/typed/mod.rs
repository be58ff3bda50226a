//! A part of a tree as a Rust type, with errors that name the key.

mod fault;
mod node;

use serde::de::DeserializeOwned;
use serde_yaml::Value;

use crate::Result;

use super::origin::Origins;
use super::{tree, write};

use node::Node;

/// Reads the value that stands at `path`.
pub(super) fn read<T: DeserializeOwned>(value: &Value, path: &str, origins: &Origins) -> Result<T> {
    T::deserialize(Node(value)).map_err(|fault| fault.error(value, path, origins))
}
