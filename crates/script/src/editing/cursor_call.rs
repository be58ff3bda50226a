//! The call around the cursor.

use super::infer;
use super::lexer::{BracketKind, TokenKind, TokenizedText};
use super::symbols::{SymbolTable, receiver};
use crate::script::Doc;

/// A call around the cursor.
pub struct CursorCall<'t> {
    /// Name of the called function.
    pub name: &'t str,
    /// Index of the current argument, from 0.
    pub argument: usize,
    /// Type of the value whose method is called, where it is known.
    pub receiver_type: Option<String>,
    /// Whether the call follows a point, as a method.
    pub is_method: bool,
}

impl<'t> CursorCall<'t> {
    /// Returns the innermost call around the end of the text.
    pub fn innermost(symbols: &SymbolTable, text: &'t str, scan: &TokenizedText) -> Option<Self> {
        let round = |opens| opens == BracketKind::Round;
        let calls = scan.open.iter().rev().filter(|frame| round(frame.kind));
        calls
            .filter_map(|frame| Self::at_bracket(symbols, text, scan, frame.token))
            .next()
    }

    /// Returns the call whose opening bracket is this token.
    pub fn at_bracket(
        symbols: &SymbolTable,
        text: &'t str,
        scan: &TokenizedText,
        bracket: usize,
    ) -> Option<Self> {
        let word = bracket.checked_sub(1)?;
        let name = scan.text(text, word);
        if scan.tokens.get(word)?.kind != TokenKind::Word {
            return None;
        }
        let point = word.checked_sub(1).filter(|i| scan.text(text, *i) == ".");
        let before = point.and_then(|point| point.checked_sub(1));
        Some(Self {
            name,
            argument: argument_index(text, scan, bracket),
            receiver_type: before.and_then(|before| infer::infer_type(symbols, text, scan, before)),
            is_method: point.is_some(),
        })
    }

    /// Returns the documentation of the called function.
    pub fn doc<'k>(&self, symbols: &'k SymbolTable) -> Option<&'k Doc> {
        match &self.receiver_type {
            Some(kind) => symbols.member_doc(kind, self.name),
            None => {
                let mut docs: Vec<&Doc> = symbols
                    .catalogue
                    .docs
                    .iter()
                    .filter(|doc| doc.receiver_type.is_none() && doc.name == self.name)
                    .collect();
                docs.sort_by_key(|doc| receiver(doc).is_some() != self.is_method);
                docs.first().copied()
            }
        }
    }
}

/// Returns the index of the current argument: the number of commas directly within the bracket, up to the end of the text.
fn argument_index(text: &str, scan: &TokenizedText, bracket: usize) -> usize {
    let mut depth = 0i32;
    let mut commas = 0;
    // Commas between the bars of a closure's parameters do not separate arguments.
    let mut bars = false;
    for (i, token) in scan.tokens.iter().enumerate().skip(bracket + 1) {
        if token.kind != TokenKind::Symbol {
            continue;
        }
        match scan.text(text, i) {
            "(" | "[" | "{" | "#{" | "?[" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            "|" if depth == 0 => bars = !bars,
            "," if depth == 0 && !bars => commas += 1,
            _ => {}
        }
    }
    commas
}
