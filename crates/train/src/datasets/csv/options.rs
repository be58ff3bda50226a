//! Options of the reader of tables.

use super::cells::CellParser;
use super::number_format::NumberFormat;
use odesync_base::error::{self, Error, Result};
use odesync_base::option_set;
use odesync_base::options::{
    Flag, Maybe, Mismatch, NumberList, OptionKind, Positive, TextList, Value, Whole,
};

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

impl Column {
    /// Reads a name, or a number from 0, as the value of an option.
    pub(in crate::datasets) fn from_value(value: &Value) -> std::result::Result<Self, Mismatch> {
        match value {
            Value::Text(name) => Ok(Column::Name(name.clone())),
            Value::Int(index) => usize::try_from(*index)
                .map(Column::Index)
                .map_err(|_| Mismatch::Value),
            _ => Err(Mismatch::Value),
        }
    }

    /// Returns the value of an option that [`Column::from_value`] reads.
    pub(in crate::datasets) fn to_value(&self) -> Value {
        match self {
            Column::Name(name) => Value::Text(name.clone()),
            Column::Index(index) => Value::from(*index),
        }
    }
}

/// A column, by its name or its number from 0.
#[derive(Debug, Clone, Copy)]
pub(super) struct ColumnOption;

impl OptionKind for ColumnOption {
    type Field = Column;
    const EXPECTED: &'static str = "the name of a column, or its number from 0";

    fn read(value: &Value) -> std::result::Result<Column, Mismatch> {
        Column::from_value(value)
    }

    fn write(field: &Column) -> Value {
        field.to_value()
    }
}

/// Columns, by their names or their numbers from 0; a single one is a list of one.
#[derive(Debug, Clone, Copy)]
pub(super) struct ColumnsOption;

impl OptionKind for ColumnsOption {
    type Field = Vec<Column>;
    const EXPECTED: &'static str = "names of columns, or their numbers from 0";

    fn read(value: &Value) -> std::result::Result<Vec<Column>, Mismatch> {
        let Value::List(list) = value else {
            return ColumnOption::read(value).map(|column| vec![column]);
        };
        let column = |item: &Value| {
            ColumnOption::read(item).map_err(|_| Mismatch::Item(Self::EXPECTED, item.clone()))
        };
        match list.is_empty() {
            true => Err(Mismatch::Value),
            false => list.iter().map(column).collect(),
        }
    }

    fn write(field: &Vec<Column>) -> Value {
        Value::List(field.iter().map(ColumnOption::write).collect())
    }
}

/// A delimiter, one character.
#[derive(Debug, Clone, Copy)]
pub(super) struct DelimiterOption;

impl OptionKind for DelimiterOption {
    type Field = char;
    const EXPECTED: &'static str = "one character, such as \";\" or \"\\t\"";

    fn read(value: &Value) -> std::result::Result<char, Mismatch> {
        let mut letters = value.text().ok_or(Mismatch::Value)?.chars();
        match (letters.next(), letters.next()) {
            (Some(c), None) => Ok(c),
            _ => Err(Mismatch::Value),
        }
    }

    fn write(field: &char) -> Value {
        Value::Text(field.to_string())
    }
}

/// A decimal mark, a point or a comma.
#[derive(Debug, Clone, Copy)]
pub(super) struct DecimalMark;

impl OptionKind for DecimalMark {
    type Field = char;
    const EXPECTED: &'static str = "\".\" or \",\"";
    const CHOICES: &'static [&'static str] = &[".", ","];

    fn read(value: &Value) -> std::result::Result<char, Mismatch> {
        match value.text() {
            Some(".") => Ok('.'),
            Some(",") => Ok(','),
            _ => Err(Mismatch::Value),
        }
    }

    fn write(field: &char) -> Value {
        Value::Text(field.to_string())
    }
}

option_set! {
    /// Options of [`read_csv`](super::read_csv). What is not given is found in the file.
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
    #[derive(Debug, Clone)]
    pub struct CsvOptions {
        /// Column of the time, by its name or its number from 0.
        pub time: Option<Column> as Maybe<ColumnOption> = None, "the one called t or time, else one of dates, else the first";
        /// Columns of the state, in this order.
        pub state: Option<Vec<Column>> as Maybe<ColumnsOption> = None, "all others that hold numbers";
        /// Column that identifies the sample; samples may have different times.
        pub sample: Option<Column> as Maybe<ColumnOption> = None, "the one called sample, id or subject";
        /// Delimiter between columns, one character; `" "` is any run of blanks.
        pub delimiter: Option<char> as Maybe<DelimiterOption> = None, "found";
        /// Whether the first row holds the names of the columns.
        pub header: Option<bool> as Maybe<Flag> = None, "found";
        /// Markers of missing values besides the known ones: an empty cell, NA, NaN, null, none, `-`, `?`, `#N/A` and the like.
        pub missing: Vec<String> as TextList = vec![], "none";
        /// Number of lines at the beginning of the file that are no part of the table.
        pub skip: usize as Whole = 0;
        /// Decimal mark, `"."` or `","`.
        pub decimal: Option<char> as Maybe<DecimalMark> = None, "found";
        /// Thousands separator, one character; blanks and apostrophes are always taken as such.
        pub thousands: Option<char> as Maybe<DelimiterOption> = None, "found";
        /// Time between two rows, of a table without times.
        pub dt: Option<f64> as Maybe<Positive> = None;
        /// Column of the variables' names, of a table with a row for each value.
        pub variable: Option<Column> as Maybe<ColumnOption> = None, "found by the names variable and value";
        /// Column of the values, of a table with a row for each value.
        pub value: Option<Column> as Maybe<ColumnOption> = None, "found";
        /// Initial state of every sample, `[dof]`.
        pub u0: Option<Vec<f64>> as Maybe<NumberList> = None, "the first row";
    }
}

impl CsvOptions {
    /// Returns the parser of the cells of a table with numbers in this format.
    pub(super) fn cells(&self, format: NumberFormat) -> CellParser<'_> {
        CellParser {
            format,
            markers: &self.missing,
        }
    }
}
