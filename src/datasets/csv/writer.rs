//! Writing data as a table.

use std::path::Path;

use crate::datasets::Dataset;
use crate::error::{Error, Result};

/// Writes a dataset as comma-separated values with a header: the time `t`, then the state; with several samples a
/// column `sample` comes first. A missing value is an empty cell. Numbers are written so that they read back exactly;
/// the initial states are not written.
///
/// The file appears under its name only when it is complete.
///
/// # Errors
/// A folder that does not exist or cannot be written.
pub fn write_csv(path: impl AsRef<Path>, data: &Dataset) -> Result<()> {
    let path = path.as_ref();
    write_atomically(path, |file| {
        let mut writer = ::csv::Writer::from_writer(file);
        let several = data.samples() > 1;
        let mut header: Vec<&str> = if several {
            vec!["sample", "t"]
        } else {
            vec!["t"]
        };
        header.extend(data.names().iter().map(String::as_str));
        writer.write_record(&header)?;
        for (sample, values) in data.u().outer_iter().enumerate() {
            for (t, row) in data.t().iter().zip(values.outer_iter()) {
                let mut record: Vec<String> = if several {
                    vec![sample.to_string()]
                } else {
                    vec![]
                };
                record.push(format!("{t:?}"));
                record.extend(row.iter().map(|v| {
                    if v.is_nan() {
                        String::new()
                    } else {
                        format!("{v:?}")
                    }
                }));
                writer.write_record(&record)?;
            }
        }
        writer.flush()
    })
}

/// Writes to a temporary file beside `path` and renames it.
fn write_atomically(
    path: &Path,
    write: impl FnOnce(&mut std::fs::File) -> std::io::Result<()>,
) -> Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        // As any new file, not readable by the owner alone.
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let failed = |e: &std::io::Error| Error::io("write", path, e);
    let mut file = builder.tempfile_in(folder).map_err(|e| failed(&e))?;
    write(file.as_file_mut()).map_err(|e| failed(&e))?;
    file.persist(path).map_err(|e| failed(&e.error))?;
    Ok(())
}
