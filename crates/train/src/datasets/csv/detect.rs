//! Detection of the delimiter of a table, and of a header.

use super::cells::{CellParser, CsvCell, has_decimal_comma};
use super::column_search::names_sample;
use super::instants::Instant;
use super::number_format::NumberFormat;

/// Delimiter between the columns of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Delimiter {
    /// A single ASCII character.
    Byte(u8),
    /// Any run of blanks.
    Whitespace,
}

/// Possible delimiters, in order of preference among equals: a blank after a comma is no delimiter, a comma between semicolons is
/// a decimal comma.
const CANDIDATES: [Delimiter; 4] = [
    Delimiter::Byte(b'\t'),
    Delimiter::Byte(b';'),
    Delimiter::Byte(b','),
    Delimiter::Whitespace,
];

/// Maximum number of lines used for detection.
const MAX_DETECT_LINES: usize = 30;

impl Delimiter {
    /// Returns the delimiter that is this character; a blank stands for any run of blanks. `None` for one that cannot be.
    pub(super) fn of_char(c: char) -> Option<Self> {
        match c {
            ' ' => Some(Self::Whitespace),
            '"' | '\n' | '\r' => None,
            c => u8::try_from(c).ok().filter(u8::is_ascii).map(Self::Byte),
        }
    }

    /// Names the delimiter in a message.
    pub(super) fn describe(self) -> String {
        match self {
            Self::Whitespace => "blanks".into(),
            Self::Byte(b'\t') => "tabs".into(),
            Self::Byte(byte) => format!("\"{}\"", char::from(byte)),
        }
    }

    /// Splits a line into cells; quotes are respected, but not removed.
    pub(super) fn split(self, line: &str) -> Vec<&str> {
        match self {
            Self::Whitespace => line.split_whitespace().collect(),
            Self::Byte(byte) => {
                let mut quoted = false;
                line.split(|c| {
                    quoted ^= c == '"';
                    !quoted && c == char::from(byte)
                })
                .collect()
            }
        }
    }

    /// Detects the delimiter with which most lines have the same number of columns, more than one, and most cells are numbers.
    /// `None` if every line is a single column with all of them.
    pub(super) fn detect<'a>(
        lines: impl Iterator<Item = &'a str>,
        cells: &CellParser<'_>,
    ) -> Option<Self> {
        let lines: Vec<&str> = lines.take(MAX_DETECT_LINES).collect();
        let mut best = None;
        let mut best_score = 0.0;
        for candidate in CANDIDATES {
            let score = candidate.score(&lines, cells);
            if score > best_score {
                best = Some(candidate);
                best_score = score;
            }
        }
        best
    }

    fn score(self, lines: &[&str], cells: &CellParser<'_>) -> f64 {
        let rows: Vec<Vec<&str>> = lines.iter().map(|line| self.split(line)).collect();
        let same = |n: usize| rows.iter().filter(|row| row.len() == n).count();
        // Most frequent width; among equally frequent ones the largest, because a header may be a single cell.
        let Some(width) = rows
            .iter()
            .map(Vec::len)
            .filter(|n| *n > 1)
            .max_by_key(|n| (same(*n), *n))
        else {
            return 0.0;
        };
        // The words of a header are no evidence about the delimiter.
        let body = if rows.len() > 1 {
            &rows[1..]
        } else {
            &rows[..]
        };
        let all: Vec<&&str> = body.iter().flatten().collect();
        let readable = |cell: &&&&str| {
            let cell = cell.trim().trim_matches('"');
            let is_number = !matches!(cells.parse(cell), CsvCell::Text) || has_decimal_comma(cell);
            is_number || is_grouped(cell) || Instant::parse(cell).is_some()
        };
        let numbers = all.iter().filter(readable).count();
        let numeric = (1 + numbers) as f64 / (1 + all.len()) as f64;
        numeric * same(width) as f64 / rows.len() as f64
    }
}

/// Whether a cell is a number with separated thousands. Blanks between thousands are no evidence, because they may separate columns.
fn is_grouped(cell: &str) -> bool {
    let formats = [('.', ','), (',', '.')].map(|(decimal, thousands)| NumberFormat {
        decimal,
        thousands,
        is_grouped: false,
    });
    !cell.contains(' ') && formats.iter().any(|format| format.parse(cell).is_some())
}

/// Whether a cell is the name of the times that `write_csv` and most others give them.
fn is_time(cell: &str) -> bool {
    ["t", "time"]
        .iter()
        .any(|name| name.eq_ignore_ascii_case(cell))
}

/// Whether the first row is a header. The error states why that is ambiguous.
pub(super) fn detect_header(first: &[String], cells: &CellParser<'_>) -> Result<bool, String> {
    // Numbers may be names, of wavelengths or wells, but no value is called t.
    if let [name, rest @ ..] = first
        && (is_time(name) || (names_sample(name) && rest.first().is_some_and(|name| is_time(name))))
    {
        return Ok(true);
    }
    let mut word = None;
    let mut numbers = false;
    for cell in first {
        match cells.parse(cell) {
            CsvCell::Number(_) => numbers = true,
            CsvCell::Text if Instant::parse(cell).is_some() => numbers = true,
            CsvCell::Text if word.is_none() => word = Some(cell),
            _ => {}
        }
    }
    // A table without names that pandas has written: its columns are numbered, and that of the rows' numbers has no name.
    if let [nameless, numbered @ ..] = first
        && nameless.is_empty()
        && !numbered.is_empty()
        && numbered
            .iter()
            .enumerate()
            .all(|(i, n)| *n == i.to_string())
    {
        return Ok(true);
    }
    match word {
        Some(word) if numbers => Err(format!(
            "the first row mixes numbers with \"{word}\": if it holds the columns' names, say header: true; if it is \
             data, \"{word}\" is not a number{}",
            if has_decimal_comma(word) {
                ": the others have a decimal point; if it should be a comma, say decimal: \",\""
            } else {
                ""
            }
        )),
        Some(word) => Ok(!has_decimal_comma(word)),
        None => Ok(false),
    }
}
