//! The execution of a cell.

use std::borrow::Cow;
use std::path::Path;

use jupyter_protocol::ExecuteRequest;
use odesync_script::script::{ErrorKind, EvalResult, ScriptError, Session};
use serde_json::{Map, Value, json};

use crate::context::Context;
use crate::history::History;
use crate::mime;

/// The result of a cell.
pub(crate) struct CellResult {
    /// Content of the reply.
    pub reply: Value,
    /// Whether the cells that wait already are to be left out.
    pub aborts: bool,
}

/// Executes a cell, and publishes what comes of it. `count` is the number of the last cell, and afterwards of this one.
pub(crate) fn execute(
    context: &Context,
    session: &mut Session,
    history: &mut History,
    count: &mut usize,
    request: &ExecuteRequest,
) -> CellResult {
    let code = &request.code;
    let stored = request.store_history && !request.silent;
    if stored || *count == 0 {
        *count += 1;
    }
    let number = *count;
    if !request.silent {
        let content = json!({ "code": code, "execution_count": number });
        context.publish("execute_input", content);
    }
    let name = format!("In [{number}]");
    let result = context.run(|| session.eval(&options_as_comments(code), Some(Path::new(&name))));
    if stored {
        let output = result.as_ref().ok().filter(|outcome| !outcome.is_unit);
        history.push(number, code, output.map(|outcome| outcome.text.clone()));
    }
    match result {
        Ok(outcome) => {
            if !request.silent {
                show(context, code, number, &outcome);
            }
            let expressions = user_expressions(context, session, request);
            CellResult {
                reply: json!({
                    "status": "ok",
                    "execution_count": number,
                    "user_expressions": expressions,
                    "payload": [],
                }),
                // A training that was stopped has a value; who stopped it does not want the next cell to begin.
                aborts: context.interrupted(),
            }
        }
        Err(error) if error.exit_code() == 0 => CellResult {
            reply: json!({ "status": "ok", "execution_count": number, "user_expressions": {}, "payload": [] }),
            aborts: false,
        },
        Err(error) => {
            let mut content = error_content(&error);
            if !request.silent {
                context.publish("error", content.clone());
            }
            if let Some(content) = content.as_object_mut() {
                content.insert("status".into(), "error".into());
                content.insert("execution_count".into(), number.into());
            }
            CellResult {
                reply: content,
                aborts: request.stop_on_error,
            }
        }
    }
}

/// Returns the code with the lines of options at its start, `#| label: fig-orbit`, as comments. Quarto writes such lines into the cells of
/// a notebook in every language it does not know; it takes them out before it runs a cell, and other front ends leave them there.
fn options_as_comments(code: &str) -> Cow<'_, str> {
    let options = code
        .split_inclusive('\n')
        .take_while(|line| line.starts_with("#|"));
    let length = options.map(str::len).sum();
    match code.split_at_checked(length) {
        Some((options, rest)) if length > 0 => (options.replace("#|", "//|") + rest).into(),
        _ => code.into(),
    }
}

/// Publishes the value of a cell, unless the cell ends with a semicolon.
fn show(context: &Context, code: &str, number: usize, outcome: &EvalResult) {
    if code.trim_end().ends_with(';') {
        return;
    }
    if let Some(value) = outcome.display() {
        let bundle = mime::bundle(&value);
        let content = json!({
            "execution_count": number,
            "data": bundle.data,
            "metadata": bundle.metadata,
        });
        context.publish("execute_result", content);
    }
}

/// Evaluates the expressions that a client wants to know besides.
fn user_expressions(context: &Context, session: &mut Session, request: &ExecuteRequest) -> Value {
    let expressions = request.user_expressions.iter().flatten();
    let results: Map<String, Value> = expressions
        .map(|(name, code)| {
            let result = context.run(|| session.eval(code, Some(Path::new(name))));
            let value = match result {
                Ok(outcome) => {
                    let text = mime::Bundle::text(&outcome.text);
                    let bundle = outcome.display().map_or(text, |value| mime::bundle(&value));
                    json!({ "status": "ok", "data": bundle.data, "metadata": bundle.metadata })
                }
                Err(error) => {
                    let mut content = error_content(&error);
                    if let Some(content) = content.as_object_mut() {
                        content.insert("status".into(), "error".into());
                    }
                    content
                }
            };
            (name.clone(), value)
        })
        .collect();
    results.into()
}

/// Returns an error as messages carry it: its kind, its text, and the whole report in colours.
pub(crate) fn error_content(error: &ScriptError) -> Value {
    let kind = match error.kind {
        ErrorKind::Syntax => "SyntaxError",
        ErrorKind::Limit => "LimitError",
        ErrorKind::Usage => "UsageError",
        ErrorKind::Interrupted => "Interrupted",
        ErrorKind::InternalError => "InternalError",
        ErrorKind::Runtime | ErrorKind::OutputClosed | ErrorKind::Exit => "RuntimeError",
    };
    let report = error.to_ansi();
    let lines: Vec<&str> = report.lines().collect();
    json!({ "ename": kind, "evalue": error.message, "traceback": lines })
}
