//! Kinds of options of a run: folders, engines, devices.

use std::path::PathBuf;

use crate::Error;
use odesync_base::error::unknown;
use odesync_base::options::{Mismatch, OptionKind, Value};
use odesync_ode::devices::Device;

/// A folder, by its path.
#[derive(Debug, Clone, Copy)]
pub(super) struct Folder;

impl OptionKind for Folder {
    type Field = PathBuf;
    const EXPECTED: &'static str = "a string";

    fn read(value: &Value) -> std::result::Result<PathBuf, Mismatch> {
        let path = value.text().ok_or(Mismatch::Value)?;
        match path.trim() {
            "" => Err(Mismatch::Within(Error::invalid(
                "the folder's name is empty; \".\" is the folder you are in",
            ))),
            _ => Ok(path.into()),
        }
    }

    fn write(field: &PathBuf) -> Value {
        Value::from(&*field.to_string_lossy())
    }
}

/// The name of an engine.
#[derive(Debug, Clone, Copy)]
pub(super) struct EngineName;

impl OptionKind for EngineName {
    type Field = String;
    const EXPECTED: &'static str = "a string";
    const CHOICES: &'static [&'static str] = &["native", "torch", "auto"];

    fn read(value: &Value) -> std::result::Result<String, Mismatch> {
        let name = value.text().ok_or(Mismatch::Value)?;
        match Self::CHOICES.contains(&name) {
            true => Ok(name.into()),
            false => Err(unknown("engine", name, Self::CHOICES.iter().copied()).into()),
        }
    }

    fn write(field: &String) -> Value {
        Value::from(&**field)
    }
}

/// The name of a device: `cpu`, `cuda` or `cuda:N`.
#[derive(Debug, Clone, Copy)]
pub(super) struct DeviceName;

impl OptionKind for DeviceName {
    type Field = String;
    const EXPECTED: &'static str = "a string";
    const CHOICES: &'static [&'static str] = &["cpu", "cuda"];

    fn read(value: &Value) -> std::result::Result<String, Mismatch> {
        let name = value.text().ok_or(Mismatch::Value)?;
        Ok(name.parse::<Device>()?.to_string())
    }

    fn write(field: &String) -> Value {
        Value::from(&**field)
    }
}
