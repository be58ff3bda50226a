//! Text files of M. Schmidt, H. Lipson, *Distilling free-form natural laws from experimental data*, Science 324 (2009): measured
//! and simulated pendula.
//!
//! The first line begins with `%` and names the state, for example `% o1 o2 w1 w2`. Each row is the number of the trial, the
//! time, the state, and columns to ignore, separated by blanks.

use std::path::Path;

use ndarray::{Array1, Array2};

use super::{Dataset, data_error, read_text, time_error};
use odesync_base::error::Result;
use odesync_base::text::count_of;

/// Reads one trial of a file; its time is shifted to begin at 0.
///
/// The header names the state: angles `o…`, then angular velocities `w…` (or `v`). Trials are numbered as in the file, from 0.
///
/// # Errors
/// A file that cannot be read; no header; a row that is too short, or has a word where a number is expected; times that repeat or
/// decrease; a trial that is not in the file; a trial with fewer than two rows. Each with line and column.
pub fn read_schmidt_lipson(path: impl AsRef<Path>, trial: usize) -> Result<Dataset> {
    let path = path.as_ref();
    let text = read_text(path)?;
    let mut lines = (1..)
        .zip(text.lines())
        .filter(|(_, line)| !line.trim().is_empty());
    let names = match lines.next() {
        None => return Err(data_error(path, None, None, "the file is empty")),
        Some((number, line)) => header(path, number, line)?,
    };
    let dof = names.len();
    let (mut t, mut u) = (Vec::new(), Vec::new());
    let mut trials: Vec<(usize, f64, usize)> = Vec::new();
    for (number, line) in lines.filter(|(_, line)| !line.trim_start().starts_with('%')) {
        let (of, row) = parse_row(path, number, line, dof)?;
        let time = row[0];
        let before = match trials.iter_mut().find(|(name, ..)| *name == of) {
            Some((_, last, rows)) => {
                *rows += 1;
                Some(std::mem::replace(last, time))
            }
            None => {
                trials.push((of, time, 1));
                None
            }
        };
        if let Some(fault) = time_error(before, time) {
            return Err(data_error(path, number, 2, fault));
        }
        if of == trial {
            t.push(time);
            u.extend_from_slice(&row[1..]);
        }
    }
    if trials.is_empty() {
        return Err(data_error(
            path,
            None,
            None,
            "the file has a header but no rows",
        ));
    }
    if t.len() < 2 {
        let known: Vec<String> = trials
            .iter()
            .map(|(name, _, rows)| format!("{name} ({rows} rows)"))
            .collect();
        return Err(data_error(
            path,
            None,
            None,
            format!(
                "trial {trial} has {} row(s), at least two are needed; trials in this file: {}",
                t.len(),
                known.join(", ")
            ),
        ));
    }
    let start = t[0];
    let t: Array1<f64> = t.into_iter().map(|t| t - start).collect();
    Array2::from_shape_vec((t.len(), dof), u)
        .map_err(|e| e.to_string())
        .and_then(|u| {
            let data = Dataset::single(t, u, None).and_then(|data| data.with_names(names));
            data.map_err(|e| e.to_string())
        })
        .map_err(|message| data_error(path, None, None, message))
}

/// Parses the names of the state. Some copies of these files also name the trial and the time.
fn header(path: &Path, number: usize, line: &str) -> Result<Vec<String>> {
    let Some(names) = line.trim().strip_prefix('%') else {
        return Err(data_error(
            path,
            number,
            None,
            "the first line must begin with % and name the state, for example \"% o1 o2 w1 w2\"; for a table without \
             such a line use read_csv",
        ));
    };
    let names = names
        .split_whitespace()
        .filter(|name| !["trial", "time"].contains(name));
    let names: Vec<String> = names.map(String::from).collect();
    if names.is_empty() {
        return Err(data_error(
            path,
            number,
            None,
            "the header names no state: write for example \"% o1 o2 w1 w2\"",
        ));
    }
    Ok(names)
}

/// Parses a row: its trial, and its time and state.
fn parse_row(path: &Path, number: usize, line: &str, dof: usize) -> Result<(usize, Vec<f64>)> {
    let words: Vec<&str> = line.split_whitespace().collect();
    if words.len() < dof + 2 {
        return Err(data_error(
            path,
            number,
            None,
            format!(
                "{} where the header asks for {}: trial, time and {dof} of state",
                count_of(words.len(), "column"),
                dof + 2
            ),
        ));
    }
    let mut row = Vec::with_capacity(dof + 2);
    for (column, word) in (1..).zip(&words[..dof + 2]) {
        match word.parse::<f64>() {
            Ok(value) if !value.is_infinite() => row.push(value),
            Ok(value) => {
                let message = format!("{value} is not a finite number");
                return Err(data_error(path, number, column, message));
            }
            Err(_) => {
                let message = format!("\"{word}\" is not a number");
                return Err(data_error(path, number, column, message));
            }
        }
    }
    let trial = row.remove(0);
    if !(trial >= 0.0 && trial.fract() == 0.0 && trial < 1e9) {
        let message = format!("the trial is {trial}: trials are numbered 0, 1, 2, …");
        return Err(data_error(path, number, 1, message));
    }
    Ok((trial as usize, row))
}
