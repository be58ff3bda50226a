//! Writing data as a table.

use std::path::Path;

use super::column_search::names_sample;
use crate::datasets::Dataset;
use odesync_base::error::{Error, Result};
use odesync_base::files::write_atomically;

/// Writes a dataset as comma-separated values with a header: the time `t`, then the state; with several samples there is a column
/// `sample` before them. Where units are known, they are the second row. A missing value is an empty cell. [`read_csv`](super::read_csv)
/// reads the same data without options; the initial states are not written, so that they are the first rows then.
///
/// The file appears under its name only when it is complete.
///
/// # Errors
/// A folder that cannot be created or written.
pub fn write_csv(path: impl AsRef<Path>, data: &Dataset) -> Result<()> {
    let path = path.as_ref();
    let bytes = csv_bytes(data).map_err(|e| Error::io("write", path, &e))?;
    write_atomically(path, &bytes)
}

fn csv_bytes(data: &Dataset) -> std::io::Result<Vec<u8>> {
    let mut writer = ::csv::Writer::from_writer(Vec::new());
    // A component may have a name that would be taken for that of the sample.
    let several = data.samples() > 1 || data.names().iter().any(|name| names_sample(name));
    let mut header: Vec<&str> = if several {
        vec!["sample", "t"]
    } else {
        vec!["t"]
    };
    header.extend(data.names().iter().map(String::as_str));
    writer.write_record(&header)?;
    let units = data.units();
    if !units.is_empty() {
        let mut row = if several { vec![""] } else { vec![] };
        row.push(&units.time);
        row.extend((0..data.dof()).map(|j| units.of_component(j)));
        writer.write_record(&row)?;
    }
    for (sample, (times, values)) in data.trajectories().enumerate() {
        for (t, row) in times.iter().zip(values.outer_iter()) {
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
    writer
        .into_inner()
        .map_err(|e| std::io::Error::other(e.to_string()))
}
