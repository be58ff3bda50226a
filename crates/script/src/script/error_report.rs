//! The conversion of rhai's errors into [`ScriptError`]s: the innermost location, the backtrace, names similar to an unknown one.

use std::path::Path;

use rhai::{AST, EvalAltResult, LexError, ParseError, ParseErrorType, Position};

use super::convert::{script_type_name, with_article};
use super::error::{ErrorKind, ScriptError, SourceLocation, StackFrame, Termination, WrappedError};
use super::host::Host;
use super::registry::Catalogue;
use super::source_map::SourceMap;
use super::suggestions::{lower_first, with_suggestion};
use super::token_linter::{SIGNED_POWER, TokenLinter};
use super::{convert, limits, memory};
use odesync_base::files::{is_file, read};

/// Builder of a [`ScriptError`] from a rhai error, with everything that its message may need.
pub(super) struct ErrorReporter<'a> {
    pub sources: &'a SourceMap,
    pub catalogue: &'a Catalogue,
    pub linter: &'a TokenLinter,
    pub functions: &'a AST,
    pub variables: Vec<String>,
    pub host: &'a Host,
}

impl ErrorReporter<'_> {
    /// Reports a source that cannot be parsed.
    pub fn parse_error(&self, error: &ParseError, source: &str) -> ScriptError {
        let mut position = error.position();
        let (message, hint) = self.parse_message(error.err_type());
        if message == SIGNED_POWER {
            position = self.linter.error_position().unwrap_or(position);
        }
        let mut report = ScriptError::new(ErrorKind::Syntax, message);
        report.hint = hint;
        report.location = self
            .location(source, position)
            .filter(|location| location.text.is_some())
            .or_else(|| self.end_location(source));
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
                    limits::MAX_EXPR_DEPTH,
                    limits::MAX_FUNCTION_EXPR_DEPTH
                ),
                Some("split it by `let`, or put the numbers into an array".into()),
            ),
            ParseErrorType::BadInput(LexError::ImproperSymbol(word, _)) if word == "eval" => (
                "eval is not available: call a closure in its place".into(),
                None,
            ),
            ParseErrorType::MismatchedType(wanted, given) if wanted == "an iterable value" => {
                (not_iterable(Some(given)), None)
            }
            ParseErrorType::MismatchedType(wanted, given) if wanted == "a boolean expression" => (
                format!("a condition should be true or false, not {}", literal_name(given)),
                Some(CONDITION_HINT.into()),
            ),
            ParseErrorType::VariableExpected => (
                "the name of a variable is missing here (words of the language, such as let, fn and if, are none)".into(),
                None,
            ),
            ParseErrorType::UnexpectedEOF => {
                ("the script ends in the middle of a statement".into(), None)
            }
            other => (lower_first(&other.to_string()), None),
        }
    }

    /// Reports a script that failed while it ran.
    pub fn runtime_error(&self, error: EvalAltResult, source: &str) -> ScriptError {
        let mut error = error;
        let mut source = source.to_string();
        let mut calls: Vec<StackFrame> = Vec::new();
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
            calls.push(StackFrame {
                callee: what,
                call_site: self.location(&source, position).map(|location| *location),
            });
            outer = position;
            source = self.resolve_source(within, source);
            error = *inner;
        }
        let mut position = error.position();
        if let EvalAltResult::ErrorParsing(kind, at) = error {
            let mut report = self.parse_error(&ParseError(Box::new(kind), at), &source);
            report.backtrace = calls;
            return report;
        }
        if position.is_none() {
            position = outer;
            // The innermost call is then the location itself.
            if !outer.is_none() {
                calls.pop();
            }
        }
        let mut report = self.explain(error);
        report.location = self.location(&source, position);
        let key = option_name(&report.message);
        if let Some(location) = key.and_then(|key| self.key_location(&source, position, key)) {
            report.location = Some(location);
        }
        calls.reverse();
        report.backtrace = merge_closures(calls);
        report
    }

    /// Returns the source that a call leads into: rhai names a module by the name it was imported under.
    fn resolve_source(&self, within: String, caller: String) -> String {
        if within.is_empty() {
            return caller;
        }
        if self.sources.has(&within) || is_file(Path::new(&within)) {
            return within;
        }
        let file = module_file(&caller, &within);
        if is_file(Path::new(&file)) {
            file
        } else {
            within
        }
    }

    /// Returns the message and the hint of an error, without its location.
    pub fn explain(&self, mut error: EvalAltResult) -> ScriptError {
        use EvalAltResult as E;
        let runtime = |message: String| ScriptError::new(ErrorKind::Runtime, message);
        let limit = |message: String| ScriptError::new(ErrorKind::Limit, message);
        match &error {
            E::ErrorTerminated(token, _) => match token.clone().try_cast::<Termination>() {
                Some(Termination::MemoryLimit) => limit(format!(
                    "the script needs more than the {} it may use",
                    memory::format_bytes(self.host.memory_limit())
                ))
                .with_hint("`odesync --memory GIB …` allows more"),
                Some(Termination::OutputClosed) => {
                    ScriptError::new(ErrorKind::OutputClosed, "the output is closed")
                }
                Some(Termination::Exit) => ScriptError::new(ErrorKind::Exit, "done"),
                _ => match self.host.take_output_failure() {
                    Some(reason) => runtime(format!("cannot write the output: {reason}")),
                    None => ScriptError::new(ErrorKind::Interrupted, "interrupted"),
                },
            },
            E::ErrorRuntime(value, _) => match value.read_lock::<WrappedError>() {
                Some(thrown) => match &thrown.0 {
                    crate::Error::Usage(message) => {
                        ScriptError::new(ErrorKind::Usage, message.clone())
                    }
                    error => runtime(error.to_string()),
                },
                None => runtime(value.to_string()),
            },
            E::ErrorStackOverflow(_) => limit(format!(
                "functions call each other more than {} deep",
                limits::MAX_CALL_LEVELS
            ))
            .with_hint("does the recursion end?"),
            E::ErrorDataTooLarge(what, _) => limit(limits::too_large_message(what)),
            E::ErrorFunctionNotFound(signature, _) => self.unknown_function(signature),
            E::ErrorVariableNotFound(name, _) => {
                let (message, hint) = self.unknown_variable(name);
                ScriptError {
                    hint,
                    ..runtime(message)
                }
            }
            E::ErrorPropertyNotFound(name, _) => {
                let keys = self.linter.keys();
                runtime(with_suggestion(
                    format!("the map has no property \"{name}\""),
                    name,
                    keys.iter().map(String::as_str),
                ))
            }
            E::ErrorDotExpr(text, _) => runtime(self.unknown_property(text)),
            E::ErrorMismatchDataType(_, found, _)
                if found == "condition" || found.ends_with("Condition") =>
            {
                runtime(super::fields::NO_BRANCH.into())
            }
            E::ErrorMismatchDataType(expected, given, _) => {
                let given = with_article(&script_type_name(given));
                match expected.as_str() {
                    "bool" => runtime(format!("a condition should be true or false, not {given}"))
                        .with_hint(CONDITION_HINT),
                    expected => runtime(format!(
                        "{} is needed here, not {given}",
                        with_article(&script_type_name(expected))
                    )),
                }
            }
            E::ErrorIndexingType(text, _) => runtime(match text.split_once(" [") {
                Some((of, by)) => {
                    let by = by.split(']').next().unwrap_or(by);
                    format!(
                        "{} can't be indexed by {}",
                        with_article(&script_type_name(of)),
                        with_article(&script_type_name(by))
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
            E::ErrorFor(_) => runtime(not_iterable(None)),
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

    fn location(&self, source: &str, position: Position) -> Option<Box<SourceLocation>> {
        let column = position.position().unwrap_or(0);
        let make_location = |source: &str, line, text: Option<&str>| {
            Box::new(SourceLocation {
                source: source.into(),
                line,
                column,
                text: text.map(str::to_string),
            })
        };
        if self.sources.has(source) {
            let (source, line) = self.sources.locate(position)?;
            return Some(make_location(&source.name, line, source.line(line)));
        }
        // The source is a module that the script imported.
        let line = position.line()?;
        let text = read(Path::new(source)).ok();
        let text = text.and_then(|bytes| String::from_utf8(bytes).ok());
        let text = text.as_deref().and_then(|text| text.lines().nth(line - 1));
        Some(make_location(source, line, text))
    }

    /// Returns the location of an option's key in the call at this position.
    fn key_location(
        &self,
        source: &str,
        position: Position,
        key: &str,
    ) -> Option<Box<SourceLocation>> {
        let (source, line) = self
            .sources
            .locate(position)
            .filter(|_| self.sources.has(source))?;
        let (line, column) = source.key_in_call(line, position.position()?, key)?;
        Some(Box::new(SourceLocation {
            source: source.name.clone(),
            line,
            column,
            text: source.line(line).map(str::to_string),
        }))
    }

    /// Returns the location of the last line, for errors at the end of a source.
    fn end_location(&self, source: &str) -> Option<Box<SourceLocation>> {
        let (line, text) = self.sources.latest(source)?.last_line()?;
        Some(Box::new(SourceLocation {
            source: source.into(),
            line,
            column: text.chars().count(),
            text: Some(text.into()),
        }))
    }
}

const CONDITION_HINT: &str = "write a comparison such as `x > 0`; for arrays any(…) or all(…)";

/// Returns the script's name of a literal from the parser's name.
fn literal_name(name: &str) -> &str {
    match name {
        "an array" => "a list",
        "an object map" => "a map",
        other => other,
    }
}

/// Returns the message about a value that `for` can't loop over.
fn not_iterable(given: Option<&str>) -> String {
    let given = given.map_or("this", literal_name);
    format!(
        "for can't loop over {given}: it takes a range such as 0..3, a list, an Array or a string"
    )
}

/// Returns the name of the option that a message is about: `option "rtol" …`, or `call: unknown solver "…"`.
fn option_name(message: &str) -> Option<&str> {
    if let Some((_, after)) = message.split_once("option \"") {
        return after.split('"').next();
    }
    let (_, after) = message.split_once(": unknown ")?;
    let (name, rest) = after.split_once(' ')?;
    rest.starts_with('"').then_some(name)
}

/// Merges a closure and the function of the engine that calls it (such as `map`) into one stack frame.
fn merge_closures(calls: Vec<StackFrame>) -> Vec<StackFrame> {
    let mut merged: Vec<StackFrame> = Vec::with_capacity(calls.len());
    for call in calls {
        match (merged.last_mut(), call.callee.strip_prefix("function ")) {
            (Some(last), Some(name))
                if last.callee == "a closure" && last.call_site == call.call_site =>
            {
                last.callee = format!("a closure of {name}");
            }
            _ => merged.push(call),
        }
    }
    merged
}

/// Returns the file of a module: its import name, resolved against the folder of the importing file.
fn module_file(importer: &str, name: &str) -> String {
    let folder = Path::new(importer).parent().unwrap_or(Path::new(""));
    folder
        .join(name)
        .with_extension("rhai")
        .display()
        .to_string()
}
