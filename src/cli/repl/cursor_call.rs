//! The call that the cursor stands in.

use super::infer;
use super::lexer::{BracketKind, TokenKind, TokenizedText};
use super::symbols::{SymbolTable, receiver};
use crate::script::Doc;

/// See the module's text.
pub(super) struct CursorCall<'t> {
    pub name: &'t str,
    /// The number of the argument, from 0.
    pub argument: usize,
    /// The type of the value whose method it is, where it is known.
    pub receiver_type: Option<String>,
    /// Behind a point.
    pub is_method: bool,
}

impl<'t> CursorCall<'t> {
    /// The innermost call around the end of the text.
    pub fn innermost(known: &SymbolTable, text: &'t str, scan: &TokenizedText) -> Option<Self> {
        let round = |opens| opens == BracketKind::Round;
        let calls = scan.open.iter().rev().filter(|frame| round(frame.kind));
        calls
            .filter_map(|frame| Self::at_bracket(known, text, scan, frame.token))
            .next()
    }

    /// The call whose opening bracket is this token.
    pub fn at_bracket(
        known: &SymbolTable,
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
            receiver_type: before.and_then(|before| infer::infer_type(known, text, scan, before)),
            is_method: point.is_some(),
        })
    }

    /// What is said about it.
    pub fn doc<'k>(&self, known: &'k SymbolTable) -> Option<&'k Doc> {
        match &self.receiver_type {
            Some(kind) => known.member_doc(kind, self.name),
            None => {
                let mut docs: Vec<&Doc> = known
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

/// The commas right within the bracket, up to the end.
fn argument_index(text: &str, scan: &TokenizedText, bracket: usize) -> usize {
    let mut depth = 0i32;
    let mut commas = 0;
    // The bars of a closure's parameters hold commas of their own.
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
