//! The commas and brackets of a text.

/// Splits a text at the commas that are not within brackets, parentheses or quotes. A text in which one of these is not closed is
/// one part: parsing it as a value gives the better error.
pub(super) fn split(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut begin = 0;
    let mut depth = 0usize;
    let mut quote = None;
    // A quote opens only at the beginning of a value: `don't` is a text.
    let mut at_start = true;
    let mut characters = text.char_indices();
    while let Some((i, c)) = characters.next() {
        match (quote, c) {
            (Some('"'), '\\') => drop(characters.next()),
            (Some(open), c) if open == c => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') if at_start => quote = Some(c),
            (None, '[' | '{' | '(') => depth += 1,
            (None, ']' | '}' | ')') => depth = depth.saturating_sub(1),
            (None, ',') if depth == 0 => {
                parts.push(&text[begin..i]);
                begin = i + 1;
            }
            _ => {}
        }
        at_start =
            matches!(c, ',' | '[' | '{' | '(' | ':' | '=') || (at_start && c.is_whitespace());
    }
    if depth > 0 || quote.is_some() {
        return vec![text];
    }
    parts.push(&text[begin..]);
    parts
}

/// Returns the name and the text within the parentheses of `name(…)`, if `text` is that and nothing more.
pub(super) fn call(text: &str) -> Option<(&str, &str)> {
    let (name, rest) = text.trim().split_once('(')?;
    let inside = rest.strip_suffix(')')?;
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    is_name.then_some((name, inside))
}

/// Returns the arguments of a call: those without a name, and those written `name=value`.
pub(super) fn arguments(inside: &str) -> (Vec<&str>, Vec<(&str, &str)>) {
    let (mut plain, mut named) = (Vec::new(), Vec::new());
    if inside.trim().is_empty() {
        return (plain, named);
    }
    for part in split(inside) {
        let part = part.trim();
        match part.split_once('=') {
            Some((name, value))
                if !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase()) =>
            {
                named.push((name, value.trim()));
            }
            _ => plain.push(part),
        }
    }
    (plain, named)
}
