//! Detection of the delimiter of a table, and of a header.

use super::{CellParser, CsvCell, has_decimal_comma};

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
    /// Splits a line into cells; quotes are respected, but not removed.
    fn split(self, line: &str) -> Vec<&str> {
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
        let readable =
            |cell: &&&&str| !matches!(cells.parse(cell), CsvCell::Text) || has_decimal_comma(cell);
        let numbers = all.iter().filter(readable).count();
        let numeric = (1 + numbers) as f64 / (1 + all.len()) as f64;
        numeric * same(width) as f64 / rows.len() as f64
    }
}

/// Whether the first row is a header. The error states why that is ambiguous.
pub(super) fn detect_header(first: &[String], cells: &CellParser<'_>) -> Result<bool, String> {
    let mut word = None;
    let mut numbers = false;
    for cell in first {
        match cells.parse(cell) {
            CsvCell::Number(_) => numbers = true,
            CsvCell::Text if word.is_none() => word = Some(cell),
            _ => {}
        }
    }
    match word {
        Some(word) if numbers => Err(format!(
            "the first row mixes numbers with \"{word}\": if it holds the columns' names, say header: true; if it is \
             data, \"{word}\" is not a number{}",
            if has_decimal_comma(word) {
                ", write a decimal point in place of the comma"
            } else {
                ""
            }
        )),
        Some(word) => Ok(!has_decimal_comma(word)),
        None => Ok(false),
    }
}
