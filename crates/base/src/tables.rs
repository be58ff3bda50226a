//! Tables of numbers and words as aligned text or CSV.

use comfy_table::{CellAlignment, LineStyle, TableStyle};

/// What stands in one place of a table.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Cell {
    /// Nothing.
    #[default]
    Empty,
    /// A whole number, shown with all its digits.
    Count(i64),
    /// A number, rounded where it is shown.
    Number(f64),
    /// Words.
    Text(String),
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Cell::Text(text.into())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Cell::Text(text)
    }
}

impl From<f64> for Cell {
    fn from(x: f64) -> Self {
        Cell::Number(x)
    }
}

impl From<usize> for Cell {
    fn from(n: usize) -> Self {
        i64::try_from(n).map_or(Cell::Number(n as f64), Cell::Count)
    }
}

impl Cell {
    fn is_number(&self) -> bool {
        matches!(self, Cell::Count(_) | Cell::Number(_))
    }

    /// As text, numbers with so many significant digits.
    fn rounded(&self, digits: usize) -> String {
        match self {
            Cell::Empty => String::new(),
            Cell::Count(n) => n.to_string(),
            Cell::Number(x) => number(*x, digits),
            // A control character could move the cursor or erase the line.
            Cell::Text(text) => text
                .chars()
                .map(|c| if c.is_control() { ' ' } else { c })
                .collect(),
        }
    }

    /// As text, numbers so that they read back exactly.
    fn exact(&self) -> String {
        match self {
            Cell::Empty => String::new(),
            Cell::Count(n) => n.to_string(),
            Cell::Number(x) => format!("{x:?}"),
            Cell::Text(text) => text.clone(),
        }
    }
}

/// A table: a header, and rows of as many cells.
///
/// ```
/// use odesync_base::tables::Table;
///
/// let mut table = Table::new(["method", "epochs", "mse"]);
/// table.push(["vanilla".into(), 600usize.into(), 0.045612.into()]);
/// table.push(["homotopy".into(), 1200usize.into(), 8.0e-5.into()]);
/// assert_eq!(table.to_text(4), "\
/// method    epochs      mse
/// ─────────────────────────
/// vanilla      600  0.04561
/// homotopy    1200     8e-5");
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Table {
    header: Vec<String>,
    rows: Vec<Vec<Cell>>,
}

const STYLE: TableStyle =
    TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

impl Table {
    /// A table of these columns, without rows.
    pub fn new<S: Into<String>>(header: impl IntoIterator<Item = S>) -> Self {
        Self {
            header: header.into_iter().map(Into::into).collect(),
            rows: Vec::new(),
        }
    }

    /// Appends a row; what it lacks is empty, what it has too much is left out.
    pub fn push(&mut self, row: impl IntoIterator<Item = Cell>) {
        let empty = std::iter::repeat(Cell::Empty);
        let row = row.into_iter().chain(empty).take(self.header.len());
        self.rows.push(row.collect());
    }

    /// Lines of text with numbers of so many significant digits. A column that has a number is aligned at its right.
    pub fn to_text(&self, digits: usize) -> String {
        let mut table = comfy_table::Table::new();
        table.load_style(STYLE);
        // A long name may have lines of its own.
        let lines = |name: &String| -> String {
            let lines = name
                .split('\n')
                .map(|line| Cell::from(line).rounded(digits));
            lines.collect::<Vec<_>>().join("\n")
        };
        table.set_header(self.header.iter().map(lines));
        for row in &self.rows {
            table.add_row(row.iter().map(|cell| cell.rounded(digits)));
        }
        for (i, column) in table.column_iter_mut().enumerate() {
            // The style puts one more column between two of them.
            column.set_padding((0, u16::from(i + 1 < self.header.len())));
            if self
                .rows
                .iter()
                .any(|row| row.get(i).is_some_and(Cell::is_number))
            {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        table.trim_fmt()
    }

    /// Comma-separated values with the header, numbers so that they read back exactly.
    pub fn to_csv(&self) -> String {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let rows = self
            .rows
            .iter()
            .map(|row| row.iter().map(Cell::exact).collect());
        for record in std::iter::once(self.header.clone()).chain(rows) {
            // A vector takes all that is written to it, and every row has the header's length.
            let _ = writer.write_record(&record);
        }
        let bytes = writer.into_inner().unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// A number with so many significant digits, without trailing zeros. Digits before the decimal point are all shown.
///
/// ```
/// use odesync_base::tables::number;
///
/// assert_eq!(number(0.0456123, 4), "0.04561");
/// assert_eq!(number(123456.7, 4), "123457");
/// assert_eq!(number(1.25e-7, 4), "1.25e-7");
/// ```
pub fn number(x: f64, digits: usize) -> String {
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
        let mut table = Table::new(["a", "b"]);
        table.push([Cell::Count(1)]);
        table.push(["x".into(), "y".into(), "z".into()]);
        assert_eq!(table.to_csv(), "a,b\n1,\nx,y\n");
        assert_eq!(table.to_text(4), "a  b\n────\n1\nx  y");
    }

    #[test]
    fn csv_quotes_and_keeps_all_digits() {
        let mut table = Table::new(["a, b"]);
        table.push([Cell::Number(0.1 + 0.2)]);
        table.push(["say \"x\"".into()]);
        assert_eq!(
            table.to_csv(),
            "\"a, b\"\n0.30000000000000004\n\"say \"\"x\"\"\"\n"
        );
    }

    #[test]
    fn a_table_without_columns_is_nothing() {
        assert_eq!(Table::default().to_text(4), "");
    }

    #[test]
    fn control_characters_do_not_reach_a_terminal() {
        let mut table = Table::new(["\u{1b}[2J"]);
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
            assert_eq!(number(x, digits), text);
        }
    }
}
