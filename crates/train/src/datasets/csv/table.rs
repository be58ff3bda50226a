//! Splitting of a text into cells: the header, the units and the rows.

use std::path::Path;

use super::cells::{CellParser, CsvCell};
use super::detect::{Delimiter, detect_header};
use super::lines::Lines;
use super::number_format::NumberFormat;
use super::options::CsvOptions;
use crate::datasets::data_error;
use odesync_base::error::{Error, Result};
use odesync_base::interrupt::check;
use odesync_base::text::count_of;

/// A row: its line number in the file, and its cells.
pub(super) type Row = (usize, Vec<String>);

/// Table of a text.
pub(super) struct CsvTable {
    /// Names of the columns; empty without a header.
    pub header: Vec<String>,
    /// Line number of the header.
    pub header_line: Option<usize>,
    /// Units of the columns, empty where there is none; no units at all where the table has no row of them.
    pub units: Vec<String>,
    /// Number of columns.
    pub n_columns: usize,
    /// Line number in the file and cells of each row.
    pub rows: Vec<Row>,
    /// How numbers are written.
    pub format: NumberFormat,
    /// What was guessed or left out, for the user.
    pub notes: Vec<String>,
}

impl CsvTable {
    /// Splits `text` into cells.
    pub fn new(path: &Path, text: &str, options: &CsvOptions) -> Result<Self> {
        let lines = Lines::new(text, options.skip);
        let Some(first_line) = lines.rows.first().map(|(number, _)| *number) else {
            return Err(data_error(
                path,
                None,
                None,
                "the file is empty: it needs a row for each time",
            ));
        };
        let mut notes = vec![];
        let delimiter = find_delimiter(path, &lines, first_line, options, &mut notes)?;
        let mut rows = split_rows(path, &lines.rows, delimiter)?;
        let all = rows.len();
        rows.retain(|(_, row)| row.iter().any(|cell| !cell.is_empty()));
        if rows.len() < all {
            notes.push(format!(
                "{} left out",
                count_of(all - rows.len(), "empty row")
            ));
        }
        let n_columns = check_widths(path, &mut rows)?;
        let format = NumberFormat::detect(
            rows.iter().flat_map(|(_, row)| row).map(String::as_str),
            delimiter == Delimiter::Byte(b';'),
            options.decimal,
            options.thousands,
        );
        let mut table = CsvTable::of_rows(rows, n_columns, format, options, notes);
        let cells = options.cells(format);
        table.take_header(path, Some((&lines, delimiter)), options, &cells)?;
        table.take_units(&cells);
        table.check_rows(path)
    }

    /// Makes a table of rows without a header, with a note on how its numbers are written.
    pub fn of_rows(
        rows: Vec<Row>,
        n_columns: usize,
        format: NumberFormat,
        options: &CsvOptions,
        mut notes: Vec<String>,
    ) -> Self {
        if format.decimal == ',' && options.decimal.is_none() {
            notes.push("the decimal mark is a comma".into());
        }
        if format.is_grouped && options.thousands.is_none() {
            notes.push("thousands are separated".into());
        }
        CsvTable {
            header: vec![],
            header_line: None,
            units: vec![],
            n_columns,
            rows,
            format,
            notes,
        }
    }

    /// Refuses a table without rows.
    pub fn check_rows(self, path: &Path) -> Result<Self> {
        match self.rows.is_empty() {
            true => Err(data_error(
                path,
                self.header_line,
                None,
                "there is a header but no data below it: the file needs a row for each time",
            )),
            false => Ok(self),
        }
    }

    /// Takes the names of the columns out of the first row, or out of the comment before it.
    pub fn take_header(
        &mut self,
        path: &Path,
        text: Option<(&Lines<'_>, Delimiter)>,
        options: &CsvOptions,
        cells: &CellParser<'_>,
    ) -> Result<()> {
        let has_header = match (options.header, self.rows.first()) {
            (Some(has), _) => has,
            (None, Some((line, first))) => detect_header(first, cells)
                .map_err(|message| data_error(path, *line, None, message))?,
            (None, None) => false,
        };
        if has_header && !self.rows.is_empty() {
            let (line, names) = self.rows.remove(0);
            (self.header, self.header_line) = (names, Some(line));
        } else if options.header.is_none()
            && let Some((lines, delimiter)) = text
            && let Some((line, comment)) = lines.comment
            && let Some(names) = names_of_comment(comment, delimiter, self.n_columns, cells)
        {
            self.notes
                .push(format!("names in the comment of line {line}"));
            (self.header, self.header_line) = (names, Some(line));
        }
        Ok(())
    }

    /// Takes a row of units below the header out of the rows: words and no number, where a row of data has at least its time.
    pub fn take_units(&mut self, cells: &CellParser<'_>) {
        let Some((_, first)) = self.rows.first().filter(|_| !self.header.is_empty()) else {
            return;
        };
        let below = self.rows.get(1).map_or(&[][..], |(_, row)| row);
        let is_words = |cell: &String| cells.parse(cell) == CsvCell::Text && !cells.is_value(cell);
        let no_values = |row: &[String]| !row.iter().any(|cell| cells.is_value(cell));
        if first.iter().any(is_words) && no_values(first) && !no_values(below) {
            let (_, units) = self.rows.remove(0);
            let bare = |unit: String| {
                let inner = unit
                    .trim_start_matches(['[', '('])
                    .trim_end_matches([']', ')']);
                inner.trim().to_string()
            };
            self.units = units.into_iter().map(bare).collect();
            self.notes.push("the second row holds units".into());
        }
    }

    /// Names a column in a message: by its name, or by its number.
    pub fn column_name(&self, column: usize) -> String {
        match self.header.get(column).filter(|name| !name.is_empty()) {
            Some(name) => format!("\"{name}\""),
            None => format!("column {column}"),
        }
    }
}

fn find_delimiter(
    path: &Path,
    lines: &Lines<'_>,
    first_line: usize,
    options: &CsvOptions,
    notes: &mut Vec<String>,
) -> Result<Delimiter> {
    if let Some(c) = options.delimiter.or(lines.separator) {
        return Delimiter::of_char(c).ok_or_else(|| {
            Error::invalid(format!(
                "{c:?} cannot be a delimiter: give one ASCII character such as ',', ';', '\\t' or ' '"
            ))
        });
    }
    let cells = options.cells(NumberFormat::POINT);
    let found = Delimiter::detect(lines.rows.iter().map(|(_, line)| *line), &cells);
    let found = found.ok_or_else(|| {
        data_error(
            path,
            first_line,
            None,
            "only one column was found: the columns of time and state are separated by a comma, a semicolon, a tab or blanks; \
             another separator can be given as delimiter",
        )
    })?;
    if found != Delimiter::Byte(b',') {
        notes.push(format!("columns are separated by {}", found.describe()));
    }
    Ok(found)
}

/// Returns the names in a comment, where they are as many as the columns and no numbers.
fn names_of_comment(
    comment: &str,
    delimiter: Delimiter,
    n_columns: usize,
    cells: &CellParser<'_>,
) -> Option<Vec<String>> {
    let split = |delimiter: Delimiter| -> Vec<String> {
        let names = delimiter.split(comment).into_iter();
        names
            .map(|name| name.trim().trim_matches('"').to_string())
            .collect()
    };
    let names = [delimiter, Delimiter::Whitespace, Delimiter::Byte(b',')].map(split);
    names.into_iter().find(|names| {
        let is_name = |name: &String| cells.parse(name) == CsvCell::Text && !cells.is_value(name);
        names.len() == n_columns && names.iter().all(is_name)
    })
}

/// Checks that all rows have as many cells as most of them, and returns that number. Where the first row alone has one less, it is a
/// header without a name for the rows' numbers, as R writes it.
fn check_widths(path: &Path, rows: &mut [Row]) -> Result<usize> {
    let width = rows.first().map_or(0, |(_, row)| row.len());
    let others = rows.get(1).map_or(width, |(_, row)| row.len());
    if let [(_, first), body @ ..] = rows
        && width + 1 == others
        && body.len() > 1
        && body.iter().all(|(_, row)| row.len() == others)
        && first.iter().all(|name| name.parse::<f64>().is_err())
    {
        let ends_empty = body
            .iter()
            .all(|(_, row)| row.last().is_some_and(String::is_empty));
        let place = if ends_empty { first.len() } else { 0 };
        first.insert(place, String::new());
        return Ok(others);
    }
    let Some((line, row)) = rows.iter().find(|(_, row)| row.len() != width) else {
        return Ok(width);
    };
    let first_line = rows.first().map_or(1, |(line, _)| *line);
    // The first row is no data where the last rows have another width.
    let last = rows.last().map_or(width, |(_, row)| row.len());
    let tail = rows.iter().rev().take_while(|(_, row)| row.len() == last);
    let table: Vec<usize> = tail.map(|(line, _)| *line).collect();
    let table_line = table.last().copied().unwrap_or(1);
    let skip = match last != width && table.len() > 1 && table_line > 1 {
        true => format!(
            "; if the lines before line {table_line} are no part of the table, say skip: {}",
            table_line - 1
        ),
        false => String::new(),
    };
    Err(data_error(
        path,
        *line,
        None,
        format!(
            "{} where line {first_line} has {width}: every row needs the same number; a missing value is an empty cell or NA{skip}",
            count_of(row.len(), "column")
        ),
    ))
}

fn split_rows(path: &Path, lines: &[(usize, &str)], delimiter: Delimiter) -> Result<Vec<Row>> {
    let byte = match delimiter {
        Delimiter::Byte(byte) => byte,
        Delimiter::Whitespace => {
            let cells = |line: &str| {
                let cells = line.split_whitespace();
                cells
                    .map(|cell| cell.trim_matches('"').to_string())
                    .collect()
            };
            return Ok(lines
                .iter()
                .map(|(number, line)| (*number, cells(line)))
                .collect());
        }
    };
    // The csv crate counts a record's line number from the blank and comment lines before it, so these are removed first and the
    // line numbers looked up.
    let text: String = lines.iter().flat_map(|(_, line)| [line, "\n"]).collect();
    let mut reader = ::csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(byte)
        .trim(::csv::Trim::All)
        .from_reader(text.as_bytes());
    let mut rows = Vec::with_capacity(lines.len());
    for record in reader.records() {
        check()?;
        let record = record.map_err(|e| data_error(path, None, None, e.to_string()))?;
        let at = record.position().map_or(1, |p| p.line() as usize);
        let number = lines
            .get(at.saturating_sub(1))
            .map_or(at, |(number, _)| *number);
        rows.push((number, record.iter().map(String::from).collect()));
    }
    Ok(rows)
}
