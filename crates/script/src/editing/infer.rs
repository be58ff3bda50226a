//! Inference of the type of the value before the cursor, from the known variables and functions: `run.model.` is a Field.

use super::lexer::{TokenKind, TokenizedText};
use super::symbols::{SymbolTable, is_identifier, receiver, return_type};

/// One step of an expression such as `train(…).model`.
enum ExprStep<'t> {
    Name(&'t str),
    Call(&'t str),
    Index,
    Literal(&'static str),
}

/// Returns the type of the expression that ends with token `last`, where it is known.
pub fn infer_type(
    symbols: &SymbolTable,
    text: &str,
    scan: &TokenizedText,
    last: usize,
) -> Option<String> {
    let mut steps = Vec::new();
    let mut at = last;
    loop {
        let (step, before) = step(text, scan, at)?;
        let indexes = matches!(step, ExprStep::Index);
        steps.push(step);
        match before {
            // An indexed value directly precedes the bracket; other steps follow a point.
            Some(before) if indexes => at = before,
            Some(point) if scan.text(text, point) == "." && point > 0 => at = point - 1,
            _ => break,
        }
    }
    let mut kind: Option<String> = None;
    for (i, step) in steps.iter().rev().enumerate() {
        kind = match (i, step) {
            (0, ExprStep::Name(name)) => variable_type(symbols, name),
            (0, ExprStep::Call(name)) => {
                let doc = symbols.docs(name).find(|doc| receiver(doc).is_none());
                doc.and_then(|doc| return_type(doc.signature))
                    .map(str::to_string)
            }
            (_, ExprStep::Literal(kind)) => Some(kind.to_string()),
            (_, ExprStep::Name(name) | ExprStep::Call(name)) => {
                let doc = symbols.member_doc(&kind?, name)?;
                return_type(doc.signature).map(str::to_string)
            }
            // An element is a row of a matrix, or of a vector a number, which has no members.
            (_, ExprStep::Index) => Some(kind?).filter(|kind| kind == "Array"),
        };
    }
    kind
}

fn variable_type(symbols: &SymbolTable, name: &str) -> Option<String> {
    match symbols.variable(name) {
        Some(variable) => Some(variable.kind.clone()),
        None => symbols
            .catalogue
            .constants
            .contains(&name)
            .then(|| "float".to_string()),
    }
}

/// Returns the step that ends with token `at`, and the token before it.
fn step<'t>(
    text: &'t str,
    scan: &TokenizedText,
    at: usize,
) -> Option<(ExprStep<'t>, Option<usize>)> {
    let token = scan.tokens.get(at)?;
    let before = at.checked_sub(1);
    match (token.kind, scan.text(text, at)) {
        (TokenKind::Word, word) => Some((ExprStep::Name(word), before)),
        (TokenKind::Text, piece) if piece.starts_with('"') || piece.ends_with('`') => {
            Some((ExprStep::Literal("string"), None))
        }
        (TokenKind::Symbol, ")") => {
            let name = matching_open(text, scan, at, "(", ")")?.checked_sub(1)?;
            let word = scan.text(text, name);
            is_identifier(word).then(|| (ExprStep::Call(word), name.checked_sub(1)))
        }
        (TokenKind::Symbol, "]") => {
            let open = matching_open(text, scan, at, "[", "]")?;
            let of = open.checked_sub(1).filter(|of| {
                let piece = scan.text(text, *of);
                is_identifier(piece) || matches!(piece, ")" | "]")
            });
            Some(match of {
                Some(of) => (ExprStep::Index, Some(of)),
                None => (ExprStep::Literal("list"), None),
            })
        }
        _ => None,
    }
}

/// Returns the token of the opening bracket of the closing bracket at token `at`.
fn matching_open(
    text: &str,
    scan: &TokenizedText,
    at: usize,
    open: &str,
    close: &str,
) -> Option<usize> {
    let mut depth = 0usize;
    for i in (0..=at).rev() {
        let piece = scan.text(text, i);
        if scan.tokens.get(i)?.kind != TokenKind::Symbol {
            continue;
        }
        if piece == close {
            depth += 1;
        } else if piece == open {
            depth -= 1;
            if depth == 0 {
                return Some(i);
            }
        }
    }
    None
}
