//! The roles of the columns: time, sample, state.

use std::collections::HashSet;

use super::cells::{CellParser, ColumnKind};
use super::column_search::ColumnSearch;
use super::options::{Column, CsvOptions};
use super::table::CsvTable;
use odesync_base::error::{Error, Result};
use odesync_base::text::plural_of;

/// Roles of the columns.
#[derive(Debug)]
pub(super) struct ColumnRoles {
    /// The times; `None` where the time between two rows is given.
    pub time: Option<usize>,
    /// Whether neither the options nor its name say that the column is the time.
    pub time_is_guessed: bool,
    /// Whether the times are dates or times of day.
    pub has_instants: bool,
    pub sample: Option<usize>,
    /// The columns of the state; of a table in long form none.
    pub state: Vec<usize>,
    /// The columns of the variables' names and of their values, of a table in long form.
    pub long: Option<(usize, usize)>,
    /// What was guessed or left out, for the user.
    pub notes: Vec<String>,
}

impl ColumnRoles {
    /// Chooses the roles that the options leave open.
    pub fn choose(table: &CsvTable, options: &CsvOptions, cells: &CellParser<'_>) -> Result<Self> {
        let index = |column: &Column| column.index(&table.header, table.n_columns);
        let given = |column: &Option<Column>| column.as_ref().map(index).transpose();
        let search = ColumnSearch::new(table, cells);
        let mut notes = vec![];
        let (variable, value) = (given(&options.variable)?, given(&options.value)?);
        let named_state = match (&options.state, variable.is_some() || value.is_some()) {
            (Some(columns), false) => Some(columns.iter().map(index).collect::<Result<Vec<_>>>()?),
            _ => None,
        };
        let long = match (variable, value) {
            (Some(variable), Some(value)) => Some((variable, value)),
            (None, None) if named_state.is_none() => search.long_form(),
            (None, None) => None,
            _ => {
                return Err(Error::invalid(
                    "a table in long form has a column of names and one of values: give both variable and value",
                ));
            }
        };
        let given_time = given(&options.time)?;
        let taken: Vec<usize> = (named_state.iter().flatten().copied())
            .chain(given_time)
            .chain(long.iter().flat_map(|(a, b)| [*a, *b]))
            .collect();
        let mut sample = given(&options.sample)?;
        let candidate = match sample {
            Some(_) => None,
            None => search.sample(&taken),
        };
        if given_time.is_some() && given_time == sample {
            return Err(Error::invalid(
                "the time and the sample are the same column",
            ));
        }
        let time_beside = |sample: Option<usize>| {
            let excluded: Vec<usize> = taken.iter().copied().chain(sample).collect();
            search.time(options, given_time, &excluded, sample)
        };
        let mut time = time_beside(sample)?;
        if let Some(candidate) = candidate
            && let Ok(beside) = time_beside(Some(candidate))
            && search.separates_samples(candidate, beside.column, long)
            && (long.is_some()
                || search.has_state_beside(&[Some(candidate), beside.column, beside.row_numbers]))
            // Who names the state and has one row after the other may mean one sample.
            && !(named_state.is_some() && beside.column.is_some_and(|t| search.increases(t, None)))
        {
            (sample, time) = (Some(candidate), beside);
            notes.push(format!(
                "samples are told apart by {}",
                table.column_name(candidate)
            ));
        }
        let has_name = |column: &usize| table.header.get(*column).is_some_and(|n| !n.is_empty());
        if let Some(column) = time
            .column
            .filter(|column| time.is_guessed && has_name(column))
        {
            notes.push(format!("the time is {}", table.column_name(column)));
        }
        let mut row_numbers = time.row_numbers;
        if row_numbers == sample || named_state.is_some() {
            row_numbers = None;
        }
        let state = match (long, &named_state) {
            (Some((variable, value)), _) => {
                notes.push(format!(
                    "a row for each value: names in {}, values in {}",
                    table.column_name(variable),
                    table.column_name(value)
                ));
                vec![]
            }
            (None, Some(columns)) => columns.clone(),
            (None, None) => search.state([time.column, sample, row_numbers], &mut notes)?,
        };
        check_distinct(&state, time.column, sample, long)?;
        Ok(Self {
            has_instants: time
                .column
                .is_some_and(|column| search.kinds[column] == ColumnKind::Instants),
            time: time.column,
            time_is_guessed: time.is_guessed,
            sample,
            state,
            long,
            notes,
        })
    }
}

fn check_distinct(
    state: &[usize],
    time: Option<usize>,
    sample: Option<usize>,
    long: Option<(usize, usize)>,
) -> Result<()> {
    if state.is_empty() && long.is_none() {
        return Err(Error::invalid(
            "no column is left for the state: the table needs one beside the time",
        ));
    }
    let all = state.iter().copied().chain(time).chain(sample);
    let all = all.chain(
        long.into_iter()
            .flat_map(|(variable, value)| [variable, value]),
    );
    let mut seen = HashSet::new();
    for column in all {
        if !seen.insert(column) {
            return Err(Error::invalid(format!(
                "column {column} is used twice: time, sample and each state need a column of their own"
            )));
        }
    }
    Ok(())
}

/// Returns the note on samples that have a single time each.
pub(super) fn note_of_single_times(names: &[&str]) -> String {
    const MOST: usize = 5;
    let shown: Vec<String> = names
        .iter()
        .take(MOST)
        .map(|name| format!("\"{name}\""))
        .collect();
    let more = match names.len().saturating_sub(MOST) {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    format!(
        "left out: the {} {}{more} with a single time",
        plural_of(names.len(), "sample"),
        shown.join(", ")
    )
}
