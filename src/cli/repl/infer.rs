//! The type of the value before the cursor, by what is known of variables and functions: `run.model.` is a Field.

use super::known::{Known, gives, is_word, receiver};
use super::scan::{Kind, Scan};

/// One step of an expression such as `train(…).model`.
enum Step<'t> {
    Name(&'t str),
    Call(&'t str),
    Index,
    Literal(&'static str),
}

/// The type of the expression that ends with token `last`.
pub(super) fn kind_of(known: &Known, text: &str, scan: &Scan, last: usize) -> Option<String> {
    let mut steps = Vec::new();
    let mut at = last;
    loop {
        let (step, before) = step(text, scan, at)?;
        let indexes = matches!(step, Step::Index);
        steps.push(step);
        match before {
            // What is indexed stands right before, anything else behind a point.
            Some(before) if indexes => at = before,
            Some(point) if scan.text(text, point) == "." && point > 0 => at = point - 1,
            _ => break,
        }
    }
    let mut kind: Option<String> = None;
    for (i, step) in steps.iter().rev().enumerate() {
        kind = match (i, step) {
            (0, Step::Name(name)) => variable(known, name),
            (0, Step::Call(name)) => {
                let doc = known.docs(name).find(|doc| receiver(doc).is_none());
                doc.and_then(|doc| gives(doc.signature)).map(str::to_string)
            }
            (_, Step::Literal(kind)) => Some(kind.to_string()),
            (_, Step::Name(name) | Step::Call(name)) => {
                let doc = known.member_doc(&kind?, name)?;
                gives(doc.signature).map(str::to_string)
            }
            // A row of a matrix; of a vector it is a number, which has no members.
            (_, Step::Index) => Some(kind?).filter(|kind| kind == "Array"),
        };
    }
    kind
}

fn variable(known: &Known, name: &str) -> Option<String> {
    match known.variable(name) {
        Some(variable) => Some(variable.kind.clone()),
        None => known
            .catalogue
            .constants
            .contains(&name)
            .then(|| "float".to_string()),
    }
}

/// The step that ends with token `at`, and the token before it.
fn step<'t>(text: &'t str, scan: &Scan, at: usize) -> Option<(Step<'t>, Option<usize>)> {
    let token = scan.tokens.get(at)?;
    let before = at.checked_sub(1);
    match (token.kind, scan.text(text, at)) {
        (Kind::Word, word) => Some((Step::Name(word), before)),
        (Kind::Text, piece) if piece.starts_with('"') || piece.ends_with('`') => {
            Some((Step::Literal("string"), None))
        }
        (Kind::Symbol, ")") => {
            let name = matching(text, scan, at, "(", ")")?.checked_sub(1)?;
            let word = scan.text(text, name);
            is_word(word).then(|| (Step::Call(word), name.checked_sub(1)))
        }
        (Kind::Symbol, "]") => {
            let open = matching(text, scan, at, "[", "]")?;
            let of = open.checked_sub(1).filter(|of| {
                let piece = scan.text(text, *of);
                is_word(piece) || matches!(piece, ")" | "]")
            });
            Some(match of {
                Some(of) => (Step::Index, Some(of)),
                None => (Step::Literal("list"), None),
            })
        }
        _ => None,
    }
}

/// The token that opens what token `at` closes.
fn matching(text: &str, scan: &Scan, at: usize, open: &str, close: &str) -> Option<usize> {
    let mut depth = 0usize;
    for i in (0..=at).rev() {
        let piece = scan.text(text, i);
        if scan.tokens.get(i)?.kind != Kind::Symbol {
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
