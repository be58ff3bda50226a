//! Files that are written completely or not at all, even at a crash or on a full disk, and locks on folders.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::Path;

use crate::{Error, Result};

/// Writes `bytes` to a temporary file in the folder of `path` (created when missing), flushes it to disk and renames it to
/// `path`. No reader ever sees half of the file.
///
/// # Errors
/// An error of the operating system; an earlier file at `path` then remains unchanged.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    let failed = |e: std::io::Error| Error::io("write", path, &os_error(e));
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    std::fs::create_dir_all(folder).map_err(|e| Error::io("create the folder", folder, &e))?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".odesync-");
    // Temporary files are private by default; a result should have the permissions of any other new file.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let mut file = builder.tempfile_in(folder).map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    file.persist(path).map_err(|e| failed(e.error))?;
    Ok(())
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
    std::fs::create_dir_all(folder).map_err(|e| Error::io("create the folder", folder, &e))?;
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(folder.join(LOCK))
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
