//! The keys of the option map that is open at the cursor, and the possible values of a key.

use super::cursor_call::CursorCall;
use super::lexer::{BracketKind, TokenKind, TokenizedText};
use super::symbols::SymbolTable;
use crate::script::keys::{self, Key, Keys};

/// Returns the keys of the innermost open map, each once; none where it is not an option map.
pub fn keys(symbols: &SymbolTable, text: &str, scan: &TokenizedText) -> Vec<&'static Key> {
    let Some(innermost) = scan.open.len().checked_sub(1) else {
        return Vec::new();
    };
    keys::distinct(keys_of_map(symbols, text, scan, innermost))
}

/// Returns the key whose value begins after the token before `value`.
pub fn key_of(
    symbols: &SymbolTable,
    text: &str,
    scan: &TokenizedText,
    value: usize,
) -> Option<&'static Key> {
    let name = key_before_colon(text, scan, value)?;
    let all = keys(symbols, text, scan).into_iter();
    all.into_iter().find(|key| key.name == name)
}

/// Returns the name before the colon that precedes this token.
fn key_before_colon<'t>(text: &'t str, scan: &TokenizedText, value: usize) -> Option<&'t str> {
    let colon = value.checked_sub(1)?;
    let name = colon.checked_sub(1)?;
    let is_key = scan.text(text, colon) == ":" && scan.tokens.get(name)?.kind == TokenKind::Word;
    is_key.then(|| scan.text(text, name))
}

/// Returns the declared keys of the map at bracket `frame`: an option map of a call, or the value of a key of another map, also
/// within a list.
fn keys_of_map(symbols: &SymbolTable, text: &str, scan: &TokenizedText, frame: usize) -> Vec<Keys> {
    let outer = |frame: usize| {
        let outer = frame.checked_sub(1)?;
        Some((outer, scan.open.get(outer)?))
    };
    let bracket = scan.open.get(frame);
    let Some(map) = bracket.filter(|frame| frame.kind == BracketKind::Map) else {
        return Vec::new();
    };
    let (value, within) = match outer(frame) {
        Some((_, around)) if around.kind == BracketKind::Round => {
            return keys_of_call(symbols, text, scan, around.token);
        }
        Some((at, around)) if around.kind == BracketKind::Square => (around.token, outer(at)),
        around => (map.token, around),
    };
    let (Some((within, _)), Some(name)) = (within, key_before_colon(text, scan, value)) else {
        return Vec::new();
    };
    let all = keys_of_map(symbols, text, scan, within);
    let found = all.into_iter().filter_map(|all| keys::find(all, name));
    found.map(|key| key.nested).collect()
}

/// Returns the option keys of the call with this opening bracket.
fn keys_of_call(
    symbols: &SymbolTable,
    text: &str,
    scan: &TokenizedText,
    bracket: usize,
) -> Vec<Keys> {
    let Some(call) = CursorCall::at_bracket(symbols, text, scan, bracket) else {
        return Vec::new();
    };
    if !call.is_method && symbols.functions.iter().any(|f| f.name == call.name) {
        return Vec::new();
    }
    match &call.receiver_type {
        Some(_) => call
            .doc(symbols)
            .map(|doc| doc.options)
            .into_iter()
            .collect(),
        None => symbols.docs(call.name).map(|doc| doc.options).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::symbols::symbol_table;
    use super::*;

    fn names(symbols: &SymbolTable, text: &str) -> Vec<&'static str> {
        let keys = keys(symbols, text, &TokenizedText::tokenize(text)).into_iter();
        keys.map(|key| key.name).collect()
    }

    #[test]
    fn the_keys_of_the_map_that_is_open() {
        let symbols = symbol_table("fn homotopy(a) { a }");
        for (text, some) in [
            ("train(m, d, v, #{ ", "epochs"),
            ("train(m, d, v, #{ lr: 1, ", "variants"),
            ("train(m, d, v, #{ variants: [#{ lr: 1 }, #{ ", "lr"),
            ("train(m, d, v, #{ lr_schedule: #{ ", "rate"),
            ("solve(f, u, t, #{ events: [#{ ", "terminal"),
            ("landscape(m, d, [a], [[1]], #{ ", "lambda"),
            ("figure().contour(x, y, z, #{ ", "map"),
            ("figure().vline(x, #{ ", "dash"),
            ("phase(f, s, #{ ", "t"),
            ("plot(d, run, #{ ", "t_end"),
            ("table(rows, #{ ", "columns"),
            ("lorenz(#{ ", "rho"),
        ] {
            assert!(names(&symbols, text).contains(&some), "{text}");
        }
        for text in [
            "#{ ",
            "table([#{ ",
            "graybox([2, 2], |t, u, nn, p| u, #{ ",
            "args(#{ ",
            "vanilla(#{ ",
            "train(m, d, v, #{ lr: #{ ",
            "train(m, d, v, [#{ ",
            // A function that the user defined.
            "homotopy(#{ ",
        ] {
            assert!(names(&symbols, text).is_empty(), "{text}");
        }
        assert!(!names(&symbols, "solve(f, u, t, #{ events: [#{ ").contains(&"rtol"));
    }
}
