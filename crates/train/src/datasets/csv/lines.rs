//! The lines of a table's text: comments, blank lines and lines to skip are left out.

/// The lines of a table.
#[derive(Debug)]
pub(super) struct Lines<'a> {
    /// Number in the file, from 1, and text of each line that is not left out.
    pub rows: Vec<(usize, &'a str)>,
    /// The last comment before the first row, without its mark, and its line.
    pub comment: Option<(usize, &'a str)>,
    /// Separator that a spreadsheet names in a first line such as `sep=;`.
    pub separator: Option<char>,
}

impl<'a> Lines<'a> {
    /// Splits a text without its first `skip` lines.
    pub fn new(text: &'a str, skip: usize) -> Self {
        let (mut rows, mut comment, mut separator) = (vec![], None, None);
        for (number, line) in (1..).zip(text.lines()).skip(skip) {
            let trimmed = line.trim();
            let named = trimmed.get(..4).filter(|s| s.eq_ignore_ascii_case("sep="));
            if trimmed.is_empty() {
                continue;
            }
            if let (true, Some(_), Some(c)) =
                (rows.is_empty(), named, line.trim_start().chars().nth(4))
            {
                separator = Some(c);
            } else if let Some(text) = comment_text(trimmed) {
                if rows.is_empty() {
                    comment = Some((number, text));
                }
            } else {
                rows.push((number, line));
            }
        }
        Lines {
            rows,
            comment,
            separator,
        }
    }
}

/// Returns the text of a comment, a line that begins with `#` or `%`; the markers of missing values of spreadsheets are none.
fn comment_text(line: &str) -> Option<&str> {
    let first = line.split([',', ';', '\t', ' ']).next().unwrap_or(line);
    let is_marker = ["#n/a", "#na", "#nv", "#div/0!", "#value!", "#num!"]
        .iter()
        .any(|marker| marker.eq_ignore_ascii_case(first));
    let text = line.strip_prefix(['#', '%']).filter(|_| !is_marker)?;
    Some(text.trim_start_matches(['#', '%']).trim())
}
