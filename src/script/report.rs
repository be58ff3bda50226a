//! rhai's errors rewritten as [`ScriptError`]s: the innermost place, the calls that led there, names near the wrong one.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

use rhai::{AST, EvalAltResult, LexError, ParseError, ParseErrorType, Position};

use crate::error::nearest;

use super::error::{Call, ErrorKind, Place, ScriptError, Stop, Thrown};
use super::host::Host;
use super::registry::Catalogue;
use super::syntax::{SIGNED_POWER, Watch};
use super::{convert, limits, memory};

/// The texts of all sources by name.
pub(super) type Sources = HashMap<String, Arc<str>>;

/// Functions of rhai that scripts use often, for nearest names.
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

/// What an error message can draw on.
pub(super) struct Report<'a> {
    pub sources: &'a Sources,
    pub catalogue: &'a Catalogue,
    pub watch: &'a Watch,
    pub functions: &'a AST,
    pub variables: Vec<String>,
    pub host: &'a Host,
}

impl Report<'_> {
    /// A source that can't be parsed.
    pub fn parse_error(&self, error: &ParseError, source: &str) -> ScriptError {
        let mut position = error.position();
        let (message, hint) = self.parse_message(error.err_type());
        if message == SIGNED_POWER {
            position = self.watch.trap().unwrap_or(position);
        }
        let mut report = ScriptError::new(ErrorKind::Syntax, message);
        report.hint = hint;
        report.place = self.place(source, position).or_else(|| self.end_of(source));
        report
    }

    fn parse_message(&self, error: &ParseErrorType) -> (String, Option<String>) {
        match error {
            ParseErrorType::BadInput(LexError::Runtime(text)) => (text.clone(), None),
            ParseErrorType::BadInput(LexError::UnterminatedString) => (
                "a string is not closed".into(),
                Some("close it with \" on the same line; `…` may span lines".into()),
            ),
            ParseErrorType::VariableUndefined(name) => self.unknown_variable(name),
            ParseErrorType::ModuleUndefined(name) => (
                format!("unknown module \"{name}\""),
                Some(format!("import \"file\" as {name};")),
            ),
            ParseErrorType::ExprTooDeep => (
                format!(
                    "the expression is nested too deeply (at most {} levels, {} in a function; a sum of n terms has n)",
                    limits::EXPRESSION,
                    limits::FUNCTION_EXPRESSION
                ),
                Some("split it by `let`, or put the numbers into an array".into()),
            ),
            ParseErrorType::BadInput(LexError::ImproperSymbol(word, _)) if word == "eval" => (
                "eval is not available: call a closure in its place".into(),
                None,
            ),
            ParseErrorType::UnexpectedEOF => {
                ("the script ends in the middle of a statement".into(), None)
            }
            other => (lower_first(&other.to_string()), None),
        }
    }

    /// A script that failed while it ran.
    pub fn run_error(&self, error: Box<EvalAltResult>, source: &str) -> ScriptError {
        let mut error = *error;
        let mut source = source.to_string();
        let mut calls: Vec<Call> = Vec::new();
        let mut outer = Position::NONE;
        loop {
            let (what, inner, position, within) = match error {
                EvalAltResult::ErrorInFunctionCall(name, within, inner, position) => {
                    let what = match name.starts_with("anon$") {
                        true => "a closure".into(),
                        false => format!("function {name}"),
                    };
                    (what, inner, position, within)
                }
                EvalAltResult::ErrorInModule(name, inner, position) => {
                    let file = module_file(&source, &name);
                    (format!("module {name}"), inner, position, file)
                }
                innermost => {
                    error = innermost;
                    break;
                }
            };
            calls.push(Call {
                what,
                place: self.place(&source, position),
            });
            outer = position;
            source = self.source_of(within, source);
            error = *inner;
        }
        let mut position = error.position();
        if let EvalAltResult::ErrorParsing(kind, at) = error {
            let mut report = self.parse_error(&ParseError(Box::new(kind), at), &source);
            report.calls = calls;
            return report;
        }
        if position.is_none() {
            position = outer;
            // The innermost call is then the place itself.
            if !outer.is_none() {
                calls.pop();
            }
        }
        let mut report = self.explain(error);
        report.place = self.place(&source, position);
        calls.reverse();
        report.calls = merge_closures(calls);
        report
    }

    /// The source that a call leads into: rhai names a module as it was imported.
    fn source_of(&self, within: String, caller: String) -> String {
        if within.is_empty() {
            return caller;
        }
        if self.sources.contains_key(&within) || Path::new(&within).is_file() {
            return within;
        }
        let file = module_file(&caller, &within);
        if Path::new(&file).is_file() {
            file
        } else {
            within
        }
    }

    fn explain(&self, mut error: EvalAltResult) -> ScriptError {
        use EvalAltResult as E;
        let runtime = |message: String| ScriptError::new(ErrorKind::Runtime, message);
        let limit = |message: String| ScriptError::new(ErrorKind::Limit, message);
        match &error {
            E::ErrorTerminated(token, _) => match token.clone().try_cast::<Stop>() {
                Some(Stop::Memory) => limit(format!(
                    "the script needs more than the {} it may use",
                    memory::readable(self.host.memory_limit())
                ))
                .with_hint("`odesync --memory GIB …` allows more"),
                Some(Stop::OutputClosed) => {
                    ScriptError::new(ErrorKind::OutputClosed, "the output is closed")
                }
                _ => match self.host.take_output_failure() {
                    Some(reason) => runtime(format!("cannot write the output: {reason}")),
                    None => ScriptError::new(ErrorKind::Interrupted, "interrupted"),
                },
            },
            E::ErrorRuntime(value, _) => match value.read_lock::<Thrown>() {
                Some(thrown) => runtime(thrown.0.to_string()),
                None => runtime(value.to_string()),
            },
            E::ErrorStackOverflow(_) => limit(format!(
                "functions call each other more than {} deep",
                limits::CALLS
            ))
            .with_hint("does the recursion end?"),
            E::ErrorDataTooLarge(what, _) => limit(format!("too large: {what}")),
            E::ErrorFunctionNotFound(signature, _) => self.unknown_function(signature),
            E::ErrorVariableNotFound(name, _) => {
                let (message, hint) = self.unknown_variable(name);
                ScriptError {
                    hint,
                    ..runtime(message)
                }
            }
            E::ErrorPropertyNotFound(name, _) => {
                let keys = self.watch.keys();
                runtime(with_nearest(
                    format!("the map has no property \"{name}\""),
                    name,
                    keys.iter().map(String::as_str),
                ))
            }
            E::ErrorDotExpr(text, _) => runtime(self.unknown_property(text)),
            E::ErrorMismatchDataType(_, given, _)
                if given == "condition" || given.ends_with("Condition") =>
            {
                runtime(super::fields::NO_BRANCH.into())
            }
            E::ErrorMismatchDataType(expected, given, _) => {
                let mismatch = runtime(format!("expected {}, not {}", kind(expected), kind(given)));
                match expected.as_str() {
                    "bool" => mismatch.with_hint("a condition is true or false, such as `x > 0`; for arrays any(…) or all(…)"),
                    _ => mismatch,
                }
            }
            E::ErrorIndexingType(text, _) => runtime(match text.split_once(" [") {
                Some((of, by)) => {
                    let by = by.split(']').next().unwrap_or(by);
                    format!(
                        "{} can't be indexed by {}",
                        article(&kind(of)),
                        article(&kind(by))
                    )
                }
                None => lower_first(text),
            }),
            E::ErrorArrayBounds(length, index, _) => {
                match convert::to_index(*index, *length, "the list") {
                    Err(error) => runtime(error.to_string()),
                    Ok(_) => runtime(format!("index {index} is out of range")),
                }
            }
            E::ErrorFor(_) => runtime("for goes over a list, an Array, a range or a string".into()),
            E::ErrorArithmetic(text, _) => {
                let message = lower_first(text);
                match text.contains("overflow") {
                    true => runtime(message)
                        .with_hint("integers have 64 bits: write 1.0 for 1 to compute with floats"),
                    false => runtime(message),
                }
            }
            E::ErrorAssignmentToConstant(name, _) => runtime(format!("{name} is a constant")),
            E::ErrorModuleNotFound(name, _) => runtime(format!(
                "cannot import \"{name}\": there is no file {name}.rhai beside the script"
            )),
            _ => {
                let _ = error.take_position();
                runtime(lower_first(&error.to_string()))
            }
        }
    }

    fn unknown_variable(&self, name: &str) -> (String, Option<String>) {
        let declared = self.watch.names();
        let known: BTreeSet<&str> = declared
            .iter()
            .chain(&self.variables)
            .map(String::as_str)
            .chain(self.catalogue.constants.iter().copied())
            .filter(|known| *known != name)
            .collect();
        let message = with_nearest(format!("unknown variable \"{name}\""), name, known);
        // A name that is declared somewhere is out of sight rather than misspelt.
        let hidden = declared
            .iter()
            .chain(&self.variables)
            .any(|known| known == name);
        let hint = hidden.then(|| {
            format!("a function made by `fn` sees its own arguments only: hand {name} over, or write a closure |…| …; a variable ends with the block it is declared in")
        });
        (message, hint)
    }

    fn unknown_property(&self, text: &str) -> String {
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
            let given = quoted.get(2).map_or_else(String::new, |given| {
                format!(" to {}", article(&kind(given)))
            });
            return format!(
                "the property \"{name}\" of {} can't be set{given}",
                article(&kind(of))
            );
        }
        let message = with_nearest(
            format!("{} has no property \"{name}\"", article(&kind(of))),
            name,
            known,
        );
        match listed.is_empty() {
            true => message,
            false => format!("{message}; known: {}", listed.join(", ")),
        }
    }

    fn unknown_function(&self, signature: &str) -> ScriptError {
        let (name, arguments) = signature.split_once(" (").unwrap_or((signature, ")"));
        let arguments = kinds(arguments.trim_end_matches(')'));
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
            let given = match arguments.is_empty() {
                true => "nothing".to_string(),
                false => arguments,
            };
            return error(format!("{name} can't be called with ({given})"))
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
        error(with_nearest(
            format!("unknown function \"{name}\""),
            name,
            candidates,
        ))
    }

    fn place(&self, source: &str, position: Position) -> Option<Place> {
        let line = position.line()?;
        let text = match self.sources.get(source) {
            Some(text) => Some(text.to_string()),
            // A module that the script imported.
            None => std::fs::read_to_string(source).ok(),
        };
        Some(Place {
            source: source.into(),
            line,
            column: position.position().unwrap_or(0),
            text: text.and_then(|text| text.lines().nth(line - 1).map(str::to_string)),
        })
    }

    /// The last line, for errors at the end of a source.
    fn end_of(&self, source: &str) -> Option<Place> {
        let text = self.sources.get(source)?;
        let (index, line) = text
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.trim().is_empty())
            .last()?;
        Some(Place {
            source: source.into(),
            line: index + 1,
            column: line.chars().count(),
            text: Some(line.into()),
        })
    }
}

/// A closure that a function of the engine calls, as `map` does, is one entry with it.
fn merge_closures(calls: Vec<Call>) -> Vec<Call> {
    let mut merged: Vec<Call> = Vec::with_capacity(calls.len());
    for call in calls {
        match (merged.last_mut(), call.what.strip_prefix("function ")) {
            (Some(last), Some(name)) if last.what == "a closure" && last.place == call.place => {
                last.what = format!("a closure of {name}");
            }
            _ => merged.push(call),
        }
    }
    merged
}

/// The file of a module: the name as it was imported, beside the importing file.
fn module_file(importer: &str, name: &str) -> String {
    let folder = Path::new(importer).parent().unwrap_or(Path::new(""));
    folder
        .join(name)
        .with_extension("rhai")
        .display()
        .to_string()
}

fn with_nearest<'n>(
    message: String,
    name: &str,
    known: impl IntoIterator<Item = &'n str>,
) -> String {
    match nearest(name, known) {
        Some(near) => format!("{message} (did you mean \"{near}\"?)"),
        None => message,
    }
}

/// rhai's name of a type in the words that scripts use.
fn kind(name: &str) -> String {
    match name.trim() {
        "i64" => "int".into(),
        "f64" => "float".into(),
        "array" => "list".into(),
        "Fn" => "closure".into(),
        "ImmutableString" | "&str" | "&str | ImmutableString | String" => "string".into(),
        other => other.rsplit("::").next().unwrap_or(other).into(),
    }
}

fn kinds(list: &str) -> String {
    list.split(", ").map(kind).collect::<Vec<_>>().join(", ")
}

fn article(noun: &str) -> String {
    let vowel = noun.starts_with(['a', 'e', 'i', 'o', 'A', 'E', 'I', 'O']);
    format!("{} {noun}", if vowel { "an" } else { "a" })
}

fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        // "INT" and the like stay as they are.
        Some(first) if !letters.as_str().starts_with(char::is_uppercase) => {
            first.to_lowercase().chain(letters).collect()
        }
        _ => text.to_string(),
    }
}
