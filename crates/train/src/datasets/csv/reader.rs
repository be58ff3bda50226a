//! Conversion of a table's rows to trajectories.

use std::collections::HashMap;
use std::path::Path;

use ndarray::{Array1, Array2};

use super::cells::{CellParser, CsvCell, has_decimal_comma};
use super::columns::{ColumnRoles, note_of_single_times};
use super::grid::CellGrid;
use super::instants::Instant;
use super::options::CsvOptions;
use super::table::CsvTable;
use crate::datasets::{DataUnits, Dataset, data_error, read_text, time_error};
use odesync_base::error::{Error, Result};
use odesync_base::text::count_of;

/// The data of a table, and what was guessed to read them.
#[derive(Debug, Clone)]
pub struct CsvReading {
    /// The data.
    pub data: Dataset,
    /// What was guessed or left out, in words: none where the columns are separated by commas, numbers have a decimal point and the
    /// time is called t or time.
    pub notes: Vec<String>,
}

/// Reads a table of text: one row for each time, and for each sample where there are several.
///
/// What `options` leave open is found in the file: the delimiter (comma, semicolon, tab, blanks), the decimal mark, a header (also in
/// the comment before the first row), a row of units below it, the column of the time (called t or time, else one of dates, else the
/// first), a column that tells samples apart (called sample, id, subject, …), and the columns of the state: the others that hold
/// numbers. Dates and times of day are read as seconds since the first one. A table with a column of names and one of values (long
/// form) is read as one with a column for each name. Empty cells, NA, NaN, null, `?` and the like are missing values. A byte order
/// mark, Windows line ends, blank lines and lines that begin with `#` or `%` are accepted, and so is a file that gzip has packed.
///
/// # Errors
/// A file that cannot be read; an empty file, or only a header; ragged rows; words or infinities where numbers are expected; a time
/// that is missing, repeats or decreases: each with file, line and column. An unknown column, with the known ones.
pub fn read_csv(path: impl AsRef<Path>, options: &CsvOptions) -> Result<Dataset> {
    read_csv_with_notes(path, options).map(|reading| reading.data)
}

/// Reads a table as [`read_csv`] does, and says what was guessed.
///
/// # Errors
/// Those of [`read_csv`].
pub fn read_csv_with_notes(path: impl AsRef<Path>, options: &CsvOptions) -> Result<CsvReading> {
    let path = path.as_ref();
    options.check_ranges()?;
    let text = read_text(path)?;
    read_table_text(path, &text, options)
}

/// Reads the text of a table.
pub(in crate::datasets) fn read_table_text(
    path: &Path,
    text: &str,
    options: &CsvOptions,
) -> Result<CsvReading> {
    read_rows(path, CsvTable::new(path, text, options)?, options)
}

/// Reads a table whose cells have types.
pub(in crate::datasets) fn read_grid(
    path: &Path,
    grid: CellGrid,
    options: &CsvOptions,
) -> Result<CsvReading> {
    read_rows(path, CsvTable::from_grid(path, grid, options)?, options)
}

fn read_rows(path: &Path, mut table: CsvTable, options: &CsvOptions) -> Result<CsvReading> {
    let cells = options.cells(table.format);
    let columns = ColumnRoles::choose(&table, options, &cells)
        .map_err(|e| data_error(path, table.header_line, None, e.to_string()))?;
    let mut notes = std::mem::take(&mut table.notes);
    notes.extend(columns.notes.iter().cloned());
    let mut reader = CsvReader {
        path,
        table: &table,
        columns: &columns,
        cells: &cells,
        options,
        origin: None,
        names: vec![],
        notes,
    };
    reader.find_origin()?;
    let samples = reader.read_samples()?;
    let data = reader.dataset(samples)?;
    Ok(CsvReading {
        data,
        notes: reader.notes,
    })
}

/// Rows of one sample, in the order of the file.
pub(super) struct SampleRows<'a> {
    pub name: &'a str,
    /// Line number of the last row.
    pub last_line: usize,
    pub times: Vec<f64>,
    /// Values of the state, `[time, dof]`.
    pub values: Vec<f64>,
}

pub(super) struct CsvReader<'a> {
    pub path: &'a Path,
    pub table: &'a CsvTable,
    pub columns: &'a ColumnRoles,
    pub cells: &'a CellParser<'a>,
    pub options: &'a CsvOptions,
    /// The earliest moment, where times are dates.
    pub origin: Option<Instant>,
    /// Names of the variables of a table in long form.
    pub names: Vec<String>,
    pub notes: Vec<String>,
}

impl<'a> CsvReader<'a> {
    /// Finds the earliest of the moments.
    fn find_origin(&mut self) -> Result<()> {
        let Some(column) = self.columns.time.filter(|_| self.columns.has_instants) else {
            return Ok(());
        };
        let mut origin: Option<(Instant, &str)> = None;
        for (line, row) in &self.table.rows {
            let cell = row[column].as_str();
            let Some(instant) = Instant::parse(cell) else {
                continue;
            };
            let Some((first, _)) = origin else {
                origin = Some((instant, cell));
                continue;
            };
            match instant.seconds_since(first) {
                None => {
                    return Err(self.error(
                        *line,
                        column,
                        format!("\"{cell}\" is written in another way than the times before it: give all of them a zone, or none"),
                    ));
                }
                Some(seconds) if seconds < 0.0 => origin = Some((instant, cell)),
                Some(_) => {}
            }
        }
        if let Some((instant, cell)) = origin {
            self.origin = Some(instant);
            self.notes.push(format!("times are seconds since {cell}"));
        }
        Ok(())
    }

    fn read_samples(&mut self) -> Result<Vec<SampleRows<'a>>> {
        if let Some((variable, value)) = self.columns.long {
            return self.read_long(variable, value);
        }
        let mut samples: Vec<SampleRows<'a>> = Vec::new();
        let mut places = HashMap::new();
        for (line, row) in &self.table.rows {
            let name = self.sample_name(*line, row)?;
            let place = *places.entry(name).or_insert_with(|| {
                samples.push(SampleRows {
                    name,
                    last_line: 0,
                    times: Vec::new(),
                    values: Vec::new(),
                });
                samples.len() - 1
            });
            let rows = &mut samples[place];
            let time = match (self.columns.time, self.options.dt) {
                (None, Some(dt)) => rows.times.len() as f64 * dt,
                (column, _) => {
                    self.time(*line, column.unwrap_or_default(), row, rows.times.last())?
                }
            };
            rows.times.push(time);
            rows.last_line = *line;
            for column in &self.columns.state {
                let value = self.number(*line, *column, &row[*column])?;
                rows.values.push(value.unwrap_or(f64::NAN));
            }
        }
        Ok(samples)
    }

    pub fn sample_name(&self, line: usize, row: &'a [String]) -> Result<&'a str> {
        match self.columns.sample {
            Some(column) if row[column].is_empty() => {
                Err(self.error(line, column, "the sample is missing"))
            }
            Some(column) => Ok(row[column].as_str()),
            None => Ok(""),
        }
    }

    pub fn time(
        &self,
        line: usize,
        column: usize,
        row: &[String],
        before: Option<&f64>,
    ) -> Result<f64> {
        let cell = row[column].as_str();
        let time = match self.origin {
            Some(origin) => Instant::parse(cell).and_then(|instant| instant.seconds_since(origin)),
            None => self.number(line, column, cell)?,
        };
        let time = time
            .ok_or_else(|| self.error(line, column, "the time is missing: every row needs one"))?;
        let Some(mut fault) = time_error(before.copied(), time) else {
            return Ok(time);
        };
        if self.columns.sample.is_none() {
            fault += "; if the file holds several samples, name the column that tells them apart: sample: \"column\"";
        }
        if self.options.time.is_none() && self.columns.time_is_guessed {
            fault += "; if this column does not hold the times, name the one that does, time: \"column\", or give the time between \
                      two rows, dt: 0.1";
        }
        Err(self.error(line, column, fault))
    }

    /// Parses the number in a cell; `None` if it is missing.
    pub fn number(&self, line: usize, column: usize, cell: &str) -> Result<Option<f64>> {
        let message = match self.cells.parse(cell) {
            CsvCell::Missing => return Ok(None),
            CsvCell::Number(value) if value.is_finite() => return Ok(Some(value)),
            CsvCell::Number(_) => format!(
                "\"{cell}\" is not a finite number; leave the cell empty for a missing value"
            ),
            CsvCell::Text => {
                let hint = if self.table.format.decimal == '.' && has_decimal_comma(cell) {
                    ": numbers have a decimal point here; if it should be a comma, say decimal: \",\"".into()
                } else if self.table.format.decimal == ',' && cell.parse::<f64>().is_ok() {
                    ": numbers have a decimal comma here; if it should be a point, say decimal: \".\"".into()
                } else if Instant::parse(cell).is_some() {
                    ": dates and times of day are read in the column of the time only".into()
                } else if cell.contains('/') {
                    "; write dates as 2024-12-31".into()
                } else {
                    format!("; if it is a missing value, name it, missing: [\"{cell}\"]")
                };
                format!("\"{cell}\" is not a number{hint}")
            }
        };
        Err(self.error(line, column, message))
    }

    fn dataset(&mut self, samples: Vec<SampleRows<'_>>) -> Result<Dataset> {
        let dof = match self.columns.long {
            Some(_) => self.names.len(),
            None => self.columns.state.len(),
        };
        if let Some(u0) = self.options.u0.as_ref().filter(|u0| u0.len() != dof) {
            return Err(Error::invalid(format!(
                "u0 has {} for {} of state: give one for each",
                count_of(u0.len(), "value"),
                count_of(dof, "column")
            )));
        }
        let is_short = |rows: &&SampleRows<'_>| rows.times.len() < 2;
        let short: Vec<&str> = samples
            .iter()
            .filter(is_short)
            .map(|rows| rows.name)
            .collect();
        let leave_out = !short.is_empty() && short.len() < samples.len();
        if leave_out {
            self.notes.push(note_of_single_times(&short));
        }
        let mut parts = vec![];
        for rows in samples {
            if leave_out && rows.times.len() < 2 {
                continue;
            }
            // If there are several samples, the error names the sample and its last line.
            let of = |e: &dyn std::fmt::Display| match self.columns.sample {
                Some(_) => data_error(
                    self.path,
                    rows.last_line,
                    None,
                    format!("sample \"{}\": {e}", rows.name),
                ),
                None => data_error(self.path, None, None, e.to_string()),
            };
            let t = Array1::from(rows.times);
            let u = Array2::from_shape_vec((t.len(), dof), rows.values).map_err(|e| of(&e))?;
            let u0 = self.options.u0.as_ref().map(|u0| Array1::from(u0.clone()));
            parts.push(Dataset::single(t, u, u0).map_err(|e| of(&e))?);
        }
        let at_header =
            |e: Error| data_error(self.path, self.table.header_line, None, e.to_string());
        let data =
            Dataset::join(&parts).map_err(|e| data_error(self.path, None, None, e.to_string()))?;
        let data = match self.names() {
            Some(names) => data.with_names(names).map_err(at_header)?,
            None => data,
        };
        data.with_units(self.units()).map_err(at_header)
    }

    /// Returns the names of the state, where the table has names.
    fn names(&self) -> Option<Vec<String>> {
        if self.columns.long.is_some() {
            return Some(self.names.clone());
        }
        let header = &self.table.header;
        let names = self
            .columns
            .state
            .iter()
            .map(|column| header[*column].clone());
        (!header.is_empty()).then(|| names.collect())
    }

    fn units(&self) -> DataUnits {
        let unit = |column: usize| self.table.units.get(column).cloned().unwrap_or_default();
        let time = match self.origin {
            Some(_) => "s".into(),
            None => self.columns.time.map(unit).unwrap_or_default(),
        };
        let state: Vec<String> = self
            .columns
            .state
            .iter()
            .map(|column| unit(*column))
            .collect();
        DataUnits {
            time,
            state: match state.iter().all(String::is_empty) {
                true => vec![],
                false => state,
            },
        }
    }

    fn error(&self, line: usize, column: usize, message: impl Into<String>) -> Error {
        data_error(self.path, line, column + 1, message)
    }
}
