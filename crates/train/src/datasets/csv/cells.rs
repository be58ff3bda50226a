//! The cells of a table: numbers, missing values, words.

use super::instants::Instant;
use super::number_format::NumberFormat;

/// Markers of a missing value, in any case: those that pandas, R, MATLAB, Julia, SAS and spreadsheets write.
const MISSING_MARKERS: [&str; 24] = [
    "", "na", "n/a", "nan", "null", "?", "none", "nil", "missing", "nat", "<na>", "#n/a", "#na",
    "#nv", "#div/0!", "#value!", "#num!", "1.#ind", "-1.#ind", "1.#qnan", "-1.#qnan", "-", "--",
    ".",
];

/// Content of a cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum CsvCell {
    Number(f64),
    Missing,
    Text,
}

/// Parser of cells, with the format of the numbers and markers of missing values besides the known ones.
#[derive(Debug, Clone)]
pub(super) struct CellParser<'a> {
    pub format: NumberFormat,
    pub markers: &'a [String],
}

impl CellParser<'_> {
    pub fn parse(&self, cell: &str) -> CsvCell {
        let cell = cell.trim();
        if self.is_missing(cell) {
            return CsvCell::Missing;
        }
        match self.format.parse(cell) {
            Some(value) if value.is_nan() => CsvCell::Missing,
            Some(value) => CsvCell::Number(value),
            None => CsvCell::Text,
        }
    }

    fn is_missing(&self, cell: &str) -> bool {
        let known = MISSING_MARKERS.iter();
        let mut own = self.markers.iter();
        known
            .into_iter()
            .any(|marker| marker.eq_ignore_ascii_case(cell))
            || own.any(|marker| marker.trim() == cell)
    }

    /// Whether a cell has a value: a number, or a date or time of day.
    pub fn is_value(&self, cell: &str) -> bool {
        match self.parse(cell) {
            CsvCell::Number(_) => true,
            CsvCell::Missing => false,
            CsvCell::Text => Instant::parse(cell.trim()).is_some(),
        }
    }
}

/// What the cells of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ColumnKind {
    /// Numbers, perhaps with gaps; other cells are mistakes.
    Numbers,
    /// Dates or times of day.
    Instants,
    /// Words alone.
    Words,
    /// Nothing but missing values.
    Empty,
}

impl ColumnKind {
    /// Returns the kind of a column with these cells.
    pub fn of<'a>(cells: impl Iterator<Item = &'a str>, parser: &CellParser<'_>) -> Self {
        let (mut instants, mut words) = (false, false);
        for cell in cells {
            match parser.parse(cell) {
                CsvCell::Number(_) => return ColumnKind::Numbers,
                CsvCell::Missing => {}
                CsvCell::Text if Instant::parse(cell.trim()).is_some() => instants = true,
                // A number that is mistyped, or in another format.
                CsvCell::Text if begins_as_number(cell) => return ColumnKind::Numbers,
                CsvCell::Text => words = true,
            }
        }
        match (instants, words) {
            (true, _) => ColumnKind::Instants,
            (false, true) => ColumnKind::Words,
            (false, false) => ColumnKind::Empty,
        }
    }
}

fn begins_as_number(cell: &str) -> bool {
    let body = cell.trim().trim_start_matches(['+', '-', '.', ',']);
    body.starts_with(|c: char| c.is_ascii_digit())
}

/// Whether a cell is a number with a decimal comma, such as `1,5` or `-2,0e-3`.
pub(super) fn has_decimal_comma(cell: &str) -> bool {
    cell.matches(',').count() == 1 && cell.trim().replace(',', ".").parse::<f64>().is_ok()
}
