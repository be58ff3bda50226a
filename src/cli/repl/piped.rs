//! Piped input, which is evaluated statement by statement until the first error.

use std::io::Read;

use super::{LoopAction, Repl};
use crate::script::{ErrorKind, ScriptError};
use odesync_script::editing::TokenizedText;

pub(super) fn run(repl: &mut Repl) -> Result<(), ScriptError> {
    let failed = |message: String| ScriptError::new(ErrorKind::Runtime, message);
    let mut bytes = Vec::new();
    std::io::stdin()
        .lock()
        .read_to_end(&mut bytes)
        .map_err(|e| failed(format!("the standard input can't be read: {e}")))?;
    let text = String::from_utf8(bytes)
        .map_err(|_| failed("the standard input is not UTF-8 text".into()))?;
    for (line, statement) in statements(text.trim_start_matches('\u{feff}')) {
        if let LoopAction::Exit = repl.handle_input(&statement, Some(line))? {
            break;
        }
    }
    Ok(())
}

/// Splits a text into inputs, each with the number of its first line. An input ends with the line on which it is complete, unless
/// the next line continues it.
fn statements(text: &str) -> Vec<(usize, String)> {
    let mut all: Vec<(usize, String)> = Vec::new();
    let mut open = false;
    for (number, line) in text.lines().enumerate() {
        let is_command = !open && line.trim_start().starts_with(':');
        let goes_on = open || (!is_command && continues_statement(line));
        match all.last_mut() {
            Some((_, last)) if goes_on && !last.trim_start().starts_with(':') => {
                last.push('\n');
                last.push_str(line);
            }
            _ if line.trim().is_empty() => continue,
            _ => all.push((number, line.to_string())),
        }
        open = !is_command
            && all
                .last()
                .is_some_and(|(_, last)| TokenizedText::tokenize(last).is_unfinished(last));
    }
    all
}

/// Whether a line can only be the continuation of the previous statement.
fn continues_statement(line: &str) -> bool {
    let line = line.trim_start();
    let word = line
        .split(|c: char| !c.is_alphanumeric() && c != '_')
        .next()
        .unwrap_or_default();
    let symbol = line.starts_with([
        '.', '+', '*', '/', '%', '=', '<', '>', '&', '?', ')', ']', '}', ',', ';',
    ]);
    (symbol && !line.starts_with("//") && !line.starts_with("/*"))
        || matches!(word, "else" | "catch" | "until")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_end_where_they_are_whole() {
        let text = "let x = 1;\n\nlet y = f(x,\n  2)\n  .g();\n// note\nif x {\n}\nelse {\n}\n:set a=1\n1 +\n2\n";
        let all = statements(text);
        let wanted = [
            (0, "let x = 1;"),
            (2, "let y = f(x,\n  2)\n  .g();"),
            (5, "// note"),
            (6, "if x {\n}\nelse {\n}"),
            (10, ":set a=1"),
            (11, "1 +\n2"),
        ];
        let wanted: Vec<(usize, String)> = wanted
            .into_iter()
            .map(|(n, t)| (n, t.to_string()))
            .collect();
        assert_eq!(all, wanted);
    }
}
