//! The table of all members: `summary.csv`.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::Multirun;
use super::picture::{PICTURE_FILE, sweep_figure};
use super::status::{MemberRecord, MemberStatus};
use crate::experiments::run_dir::RESULT_FILE;
use crate::{Error, Result};
use odesync_base::files::{open, write_atomically};
use odesync_base::tables::{AlignedTable, TableCell};

/// Name of the file that records the status and the results of the members.
pub const SUMMARY_FILE: &str = "summary.csv";

/// The members of a multirun with their status and results: the content of `summary.csv`.
#[derive(Debug, Clone)]
pub struct Summary {
    /// Status of each member.
    pub status: Vec<MemberStatus>,
    /// Error of each member, empty if it had none.
    pub errors: Vec<String>,
    names: Vec<String>,
    results: Vec<Option<serde_json::Map<String, Value>>>,
}

impl Summary {
    /// Reads the status and the results of the members as they are now, whoever runs them.
    ///
    /// # Errors
    /// A summary of an earlier version, without the status of each member in its folder, that can't be read.
    pub fn read(multirun: &Multirun, folder: &Path) -> Result<Self> {
        let names = multirun.member_names();
        let earlier = read_done(&names, folder)?;
        let records = names.iter().enumerate().map(|(member, name)| {
            MemberRecord::read(&folder.join(name)).unwrap_or_else(|| {
                MemberRecord::new(match earlier.contains(&member) {
                    true => MemberStatus::Done,
                    false => MemberStatus::Waiting,
                })
            })
        });
        let (status, errors) = records.map(|r| (r.status, r.error)).unzip();
        let results = names.iter().map(|name| {
            let path = folder.join(name).join(RESULT_FILE);
            serde_json::from_slice(&odesync_base::files::read(&path).ok()?).ok()
        });
        let results = results.collect();
        Ok(Summary {
            status,
            errors,
            names,
            results,
        })
    }

    /// Returns the number of members of this status.
    pub fn count(&self, status: MemberStatus) -> usize {
        self.status.iter().filter(|s| **s == status).count()
    }

    /// Returns a number of a member's `result.json`.
    pub(super) fn number(&self, member: usize, name: &str) -> Option<f64> {
        self.results.get(member)?.as_ref()?.get(name)?.as_f64()
    }

    /// Returns the members, best first: by `best_mse`, those without one last, by their number.
    pub(super) fn best_first(&self) -> Vec<usize> {
        let mut members: Vec<usize> = (0..self.status.len()).collect();
        let mse = |member: &usize| self.number(*member, "best_mse").unwrap_or(f64::INFINITY);
        members.sort_by(|a, b| mse(a).total_cmp(&mse(b)));
        members
    }

    /// Returns a table for people: a row for each member, the best first, with the arguments in which the members differ.
    pub fn table(&self, multirun: &Multirun) -> AlignedTable {
        const FIGURES: [&str; 5] = [
            "best_mse",
            "interpolation_mse",
            "extrapolation_mse",
            "epochs",
            "seconds",
        ];
        let known = FIGURES
            .into_iter()
            .filter(|name| (0..self.status.len()).any(|m| self.number(m, name).is_some()));
        let figures: Vec<&str> = known.collect();
        let varied = multirun.varying_keys();
        let header = std::iter::once("run".to_string())
            .chain(varied.iter().map(|key| key.replace('.', ".\n")))
            .chain(figures.iter().map(|name| name.replace('_', "\n")))
            .chain(["status".to_string()]);
        let mut table = AlignedTable::new(header);
        for member in self.best_first() {
            let value = |key: &String| match multirun.value(member, key) {
                text if text.parse::<i64>().is_ok() => {
                    TableCell::Count(text.parse().unwrap_or_default())
                }
                text => text
                    .parse()
                    .map_or_else(|_| TableCell::from(text), TableCell::Number),
            };
            let figure = |name: &&str| match self.number(member, name) {
                Some(x) if *name == "epochs" => TableCell::Count(x as i64),
                Some(x) => TableCell::Number(x),
                None => TableCell::Empty,
            };
            let row = std::iter::once(member.into())
                .chain(varied.iter().map(value))
                .chain(figures.iter().map(figure))
                .chain([self.status[member].name().into()]);
            table.push(row);
        }
        table
    }

    /// Writes `summary.csv`, and a picture of the sweep beside it where there is something to see.
    ///
    /// # Errors
    /// Those of the operating system.
    pub fn write(&self, multirun: &Multirun, folder: &Path) -> Result<()> {
        self.write_table(multirun, folder)?;
        match sweep_figure(multirun, self)? {
            Some(figure) => figure.save(folder.join(PICTURE_FILE)),
            None => Ok(()),
        }
    }

    /// Writes `summary.csv` alone.
    ///
    /// # Errors
    /// Those of the operating system.
    pub fn write_table(&self, multirun: &Multirun, folder: &Path) -> Result<()> {
        write_atomically(&folder.join(SUMMARY_FILE), &self.csv(multirun, folder)?)
    }

    /// One row for each member: its name, the arguments in which it differs, its status, and every entry of its `result.json`.
    fn csv(&self, multirun: &Multirun, folder: &Path) -> Result<Vec<u8>> {
        let figures: Vec<String> = self
            .results
            .iter()
            .flatten()
            .next()
            .map_or_else(Vec::new, |first| first.keys().cloned().collect());
        let varied = multirun.varying_keys();
        let mut writer = csv::Writer::from_writer(vec![]);
        let failed = |e: csv::Error| {
            Error::io(
                "write",
                folder.join(SUMMARY_FILE),
                &std::io::Error::other(e),
            )
        };
        let figures: Vec<String> = figures
            .into_iter()
            .filter(|f| !varied.contains(f))
            .collect();
        let head = ["run".to_string()]
            .into_iter()
            .chain(varied.iter().cloned())
            .chain(["status".to_string()])
            .chain(figures.iter().cloned())
            .chain(["error".to_string()]);
        writer.write_record(head).map_err(failed)?;
        for member in 0..multirun.members.len() {
            let value = |name: &String| multirun.value(member, name).to_string();
            let figure = |name: &String| -> String {
                match self.results[member].as_ref().and_then(|r| r.get(name)) {
                    None | Some(Value::Null) => String::new(),
                    Some(Value::String(text)) => text.clone(),
                    Some(other) => other.to_string(),
                }
            };
            let row = [self.names[member].clone()]
                .into_iter()
                .chain(varied.iter().map(value))
                .chain([self.status[member].name().to_string()])
                .chain(figures.iter().map(figure))
                .chain([self.errors[member].clone()]);
            writer.write_record(row).map_err(failed)?;
        }
        writer
            .into_inner()
            .map_err(|e| Error::io("write", folder.join(SUMMARY_FILE), e.error()))
    }
}

/// Returns the members that are done by the summary when it was last written.
fn read_done(names: &[String], folder: &Path) -> Result<Vec<usize>> {
    let path = folder.join(SUMMARY_FILE);
    let file = match open(&path) {
        Ok(file) => file,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(vec![]),
        Err(e) => return Err(Error::io("read", &path, &e)),
    };
    let numbers: BTreeMap<&String, usize> = names.iter().zip(0..).collect();
    let mut done = vec![];
    for row in csv::Reader::from_reader(file).deserialize::<BTreeMap<String, String>>() {
        let row = row.map_err(|e| Error::Checkpoint {
            path: path.clone(),
            reason: e.to_string(),
        })?;
        let is_done = row
            .get("status")
            .is_some_and(|s| s == MemberStatus::Done.name());
        let member = row.get("run").and_then(|name| numbers.get(name));
        done.extend(member.filter(|_| is_done));
    }
    Ok(done)
}
