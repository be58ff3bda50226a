//! Completion, inspection and completeness of code. Positions of the protocol count characters, those of the code bytes.

use odesync_script::editing::{SymbolTable, TokenizedText, code_candidates, inspect};
use serde_json::{Value, json};

/// Number of columns of one level of indentation.
const INDENT: usize = 4;

/// Returns the byte at which a character begins; the end of the code for a position beyond it.
fn byte_position(code: &str, characters: usize) -> usize {
    let mut starts = code.char_indices().map(|(at, _)| at);
    starts.nth(characters).unwrap_or(code.len())
}

fn character_position(code: &str, byte: usize) -> usize {
    code.get(..byte).map_or(0, |before| before.chars().count())
}

/// Returns the content of the reply to `complete_request`.
pub(crate) fn complete(symbols: &SymbolTable, code: &str, cursor: usize) -> Value {
    let end = byte_position(code, cursor);
    let before = code.get(..end).unwrap_or_default();
    let (start, candidates) = code_candidates(symbols, before);
    let matches: Vec<&str> = candidates.iter().map(|c| c.value.as_str()).collect();
    let (from, to) = (
        character_position(code, start),
        character_position(code, end),
    );
    let types: Vec<Value> = candidates
        .iter()
        .map(|candidate| {
            let kind = match candidate.value.contains('(') {
                true => "function",
                false => "instance",
            };
            json!({
                "text": candidate.value,
                "type": kind,
                "signature": candidate.description,
                "start": from,
                "end": to,
            })
        })
        .collect();
    json!({
        "status": "ok",
        "matches": matches,
        "cursor_start": from,
        "cursor_end": to,
        "metadata": { "_jupyter_types_experimental": types },
    })
}

/// Returns the content of the reply to `inspect_request`.
pub(crate) fn inspection(symbols: &SymbolTable, code: &str, cursor: usize) -> Value {
    let data = match inspect(symbols, code, byte_position(code, cursor)) {
        Some(found) => json!({ "text/plain": found.text, "text/html": found.html }),
        None => json!({}),
    };
    let found = data.as_object().is_some_and(|data| !data.is_empty());
    json!({ "status": "ok", "found": found, "data": data, "metadata": {} })
}

/// Returns the content of the reply to `is_complete_request`.
pub(crate) fn completeness(code: &str) -> Value {
    let scan = TokenizedText::tokenize(code);
    if scan.has_unmatched_close {
        return json!({ "status": "invalid" });
    }
    match scan.is_unfinished(code) {
        true => {
            let indent = " ".repeat(INDENT * scan.open.len());
            json!({ "status": "incomplete", "indent": indent })
        }
        false => json!({ "status": "complete" }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use odesync_script::script::{Output, Session, SessionOptions};

    fn symbols() -> SymbolTable {
        let mut session = Session::new(SessionOptions {
            output: Output::captured().0,
            ..SessionOptions::default()
        })
        .unwrap();
        SymbolTable::of_session(&mut session, &SymbolTable::default())
    }

    #[test]
    fn positions_count_characters() {
        let code = "let λλ = \"µ\"; linsp";
        let reply = complete(&symbols(), code, 19);
        assert_eq!(reply["cursor_start"], 14);
        assert_eq!(reply["cursor_end"], 19);
        assert_eq!(reply["matches"], json!(["linspace("]));
        let found = inspection(&symbols(), "\"λ\"; homotopy()", 8);
        assert!(
            found["data"]["text/plain"]
                .as_str()
                .unwrap()
                .contains("homotopy(")
        );
        assert_eq!(inspection(&symbols(), "", 99)["found"], false);
        assert_eq!(complete(&symbols(), "λ", 99)["status"], "ok");
    }

    #[test]
    fn code_is_complete_or_not_or_cannot_become_so() {
        assert_eq!(completeness("1 + 1")["status"], "complete");
        assert_eq!(completeness("if x {")["status"], "incomplete");
        assert_eq!(completeness("f([1,")["indent"], "        ");
        assert_eq!(completeness("x ]")["status"], "invalid");
    }
}
