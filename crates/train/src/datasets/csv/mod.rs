//! Tables of text: one row for each time (and sample), columns for the time and the state.

mod detect;
mod options;
mod reader;
mod table;
mod writer;

pub use options::{Column, CsvOptions};
pub use reader::read_csv;
pub use writer::write_csv;

/// Default markers of a missing value, in any case.
const MISSING_MARKERS: [&str; 6] = ["", "na", "n/a", "nan", "null", "?"];

/// Content of a cell.
enum CsvCell {
    Number(f64),
    Missing,
    Text,
}

/// Parser of cells with given markers of missing values.
struct CellParser<'a> {
    markers: Option<&'a [String]>,
}

impl CellParser<'_> {
    fn parse(&self, cell: &str) -> CsvCell {
        let cell = cell.trim();
        let missing = match self.markers {
            Some(markers) => cell.is_empty() || markers.iter().any(|m| m.trim() == cell),
            None => MISSING_MARKERS.iter().any(|m| m.eq_ignore_ascii_case(cell)),
        };
        match cell.parse::<f64>() {
            _ if missing => CsvCell::Missing,
            Ok(value) if value.is_nan() => CsvCell::Missing,
            Ok(value) => CsvCell::Number(value),
            Err(_) => CsvCell::Text,
        }
    }
}

/// Whether a cell is a number with a decimal comma, such as `1,5` or `-2,0e-3`.
fn has_decimal_comma(cell: &str) -> bool {
    cell.matches(',').count() == 1 && cell.trim().replace(',', ".").parse::<f64>().is_ok()
}
