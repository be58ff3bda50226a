//! The documentation of what the cursor is on: a name, an option, or the call around it.

use odesync_base::text::escape_html;

use super::cursor_call::CursorCall;
use super::infer::infer_type;
use super::lexer::{TokenKind, TokenizedText};
use super::option_keys;
use super::symbols::{SymbolTable, receiver};
use crate::script::{Doc, FunctionInfo, VariableInfo, reference};

/// What is known about the name at a cursor, as text and as HTML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// Plain text, as `odesync docs` shows it.
    pub text: String,
    /// The same as HTML, without scripts and styles of a page.
    pub html: String,
}

/// Returns what is known about the name that the cursor is on or directly after; where there is none, about the call around the
/// cursor. `cursor` counts bytes; `None` where nothing is known, and for a cursor that is not between two characters.
pub fn inspect(symbols: &SymbolTable, code: &str, cursor: usize) -> Option<Inspection> {
    let before = code.get(..cursor)?;
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let rest = code.get(cursor..)?;
    let word_end = cursor + rest.find(|c| !is_word(c)).unwrap_or(rest.len());
    let text = code.get(..word_end)?;
    let scan = TokenizedText::tokenize(text);
    let word = scan.tokens.len().checked_sub(1);
    let word = word.filter(|at| {
        let token = &scan.tokens[*at];
        token.kind == TokenKind::Word && token.range.end == text.len()
    });
    let named = word.and_then(|at| {
        let follows = code[word_end..].trim_start();
        inspect_word(symbols, text, &scan, at, follows)
    });
    named.or_else(|| {
        let scan = TokenizedText::tokenize(before);
        let call = CursorCall::innermost(symbols, before, &scan)?;
        let own = symbols.functions.iter().find(|f| f.name == call.name);
        match own.filter(|_| !call.is_method) {
            Some(function) => Some(of_function(function)),
            None => Some(of_docs(&[call.doc(symbols)?])),
        }
    })
}

/// Returns what is known about the word that is token `at` of the text; `follows` is the code after it.
fn inspect_word(
    symbols: &SymbolTable,
    text: &str,
    scan: &TokenizedText,
    at: usize,
    follows: &str,
) -> Option<Inspection> {
    let name = scan.text(text, at);
    let previous = at.checked_sub(1);
    if let Some(point) = previous.filter(|i| matches!(scan.text(text, *i), "." | "?.")) {
        let kind = point
            .checked_sub(1)
            .and_then(|of| infer_type(symbols, text, scan, of));
        if let Some(doc) = kind.and_then(|kind| symbols.member_doc(&kind, name)) {
            return Some(of_docs(&[doc]));
        }
        // A value of unknown type: the members of this name of all types.
        let docs = symbols.catalogue.docs.iter();
        let docs: Vec<&Doc> = docs
            .filter(|doc| doc.name == name)
            .filter(|doc| doc.receiver_type.is_some() || receiver(doc).is_some())
            .collect();
        return (!docs.is_empty()).then(|| of_docs(&docs));
    }
    if follows.starts_with(':') && !follows.starts_with("::") {
        let keys = option_keys::keys(symbols, text, scan);
        if let Some(key) = keys.into_iter().find(|key| key.name == name) {
            return Some(preformatted(reference::option(key, reference::WIDTH)));
        }
    }
    if let Some(variable) = symbols.variable(name) {
        return Some(of_variable(variable));
    }
    if let Some(function) = symbols.functions.iter().find(|f| f.name == name) {
        return Some(of_function(function));
    }
    let docs: Vec<&Doc> = symbols.docs(name).collect();
    (!docs.is_empty()).then(|| of_docs(&docs))
}

fn of_docs(docs: &[&Doc]) -> Inspection {
    let text: Vec<String> = docs
        .iter()
        .map(|doc| reference::entry(doc, reference::WIDTH))
        .collect();
    Inspection {
        text: text.join("\n"),
        html: docs.iter().map(|doc| reference::entry_html(doc)).collect(),
    }
}

fn of_variable(variable: &VariableInfo) -> Inspection {
    let shape = match variable.shape.as_str() {
        "" => String::new(),
        shape => format!(" {shape}"),
    };
    let VariableInfo {
        name, kind, short, ..
    } = variable;
    preformatted(format!("{name}: {kind}{shape}\n  {short}\n"))
}

fn of_function(function: &FunctionInfo) -> Inspection {
    let parameters = function.parameters.join(", ");
    preformatted(format!("fn {}({parameters})\n", function.name))
}

fn preformatted(text: String) -> Inspection {
    Inspection {
        html: format!("<pre>{}</pre>", escape_html(text.trim_end())),
        text,
    }
}

#[cfg(test)]
mod tests {
    use super::super::symbols::symbol_table;
    use super::*;

    #[test]
    fn names_members_options_and_calls_are_explained() {
        let symbols = symbol_table(
            "fn twice(x) { 2 * x } let x = linspace(0, 1, 5); let d = dataset([0, 1], [[1.0], [2.0]]);",
        );
        // The cursor is at the bar.
        for (marked, wanted) in [
            ("hom¦otopy(#{})", "homotopy("),
            ("homotopy¦", "homotopy("),
            ("1 + x¦", "x: Array [5]"),
            ("twice¦(1)", "fn twice(x)"),
            ("twice(1, ¦", "fn twice(x)"),
            ("d.add_no¦ise(0.1)", "data.add_noise("),
            ("unknown.best_m¦se", "best_mse"),
            ("solve(f, u0, ¦", "solve("),
            ("train(m, d, v, #{ epo¦chs: 3 })", "epochs"),
        ] {
            let cursor = marked.find('¦').unwrap();
            let code = marked.replace('¦', "");
            let found = inspect(&symbols, &code, cursor).unwrap_or_else(|| panic!("{marked}"));
            assert!(found.text.contains(wanted), "{marked}: {}", found.text);
            assert!(found.html.starts_with('<'), "{marked}");
        }
    }

    #[test]
    fn nothing_is_said_of_what_is_unknown() {
        let symbols = symbol_table("");
        for (code, cursor) in [
            ("zzz", 2),
            ("", 0),
            ("1 + 2", 3),
            ("λ", 1),
            ("x", 9),
            ("\"sin\"", 3),
        ] {
            assert_eq!(inspect(&symbols, code, cursor), None, "{code}");
        }
    }

    #[test]
    fn html_has_no_markup_from_texts() {
        let symbols = symbol_table("let x = \"<b>\";");
        let found = inspect(&symbols, "x", 1).unwrap();
        assert!(
            found.html.contains("&lt;b&gt;") && !found.html.contains("<b>"),
            "{}",
            found.html
        );
    }
}
