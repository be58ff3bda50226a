//! Labels: text that may hold formulas, measured and cut short.

use super::{font, math};

/// Returns the width of a label in em.
pub(super) fn width(text: &str) -> f64 {
    match math::has_math(text) {
        true => math::layout(text).1,
        false => font::width(text),
    }
}

/// Returns a number in lowered digits.
pub(super) fn subscript(i: usize) -> String {
    let low = |c: char| char::from_u32(0x2080 + u32::from(c) - u32::from('0')).unwrap_or(c);
    i.to_string().chars().map(low).collect()
}

/// Returns `text`, shortened with an ellipsis where it is wider than `most` em.
pub(super) fn ellipsize(text: &str, most: f64) -> String {
    if width(text) <= most {
        return text.to_owned();
    }
    // A formula is not cut in its middle, but written in plain characters first.
    let plain = math::to_plain(text);
    if plain != text && width(&plain) <= most {
        return plain;
    }
    let mut kept: Vec<char> = plain.chars().collect();
    while kept.pop().is_some() {
        let short: String = kept.iter().collect::<String>().trim_end().to_owned() + "…";
        if width(&short) <= most {
            return short;
        }
    }
    "…".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_cut_short() {
        assert_eq!(ellipsize("short", 10.0), "short");
        let cut = ellipsize("a label that goes on and on", 6.0);
        assert!(cut.ends_with('…') && width(&cut) <= 6.0, "{cut}");
        assert_eq!(ellipsize("wide", 0.1), "…");
    }

    #[test]
    fn a_formula_is_not_cut_in_its_middle() {
        let label = "error of $u_{1}^{2}$";
        assert!(width(label) < font::width(label));
        let cut = ellipsize(label, 0.9 * width(label));
        assert!(cut.starts_with("error") && !cut.contains('$'), "{cut}");
    }
}
