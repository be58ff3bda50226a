//! Splitting of a text into cells.

use std::path::Path;

use super::CellParser;
use super::detect::{Delimiter, detect_header};
use super::options::CsvOptions;
use crate::datasets::data_error;
use odesync_base::error::{Error, Result};
use odesync_base::text::count_of;

/// Table of a text: rows of cells, with their line numbers.
pub(super) struct CsvTable {
    /// Names of the columns; empty without a header.
    pub(super) header: Vec<String>,
    /// Line number of the header.
    pub(super) header_line: Option<usize>,
    /// Number of columns.
    pub(super) n_columns: usize,
    /// Line number in the file and cells of each row.
    pub(super) rows: Vec<(usize, Vec<String>)>,
}

impl CsvTable {
    /// Splits `text` into cells. Blank lines and lines that begin with `#` are left out.
    pub(super) fn new(
        path: &Path,
        text: &str,
        options: &CsvOptions,
        cells: &CellParser<'_>,
    ) -> Result<Self> {
        let lines: Vec<(usize, &str)> = (1..)
            .zip(text.lines())
            .filter(|(_, line)| !line.trim().is_empty() && !line.trim_start().starts_with('#'))
            .collect();
        let Some(first_line) = lines.first().map(|(number, _)| *number) else {
            return Err(data_error(
                path,
                None,
                None,
                "the file is empty: it needs a row for each time",
            ));
        };
        let delimiter = match options.delimiter {
            Some(' ') => Delimiter::Whitespace,
            Some(c) if c.is_ascii() && c != '"' && c != '\n' && c != '\r' => Delimiter::Byte(c as u8),
            Some(c) => {
                return Err(Error::invalid(format!(
                    "{c:?} cannot be a delimiter: give one ASCII character such as ',', ';', '\\t' or ' '"
                )));
            }
            None => Delimiter::detect(lines.iter().map(|(_, line)| *line), cells).ok_or_else(|| {
                data_error(
                    path,
                    first_line,
                    None,
                    "only one column was found: the columns of time and state are separated by a comma, a semicolon, a \
                     tab or blanks; another separator can be given as delimiter",
                )
            })?,
        };
        let mut rows = split_rows(path, &lines, delimiter)?;
        let width = rows.first().map_or(0, |(_, row)| row.len());
        if let Some((line, row)) = rows.iter().find(|(_, row)| row.len() != width) {
            return Err(data_error(
                path,
                *line,
                None,
                format!(
                    "{} where line {first_line} has {width}: every row needs the same number; a missing value is an empty \
                     cell or NA",
                    count_of(row.len(), "column")
                ),
            ));
        }
        let has_header = match (options.header, rows.first()) {
            (Some(has), _) => has,
            (None, Some((line, first))) => detect_header(first, cells)
                .map_err(|message| data_error(path, *line, None, message))?,
            (None, None) => false,
        };
        let (mut header, mut header_line) = (Vec::new(), None);
        if has_header && !rows.is_empty() {
            let (line, names) = rows.remove(0);
            header = names;
            header_line = Some(line);
        }
        if rows.is_empty() {
            return Err(data_error(
                path,
                header_line,
                None,
                "there is a header but no data below it: the file needs a row for each time",
            ));
        }
        Ok(Self {
            header,
            header_line,
            n_columns: width,
            rows,
        })
    }
}

fn split_rows(
    path: &Path,
    lines: &[(usize, &str)],
    delimiter: Delimiter,
) -> Result<Vec<(usize, Vec<String>)>> {
    let byte = match delimiter {
        Delimiter::Byte(byte) => byte,
        Delimiter::Whitespace => {
            let cells = |line: &str| line.split_whitespace().map(String::from).collect();
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
        let record = record.map_err(|e| data_error(path, None, None, e.to_string()))?;
        let at = record.position().map_or(1, |p| p.line() as usize);
        let number = lines
            .get(at.saturating_sub(1))
            .map_or(at, |(number, _)| *number);
        rows.push((number, record.iter().map(String::from).collect()));
    }
    Ok(rows)
}
