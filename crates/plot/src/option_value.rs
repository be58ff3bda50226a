//! Values of options that are set by name, as in the option maps of scripts.

use odesync_base::error::{Error, Result, unknown};
use odesync_base::options::{Keys, distinct};

/// The value of an option that is set by name.
///
/// ```
/// use odesync_plot::{Dash, Style};
/// let mut style = Style::new();
/// style.set("dash", "dotted")?;
/// style.set("width", 2.5)?;
/// assert_eq!(style.dash, Some(Dash::Dotted));
/// let slip = style.set("widht", 2.5).unwrap_err().to_string();
/// assert!(slip.contains("did you mean \"width\"?"));
/// # Ok::<(), odesync_plot::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum OptionValue<'a> {
    /// Text.
    Text(&'a str),
    /// A number.
    Number(f64),
    /// A flag, true or false.
    Flag(bool),
    /// A list of numbers, such as a range `[lo, hi]`.
    Numbers(&'a [f64]),
}

impl<'a> From<&'a str> for OptionValue<'a> {
    fn from(value: &'a str) -> Self {
        OptionValue::Text(value)
    }
}
impl From<f64> for OptionValue<'_> {
    fn from(value: f64) -> Self {
        OptionValue::Number(value)
    }
}
impl From<bool> for OptionValue<'_> {
    fn from(value: bool) -> Self {
        OptionValue::Flag(value)
    }
}
impl<'a> From<&'a [f64]> for OptionValue<'a> {
    fn from(value: &'a [f64]) -> Self {
        OptionValue::Numbers(value)
    }
}

impl<'a> OptionValue<'a> {
    pub(super) fn text(self, name: &str) -> Result<&'a str> {
        match self {
            OptionValue::Text(value) => Ok(value),
            other => Err(other.mismatch(name, "a string")),
        }
    }

    pub(super) fn number(self, name: &str) -> Result<f64> {
        match self {
            OptionValue::Number(value) => Ok(value),
            other => Err(other.mismatch(name, "a number")),
        }
    }

    pub(super) fn flag(self, name: &str) -> Result<bool> {
        match self {
            OptionValue::Flag(value) => Ok(value),
            other => Err(other.mismatch(name, "true or false")),
        }
    }

    pub(super) fn pair(self, name: &str) -> Result<(f64, f64)> {
        match self {
            OptionValue::Numbers([a, b]) => Ok((*a, *b)),
            other => Err(other.mismatch(name, "two numbers")),
        }
    }

    pub(super) fn mismatch(self, name: &str, wanted: &str) -> Error {
        let got = match self {
            OptionValue::Text(value) => format!("\"{value}\""),
            OptionValue::Number(value) => format!("{value}"),
            OptionValue::Flag(value) => format!("{value}"),
            OptionValue::Numbers(values) => format!("a list of {}", values.len()),
        };
        Error::invalid(format!("option \"{name}\" should be {wanted}, not {got}"))
    }
}

/// Returns the error for an option that none of these keys names.
pub(super) fn unknown_option(name: &str, keys: Keys) -> Error {
    let known: Vec<&str> = distinct([keys]).iter().map(|key| key.name).collect();
    unknown("option", name, known)
}
