//! Measured or simulated trajectories: the data that models are trained on.
//!
//! | file | content |
//! |---|---|
//! | `dataset.rs` | [`Dataset`]: times, values, initial states, names |
//! | `samples.rs` | storage of times and values: common times, or different times for each sample |
//! | `parts.rs` | samples, beginnings and rows of data |
//! | `simulated.rs` | data from a known system |
//! | `inputs.rs` | components that are known inputs |
//! | `scaled.rs` | data in other units: components multiplied and shifted |
//! | `units.rs` | [`DataUnits`]: words for labels |
//! | `noise.rs` | Gaussian noise with PyTorch's random numbers |
//! | `csv/` | [`read_csv`], [`write_csv`]: tables of text |
//! | `tables/` | [`read_table`]: the same from Excel, Parquet, MATLAB and HDF5 |
//! | `npy.rs` | [`read_npy`]: a single array from NumPy |
//! | `arrays.rs` | [`ArrayNames`]: names of the arrays in a file that hold the data |
//! | `npz.rs` | [`read_npz`], [`write_npz`]: NumPy's archives of arrays |
//! | `safetensors.rs` | [`read_safetensors`], [`write_safetensors`] |
//! | `scalar_type.rs` | number types of these files |
//! | `json.rs` | [`read_json`] |
//! | `schmidt_lipson.rs` | [`read_schmidt_lipson`]: the text files of Schmidt and Lipson (2009) |
//!
//! Every reader reports the file, the line and the column of what it cannot understand.

pub mod arrays;
mod csv;
mod dataset;
mod inputs;
mod json;
mod noise;
mod npy;
mod npz;
mod parts;
mod safetensors;
mod samples;
mod scalar_type;
mod scaled;
mod schmidt_lipson;
mod simulated;
mod tables;
#[cfg(test)]
mod tests;
mod units;

pub use arrays::ArrayNames;
pub use csv::{Column, CsvOptions, CsvReading, read_csv, read_csv_with_notes, write_csv};
pub use dataset::Dataset;
pub(crate) use dataset::mean_variance;
pub use json::read_json;
pub use noise::{NoiseOptions, RelativeTo};
pub use npy::read_npy;
pub use npz::{read_npz, write_npz};
pub(crate) use safetensors::open_safetensors;
pub use safetensors::{
    NamedTensors, read_safetensors, read_tensors, tensor_bytes, write_safetensors,
};
pub use schmidt_lipson::read_schmidt_lipson;
pub use tables::{TableFormat, TableOptions, read_table, read_table_with_notes};
pub use units::DataUnits;

use std::path::Path;

use odesync_base::error::{Error, Result};

/// Creates an [`Error::Data`]; lines and columns count from 1.
fn data_error(
    file: &Path,
    line: impl Into<Option<usize>>,
    column: impl Into<Option<usize>>,
    message: impl Into<String>,
) -> Error {
    Error::Data {
        file: file.to_path_buf(),
        line: line.into(),
        column: column.into(),
        message: message.into(),
    }
}

/// Reads a file as bytes.
fn read_bytes(path: &Path) -> Result<Vec<u8>> {
    odesync_base::files::read(path).map_err(|e| Error::io("read", path, &e))
}

/// First bytes of a file that gzip has packed.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// Unpacks a file that gzip has packed; what would not fit into memory is refused before it is unpacked.
fn gunzip(path: &Path, packed: &[u8]) -> Result<Vec<u8>> {
    use std::io::Read;
    let limit = odesync_base::memory::limit();
    let mut bytes = vec![];
    let mut reader = flate2::read::MultiGzDecoder::new(packed).take(limit as u64 + 1);
    reader
        .read_to_end(&mut bytes)
        .map_err(|e| Error::io("unpack", path, &e))?;
    match bytes.len() <= limit {
        true => Ok(bytes),
        false => Err(data_error(
            path,
            None,
            None,
            format!(
                "it unpacks to more than {}: keep a part of it",
                odesync_base::memory::format_bytes(limit)
            ),
        )),
    }
}

/// Reads a file as bytes; one that gzip has packed is unpacked.
fn read_unpacked(path: &Path) -> Result<Vec<u8>> {
    let bytes = read_bytes(path)?;
    match bytes.starts_with(&GZIP) {
        true => gunzip(path, &bytes),
        false => Ok(bytes),
    }
}

/// Reads a file as text, without a byte order mark; one that gzip has packed is unpacked. A table that is no text is refused with
/// the name of the function that reads it.
fn read_text(path: &Path) -> Result<String> {
    let bytes = read_unpacked(path)?;
    match TableFormat::of_bytes(&bytes) {
        Some(format) => Err(data_error(
            path,
            None,
            None,
            format!(
                "this is {}, not text: read_table reads it",
                format.describe()
            ),
        )),
        None => text_of(path, bytes),
    }
}

/// Returns the bytes of a file as text, without a byte order mark.
fn text_of(path: &Path, bytes: Vec<u8>) -> Result<String> {
    let cure = "save it as UTF-8 (in a spreadsheet: \"CSV UTF-8\")";
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(data_error(
            path,
            None,
            None,
            format!("this is UTF-16 text: {cure}"),
        ));
    }
    let text = String::from_utf8(bytes).map_err(|e| {
        let good = &e.as_bytes()[..e.utf8_error().valid_up_to()];
        let line = 1 + good.iter().filter(|b| **b == b'\n').count();
        data_error(
            path,
            line,
            None,
            format!("this line is not UTF-8 text: {cure}"),
        )
    })?;
    Ok(match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_string(),
        None => text,
    })
}

/// Returns what is wrong with a time, given the previous one; `None` if nothing is.
fn time_error(before: Option<f64>, time: f64) -> Option<String> {
    if !time.is_finite() {
        return Some(format!("the time is {time}: times must be finite"));
    }
    match before {
        Some(before) if time == before => Some(format!(
            "the time {time} repeats the one before it: times must increase"
        )),
        Some(before) if time < before => Some(format!(
            "the time {time} comes after {before}: times must increase, sort the rows by time"
        )),
        _ => None,
    }
}
