//! Which arrays of a file are the columns of a table.

use std::path::Path;

use super::arrays::{ArrayEntry, TablePart};
use crate::datasets::csv::names_time;
use crate::datasets::{Column, CsvOptions, data_error};
use odesync_base::error::{Error, Result};

/// Returns the error of a file without the table that was asked for, with what it holds.
pub(super) fn refused(path: &Path, entries: &[ArrayEntry], why: &str) -> Error {
    const MOST: usize = 30;
    let mut shown: Vec<String> = entries
        .iter()
        .take(MOST)
        .map(ArrayEntry::describe)
        .collect();
    if entries.len() > MOST {
        shown.push(format!("{} more", entries.len() - MOST));
    }
    let holds = match shown.is_empty() {
        true => "no array of numbers".into(),
        false => shown.join(", "),
    };
    data_error(path, None, None, format!("{why}; the file holds {holds}"))
}

/// Returns the arrays of the group that is asked for, else of the outermost, else of the one that holds any, by their indices, with
/// their names in the group.
pub(super) fn choose_group(
    path: &Path,
    entries: &[ArrayEntry],
    wanted: Option<&str>,
    notes: &mut Vec<String>,
) -> Result<Vec<(usize, String)>> {
    let all = || entries.iter().enumerate();
    let within = |group: &str| -> Vec<(usize, String)> {
        let prefix = match group {
            "" => String::new(),
            group => format!("{group}/"),
        };
        let inner = |(index, entry): (usize, &ArrayEntry)| {
            let rest = entry.name.strip_prefix(&prefix)?;
            (!rest.contains('/')).then(|| (index, rest.to_string()))
        };
        all().filter_map(inner).collect()
    };
    if let Some(wanted) = wanted {
        let wanted = wanted.trim_matches('/');
        if let Some((index, entry)) = all().find(|(_, entry)| entry.name == wanted) {
            return Ok(vec![(index, entry.name.clone())]);
        }
        let found = within(wanted);
        return match found.is_empty() {
            true => Err(refused(
                path,
                entries,
                &format!("there is no group or array \"{wanted}\""),
            )),
            false => Ok(found),
        };
    }
    let usable = || entries.iter().filter(|entry| entry.table_shape().is_some());
    if usable().any(|entry| entry.parent().is_empty()) {
        return Ok(within(""));
    }
    let mut groups: Vec<&str> = usable().map(ArrayEntry::parent).collect();
    groups.dedup();
    match groups[..] {
        [] => Ok(vec![]),
        [group] => {
            notes.push(format!("the arrays of \"{group}\" are the table"));
            Ok(within(group))
        }
        _ => Err(refused(
            path,
            entries,
            &format!(
                "several groups hold arrays; say which one is the table, for example group: \"{}\"",
                groups[0]
            ),
        )),
    }
}

/// Returns the number of rows: that of the times, else that of most arrays.
pub(super) fn find_rows(
    entries: &[ArrayEntry],
    chosen: &[(usize, String)],
    options: &CsvOptions,
) -> Option<usize> {
    let shapes: Vec<(&str, usize, usize, bool)> = (chosen.iter())
        .filter_map(|(index, name)| {
            let entry = entries.get(*index)?;
            let (n, k) = entry.table_shape()?;
            Some((name.as_str(), n, k, entry.is_vector()))
        })
        .collect();
    let is_time = |name: &str| match &options.time {
        Some(Column::Name(time)) => time == name,
        _ => names_time(name),
    };
    let of_times = shapes
        .iter()
        .find(|(name, _, _, is_vector)| *is_vector && is_time(name));
    if let Some((_, n, ..)) = of_times {
        return Some(*n);
    }
    let count = |n: usize| shapes.iter().filter(|(_, rows, ..)| *rows == n).count();
    let lengths = shapes.iter().map(|(_, n, ..)| *n);
    lengths.max_by_key(|n| (count(*n), *n))
}

/// Returns the arrays with a value for each row; a note names the others.
pub(super) fn choose_parts(
    entries: &[ArrayEntry],
    chosen: &[(usize, String)],
    n_rows: usize,
    notes: &mut Vec<String>,
) -> Vec<TablePart> {
    let (mut parts, mut left_out, mut transposed) = (vec![], vec![], vec![]);
    for (index, name) in chosen {
        let Some(entry) = entries.get(*index) else {
            continue;
        };
        let part = |n_columns: usize, is_transposed: bool| TablePart {
            index: *index,
            name: name.clone(),
            n_columns,
            is_transposed,
        };
        match entry.table_shape() {
            Some((n, k)) if n == n_rows => parts.push(part(k, false)),
            Some((k, n)) if n == n_rows => {
                transposed.push(format!("\"{name}\""));
                parts.push(part(k, true));
            }
            _ => left_out.push(entry.describe()),
        }
    }
    if !transposed.is_empty() {
        notes.push(format!("a column for each time: {}", transposed.join(", ")));
    }
    if !left_out.is_empty() {
        notes.push(format!(
            "left out, because not one value for each of {n_rows} rows: {}",
            left_out.join(", ")
        ));
    }
    parts
}
