//! Summaries of a session's variables and functions, for front ends.

use rhai::{AST, Array as List, Dynamic, Map};

use super::array::ScriptArray;
use super::convert;
use super::data::ScriptDataset;
use super::experiments::ScriptExperiment;
use super::fields::ScriptField;
use super::solving::ScriptSolution;
use super::training::ScriptRun;

/// Largest number of characters of a variable's short text.
const MAX_SHORT_TEXT: usize = 60;

/// Summary of a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VariableInfo {
    /// Name of the variable.
    pub name: String,
    /// Type of the value, as scripts know it.
    pub kind: String,
    /// Shape or size of the value; empty where it has none.
    pub shape: String,
    /// Beginning of the value's text, on one line.
    pub short: String,
}

impl VariableInfo {
    /// Summarizes a variable; `kind` is the type's name as the engine knows it, `text` the value as `print` shows it.
    pub(super) fn new(name: &str, kind: &str, value: &Dynamic, text: &str) -> Self {
        let kind = convert::script_type_name(kind);
        // The text of most values begins with their type.
        let rest = text
            .strip_prefix(kind.as_str())
            .and_then(|rest| rest.strip_prefix(": "));
        Self {
            name: name.into(),
            shape: shape(value),
            short: short_text(rest.unwrap_or(text)),
            kind,
        }
    }
}

fn shape(value: &Dynamic) -> String {
    if let Some(array) = value.read_lock::<ScriptArray>() {
        return format!("{:?}", array.shape());
    }
    if let Some(list) = value.read_lock::<List>() {
        return list.len().to_string();
    }
    if let Some(map) = value.read_lock::<Map>() {
        return format!("{} keys", map.len());
    }
    if let Some(field) = value.read_lock::<ScriptField>() {
        return format!("dof {}, {} parameters", field.0.dof(), field.0.n_params());
    }
    if let Some(data) = value.read_lock::<ScriptDataset>() {
        let times = data.0.trajectories().map(|(t, _)| t.len()).max();
        return format!(
            "[{}, {}, {}]",
            data.0.samples(),
            times.unwrap_or(0),
            data.0.dof()
        );
    }
    if let Some(solution) = value.read_lock::<ScriptSolution>() {
        return format!("{:?}", solution.0.u.shape());
    }
    if let Some(run) = value.read_lock::<ScriptRun>() {
        return format!("{} epochs", run.0.history.len());
    }
    if let Some(experiment) = value.read_lock::<ScriptExperiment>() {
        return format!("{} parameters", experiment.0.model.n_params());
    }
    String::new()
}

fn short_text(text: &str) -> String {
    let mut line = String::new();
    for part in text.lines() {
        let words: Vec<&str> = part.split_whitespace().collect();
        // Lines that continue a list or an array are joined by a space; other lines are separated.
        line.push_str(match line.chars().next_back() {
            None => "",
            Some(',' | '[' | '(' | '{' | ';' | ':') => " ",
            Some(_) if words.is_empty() => "",
            Some(_) => "; ",
        });
        line.push_str(&words.join(" "));
        if line.chars().count() > MAX_SHORT_TEXT {
            break;
        }
    }
    match line.char_indices().nth(MAX_SHORT_TEXT) {
        None => line,
        Some((end, _)) => format!("{}…", line[..end].trim_end()),
    }
}

/// Signature of a function that a session's code has defined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionInfo {
    /// Name of the function.
    pub name: String,
    /// Names of the parameters.
    pub parameters: Vec<String>,
}

impl FunctionInfo {
    pub(super) fn of_ast(ast: &AST) -> Vec<FunctionInfo> {
        let functions = ast.iter_functions().filter(|f| !f.name.contains('$'));
        let mut all: Vec<FunctionInfo> = functions
            .map(|f| FunctionInfo {
                name: f.name.into(),
                parameters: f.params.iter().map(ToString::to_string).collect(),
            })
            .collect();
        all.sort_by(|a, b| (&a.name, a.parameters.len()).cmp(&(&b.name, b.parameters.len())));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_to_one_line() {
        assert_eq!(short_text("Run: a\n  epochs   3"), "Run: a; epochs 3");
        assert_eq!(
            short_text("[[1.0, 2.0],\n [3.0, 4.0]]\n"),
            "[[1.0, 2.0], [3.0, 4.0]]"
        );
        let long = short_text(&"λ".repeat(100));
        assert_eq!(long.chars().count(), MAX_SHORT_TEXT + 1);
        assert!(long.ends_with('…'));
    }
}
