//! The comparison of runs: their results, the settings in which they differ, their loss curves.

use std::path::{Path, PathBuf};

use serde_yaml::Value;

use super::run_colors::{run_colors, swept_setting};
use super::run_dir::{CONFIG_FILE, holds_run};
use super::run_files::{result, settings};
use crate::{Error, Result};
use odesync_base::options::Named;
use odesync_base::tables::{AlignedTable, TableCell};
use odesync_plot::{Color, Figure, Grid, Legend, Style};
use odesync_train::training::{BestBy, Run, StopReason};

/// Name of the file whose presence makes a folder that of a run.
const CHECKPOINT_FILE: &str = "last.safetensors";

/// Depth to which a folder that is not that of a run (an experiment's, a multirun's) is searched for runs.
const MAX_DEPTH: usize = 3;

/// Largest number of runs of which each has a column in the table for people; of more, each has a row.
const MAX_COLUMNS: usize = 6;

/// Largest number of runs of which each has a colour and a name in the legend; more of them are coloured by a setting.
const MAX_NAMED_CURVES: usize = 6;

/// Values above this times what is usual would make the others look constant.
const OUTLIER: f64 = 1e3;

/// A comparison of several runs.
#[derive(Debug, Clone)]
pub struct Comparison {
    runs: Vec<ComparedRun>,
    /// Folders in which a run was expected but not found, with the reason.
    pub skipped: Vec<(PathBuf, String)>,
}

#[derive(Debug, Clone)]
struct ComparedRun {
    name: String,
    run: Run,
    result: Vec<(String, TableCell)>,
    settings: Option<Vec<(String, Value)>>,
}

impl Comparison {
    /// Reads the runs of folders; for a folder that holds no run itself, all runs inside it. A run that is named twice counts
    /// once.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a folder that does not exist or holds no run, [`Error::Checkpoint`] for a damaged run.
    pub fn read<P: AsRef<Path>>(folders: &[P]) -> Result<Self> {
        let mut paths = Vec::new();
        let mut skipped = Vec::new();
        for folder in folders {
            let (found, left_out) = find_run_folders(folder.as_ref())?;
            paths.extend(found);
            skipped.extend(left_out);
        }
        // Different paths to the same folder are one run.
        let canonical = |path: &PathBuf| path.canonicalize().unwrap_or_else(|_| path.clone());
        let mut known = Vec::new();
        paths.retain(|path| {
            let new = !known.contains(&canonical(path));
            known.push(canonical(path));
            new
        });
        let names = shortest_unique_names(&paths.iter().map(canonical).collect::<Vec<_>>());
        let runs = paths
            .iter()
            .zip(names)
            .map(|(path, name)| {
                Ok(ComparedRun {
                    name,
                    run: Run::load(path)?,
                    result: result(path)?,
                    settings: settings(path)?,
                })
            })
            .collect::<Result<_>>()?;
        Ok(Self { runs, skipped })
    }

    /// Returns the table for people: with a row for each result and setting and a column for each run, or, where there are many
    /// runs, with a row for each run, the best first, and a column for each result and setting in which they differ.
    pub fn table(&self) -> AlignedTable {
        if self.runs.len() > MAX_COLUMNS {
            return self.table_of_many();
        }
        // The members of a multirun are named by their arguments.
        let names = self.runs.iter().map(|run| run.name.replace(',', ",\n"));
        let mut table = AlignedTable::new(std::iter::once(String::new()).chain(names));
        for (label, cells) in self.rows() {
            table.push(std::iter::once(label.into()).chain(cells));
        }
        table
    }

    fn table_of_many(&self) -> AlignedTable {
        const RESULTS: [&str; 9] = [
            "method",
            "best mse",
            "best validation",
            "log evidence",
            "extrapolation mse",
            "best epoch",
            "epochs",
            "seconds",
            "stop",
        ];
        let varies = |cells: &[TableCell]| cells.windows(2).any(|pair| pair[0] != pair[1]);
        let mut rows = self.setting_rows();
        // What only some of the methods have says no more than the method, unless it varies among these.
        rows.retain(|(_, cells)| {
            let given = cells.iter().filter(|cell| **cell != TableCell::Empty);
            let given: Vec<TableCell> = given.cloned().collect();
            given.len() == cells.len() || varies(&given)
        });
        let has_method = rows.iter().any(|(label, _)| label == "training.method");
        let mut results = self.result_rows();
        results.retain(|(label, cells)| {
            let shown = RESULTS.contains(&label.as_str()) && !(label == "method" && has_method);
            shown && (varies(cells) || label == "best mse")
        });
        rows.extend(results);
        let label =
            |(label, _): &(String, Vec<TableCell>)| label.replace(' ', "\n").replace('.', ".\n");
        let mut table =
            AlignedTable::new(std::iter::once("run".into()).chain(rows.iter().map(label)));
        let mut order: Vec<usize> = (0..self.runs.len()).collect();
        let mse = |i: &usize| {
            let mse = self.runs[*i].run.best_mse;
            if mse.is_nan() { f64::INFINITY } else { mse }
        };
        order.sort_by(|a, b| mse(a).total_cmp(&mse(b)));
        // The members of a multirun are named by their number and the settings in which they differ, which have columns.
        let number = |name: &str| {
            let (number, _) = name.split_once('_').unwrap_or((name, ""));
            number.parse::<i64>().ok()
        };
        let numbers: Option<Vec<i64>> = self
            .runs
            .iter()
            .map(|run| number(&run.name).filter(|_| run.name.contains('=')))
            .collect();
        for i in order {
            let name = match &numbers {
                Some(numbers) => TableCell::Count(numbers[i]),
                None => self.runs[i].name.clone().into(),
            };
            let cells = rows.iter().map(|(_, cells)| cells[i].clone());
            table.push(std::iter::once(name).chain(cells));
        }
        table
    }

    /// Returns the table with a row for each run, and a column for each result and setting, for programs.
    pub fn records(&self) -> AlignedTable {
        let rows = self.rows();
        let labels = rows.iter().map(|(label, _)| label.replace(' ', "_"));
        let mut table = AlignedTable::new(std::iter::once("run".to_string()).chain(labels));
        for (i, run) in self.runs.iter().enumerate() {
            let cells = rows
                .iter()
                .map(|(_, cells)| cells.get(i).cloned().unwrap_or_default());
            table.push(std::iter::once(run.name.clone().into()).chain(cells));
        }
        table
    }

    /// Returns the results, then the settings in which the runs differ.
    fn rows(&self) -> Vec<(String, Vec<TableCell>)> {
        let mut rows = self.result_rows();
        rows.extend(self.setting_rows());
        rows
    }

    fn result_rows(&self) -> Vec<(String, Vec<TableCell>)> {
        type MetricCell = fn(&Run) -> TableCell;
        let some = |x: Option<f64>| x.map_or(TableCell::Empty, TableCell::Number);
        let of_runs: [(&str, MetricCell); 8] = [
            ("method", |r| r.method.replace('_', " ").into()),
            ("epochs", |r| r.history.len().into()),
            ("best mse", |r| r.best_mse.into()),
            ("best epoch", |r| r.best_epoch.into()),
            ("evaluations", |r| r.evaluations().into()),
            ("seconds", |r| r.seconds().into()),
            ("stop", |r| stop_reason_name(&r.stop).into()),
            ("parameters", |r| r.model.n_params().into()),
        ];
        let mut rows: Vec<(String, Vec<TableCell>)> = of_runs
            .iter()
            .map(|(label, figure)| {
                let cells = self.runs.iter().map(|r| figure(&r.run)).collect();
                (label.to_string(), cells)
            })
            .collect();
        // Rows that few runs have stand only where one has them.
        type NumberOfRun = fn(&Run) -> Option<f64>;
        let of_some: [(&str, NumberOfRun); 2] = [
            ("best validation", |r| r.best_validation),
            ("log evidence", |r| {
                r.weak_constraint.as_ref()?.log_evidence()
            }),
        ];
        for (label, figure) in of_some {
            let values: Vec<_> = self.runs.iter().map(|r| figure(&r.run)).collect();
            if values.iter().any(Option::is_some) {
                let cells = values.into_iter().map(some).collect();
                rows.insert(3, (label.to_string(), cells));
            }
        }
        let chosen_by = |r: &ComparedRun| r.run.best_by();
        if self
            .runs
            .iter()
            .any(|r| ![BestBy::Mse, BestBy::Last].contains(&chosen_by(r)))
        {
            let cells = self.runs.iter().map(|r| chosen_by(r).to_name().into());
            rows.insert(3, ("best by".to_string(), cells.collect()));
        }
        for key in union_of_keys(self.runs.iter().map(|r| &r.result)) {
            let label = key.replace('_', " ");
            if rows.iter().all(|(known, _)| *known != label) {
                let cells = self.runs.iter().map(|r| cell_of(&r.result, &key)).collect();
                rows.push((label, cells));
            }
        }
        rows
    }

    fn setting_rows(&self) -> Vec<(String, Vec<TableCell>)> {
        let mut rows = vec![];
        let known: Vec<_> = self
            .runs
            .iter()
            .filter_map(|r| r.settings.as_ref())
            .collect();
        for key in union_of_keys(known.iter().copied()) {
            let find = |all: &[(String, Value)]| all.iter().find(|(k, _)| *k == key).cloned();
            let mut values = known.iter().map(|all| find(all));
            let first = values.next();
            // A run without a configuration is ignored, because its settings are not known.
            if values.any(|value| Some(&value) != first.as_ref()) {
                let cells = self.runs.iter().map(|r| {
                    let value = r.settings.as_deref().and_then(find);
                    value.map_or(TableCell::Empty, |(_, value)| {
                        super::run_files::cell(&value)
                    })
                });
                rows.push((key.clone(), cells.collect()));
            }
        }
        rows
    }

    /// Plots the mean squared error of the uncoupled model by epoch on a logarithmic axis, and λ below it where a run used it. Many
    /// runs are coloured by the setting in which they differ. A few values that are far above all others are cut off.
    ///
    /// # Errors
    /// [`Error::Invalid`] where no run has an epoch.
    pub fn figure(&self) -> Result<Grid> {
        let series = |name: &str| -> Result<Vec<Vec<f64>>> {
            self.runs.iter().map(|r| r.run.metric(name)).collect()
        };
        let (epochs, mse, lambda) = (series("epoch")?, series("mse")?, series("lambda")?);
        if epochs.iter().all(Vec::is_empty) {
            return Err(Error::invalid(
                "none of the runs has an epoch yet: there are no curves to draw",
            ));
        }
        let mut losses = Figure::new().y_label("mse");
        // A logarithmic axis cannot show 0.
        if mse.iter().flatten().any(|x| *x > 0.0) {
            losses = losses.log_y();
        }
        if let Some((low, high)) = robust_range(&mse) {
            losses = losses.y_range(low, high)?;
        }
        let rows = self.setting_rows();
        let many = (self.runs.len() > MAX_NAMED_CURVES)
            .then(|| swept_setting(&rows))
            .flatten();
        let many = many.map(|(key, cells)| run_colors(key, cells));
        if self.runs.len() > MAX_NAMED_CURVES {
            losses = losses.legend(Legend::Outside);
        }
        let mut schedule = Figure::new()
            .x_label("epoch")
            .y_label("λ")
            .y_range(-0.06, 1.06)?
            .legend(Legend::None);
        let mut coupled = false;
        for (i, run) in self.runs.iter().enumerate() {
            if epochs[i].is_empty() {
                continue;
            }
            let (color, width, label) = match &many {
                None => (Color::Palette(i), 1.6, Some(&run.name)),
                Some(of_setting) => (of_setting.colors[i], 1.0, of_setting.labels[i].as_ref()),
            };
            let style = Style::new().color(color).width(width);
            let curve = match label {
                Some(label) => style.clone().label(label),
                None => style.clone(),
            };
            losses = losses.line(&epochs[i], &mse[i], curve)?;
            if lambda[i].iter().any(|x| *x != 0.0) {
                coupled = true;
                schedule = schedule.line(&epochs[i], &lambda[i], style)?;
            }
        }
        if !coupled {
            return Grid::new(1, [losses.x_label("epoch")]);
        }
        Grid::new(1, [losses, schedule])?
            .share_x()
            .row_heights(&[2.4, 1.0])
    }
}

/// Returns the range of the vertical axis where some values are so far above the others that these would look constant, as of models
/// that have run away: up to ten times what is usual, the third quartile of all values or what runs begin with.
fn robust_range(series: &[Vec<f64>]) -> Option<(f64, f64)> {
    let quantile = |values: &mut dyn Iterator<Item = f64>, quarters: usize| -> Option<f64> {
        let mut all: Vec<f64> = values.filter(|x| *x > 0.0 && x.is_finite()).collect();
        all.sort_unstable_by(f64::total_cmp);
        all.get(all.len().saturating_sub(1) * quarters / 4).copied()
    };
    let all = || series.iter().flatten().copied();
    let (low, high) = (quantile(&mut all(), 0)?, quantile(&mut all(), 4)?);
    let mut first = series.iter().filter_map(|mse| mse.first().copied());
    let usual = quantile(&mut all(), 3)?.max(quantile(&mut first, 2)?);
    (high > OUTLIER * usual).then_some((low / 1.5, 10.0 * usual))
}

fn stop_reason_name(stop: &StopReason) -> &'static str {
    match stop {
        StopReason::Finished => "finished",
        StopReason::EarlyStop => "stopped early",
        StopReason::Interrupted => "interrupted",
        StopReason::Failing(_) => "failing",
    }
}

/// Returns all keys, in the order in which they first appear.
fn union_of_keys<'a, V: 'a>(lists: impl Iterator<Item = &'a Vec<(String, V)>>) -> Vec<String> {
    let mut keys: Vec<String> = Vec::new();
    for (key, _) in lists.flatten() {
        if !keys.contains(key) {
            keys.push(key.clone());
        }
    }
    keys
}

fn cell_of(list: &[(String, TableCell)], key: &str) -> TableCell {
    let found = list.iter().find(|(k, _)| k == key);
    found.map_or(TableCell::Empty, |(_, cell)| cell.clone())
}

/// A folder, and why it was left out.
type SkippedFolder = (PathBuf, String);

/// Returns a folder that is that of a run, or else all folders of runs in it, at least one, and those in which a run was expected
/// but not found, with the reason.
///
/// # Errors
/// [`Error::Invalid`] for a folder that does not exist or holds no run.
pub fn find_run_folders(folder: &Path) -> Result<(Vec<PathBuf>, Vec<SkippedFolder>)> {
    let (mut paths, mut skipped) = (Vec::new(), Vec::new());
    match folder.join(CHECKPOINT_FILE).is_file() {
        true => paths.push(folder.to_path_buf()),
        false => find_runs(folder, MAX_DEPTH, &mut paths, &mut skipped)?,
    }
    match paths.is_empty() {
        true => Err(no_run_error(folder)),
        false => Ok((paths, skipped)),
    }
}

/// Finds the folders of runs in a folder, sorted by name with numbers in numerical order.
fn find_runs(
    folder: &Path,
    depth: usize,
    runs: &mut Vec<PathBuf>,
    skipped: &mut Vec<(PathBuf, String)>,
) -> Result<()> {
    let entries = std::fs::read_dir(folder).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => {
            Error::invalid(format!("there is no folder {}", folder.display()))
        }
        std::io::ErrorKind::NotADirectory => Error::invalid(format!(
            "{} is a file: a run is the folder that {CHECKPOINT_FILE} is in",
            folder.display()
        )),
        _ => Error::io("read", folder, &e),
    })?;
    let mut inner: Vec<PathBuf> = entries
        .filter_map(|entry| {
            let entry = entry.ok()?;
            // Links are not followed, because they may form cycles.
            let is_folder = entry.file_type().ok()?.is_dir();
            let hidden = entry.file_name().to_string_lossy().starts_with('.');
            (is_folder && !hidden).then(|| entry.path())
        })
        .collect();
    inner.sort_by_cached_key(|path| {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let digits: String = name.chars().take_while(char::is_ascii_digit).collect();
        (digits.parse::<u64>().unwrap_or(u64::MAX), name)
    });
    for path in inner {
        if path.join(CHECKPOINT_FILE).is_file() {
            runs.push(path);
        } else if holds_run(&path) {
            skipped.push((path, format!("there is no {CHECKPOINT_FILE} in it yet")));
        } else if depth > 1 {
            find_runs(&path, depth - 1, runs, skipped)?;
        }
    }
    Ok(())
}

fn no_run_error(folder: &Path) -> Error {
    let begun = if holds_run(folder) {
        format!("; {CONFIG_FILE} is there, so a run began and wrote no checkpoint")
    } else {
        String::new()
    };
    Error::invalid(format!(
        "{} is not the folder of a run, nor a folder of runs: there is no {CHECKPOINT_FILE}, which every run writes with its first \
         checkpoint{begun}",
        folder.display()
    ))
}

/// Returns the shortest final part of each path, equally long for all, by which all of them differ.
fn shortest_unique_names(paths: &[PathBuf]) -> Vec<String> {
    let parts: Vec<Vec<String>> = paths
        .iter()
        .map(|path| {
            let parts = path.components().map(|c| c.as_os_str().to_string_lossy());
            parts.map(String::from).collect()
        })
        .collect();
    let longest = parts.iter().map(Vec::len).max().unwrap_or(0);
    let last = |n: usize| -> Vec<String> {
        let ends = parts
            .iter()
            .map(|p| p[p.len().saturating_sub(n)..].join("/"));
        ends.collect()
    };
    let distinct = |names: &[String]| {
        let mut sorted: Vec<&String> = names.iter().collect();
        sorted.sort();
        sorted.windows(2).all(|pair| pair[0] != pair[1])
    };
    (1..longest)
        .map(last)
        .find(|names| distinct(names))
        .unwrap_or_else(|| last(longest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_that_run_away_do_not_set_the_axis() {
        let usual: Vec<Vec<f64>> = (0..8).map(|i| vec![50.0, 5.0, 0.1 + i as f64]).collect();
        assert_eq!(robust_range(&usual), None);
        let mut all = usual;
        all.push(vec![60.0, 1e250, f64::INFINITY]);
        all.push(vec![40.0, 1e30, 1e10]);
        assert_eq!(robust_range(&all), Some((0.1 / 1.5, 500.0)));
    }

    #[test]
    fn names_are_as_short_as_they_may_be() {
        let unique_names = |paths: &[&str]| {
            shortest_unique_names(&paths.iter().map(PathBuf::from).collect::<Vec<_>>())
        };
        assert_eq!(unique_names(&["/runs/a/1", "/runs/a/2"]), ["1", "2"]);
        assert_eq!(
            unique_names(&["/runs/a/1", "/runs/b/1", "/x"]),
            ["a/1", "b/1", "//x"]
        );
        assert_eq!(unique_names(&["/runs/a"]), ["a"]);
        assert_eq!(unique_names(&["/"]), ["/"]);
    }
}
