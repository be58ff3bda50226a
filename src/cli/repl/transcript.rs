//! The transcript of a session: its successful inputs as a script.

use crate::script::LAST_VALUE;
use odesync_script::editing::{TokenKind, TokenizedText};

/// An input of the history.
#[derive(Debug, Clone)]
pub(super) struct HistoryEntry {
    pub code: String,
    /// File from which the input was loaded.
    pub file: Option<String>,
    /// Whether the input had a value.
    pub has_value: bool,
}

/// Returns the inputs as one script.
pub(super) fn to_script(inputs: &[HistoryEntry], changes: &[String]) -> String {
    let mut text = String::new();
    if !changes.is_empty() {
        text.push_str(&format!(
            "// Run it with the changes of the session: odesync run FILE {}\n",
            changes.join(" ")
        ));
    }
    let codes: Vec<String> = (0..inputs.len())
        .map(|i| without_redefined(inputs, i))
        .collect();
    for (i, input) in inputs.iter().enumerate() {
        let code = codes[i].trim();
        if let Some(file) = &input.file {
            text.push_str(&format!("// {file}\n"));
        }
        if code.is_empty() {
            continue;
        }
        // A later input may use the value as `ans`.
        let rest = codes.get(i + 1..).unwrap_or_default();
        let named = input.has_value
            && is_last_before_use(inputs, &codes, i)
            && is_expression(code)
            && uses_last(rest);
        if named {
            text.push_str(&format!("let {LAST_VALUE} = "));
        }
        text.push_str(code);
        text.push_str(missing_end(code));
        text.push('\n');
    }
    text
}

/// Returns the semicolon that a statement lacks before another one, or an empty string.
fn missing_end(code: &str) -> &'static str {
    let scan = TokenizedText::tokenize(code);
    let is_code = |i: usize| {
        scan.tokens
            .get(i)
            .is_some_and(|token| token.kind != TokenKind::Comment)
    };
    let Some(last) = (0..scan.tokens.len()).rfind(|i| is_code(*i)) else {
        return "";
    };
    match scan.text(code, last) {
        ";" => "",
        "}" if starts_block(code) => "",
        _ if last + 1 == scan.tokens.len() => ";",
        // After a comment at the end, the semicolon needs its own line.
        _ => "\n;",
    }
}

fn starts_block(code: &str) -> bool {
    let first = code
        .split(|c: char| !c.is_alphanumeric())
        .next()
        .unwrap_or_default();
    matches!(
        first,
        "fn" | "if" | "for" | "while" | "loop" | "switch" | "private"
    )
}

/// Whether the code is one expression, whose value can be assigned to a variable.
fn is_expression(code: &str) -> bool {
    let scan = TokenizedText::tokenize(code);
    let first = scan.text(code, 0);
    let statement = matches!(
        first,
        "let"
            | "const"
            | "fn"
            | "for"
            | "while"
            | "loop"
            | "import"
            | "export"
            | "return"
            | "throw"
            | "try"
            | "private"
    );
    let semicolon =
        (0..scan.tokens.len()).any(|i| scan.text(code, i) == ";" && i + 1 < scan.tokens.len());
    !statement && !semicolon
}

fn words<'t>(scan: &TokenizedText, code: &'t str) -> Vec<&'t str> {
    let all = (0..scan.tokens.len()).filter(|i| scan.tokens[*i].kind == TokenKind::Word);
    all.map(|i| scan.text(code, i)).collect()
}

fn uses_ans(code: &str) -> bool {
    words(&TokenizedText::tokenize(code), code).contains(&LAST_VALUE)
}

fn uses_last(codes: &[String]) -> bool {
    codes.iter().any(|code| uses_ans(code))
}

/// Whether no other input with a value lies between this input and the next that uses `ans`.
fn is_last_before_use(inputs: &[HistoryEntry], codes: &[String], i: usize) -> bool {
    for (input, code) in inputs.iter().zip(codes).skip(i + 1) {
        if uses_ans(code) {
            return true;
        }
        if input.has_value {
            return false;
        }
    }
    false
}

/// Returns the code of an input without the functions that a later input redefines, because a script can't define one twice.
fn without_redefined(inputs: &[HistoryEntry], i: usize) -> String {
    let code = &inputs[i].code;
    let later: Vec<(String, usize)> = inputs[i + 1..]
        .iter()
        .flat_map(|input| functions(&input.code))
        .map(|f| (f.name, f.parameters))
        .collect();
    let mut remaining = code.clone();
    for function in functions(code).into_iter().rev() {
        if later.contains(&(function.name, function.parameters)) {
            remaining.replace_range(function.range, "");
        }
    }
    remaining
}

struct FunctionSpan {
    name: String,
    parameters: usize,
    range: std::ops::Range<usize>,
}

/// Returns the functions that the code defines.
fn functions(code: &str) -> Vec<FunctionSpan> {
    let scan = TokenizedText::tokenize(code);
    let text = |i: usize| scan.text(code, i);
    let mut all = Vec::new();
    for i in 0..scan.tokens.len() {
        if text(i) != "fn" || scan.tokens[i].kind != TokenKind::Word {
            continue;
        }
        let Some(open) = (i + 1..scan.tokens.len()).find(|j| text(*j) == "{") else {
            continue;
        };
        let mut depth = 0usize;
        let close = (open..scan.tokens.len()).find(|j| {
            match text(*j) {
                "{" | "#{" => depth += 1,
                "}" => depth = depth.saturating_sub(1),
                piece if piece.ends_with("${") => depth += 1,
                _ => {}
            }
            depth == 0
        });
        let Some(close) = close else { continue };
        let parameters = (i + 2..open)
            .filter(|j| scan.tokens[*j].kind == TokenKind::Word)
            .count();
        all.push(FunctionSpan {
            name: text(i + 1).into(),
            parameters,
            range: scan.tokens[i].range.start..scan.tokens[close].range.end,
        });
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(inputs: &[(&str, bool)]) -> String {
        let inputs: Vec<HistoryEntry> = inputs
            .iter()
            .map(|(code, valued)| HistoryEntry {
                code: code.to_string(),
                file: None,
                has_value: *valued,
            })
            .collect();
        to_script(&inputs, &[])
    }

    #[test]
    fn statements_end_and_values_that_are_used_have_a_name() {
        assert_eq!(
            of(&[
                ("let x = 2", false),
                ("x + 1", true),
                ("let y = ans * 2;", false),
                ("fn f() { 1 }", false),
                ("f() // one", true)
            ]),
            "let x = 2;\nlet ans = x + 1;\nlet y = ans * 2;\nfn f() { 1 }\nf() // one\n;\n"
        );
        assert_eq!(
            of(&[("1", true), ("2", true), ("ans", true)]),
            "1;\nlet ans = 2;\nans;\n"
        );
        assert_eq!(of(&[("#{ a: 1 }", true)]), "#{ a: 1 };\n");
    }

    #[test]
    fn a_function_is_defined_once() {
        let text = of(&[
            ("fn f(x) { #{ a: x } }\nfn g(x) { x }", false),
            ("f(1)", true),
            ("fn f(x) { 2 * x }", false),
        ]);
        assert_eq!(text, "fn g(x) { x }\nf(1);\nfn f(x) { 2 * x }\n");
    }
}
