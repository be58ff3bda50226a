//! The search for the columns whose roles are not given: by their names and by what they hold.

use std::collections::{HashMap, HashSet};

use super::cells::{CellParser, ColumnKind, CsvCell};
use super::instants::Instant;
use super::options::CsvOptions;
use super::table::CsvTable;
use odesync_base::error::{Error, Result};

/// Names of a column of times, without units.
const TIMES: [&str; 9] = [
    "t",
    "time",
    "times",
    "datetime",
    "timestamp",
    "date",
    "zeit",
    "temps",
    "tiempo",
];

/// Names of a column that tells samples apart; those of `write_csv` come first.
const SAMPLES: [&str; 14] = [
    "sample",
    "sample_id",
    "id",
    "subject",
    "subject_id",
    "trial",
    "run",
    "experiment",
    "replicate",
    "patient",
    "animal",
    "individual",
    "series",
    "curve",
];

/// Names of a column that numbers the rows.
const ROW_NUMBERS: [&str; 9] = [
    "",
    "unnamed: 0",
    "index",
    "row",
    "rows",
    "rownames",
    "row_names",
    "rowid",
    "id",
];

/// Names of the columns of a table in long form, with a row for each value: the variable, and its value.
const VARIABLES: [&str; 4] = ["variable", "name", "component", "key"];
const VALUES: [&str; 2] = ["value", "values"];

/// Whether a column of this name is taken for the one that tells samples apart.
pub(super) fn names_sample(name: &str) -> bool {
    SAMPLES.contains(&plain(name).as_str())
}

/// Whether a column of this name is taken for the times.
pub(in crate::datasets) fn names_time(name: &str) -> bool {
    TIMES.contains(&plain(name).as_str())
}

/// A table whose columns are searched.
pub(super) struct ColumnSearch<'a> {
    table: &'a CsvTable,
    cells: &'a CellParser<'a>,
    /// What each column holds.
    pub kinds: Vec<ColumnKind>,
}

/// Returns a name in lower case and without its unit: "Time [s]" is "time".
fn plain(name: &str) -> String {
    let bare = name.split(['[', '(']).next().unwrap_or_default();
    bare.trim().to_lowercase()
}

/// The column of the times, and how it was found.
pub(super) struct TimeColumn {
    pub column: Option<usize>,
    pub is_guessed: bool,
    /// The column that numbers the rows, where there is one.
    pub row_numbers: Option<usize>,
}

impl<'a> ColumnSearch<'a> {
    pub fn new(table: &'a CsvTable, cells: &'a CellParser<'a>) -> Self {
        let kind = |column: usize| {
            let column = table.rows.iter().map(move |(_, row)| row[column].as_str());
            ColumnKind::of(column, cells)
        };
        ColumnSearch {
            table,
            cells,
            kinds: (0..table.n_columns).map(kind).collect(),
        }
    }

    fn cells_of(&self, column: usize) -> impl Iterator<Item = &str> {
        self.table
            .rows
            .iter()
            .map(move |(_, row)| row[column].as_str())
    }

    /// Returns the first column with one of these names, in the order of the names.
    fn find_named(&self, names: &[&str], excluded: &[usize]) -> Option<usize> {
        let header: Vec<String> = self.table.header.iter().map(|name| plain(name)).collect();
        names.iter().find_map(|name| {
            let mut columns = header.iter().enumerate();
            columns
                .find(|(column, own)| own == name && !excluded.contains(column))
                .map(|(column, _)| column)
        })
    }

    /// Returns the column whose name says that it tells samples apart.
    pub fn sample(&self, excluded: &[usize]) -> Option<usize> {
        self.find_named(&SAMPLES, excluded)
    }

    /// Returns the columns of names and of values of a table in long form.
    pub fn long_form(&self) -> Option<(usize, usize)> {
        let variable = self.find_named(&VARIABLES, &[])?;
        let value = self.find_named(&VALUES, &[variable])?;
        let is_long =
            self.kinds[variable] == ColumnKind::Words && self.kinds[value] == ColumnKind::Numbers;
        is_long.then_some((variable, value))
    }

    /// Finds the column of the times; `sample` tells samples apart, if there is such a column.
    pub fn time(
        &self,
        options: &CsvOptions,
        given: Option<usize>,
        excluded: &[usize],
        sample: Option<usize>,
    ) -> Result<TimeColumn> {
        let row_numbers = self.row_numbers(excluded);
        let found =
            |column: Option<usize>, is_guessed: bool, row_numbers: Option<usize>| TimeColumn {
                column,
                is_guessed,
                row_numbers,
            };
        let named = self.find_named(&TIMES, excluded);
        if options.dt.is_some() {
            return match given.or(named) {
                Some(column) => Err(Error::invalid(format!(
                    "the times are in {}, and dt is given too: leave out one of them",
                    self.table.column_name(column)
                ))),
                None => Ok(found(None, false, row_numbers)),
            };
        }
        if let Some(column) = given.or(named) {
            return Ok(found(
                Some(column),
                false,
                row_numbers.filter(|c| *c != column),
            ));
        }
        let columns = || (0..self.table.n_columns).filter(|column| !excluded.contains(column));
        let of_kind = |kind: ColumnKind| columns().find(|column| self.kinds[*column] == kind);
        if let Some(column) = of_kind(ColumnKind::Instants) {
            return Ok(found(Some(column), true, row_numbers));
        }
        let next = columns().find(|column| {
            self.kinds[*column] == ColumnKind::Numbers && Some(*column) != row_numbers
        });
        if let (Some(_), Some(next)) = (row_numbers, next)
            && self.increases(next, sample)
        {
            return Ok(found(Some(next), true, row_numbers));
        }
        let first = of_kind(ColumnKind::Numbers).or(columns().next());
        match first {
            Some(column) => Ok(found(Some(column), true, None)),
            None => Err(Error::invalid(
                "no column is left for the time: give its name as time, or the time between two rows as dt",
            )),
        }
    }

    /// Returns the first column if it has no name, or one that says so, and numbers the rows or labels them.
    fn row_numbers(&self, excluded: &[usize]) -> Option<usize> {
        let name = plain(self.table.header.first()?);
        if excluded.contains(&0) || !ROW_NUMBERS.contains(&name.as_str()) {
            return None;
        }
        if self.kinds[0] == ColumnKind::Words {
            return name.is_empty().then_some(0);
        }
        let numbers: Option<Vec<i64>> = self.cells_of(0).map(|cell| cell.parse().ok()).collect();
        let numbers = numbers?;
        let counts = numbers
            .windows(2)
            .all(|pair| pair[0].checked_add(1) == Some(pair[1]));
        (counts && matches!(numbers.first(), Some(0 | 1))).then_some(0)
    }

    /// Returns the time of a cell, in an order of its own for dates.
    fn order(&self, cell: &str) -> Option<f64> {
        match self.cells.parse(cell) {
            CsvCell::Number(value) => Some(value),
            CsvCell::Missing => None,
            CsvCell::Text => {
                let instant = Instant::parse(cell)?;
                [Instant::Zoned(0), Instant::Local(0), Instant::Clock(0)]
                    .into_iter()
                    .find_map(|zero| instant.seconds_since(zero))
            }
        }
    }

    /// Whether the values of a column increase, within each sample.
    pub fn increases(&self, column: usize, sample: Option<usize>) -> bool {
        self.increases_within(column, &sample.into_iter().collect::<Vec<_>>())
    }

    /// Whether the values of a column increase among the rows that have the same cells in the columns `groups`.
    pub fn increases_within(&self, column: usize, groups: &[usize]) -> bool {
        let mut last: HashMap<Vec<&str>, f64> = HashMap::new();
        self.table.rows.iter().all(|(_, row)| {
            let group = groups.iter().map(|g| row[*g].as_str()).collect();
            let Some(value) = self.order(&row[column]) else {
                return false;
            };
            last.insert(group, value)
                .is_none_or(|before| before < value)
        })
    }

    /// Whether a column tells samples apart: its values repeat, and the times increase within each.
    pub fn separates_samples(
        &self,
        column: usize,
        time: Option<usize>,
        long: Option<(usize, usize)>,
    ) -> bool {
        let distinct: HashSet<&str> = self.cells_of(column).collect();
        let groups: Vec<usize> = [column]
            .into_iter()
            .chain(long.map(|(variable, _)| variable))
            .collect();
        !distinct.contains("")
            && distinct.len() < self.table.rows.len()
            && time.is_none_or(|time| self.increases_within(time, &groups))
    }

    pub fn has_state_beside(&self, roles: &[Option<usize>]) -> bool {
        let mut columns =
            (0..self.table.n_columns).filter(|column| !roles.contains(&Some(*column)));
        columns.any(|column| self.kinds[column] == ColumnKind::Numbers)
    }

    /// Returns the columns that are left for the state: those of numbers.
    pub fn state(&self, roles: [Option<usize>; 3], notes: &mut Vec<String>) -> Result<Vec<usize>> {
        let left = (0..self.table.n_columns).filter(|column| !roles.contains(&Some(*column)));
        let (state, out): (Vec<usize>, Vec<usize>) =
            left.partition(|column| self.kinds[*column] == ColumnKind::Numbers);
        let named = |wanted: &[ColumnKind]| -> Vec<String> {
            let of_kind = out
                .iter()
                .filter(|column| wanted.contains(&self.kinds[**column]));
            // An empty column without a name comes from a delimiter at the end of every line.
            let of_kind = of_kind.filter(|column| {
                self.kinds[**column] != ColumnKind::Empty
                    || self
                        .table
                        .header
                        .get(**column)
                        .is_some_and(|name| !name.is_empty())
            });
            of_kind
                .map(|column| self.table.column_name(*column))
                .collect()
        };
        let words = named(&[ColumnKind::Words, ColumnKind::Instants]);
        if state.is_empty() && !words.is_empty() {
            return Err(Error::invalid(format!(
                "no column is left for the state: there are no numbers in {}",
                words.join(", ")
            )));
        }
        let numbers = roles[2].map(|column| vec![self.table.column_name(column)]);
        for (columns, what) in [
            (numbers.unwrap_or_default(), "the rows' numbers"),
            (words, "words"),
            (named(&[ColumnKind::Empty]), "nothing"),
        ] {
            if !columns.is_empty() {
                let verb = if columns.len() == 1 { "holds" } else { "hold" };
                notes.push(format!(
                    "left out: {}, which {verb} {what}",
                    columns.join(", ")
                ));
            }
        }
        Ok(state)
    }
}
