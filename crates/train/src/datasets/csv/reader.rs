//! Conversion of a table's cells to trajectories.

use std::path::Path;

use ndarray::{Array1, Array2};

use super::options::{Column, CsvOptions};
use super::table::CsvTable;
use super::{CellParser, CsvCell, has_decimal_comma};
use crate::datasets::{Dataset, data_error, read_text, time_error};
use odesync_base::error::{Error, Result};
use odesync_base::text::count_of;

/// Reads a table of text: one row for each time, and for each sample where there are several.
///
/// The delimiter (comma, semicolon, tab, blanks) and a header are detected. The column named t or time, else the first, is the
/// time and the others are the state, unless `options` say otherwise. Empty cells, NA, NaN, null and `?` are missing values. A
/// byte order mark, Windows line ends, blank lines and lines that begin with `#` are accepted.
///
/// # Errors
/// A file that cannot be read; an empty file, or only a header; ragged rows; words, infinities or decimal commas where numbers
/// are expected; a time that is missing, repeats or decreases: each with file, line and column. An unknown column, with the known
/// ones.
pub fn read_csv(path: impl AsRef<Path>, options: &CsvOptions) -> Result<Dataset> {
    let path = path.as_ref();
    let text = read_text(path)?;
    let cells = CellParser {
        markers: options.missing.as_deref(),
    };
    let table = CsvTable::new(path, &text, options, &cells)?;
    let columns = ColumnRoles::choose(&table, options, &cells)
        .map_err(|e| data_error(path, table.header_line, None, e.to_string()))?;
    let reader = CsvReader {
        path,
        table: &table,
        columns: &columns,
        cells: &cells,
    };
    reader.dataset(reader.read_samples()?, options)
}

/// Roles of the columns.
struct ColumnRoles {
    time: usize,
    sample: Option<usize>,
    state: Vec<usize>,
    names: Option<Vec<String>>,
}

/// Returns the column named t or time, if there is one.
fn find_time_column(table: &CsvTable, sample: Option<usize>) -> Option<usize> {
    let called = |name: &String| matches!(name.trim().to_lowercase().as_str(), "t" | "time");
    table
        .header
        .iter()
        .position(called)
        .filter(|column| Some(*column) != sample)
}

impl ColumnRoles {
    fn choose(table: &CsvTable, options: &CsvOptions, cells: &CellParser<'_>) -> Result<Self> {
        let index = |column: &Column| column.index(&table.header, table.n_columns);
        let sample = options.sample.as_ref().map(index).transpose()?;
        let time = match &options.time {
            Some(column) => index(column)?,
            None => find_time_column(table, sample).unwrap_or(usize::from(sample == Some(0))),
        };
        let state = match &options.state {
            Some(columns) => columns.iter().map(index).collect::<Result<Vec<_>>>()?,
            None => (0..table.n_columns)
                .filter(|column| *column != time && Some(*column) != sample)
                .filter(|column| !is_trailing_empty(table, *column, cells))
                .collect(),
        };
        if state.is_empty() {
            return Err(Error::invalid(
                "no column is left for the state: the table needs one beside the time",
            ));
        }
        for (i, column) in state.iter().enumerate() {
            let twice = state[..i].contains(column);
            if twice || *column == time || Some(*column) == sample {
                return Err(Error::invalid(format!(
                    "column {column} is used twice: time, sample and each state need a column of their own"
                )));
            }
        }
        if Some(time) == sample {
            return Err(Error::invalid(
                "the time and the sample are the same column",
            ));
        }
        let names = (!table.header.is_empty()).then(|| {
            state
                .iter()
                .map(|column| table.header[*column].clone())
                .collect()
        });
        Ok(Self {
            time,
            sample,
            state,
            names,
        })
    }
}

/// Whether a column is the empty one that results from a delimiter at the end of every line.
fn is_trailing_empty(table: &CsvTable, column: usize, cells: &CellParser<'_>) -> bool {
    column + 1 == table.n_columns
        && table.header.get(column).is_none_or(String::is_empty)
        && table.rows.iter().all(|(_, row)| row[column].is_empty())
        && matches!(cells.parse(""), CsvCell::Missing)
}

/// Rows of one sample, in the order of the file.
struct SampleRows<'a> {
    name: &'a str,
    /// Line number and value of each time.
    times: Vec<(usize, f64)>,
    /// Values of the state, `[time, dof]`.
    values: Vec<f64>,
}

struct CsvReader<'a> {
    path: &'a Path,
    table: &'a CsvTable,
    columns: &'a ColumnRoles,
    cells: &'a CellParser<'a>,
}

impl<'a> CsvReader<'a> {
    fn read_samples(&self) -> Result<Vec<SampleRows<'a>>> {
        let mut samples: Vec<SampleRows<'a>> = Vec::new();
        let mut sample_index = std::collections::HashMap::new();
        for (line, row) in &self.table.rows {
            let name = match self.columns.sample {
                Some(column) if row[column].is_empty() => {
                    return Err(self.error(*line, column, "the sample is missing"));
                }
                Some(column) => row[column].as_str(),
                None => "",
            };
            let place = *sample_index.entry(name).or_insert_with(|| {
                samples.push(SampleRows {
                    name,
                    times: Vec::new(),
                    values: Vec::new(),
                });
                samples.len() - 1
            });
            let rows = &mut samples[place];
            rows.times
                .push((*line, self.time(*line, row, rows.times.last())?));
            for column in &self.columns.state {
                rows.values.push(
                    self.number(*line, *column, &row[*column])?
                        .unwrap_or(f64::NAN),
                );
            }
        }
        Ok(samples)
    }

    fn time(&self, line: usize, row: &[String], before: Option<&(usize, f64)>) -> Result<f64> {
        let column = self.columns.time;
        let time = self
            .number(line, column, &row[column])?
            .ok_or_else(|| self.error(line, column, "the time is missing: every row needs one"))?;
        match time_error(before.map(|(_, time)| *time), time) {
            None => Ok(time),
            Some(fault) if self.columns.sample.is_none() => Err(self.error(
                line,
                column,
                format!("{fault}; if the file holds several samples, name the column that tells them apart: sample: \"column\""),
            )),
            Some(fault) => Err(self.error(line, column, fault)),
        }
    }

    /// Parses the number in a cell; `None` if it is missing.
    fn number(&self, line: usize, column: usize, cell: &str) -> Result<Option<f64>> {
        match self.cells.parse(cell) {
            CsvCell::Missing => Ok(None),
            CsvCell::Number(value) if value.is_finite() => Ok(Some(value)),
            CsvCell::Number(_) => Err(self.error(
                line,
                column,
                format!(
                    "\"{cell}\" is not a finite number; leave the cell empty for a missing value"
                ),
            )),
            CsvCell::Text => {
                let hint = if has_decimal_comma(cell) {
                    format!(": write a decimal point, {}", cell.replace(',', "."))
                } else if cell.starts_with(|c: char| c.is_ascii_digit())
                    && cell.contains([':', '/', '-'])
                {
                    ": dates and times of day must be turned into numbers, for example seconds since the start".into()
                } else {
                    "; a missing value is an empty cell or NA; other markers are named, for example missing: [\"none\"]".into()
                };
                Err(self.error(line, column, format!("\"{cell}\" is not a number{hint}")))
            }
        }
    }

    fn dataset(&self, samples: Vec<SampleRows<'_>>, options: &CsvOptions) -> Result<Dataset> {
        let dof = self.columns.state.len();
        if let Some(u0) = options.u0.as_ref().filter(|u0| u0.len() != dof) {
            return Err(Error::invalid(format!(
                "u0 has {} for {} of state: give one for each",
                count_of(u0.len(), "value"),
                count_of(dof, "column")
            )));
        }
        let mut parts = vec![];
        for rows in samples {
            // If there are several samples, the error names the sample and its last line.
            let of = |e: &dyn std::fmt::Display| match self.columns.sample {
                Some(_) => {
                    let line = rows.times.last().map(|(line, _)| *line);
                    data_error(
                        self.path,
                        line,
                        None,
                        format!("sample \"{}\": {e}", rows.name),
                    )
                }
                None => data_error(self.path, None, None, e.to_string()),
            };
            let t: Array1<f64> = rows.times.iter().map(|(_, t)| *t).collect();
            let u = Array2::from_shape_vec((t.len(), dof), rows.values).map_err(|e| of(&e))?;
            let u0 = options.u0.as_ref().map(|u0| Array1::from(u0.clone()));
            parts.push(Dataset::single(t, u, u0).map_err(|e| of(&e))?);
        }
        let mut data =
            Dataset::join(&parts).map_err(|e| data_error(self.path, None, None, e.to_string()))?;
        if let Some(names) = &self.columns.names {
            data = data
                .with_names(names.iter().cloned())
                .map_err(|e| data_error(self.path, self.table.header_line, None, e.to_string()))?;
        }
        Ok(data)
    }

    fn error(&self, line: usize, column: usize, message: impl Into<String>) -> Error {
        data_error(self.path, line, column + 1, message)
    }
}
