//! Words of messages.

use std::borrow::Cow;

/// Returns a number of things in words: "1 value", "2 values", "0 entries".
///
/// ```
/// use odesync_base::text::count_of;
/// assert_eq!(count_of(1, "state variable"), "1 state variable");
/// assert_eq!(count_of(0, "entry"), "0 entries");
/// assert_eq!(count_of(3, "list of values"), "3 lists of values");
/// ```
pub fn count_of(n: usize, noun: &str) -> String {
    format!("{n} {}", plural_of(n, noun))
}

/// Returns a number with its verb: "1 was", "2 were".
pub fn were(n: usize) -> String {
    format!("{n} {}", if n == 1 { "was" } else { "were" })
}

/// Returns the noun as it stands after the number `n`, without the number.
pub fn plural_of(n: usize, noun: &str) -> String {
    if n == 1 {
        return noun.into();
    }
    let (head, rest) = match noun.find(" of ") {
        Some(at) => noun.split_at(at),
        None => (noun, ""),
    };
    let plural = match head.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'o']) => format!("{stem}ies"),
        _ => match head.strip_suffix("is") {
            Some(stem) => format!("{stem}es"),
            None => format!("{head}s"),
        },
    };
    plural + rest
}

/// Returns the text as it stands in HTML, between tags or in an attribute in double quotes. Control characters other than line
/// ends and tabs are left out.
///
/// ```
/// use odesync_base::text::escape_html;
/// assert_eq!(escape_html("a < b & \"c\""), "a &lt; b &amp; &quot;c&quot;");
/// ```
pub fn escape_html(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            c if c.is_control() && !matches!(c, '\n' | '\t') => {}
            c => html.push(c),
        }
    }
    html
}

/// Returns the text without control characters other than line ends and tabs, which could do as they like with a terminal; the picture of
/// each stands in its place. Names, cells and messages come from files of anyone.
///
/// ```
/// use odesync_base::text::printable;
/// assert_eq!(printable("x\x1b[2J\n"), "x␛[2J\n");
/// ```
pub fn printable(text: &str) -> Cow<'_, str> {
    let is_unsafe = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    if !text.contains(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let picture = |c: char| match u32::from(c) {
        _ if !is_unsafe(c) => c,
        0x7f => '␡',
        code => char::from_u32(0x2400 + code)
            .filter(|_| code < 0x20)
            .unwrap_or('�'),
    };
    Cow::Owned(text.chars().map(picture).collect())
}

/// Largest number of lines of a value that are shown; `print` shows all of it.
const MAX_LINES: usize = 100;
/// Largest number of characters of a value that are shown; `print` shows all of it.
const MAX_CHARACTERS: usize = 8_000;

/// Truncates the long text of a value for a front end, and adds a line that says how much is omitted.
pub fn truncate(text: &str) -> String {
    let mut end = text
        .char_indices()
        .nth(MAX_CHARACTERS)
        .map_or(text.len(), |(end, _)| end);
    if let Some((line_end, _)) = text.match_indices('\n').nth(MAX_LINES - 1) {
        end = end.min(line_end);
    }
    if end == text.len() {
        return text.to_string();
    }
    let lines = text[end..].matches('\n').count();
    let rest = match lines {
        0 => format!("{} characters", text[end..].chars().count()),
        n => format!("{n} lines"),
    };
    format!("{}…\n… {rest} more: print(ans) shows all", &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_values_are_cut() {
        assert_eq!(truncate("a\nb"), "a\nb");
        let lines = vec!["x"; 150].join("\n");
        let short = truncate(&lines);
        assert_eq!(short.lines().count(), MAX_LINES + 1);
        assert!(
            short.ends_with("… 50 lines more: print(ans) shows all"),
            "{short}"
        );
        assert!(truncate(&"λ".repeat(9_000)).contains("1000 characters more"));
    }
}
