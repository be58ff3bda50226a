//! Words of messages.

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
