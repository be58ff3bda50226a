//! Event files: TFRecords, each a length, its checksum, the data and their checksum.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::crc32c::masked_crc32c;
use crate::{Error, Result};
use odesync_base::files::{self, AppendedFile};
use odesync_base::protobuf::ProtoMessage;

/// End of the names of the event files that this program writes.
const SUFFIX: &str = ".odesync";

/// An event file that is being written.
#[derive(Debug)]
pub(super) struct EventFile {
    path: PathBuf,
    file: AppendedFile,
}

/// Returns the bytes of one record.
pub(super) fn record(data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u64).to_le_bytes();
    let mut bytes = Vec::with_capacity(data.len() + 16);
    bytes.extend(length);
    bytes.extend(masked_crc32c(&length).to_le_bytes());
    bytes.extend(data);
    bytes.extend(masked_crc32c(data).to_le_bytes());
    bytes
}

impl EventFile {
    /// Begins the event file of a folder, in place of those that this program wrote there before.
    ///
    /// # Errors
    /// Those of the operating system.
    pub fn begin(folder: &Path, seconds: u64) -> Result<Self> {
        files::create_folder(folder)?;
        let entries = files::read_folder(folder).map_err(|e| Error::io("read", folder, &e))?;
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with("events.out.tfevents.") && name.ends_with(SUFFIX) {
                files::remove(&entry.path())?;
            }
        }
        let path = folder.join(format!("events.out.tfevents.{seconds:010}{SUFFIX}"));
        files::write_atomically(&path, b"")?;
        let file = files::append(&path).map_err(|e| Error::io("write", &path, &e))?;
        Ok(EventFile { path, file })
    }

    /// Appends events, which are passed to the operating system at once.
    ///
    /// # Errors
    /// Those of the operating system.
    pub fn write(&mut self, events: impl IntoIterator<Item = ProtoMessage>) -> Result<()> {
        let bytes: Vec<u8> = events
            .into_iter()
            .flat_map(|event| record(&event.into_bytes()))
            .collect();
        let written = self.file.write_all(&bytes);
        written.map_err(|e| Error::io("write", &self.path, &e))
    }
}
