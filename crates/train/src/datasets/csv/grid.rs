//! Tables whose cells have types: what spreadsheets and files of arrays hold.

use std::path::Path;

use super::number_format::NumberFormat;
use super::options::CsvOptions;
use super::table::CsvTable;
use odesync_base::error::Result;
use odesync_base::interrupt::check;

/// A cell of a table whose cells have types.
#[derive(Debug, Clone, PartialEq, Default)]
pub(in crate::datasets) enum GridCell {
    /// Nothing, or no number.
    #[default]
    Missing,
    Number(f64),
    /// Text, and dates and times of day as ISO 8601 writes them.
    Text(String),
}

impl GridCell {
    /// Returns a whole number; as text where it has more digits than a float.
    #[cfg(feature = "tables")]
    pub fn of_integer(value: i128) -> Self {
        const EXACT: i128 = 1 << 53;
        match (-EXACT..=EXACT).contains(&value) {
            true => GridCell::Number(value as f64),
            false => GridCell::Text(value.to_string()),
        }
    }

    /// Returns the text of a cell, where it is one.
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            GridCell::Text(text) => Some(text.trim()),
            _ => None,
        }
    }

    /// Writes a cell as a text table with numbers in this format would; every number reads back exactly.
    pub(super) fn write(&self, format: NumberFormat) -> String {
        /// Below it every whole number is written with its digits alone.
        const WHOLE: f64 = 1e15;
        match self {
            GridCell::Missing => String::new(),
            GridCell::Number(x) if x.is_nan() => String::new(),
            GridCell::Number(x) => {
                let text = match x.fract() == 0.0 && x.abs() < WHOLE {
                    true => format!("{x}"),
                    false => format!("{x:?}"),
                };
                match format.decimal {
                    '.' => text,
                    mark => text.replace('.', &mark.to_string()),
                }
            }
            GridCell::Text(text) => text.trim().to_string(),
        }
    }
}

/// A table whose cells have types.
#[derive(Debug, Clone, Default)]
pub(in crate::datasets) struct CellGrid {
    /// Names of the columns, where the file keeps them apart from the cells.
    pub header: Option<Vec<String>>,
    /// Units of the columns, empty where there is none.
    pub units: Vec<String>,
    /// Number of each row in the file, and its cells; all rows have the same number.
    pub rows: Vec<(usize, Vec<GridCell>)>,
    /// What was guessed or left out, for the user.
    pub notes: Vec<String>,
}

/// Memory that a cell takes while a table is read: its own, and that of its text.
pub(in crate::datasets) const BYTES_OF_CELL: usize = 96;

impl CsvTable {
    /// Makes the table of cells that have types.
    pub fn from_grid(path: &Path, grid: CellGrid, options: &CsvOptions) -> Result<Self> {
        let texts = grid.rows.iter().flat_map(|(_, row)| row);
        let format = NumberFormat::detect(
            texts.filter_map(GridCell::text),
            false,
            options.decimal,
            options.thousands,
        );
        let n_columns = grid.rows.first().map_or(0, |(_, row)| row.len());
        let mut rows = Vec::with_capacity(grid.rows.len());
        for (line, row) in grid.rows {
            check()?;
            rows.push((line, row.iter().map(|cell| cell.write(format)).collect()));
        }
        let mut table = CsvTable::of_rows(rows, n_columns, format, options, grid.notes);
        match grid.header {
            Some(names) => (table.header, table.units) = (names, grid.units),
            None => {
                let cells = options.cells(format);
                table.take_header(path, None, options, &cells)?;
                table.take_units(&cells);
            }
        }
        table.check_rows(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_reads_back_in_every_format() {
        let comma = NumberFormat {
            decimal: ',',
            thousands: '.',
            is_grouped: false,
        };
        for x in [
            0.0,
            -0.0,
            1.0,
            -1.5,
            1.234,
            0.1 + 0.2,
            1e15,
            123_456_789.25,
            1e300,
            5e-324,
            f64::MAX,
            -2.5e-7,
        ] {
            for format in [NumberFormat::POINT, comma] {
                let text = GridCell::Number(x).write(format);
                assert_eq!(
                    format.parse(&text).map(f64::to_bits),
                    Some(x.to_bits()),
                    "{text}"
                );
            }
        }
    }
}
