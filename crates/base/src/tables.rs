//! Tables of numbers and words as aligned text or CSV.

use comfy_table::{CellAlignment, LineStyle, TableStyle};

/// The content of one cell of a table.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum TableCell {
    /// An empty cell.
    #[default]
    Empty,
    /// A whole number, displayed with all its digits.
    Count(i64),
    /// A number, rounded where it is displayed.
    Number(f64),
    /// A text.
    Text(String),
}

impl From<&str> for TableCell {
    fn from(text: &str) -> Self {
        TableCell::Text(text.into())
    }
}

impl From<String> for TableCell {
    fn from(text: String) -> Self {
        TableCell::Text(text)
    }
}

impl From<f64> for TableCell {
    fn from(x: f64) -> Self {
        TableCell::Number(x)
    }
}

impl From<usize> for TableCell {
    fn from(n: usize) -> Self {
        i64::try_from(n).map_or(TableCell::Number(n as f64), TableCell::Count)
    }
}

impl TableCell {
    fn is_number(&self) -> bool {
        matches!(self, TableCell::Count(_) | TableCell::Number(_))
    }

    /// Returns the cell as text, with numbers rounded to this number of significant digits.
    pub fn rounded(&self, digits: usize) -> String {
        match self {
            TableCell::Empty => String::new(),
            TableCell::Count(n) => n.to_string(),
            TableCell::Number(x) => format_number(*x, digits),
            // A control character could move the cursor or erase the line.
            TableCell::Text(text) => text
                .chars()
                .map(|c| if c.is_control() { ' ' } else { c })
                .collect(),
        }
    }

    /// Returns the cell as text, with numbers in a form that reads back exactly.
    fn exact(&self) -> String {
        match self {
            TableCell::Empty => String::new(),
            TableCell::Count(n) => n.to_string(),
            TableCell::Number(x) => format!("{x:?}"),
            TableCell::Text(text) => text.clone(),
        }
    }
}

/// A table of a header and rows with as many cells, printed with aligned columns or as CSV.
///
/// ```
/// use odesync_base::tables::AlignedTable;
///
/// let mut table = AlignedTable::new(["method", "epochs", "mse"]);
/// table.push(["vanilla".into(), 600usize.into(), 0.045612.into()]);
/// table.push(["homotopy".into(), 1200usize.into(), 8.0e-5.into()]);
/// assert_eq!(table.to_text(4), "\
/// method    epochs      mse
/// ─────────────────────────
/// vanilla      600  0.04561
/// homotopy    1200     8e-5");
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AlignedTable {
    header: Vec<String>,
    rows: Vec<Vec<TableCell>>,
}

const STYLE: TableStyle =
    TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

impl AlignedTable {
    /// Creates a table of these columns, without rows.
    pub fn new<S: Into<String>>(header: impl IntoIterator<Item = S>) -> Self {
        Self {
            header: header.into_iter().map(Into::into).collect(),
            rows: Vec::new(),
        }
    }

    /// Appends a row; missing cells are empty, surplus cells are dropped.
    pub fn push(&mut self, row: impl IntoIterator<Item = TableCell>) {
        let empty = std::iter::repeat(TableCell::Empty);
        let row = row.into_iter().chain(empty).take(self.header.len());
        self.rows.push(row.collect());
    }

    /// Returns the table as aligned text, with numbers rounded to this number of significant digits. A column that has a number
    /// is aligned to the right.
    pub fn to_text(&self, digits: usize) -> String {
        let mut table = comfy_table::Table::new();
        table.load_style(STYLE);
        // A long column name may contain line breaks.
        let lines = |name: &String| -> String {
            let lines = name
                .split('\n')
                .map(|line| TableCell::from(line).rounded(digits));
            lines.collect::<Vec<_>>().join("\n")
        };
        table.set_header(self.header.iter().map(lines));
        for row in &self.rows {
            table.add_row(row.iter().map(|cell| cell.rounded(digits)));
        }
        for (i, column) in table.column_iter_mut().enumerate() {
            // The style adds one more space between two columns.
            column.set_padding((0, u16::from(i + 1 < self.header.len())));
            if self
                .rows
                .iter()
                .any(|row| row.get(i).is_some_and(TableCell::is_number))
            {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        table.trim_fmt()
    }

    /// Returns the table as comma-separated values with the header, with numbers in a form that reads back exactly.
    pub fn to_csv(&self) -> String {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let rows = self
            .rows
            .iter()
            .map(|row| row.iter().map(TableCell::exact).collect());
        for record in std::iter::once(self.header.clone()).chain(rows) {
            // Writing to a vector cannot fail, and every row has the header's length.
            let _ = writer.write_record(&record);
        }
        let bytes = writer.into_inner().unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// Returns a number as text with this number of significant digits, without trailing zeros. All digits before the decimal point
/// are displayed.
///
/// ```
/// use odesync_base::tables::format_number;
///
/// assert_eq!(format_number(0.0456123, 4), "0.04561");
/// assert_eq!(format_number(123456.7, 4), "123457");
/// assert_eq!(format_number(1.25e-7, 4), "1.25e-7");
/// ```
pub fn format_number(x: f64, digits: usize) -> String {
    let digits = digits.max(1);
    let size = x.abs();
    if x == 0.0 || !x.is_finite() {
        return format!("{x}");
    }
    if !(1e-4..1e7).contains(&size) {
        let decimals = digits - 1;
        let text = format!("{x:.decimals$e}");
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let mantissa = match mantissa.contains('.') {
            true => mantissa.trim_end_matches('0').trim_end_matches('.'),
            false => mantissa,
        };
        return format!("{mantissa}e{exponent}");
    }
    let decimals = digits as i64 - 1 - size.log10().floor() as i64;
    let decimals = usize::try_from(decimals).unwrap_or(0);
    let text = format!("{x:.decimals$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_string(),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_have_the_length_of_the_header() {
        let mut table = AlignedTable::new(["a", "b"]);
        table.push([TableCell::Count(1)]);
        table.push(["x".into(), "y".into(), "z".into()]);
        assert_eq!(table.to_csv(), "a,b\n1,\nx,y\n");
        assert_eq!(table.to_text(4), "a  b\n────\n1\nx  y");
    }

    #[test]
    fn csv_quotes_and_keeps_all_digits() {
        let mut table = AlignedTable::new(["a, b"]);
        table.push([TableCell::Number(0.1 + 0.2)]);
        table.push(["say \"x\"".into()]);
        assert_eq!(
            table.to_csv(),
            "\"a, b\"\n0.30000000000000004\n\"say \"\"x\"\"\"\n"
        );
    }

    #[test]
    fn a_table_without_columns_is_nothing() {
        assert_eq!(AlignedTable::default().to_text(4), "");
    }

    #[test]
    fn control_characters_do_not_reach_a_terminal() {
        let mut table = AlignedTable::new(["\u{1b}[2J"]);
        table.push(["a\nb\u{1b}[1A".into()]);
        assert!(!table.to_text(4).contains('\u{1b}'));
        assert_eq!(table.to_text(4).lines().count(), 3);
    }

    #[test]
    fn digits_are_rounded_not_cut() {
        for (x, digits, text) in [
            (9.99996, 4, "10"),
            (-0.00012345, 3, "-0.000123"),
            (0.000099999, 2, "1e-4"),
            (1e300, 4, "1e300"),
            (2.0, 1, "2"),
            (20.0, 1, "20"),
            (3e20, 1, "3e20"),
            (f64::NAN, 4, "NaN"),
        ] {
            assert_eq!(format_number(x, digits), text);
        }
    }
}
