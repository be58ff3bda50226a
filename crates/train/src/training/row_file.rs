//! Rows of numbers beside the checkpoint of a run that is not over: float64, one row after the other, to which only new ones are added.
//! So a checkpoint costs what is new, and not all that was before.
//!
//! The checkpoint records how many rows are its own, and their checksum. What a file has beyond them, whole rows or torn ones, was
//! written for a checkpoint that did not come to be, and is no part of the run. The rows of a checkpoint that is on the disk are never
//! touched: files are begun only while the checkpoint there holds its rows itself ([`CheckpointWriter`]).

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use twox_hash::XxHash3_128;

use super::checkpoint_file::damaged_checkpoint;
use super::epoch_record::metrics;
use super::run::Run;
use crate::{Error, Result};
use odesync_base::files::{self, AppendedFile};
use odesync_base::memory::check_memory;

/// File with the metrics of the epochs.
const HISTORY_FILE: &str = "last.history.f64";
/// File with the points of the parameter path.
const PATH_FILE: &str = "last.path.f64";

/// What a checkpoint records of the rows in a file beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SavedRows {
    rows: usize,
    /// Number of numbers in a row.
    pub columns: usize,
    /// Checksum of the bytes of the rows.
    checksum: String,
}

/// What a checkpoint records of the files beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RowsBeside {
    pub history: SavedRows,
    /// `None` where the run keeps no path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<SavedRows>,
}

/// A file of rows that is being written.
struct RowFile {
    path: PathBuf,
    file: AppendedFile,
    rows: usize,
    sum: XxHash3_128,
}

impl RowFile {
    /// Begins the file, without a row.
    fn begin(path: PathBuf) -> Result<Self> {
        let file = files::create(&path).map_err(|e| Error::io("write", &path, &e))?;
        Ok(RowFile {
            path,
            file,
            rows: 0,
            sum: XxHash3_128::default(),
        })
    }

    /// Adds those of all rows that are not in the file yet, and returns what the checkpoint records once they are on the disk.
    fn extend<T>(
        &mut self,
        all: &[T],
        columns: usize,
        row: impl Fn(&T) -> Vec<f64>,
    ) -> Result<SavedRows> {
        let new = all.iter().skip(self.rows).flat_map(row);
        let bytes: Vec<u8> = new.flat_map(f64::to_le_bytes).collect();
        let failed = |e: std::io::Error| Error::io("write", &self.path, &e);
        self.file.write_all(&bytes).map_err(failed)?;
        self.file.sync().map_err(failed)?;
        self.sum.write(&bytes);
        self.rows = all.len();
        Ok(SavedRows {
            rows: self.rows,
            columns,
            checksum: checksum(&self.sum),
        })
    }
}

fn checksum(sum: &XxHash3_128) -> String {
    format!("{:032x}", sum.finish_128())
}

/// The files of rows of a run.
pub(super) struct RowFiles {
    history: RowFile,
    path: Option<RowFile>,
}

impl RowFiles {
    fn begin(run: &Run, folder: &Path) -> Result<Self> {
        let has_path = run.settings.options.trajectory_every.is_some();
        let path = has_path.then(|| RowFile::begin(folder.join(PATH_FILE)));
        Ok(RowFiles {
            history: RowFile::begin(folder.join(HISTORY_FILE))?,
            path: path.transpose()?,
        })
    }

    fn extend(&mut self, run: &Run) -> Result<RowsBeside> {
        let names = metrics(&run.settings);
        let row = |record: &super::epoch_record::EpochRecord| record.row(&names);
        let n = run.last.n_params() + run.aux_params.len();
        let points = &run.parameter_path;
        let path = self.path.as_mut();
        Ok(RowsBeside {
            history: self.history.extend(&run.history, names.len(), row)?,
            path: path
                .map(|file| file.extend(points, n, Vec::clone))
                .transpose()?,
        })
    }
}

/// Writes the checkpoints of a run that goes on: the first one whole, which makes what an earlier run left beside it void, and from the
/// second one on with the rows in files beside it. After an error the next one is whole again.
#[derive(Default)]
pub(super) enum CheckpointWriter {
    /// What is on the disk may have rows beside it that this run has not written.
    #[default]
    New,
    /// What is on the disk is whole.
    Whole,
    /// What is on the disk has its rows in these files.
    Beside(Box<RowFiles>),
}

impl CheckpointWriter {
    /// Writes the run as it is now into a folder that is locked, always the same one.
    ///
    /// # Errors
    /// Those of the operating system.
    pub fn write(&mut self, run: &Run, folder: &Path) -> Result<()> {
        let mut files = match std::mem::take(self) {
            CheckpointWriter::New => {
                run.write(folder)?;
                *self = CheckpointWriter::Whole;
                return Ok(());
            }
            CheckpointWriter::Whole => Box::new(RowFiles::begin(run, folder)?),
            CheckpointWriter::Beside(files) => files,
        };
        let rows = files.extend(run)?;
        run.write_with(folder, Some(rows))?;
        *self = CheckpointWriter::Beside(files);
        Ok(())
    }
}

/// Removes the files of rows beside a checkpoint that is whole. One that cannot be removed does no harm.
pub(super) fn remove_rows(folder: &Path) {
    for name in [HISTORY_FILE, PATH_FILE] {
        let _ = files::remove(&folder.join(name));
    }
}

impl RowsBeside {
    /// Reads the metrics of the epochs, one row after the other, of the checkpoint in this file.
    ///
    /// # Errors
    /// Those of the operating system; fewer rows than the checkpoint has, or others.
    pub fn read_history(&self, checkpoint: &Path) -> Result<Vec<f64>> {
        self.history.read(&checkpoint.with_file_name(HISTORY_FILE))
    }

    /// Reads the points of the parameter path; `None` where there are none.
    ///
    /// # Errors
    /// Those of [`RowsBeside::read_history`].
    pub fn read_path(&self, checkpoint: &Path) -> Result<Option<Vec<f64>>> {
        let file = checkpoint.with_file_name(PATH_FILE);
        let read = self.path.as_ref().map(|saved| saved.read(&file));
        read.transpose()
    }
}

impl SavedRows {
    fn read(&self, path: &Path) -> Result<Vec<f64>> {
        let failed = |e: std::io::Error| Error::io("read", path, &e);
        let file = files::open(path).map_err(failed)?;
        let there = file.metadata().map_err(failed)?.len();
        let row = self.columns.checked_mul(size_of::<f64>());
        let wanted = row.and_then(|row| row.checked_mul(self.rows));
        let Some(wanted) = wanted.filter(|wanted| *wanted as u64 <= there) else {
            let reason = format!("it has fewer than the {} rows of its checkpoint", self.rows);
            return Err(damaged_checkpoint(path, reason));
        };
        check_memory(
            wanted.saturating_mul(2),
            format_args!("the rows of {}", path.display()),
            "`odesync --memory` allows more",
        )?;
        let mut bytes = Vec::with_capacity(wanted);
        file.take(wanted as u64)
            .read_to_end(&mut bytes)
            .map_err(failed)?;
        let mut sum = XxHash3_128::default();
        sum.write(&bytes);
        if checksum(&sum) != self.checksum {
            let reason = "its rows are not those of its checkpoint";
            return Err(damaged_checkpoint(path, reason));
        }
        let numbers = bytes.as_chunks::<8>().0.iter();
        Ok(numbers.map(|bytes| f64::from_le_bytes(*bytes)).collect())
    }
}
