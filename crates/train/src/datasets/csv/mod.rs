//! Tables of text: one row for each time (and sample), columns for the time and the state.

mod detect;
mod options;
mod reader;
mod table;
mod writer;

pub use options::{Column, CsvOptions};
pub use reader::read_csv;
pub use writer::write_csv;

/// What stands for a missing value unless the options say otherwise; case does not matter.
const MISSING: [&str; 6] = ["", "na", "n/a", "nan", "null", "?"];

/// What a cell holds.
enum Cell {
    Number(f64),
    Missing,
    Word,
}

/// Reads cells with given markers of missing values.
struct Cells<'a> {
    markers: Option<&'a [String]>,
}

impl Cells<'_> {
    fn read(&self, cell: &str) -> Cell {
        let cell = cell.trim();
        let missing = match self.markers {
            Some(markers) => cell.is_empty() || markers.iter().any(|m| m.trim() == cell),
            None => MISSING.iter().any(|m| m.eq_ignore_ascii_case(cell)),
        };
        match cell.parse::<f64>() {
            _ if missing => Cell::Missing,
            Ok(value) if value.is_nan() => Cell::Missing,
            Ok(value) => Cell::Number(value),
            Err(_) => Cell::Word,
        }
    }
}

/// Whether a cell is a number with a decimal comma, such as `1,5` or `-2,0e-3`.
fn has_decimal_comma(cell: &str) -> bool {
    cell.matches(',').count() == 1 && cell.trim().replace(',', ".").parse::<f64>().is_ok()
}
