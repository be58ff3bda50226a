//! Files that are read only where they have an end, files that are written completely or not at all, even at a crash or on a full
//! disk, and locks on folders. What is written may be limited in all.
//!
//! | file | content |
//! |---|---|
//! | `disk` | the operations that change the disk, one by one |
//! | `faults` | how a test makes the n-th of them fail; not in release builds |

mod disk;
#[cfg(debug_assertions)]
pub mod faults;

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::interrupt::keeping;
use crate::memory::{format_bytes, limit as memory_limit};
use crate::paths::from_text;
use crate::permissions::{Access, check};
use crate::{Error, Result};
use disk::DiskFile;
#[cfg(debug_assertions)]
pub use disk::Operation;

/// Number of bytes that may still be written; all bits set where there is no limit.
static OUTPUT_LEFT: AtomicU64 = AtomicU64::new(u64::MAX);

/// Sets the number of bytes that this process may write into files from now on, in all.
pub fn set_output_limit(bytes: u64) {
    OUTPUT_LEFT.store(bytes, Ordering::Relaxed);
}

/// Takes bytes that are to be written from those that may be.
fn take_output(bytes: usize) -> std::io::Result<()> {
    let left = |left: u64| match left {
        u64::MAX => Some(left),
        _ => left.checked_sub(bytes as u64),
    };
    let taken = OUTPUT_LEFT.fetch_update(Ordering::Relaxed, Ordering::Relaxed, left);
    taken.map(drop).map_err(|left| {
        std::io::Error::other(format!(
            "it needs {}, and {} are left of what may be written; `odesync --max-output SIZE …` allows more",
            format_bytes(bytes),
            format_bytes(left as usize)
        ))
    })
}

/// A file to write at its end, which counts what is written.
#[derive(Debug)]
pub struct AppendedFile(DiskFile<File>);

impl AppendedFile {
    /// Waits until what is written is on the disk.
    ///
    /// # Errors
    /// An error of the operating system.
    pub fn sync(&self) -> std::io::Result<()> {
        self.0.sync()
    }
}

impl Write for AppendedFile {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        take_output(bytes.len())?;
        self.0.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

/// Opens a file for reading. A device, a pipe or a socket may have no end, or wait for a writer, and is refused before it is opened.
///
/// # Errors
/// A file that this thread may not read ([`crate::permissions`]); an error of the operating system; something that is no regular file.
pub fn open(path: &Path) -> std::io::Result<File> {
    let path = check(Access::Read, path)?;
    let kind = std::fs::metadata(&path)?.file_type();
    if kind.is_file() || kind.is_dir() {
        return File::open(path);
    }
    Err(std::io::Error::other(
        "it is a device, a pipe or a socket, and only regular files are read; write what it gives into a file",
    ))
}

/// Whether there is something at this path.
///
/// # Errors
/// A path that this thread may not read; an error of the operating system.
pub fn exists(path: &Path) -> std::io::Result<bool> {
    check(Access::Read, path)?.try_exists()
}

/// Whether there is a file that this thread may read.
pub fn is_file(path: &Path) -> bool {
    check(Access::Read, path).is_ok_and(|path| path.is_file())
}

/// Whether there is a folder that this thread may read.
pub fn is_folder(path: &Path) -> bool {
    check(Access::Read, path).is_ok_and(|path| path.is_dir())
}

/// Returns the entries of a folder.
///
/// # Errors
/// A folder that this thread may not read; an error of the operating system.
pub fn read_folder(path: &Path) -> std::io::Result<std::fs::ReadDir> {
    std::fs::read_dir(check(Access::Read, path)?)
}

/// Creates a folder and those above it, where they are missing.
///
/// # Errors
/// A folder that this thread may not write; an error of the operating system.
pub fn create_folder(path: &Path) -> Result<()> {
    let failed = |e: std::io::Error| Error::io("create the folder", path, &e);
    disk::create_folders(&check(Access::Write, path)?).map_err(failed)
}

/// A folder with a hidden name, which is removed unless it is [shown](HiddenFolder::show_as).
#[derive(Debug)]
pub struct HiddenFolder(tempfile::TempDir);

impl HiddenFolder {
    /// Makes the folder in another one.
    ///
    /// # Errors
    /// A folder that this thread may not write; an error of the operating system.
    pub fn create_in(parent: &Path) -> std::io::Result<Self> {
        let parent = check(Access::Write, parent)?;
        let mut builder = tempfile::Builder::new();
        let folder = disk::temporary_folder(builder.prefix(".new-"), &parent)?;
        // A temporary folder is private to its owner; this one is permanent.
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let open = std::fs::Permissions::from_mode(0o755);
            std::fs::set_permissions(folder.path(), open)?;
        }
        Ok(HiddenFolder(folder))
    }

    /// Returns the path of the folder.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Gives the folder its name.
    ///
    /// # Errors
    /// A name that is taken, which leaves the folder as it is, to be given another; an error of the operating system.
    pub fn show_as(&mut self, path: &Path) -> std::io::Result<()> {
        disk::rename_folder(self.0.path(), &check(Access::Write, path)?)?;
        // There is nothing left under the hidden name.
        self.0.disable_cleanup(true);
        Ok(())
    }
}

/// Removes a file, where there is one.
///
/// # Errors
/// A file that this thread may not write; an error of the operating system.
pub fn remove(path: &Path) -> Result<()> {
    match disk::remove_file(&check(Access::Write, path)?) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Error::io("remove", path, &e)),
        _ => Ok(()),
    }
}

/// Opens a file to write at its end.
///
/// # Errors
/// A file that this thread may not write; an error of the operating system.
pub fn append(path: &Path) -> std::io::Result<AppendedFile> {
    let path = check(Access::Write, path)?;
    DiskFile::open(OpenOptions::new().append(true), &path).map(AppendedFile)
}

/// Makes a file, empty where there is one already, to write at its end.
///
/// # Errors
/// A file that this thread may not write; an error of the operating system.
pub fn create(path: &Path) -> std::io::Result<AppendedFile> {
    let path = check(Access::Write, path)?;
    let mut options = OpenOptions::new();
    DiskFile::open(options.write(true).create(true).truncate(true), &path).map(AppendedFile)
}

/// Opens a file, made where it is missing, at whose end a process is to write.
///
/// # Errors
/// A file that this thread may not write; an error of the operating system.
pub fn output_of_process(path: &Path) -> std::io::Result<File> {
    let path = check(Access::Write, path)?;
    let mut options = OpenOptions::new();
    DiskFile::open(options.create(true).append(true), &path).map(DiskFile::into_file)
}

/// Reads a file as bytes.
///
/// # Errors
/// The errors of [`open`]; a file that is larger than the [limit on memory](memory_limit).
pub fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let file = open(path)?;
    let (size, limit) = (file.metadata()?.len(), memory_limit() as u64);
    let too_large = |size: u64| {
        let text = format!(
            "it has {}, and at most {} are read into memory",
            format_bytes(size as usize),
            format_bytes(limit as usize)
        );
        std::io::Error::other(text)
    };
    if size > limit {
        return Err(too_large(size));
    }
    let mut bytes = Vec::with_capacity(size as usize + 1);
    // A file may grow meanwhile, and some of the system's have a size of 0.
    file.take(limit + 1).read_to_end(&mut bytes)?;
    match bytes.len() as u64 > limit {
        true => Err(too_large(limit + 1)),
        false => Ok(bytes),
    }
}

/// Writes `bytes` to a temporary file in the folder of `path` (created when missing), flushes it to disk and renames it to
/// `path`. No reader ever sees half of the file.
///
/// # Errors
/// A file that this thread may not write; an error of the operating system. An earlier file at `path` then remains unchanged.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    let path = &*from_text(path);
    let failed = |e: std::io::Error| Error::io("write", path, &os_error(e));
    let _keeping = keeping();
    // A link at this place would be replaced; one that leads elsewhere is refused all the same.
    check(Access::Write, path)?;
    take_output(bytes.len()).map_err(failed)?;
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    // Whoever may write a file may have a folder for it.
    disk::create_folders(folder).map_err(|e| Error::io("create the folder", folder, &e))?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".odesync-");
    // Temporary files are private by default; a result should have the permissions of any other new file.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let mut file = DiskFile::temporary(&builder, folder, path).map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    file.persist().map_err(failed)
}

/// Checks that files can be written in a folder.
///
/// # Errors
/// A folder that this thread may not write; an error of the operating system.
pub fn check_writable(folder: &Path) -> Result<()> {
    let failed = |e: std::io::Error| Error::io("write in", folder, &e);
    let place = check(Access::Write, folder)?;
    let mut builder = tempfile::Builder::new();
    let made = DiskFile::temporary(builder.prefix(".odesync-"), &place, folder);
    made.map(drop).map_err(failed)
}

/// Name of the file whose lock is the lock of its folder.
const LOCK: &str = ".lock";

/// An exclusive lock on a folder. It is released when the value is dropped, and when the process ends in whatever way.
#[derive(Debug)]
pub struct FolderLock(
    #[allow(dead_code, reason = "the lock lasts as long as the file is open")] File,
);

/// Locks the folder (created when missing) for one writer, by a lock on the file `.lock` in it. The file is never removed:
/// otherwise a second process could lock a removed file that a third one no longer finds. On a file system without locks every
/// call succeeds.
///
/// # Errors
/// A folder that another writer has locked, or in which no file can be created.
pub fn lock_folder(folder: &Path) -> Result<FolderLock> {
    create_folder(folder)?;
    let path = check(Access::Write, &folder.join(LOCK))?;
    let mut options = OpenOptions::new();
    let file = DiskFile::open(options.write(true).create(true).truncate(false), &path)
        .map(DiskFile::into_file)
        .map_err(|e| Error::io("write in", folder, &e))?;
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Err(Error::Io {
            action: "write in",
            path: folder.to_path_buf(),
            reason: "another run is writing there; wait until it ends, or choose another folder"
                .into(),
        }),
        Ok(()) | Err(TryLockError::Error(_)) => Ok(FolderLock(file)),
    }
}

/// Returns the error of the operating system within `e`, without the temporary name that tempfile adds.
fn os_error(e: std::io::Error) -> std::io::Error {
    let code = std::error::Error::source(&e)
        .and_then(|s| s.downcast_ref::<std::io::Error>())
        .and_then(std::io::Error::raw_os_error);
    match code {
        Some(code) => std::io::Error::from_raw_os_error(code),
        None => e,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn only_what_has_an_end_is_read() {
        for endless in ["/dev/zero", "/dev/null", "/dev/tty"] {
            if Path::new(endless).exists() {
                let error = read(Path::new(endless)).unwrap_err().to_string();
                assert!(error.contains("only regular files are read"), "{error}");
            }
        }
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        // To open it would wait for a writer.
        let error = read(&pipe).unwrap_err().to_string();
        assert!(error.contains("only regular files are read"), "{error}");
        assert!(read(folder.path()).is_err());
        // Larger than any memory, and of no length on the disk.
        let sparse = folder.path().join("sparse");
        File::create(&sparse).unwrap().set_len(1 << 42).unwrap();
        let error = read(&sparse).unwrap_err().to_string();
        assert!(error.contains("it has 4.0 TiB"), "{error}");
        let file = folder.path().join("file");
        std::fs::write(&file, b"text").unwrap();
        assert_eq!(read(&file).unwrap(), b"text");
        // Of the system's files some say that they are empty.
        assert!(
            !Path::new("/proc/self/status").exists()
                || !read(Path::new("/proc/self/status")).unwrap().is_empty()
        );
    }
}
