//! Messages about unknown names: the nearest known names, and the valid alternatives.

use std::collections::BTreeSet;

use odesync_base::error::nearest;

use super::convert::{script_type_name, with_article};
use super::error::{ErrorKind, ScriptError};
use super::error_report::ErrorReporter;

/// Functions of rhai that scripts use often, as candidates for the nearest name.
const RHAI_FUNCTIONS: &[&str] = &[
    "print",
    "debug",
    "push",
    "pop",
    "len",
    "insert",
    "remove",
    "append",
    "contains",
    "map",
    "filter",
    "reduce",
    "sort",
    "reverse",
    "index_of",
    "keys",
    "values",
    "range",
    "to_string",
    "to_float",
    "to_int",
    "parse_int",
    "parse_float",
    "is_empty",
    "clear",
    "split",
    "trim",
    "replace",
    "for_each",
    "some",
    "all",
    "find",
    "zip",
    "dedup",
    "shift",
    "truncate",
    "drain",
    "extract",
    "type_of",
    "timestamp",
    "sleep",
    "hypot",
    "ln",
    "is_nan",
    "is_finite",
    "starts_with",
    "ends_with",
    "sub_string",
    "to_upper",
    "to_lower",
    "curry",
    "call",
    "throw",
    "exit",
];

impl ErrorReporter<'_> {
    pub(super) fn unknown_variable(&self, name: &str) -> (String, Option<String>) {
        let declared = self.linter.names();
        let known: BTreeSet<&str> = declared
            .iter()
            .chain(&self.variables)
            .map(String::as_str)
            .chain(self.catalogue.constants.iter().copied())
            .filter(|known| *known != name)
            .collect();
        let message = with_suggestion(format!("unknown variable \"{name}\""), name, known);
        // A name that is declared somewhere is out of scope rather than misspelt.
        let hidden = declared
            .iter()
            .chain(&self.variables)
            .any(|known| known == name);
        let hint = hidden.then(|| {
            format!("a function made by `fn` sees its own arguments only: hand {name} over, or write a closure |…| …; a variable ends with the block it is declared in")
        });
        let undeclared = hint.is_none() && self.linter.assigns(name);
        let hint = match undeclared {
            true => Some(format!("a variable is declared by let: let {name} = …")),
            false => hint,
        };
        (message, hint)
    }

    pub(super) fn unknown_property(&self, text: &str) -> String {
        // "Unknown property 'x' - a getter is not registered for type 'T'", or "No writable property …".
        let quoted: Vec<&str> = text.split('\'').skip(1).step_by(2).collect();
        let (Some(name), Some(of)) = (quoted.first(), quoted.get(1)) else {
            return lower_first(text);
        };
        let known = self
            .catalogue
            .properties
            .iter()
            .filter(|(kind, _)| kind == of)
            .map(|(_, name)| *name);
        let listed: Vec<&str> = known.clone().collect();
        if text.starts_with("No writable") && listed.contains(name) {
            let of_type = with_article(&script_type_name(of));
            let setter = self.catalogue.setters.iter();
            let setter = setter
                .into_iter()
                .find(|(kind, property, _)| kind == of && property == name);
            return match (setter, quoted.get(2)) {
                (Some((_, _, value)), Some(given)) => format!(
                    "the property \"{name}\" of {of_type} should be {}, not {}",
                    with_article(&script_type_name(value)),
                    with_article(&script_type_name(given))
                ),
                _ => format!("the property \"{name}\" of {of_type} can be read, not set"),
            };
        }
        let message = with_suggestion(
            format!(
                "{} has no property \"{name}\"",
                with_article(&script_type_name(of))
            ),
            name,
            known,
        );
        match listed.is_empty() {
            true => message,
            false => format!("{message}; known: {}", listed.join(", ")),
        }
    }

    pub(super) fn unknown_function(&self, signature: &str) -> ScriptError {
        let (name, arguments) = signature.split_once(" (").unwrap_or((signature, ")"));
        let arguments = script_type_names(arguments.trim_end_matches(')'));
        let error = |message: String| ScriptError::new(ErrorKind::Runtime, message);
        if !name.starts_with(|c: char| c.is_alphabetic() || c == '_') {
            return error(format!(
                "{name} is not defined for {}",
                arguments.replace(", ", " and ")
            ));
        }
        let mut known: Vec<String> = self
            .catalogue
            .docs
            .iter()
            .filter(|doc| doc.name == name)
            .map(|doc| doc.signature.to_string())
            .collect();
        for function in self.functions.iter_functions().filter(|f| f.name == name) {
            known.push(format!("{name}({})", function.params.join(", ")));
        }
        if !known.is_empty() {
            let types = match arguments.is_empty() {
                true => "nothing".to_string(),
                false => arguments,
            };
            return error(format!("{name} can't be called with ({types})"))
                .with_hint(known.join(" or "));
        }
        if RHAI_FUNCTIONS.contains(&name) {
            return error(format!("{name} can't be called with ({arguments})"));
        }
        let script: Vec<&str> = self.functions.iter_functions().map(|f| f.name).collect();
        let candidates = self
            .catalogue
            .docs
            .iter()
            .map(|doc| doc.name)
            .chain(RHAI_FUNCTIONS.iter().copied())
            .chain(script.into_iter().filter(|name| !name.starts_with("anon$")));
        error(with_suggestion(
            format!("unknown function \"{name}\""),
            name,
            candidates,
        ))
    }
}

pub(super) fn with_suggestion<'n>(
    message: String,
    name: &str,
    known: impl IntoIterator<Item = &'n str>,
) -> String {
    // The name itself may be known elsewhere, a key of another map for example.
    match nearest(name, known.into_iter().filter(|known| *known != name)) {
        Some(near) => format!("{message} (did you mean \"{near}\"?)"),
        None => message,
    }
}

pub(super) fn script_type_names(list: &str) -> String {
    list.split(", ")
        .map(script_type_name)
        .collect::<Vec<_>>()
        .join(", ")
}

pub(super) fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        // Abbreviations such as "INT" stay as they are.
        Some(first) if !letters.as_str().starts_with(char::is_uppercase) => {
            first.to_lowercase().chain(letters).collect()
        }
        _ => text.to_string(),
    }
}
