//! `:set` and `:unset`: changes of the configuration that apply to all further evaluations.

use crate::config::{Override, Value};
use crate::error;
use crate::script::{ErrorKind, ScriptError, Session};

use super::complete::one_line;

/// The changes of the configuration, as overrides of the command line.
#[derive(Default)]
pub(super) struct ReplSettings {
    overrides: Vec<String>,
}

/// Returns the key of a change: `a.b` of `a.b=1`, `+a.b=1` and `~a.b`.
fn key(change: &str) -> &str {
    let key = change.split_once('=').map_or(change, |(key, _)| key);
    key.trim_start_matches(['+', '~'])
}

impl ReplSettings {
    pub fn new(changes: Vec<String>) -> Self {
        Self { overrides: changes }
    }

    pub fn overrides(&self) -> &[String] {
        &self.overrides
    }

    /// Executes `:set …`; returns the text to show.
    pub fn set(&mut self, session: &mut Session, argument: &str) -> Result<String, ScriptError> {
        if !argument.contains('=') && !argument.starts_with('~') {
            if argument.contains(char::is_whitespace) {
                return Err(usage_text(
                    "a change is written with =, as in :set training.lr=0.03",
                ));
            }
            return self.show(session, argument);
        }
        let change = match argument.split_once('=') {
            Some((key, value)) => format!("{}={}", key.trim(), value.trim()),
            None => argument.to_string(),
        };
        change.parse::<Override>().map_err(usage_error)?;
        let before = value(session, key(&change));
        let mut changes = self.overrides.clone();
        changes.retain(|old| key(old) != key(&change));
        changes.push(change.clone());
        session.set_arguments(changes.clone())?;
        self.overrides = changes;
        let asked = session.config_request();
        let known = asked.config.is_some() || asked.arguments.iter().any(|a| a == key(&change));
        Ok(match (before, value(session, key(&change))) {
            (Some(before), Some(after)) => format!("{}: {before} → {after}", key(&change)),
            _ if known => change,
            _ => format!("{change} (for the next config(…) or args(…))"),
        })
    }

    /// Executes `:unset …`; returns the text to show.
    pub fn unset(&mut self, session: &mut Session, argument: &str) -> Result<String, ScriptError> {
        let mut changes = self.overrides.clone();
        changes.retain(|change| !argument.is_empty() && key(change) != argument);
        if changes.len() == self.overrides.len() && !argument.is_empty() {
            let known = self.overrides.iter().map(|change| key(change));
            return Err(usage_error(error::unknown("change", argument, known)));
        }
        session.set_arguments(changes.clone())?;
        self.overrides = changes;
        Ok(match (argument, value(session, argument)) {
            ("", _) => "all changes are taken back".into(),
            (key, Some(value)) => format!("{key}: {value}"),
            (key, None) => format!("{key} is not changed any more"),
        })
    }

    fn show(&self, session: &Session, path: &str) -> Result<String, ScriptError> {
        let asked = session.config_request();
        let Some(config) = &asked.config else {
            return match (self.overrides.is_empty(), asked.arguments.is_empty()) {
                (true, true) => Err(usage_text(
                    "there is no configuration yet: :load a script that has one, or call config(\"lotka_volterra\")",
                )),
                (true, false) => Ok(format!(
                    "arguments of the script: {}",
                    asked.arguments.join(", ")
                )),
                _ => Ok(self.overrides.join("\n")),
            };
        };
        if path.is_empty() {
            let changes = match self.overrides.is_empty() {
                true => String::new(),
                false => format!("# changed: {}\n", self.overrides.join("  ")),
            };
            return Ok(format!("{changes}{}", config.to_yaml().trim_end()));
        }
        match config.get(path) {
            Some(value @ Value::Mapping(_)) => Ok(yaml(value)),
            Some(value) => Ok(format!("{path}: {}", one_line(value))),
            None => {
                let mut keys = Vec::new();
                paths("", config.value(), &mut keys);
                let known = keys.iter().map(String::as_str);
                let near = error::nearest(path, known)
                    .map_or(String::new(), |near| format!(" (did you mean \"{near}\"?)"));
                Err(usage_text(&format!(
                    "the configuration has no {path}{near}; :set shows all of it"
                )))
            }
        }
    }
}

fn yaml(value: &Value) -> String {
    let text = serde_yaml::to_string(value).unwrap_or_else(|_| one_line(value));
    text.trim_end().to_string()
}

fn paths(path: &str, value: &Value, keys: &mut Vec<String>) {
    if !path.is_empty() {
        keys.push(path.into());
    }
    let Value::Mapping(map) = value else { return };
    for (key, value) in map {
        let Some(key) = key.as_str() else { continue };
        match path {
            "" => paths(key, value, keys),
            path => paths(&format!("{path}.{key}"), value, keys),
        }
    }
}

/// Returns the configuration's value of a key, unless it is a whole group.
fn value(session: &Session, key: &str) -> Option<String> {
    let config = session.config_request().config?;
    let value = config.get(key)?;
    (!matches!(value, Value::Mapping(_))).then(|| one_line(value))
}

fn usage_error(error: crate::Error) -> ScriptError {
    usage_text(&error.to_string())
}

fn usage_text(message: &str) -> ScriptError {
    ScriptError::new(ErrorKind::Usage, message)
}
