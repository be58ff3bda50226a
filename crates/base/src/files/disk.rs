//! The operations that change the disk. All that this project writes comes through here, one operation after the other, so that a test
//! can make any of them fail ([`super::faults`]); in a release build this layer does nothing of its own.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use tempfile::{NamedTempFile, TempDir};

/// An operation that changes the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// A folder is made.
    CreateFolder,
    /// A file is made, or opened to be written.
    Open,
    /// Bytes are handed to the operating system. A write that fails may have done a part, so that only a fault itself names it.
    #[cfg(debug_assertions)]
    Write,
    /// The operating system is told to bring a file to the disk.
    Sync,
    /// A file or folder gets its name.
    Rename,
    /// A file is removed.
    Remove,
}

/// Performs an operation, unless a test makes it fail.
fn perform<T>(
    operation: Operation,
    path: &Path,
    work: impl FnOnce() -> std::io::Result<T>,
) -> std::io::Result<T> {
    #[cfg(debug_assertions)]
    super::faults::before(operation, path)?;
    #[cfg(not(debug_assertions))]
    let _ = (operation, path);
    work()
}

/// A file that is written; `path` is what it is called in the record of a test.
#[derive(Debug)]
pub(super) struct DiskFile<F> {
    file: F,
    path: PathBuf,
}

impl DiskFile<File> {
    /// Opens a file with these options.
    pub fn open(options: &OpenOptions, path: &Path) -> std::io::Result<Self> {
        let file = perform(Operation::Open, path, || options.open(path))?;
        Ok(DiskFile {
            file,
            path: path.into(),
        })
    }

    /// Brings what is written to the disk.
    pub fn sync(&self) -> std::io::Result<()> {
        perform(Operation::Sync, &self.path, || self.file.sync_data())
    }

    /// Returns the file itself.
    pub fn into_file(self) -> File {
        self.file
    }
}

impl DiskFile<NamedTempFile> {
    /// Makes a temporary file in a folder, which will be called `path`.
    pub fn temporary(
        builder: &tempfile::Builder,
        folder: &Path,
        path: &Path,
    ) -> std::io::Result<Self> {
        let file = perform(Operation::Open, path, || builder.tempfile_in(folder))?;
        Ok(DiskFile {
            file,
            path: path.into(),
        })
    }

    /// Brings the file to the disk and gives it its name.
    pub fn persist(self) -> std::io::Result<()> {
        let DiskFile { file, path } = self;
        perform(Operation::Sync, &path, || file.as_file().sync_all())?;
        perform(Operation::Rename, &path, || {
            file.persist(&path).map(drop).map_err(|e| e.error)
        })
    }
}

impl<F: Write> Write for DiskFile<F> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        #[cfg(debug_assertions)]
        if let Some(fault) = super::faults::next(Operation::Write, &self.path, bytes.len()) {
            return fault.write(&mut self.file, bytes);
        }
        self.file.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

/// Makes a folder and those above it, where they are missing.
pub(super) fn create_folders(path: &Path) -> std::io::Result<()> {
    perform(Operation::CreateFolder, path, || {
        std::fs::create_dir_all(path)
    })
}

/// Makes a folder with a temporary name in another.
pub(super) fn temporary_folder(
    builder: &tempfile::Builder,
    parent: &Path,
) -> std::io::Result<TempDir> {
    perform(Operation::CreateFolder, parent, || {
        builder.tempdir_in(parent)
    })
}

/// Gives a folder another name.
pub(super) fn rename_folder(from: &Path, to: &Path) -> std::io::Result<()> {
    perform(Operation::Rename, to, || std::fs::rename(from, to))
}

/// Removes a file.
pub(super) fn remove_file(path: &Path) -> std::io::Result<()> {
    perform(Operation::Remove, path, || std::fs::remove_file(path))
}
