//! Options of the reader of tables.

use odesync_base::error::{self, Error, Result};

/// Column of a table, by the name in the header or by its index from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Column {
    /// Name of the column in the header.
    Name(String),
    /// Index of the column, from 0.
    Index(usize),
}

impl From<&str> for Column {
    fn from(name: &str) -> Self {
        Self::Name(name.to_string())
    }
}

impl From<String> for Column {
    fn from(name: String) -> Self {
        Self::Name(name)
    }
}

impl From<usize> for Column {
    fn from(index: usize) -> Self {
        Self::Index(index)
    }
}

impl Column {
    /// Returns the index of the column in a table with this header (empty if there is none) and width.
    pub(super) fn index(&self, header: &[String], width: usize) -> Result<usize> {
        match self {
            Self::Index(index) if *index < width => Ok(*index),
            Self::Index(index) => Err(Error::invalid(format!(
                "there is no column {index}: the table has {width}, counted from 0"
            ))),
            Self::Name(name) if header.is_empty() => Err(Error::invalid(format!(
                "column \"{name}\" was asked for by name, but the table has no header: give the column's index, or \
                 header: true if the first row holds names"
            ))),
            Self::Name(name) => {
                let mut found = header.iter().enumerate().filter(|(_, n)| *n == name);
                match (found.next(), found.next()) {
                    (Some((index, _)), None) => Ok(index),
                    (Some((a, _)), Some((b, _))) => Err(Error::invalid(format!(
                        "columns {a} and {b} are both named \"{name}\": give the index of the one you mean"
                    ))),
                    (None, _) => {
                        let known = header.iter().map(String::as_str).filter(|n| !n.is_empty());
                        Err(error::unknown("column", name, known))
                    }
                }
            }
        }
    }
}

/// Options of [`read_csv`](super::read_csv). Options that are `None` are detected from the file.
///
/// ```
/// use odesync_train::datasets::CsvOptions;
///
/// let options = CsvOptions {
///     time: Some("t".into()),
///     state: Some(vec!["x".into(), "v".into()]),
///     ..Default::default()
/// };
/// # assert!(options.header.is_none());
/// ```
#[derive(Debug, Clone, Default)]
pub struct CsvOptions {
    /// Column of the time. Default: the one named t or time, else the first.
    pub time: Option<Column>,
    /// Columns of the state, in this order. Default: all but those of the time and the sample.
    pub state: Option<Vec<Column>>,
    /// Column that identifies the sample; samples may have different times.
    pub sample: Option<Column>,
    /// Delimiter between columns, an ASCII character; `' '` means any run of blanks.
    pub delimiter: Option<char>,
    /// Whether the first row contains the names of the columns.
    pub header: Option<bool>,
    /// Markers of missing values besides an empty cell. Default: NA, N/A, NaN, null and ?.
    pub missing: Option<Vec<String>>,
    /// Initial state of every sample, `[dof]`. Default: the first row.
    pub u0: Option<Vec<f64>>,
}
