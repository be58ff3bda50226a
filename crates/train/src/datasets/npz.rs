//! NumPy's `.npz` format: a zip archive with one `.npy` file for each array, stored or deflated.

use std::fs::File;
use std::io::{BufReader, Cursor, Read, Write};
use std::path::Path;

use ndarray::{ArrayD, Axis};
use ndarray_npy::WriteNpyExt;
use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use super::arrays::{self, ArrayFile, ArrayNames};
use super::data_error;
use super::dataset::Dataset;
use super::npy::NpyHeader;
use odesync_base::error::{Error, Result};
use odesync_base::files::write_atomically;

/// Maximum size of a header, more than NumPy writes for any array of numbers.
const MAX_HEADER_BYTES: u64 = 1 << 16;

/// Maximum size of the array with the names of the state variables.
const MAX_NAMES_BYTES: u64 = 1 << 20;

/// Reads a dataset from the arrays with these names.
///
/// ```no_run
/// use odesync_train::datasets::{ArrayNames, read_npz};
///
/// // numpy.savez("measured.npz", time=t, x=x)
/// let data = read_npz("measured.npz", &ArrayNames::new().u("x"))?;
/// # Ok::<(), odesync_train::Error>(())
/// ```
///
/// # Errors
/// A file that cannot be read or is damaged; an array that is missing, of the wrong shape, of something other than real numbers,
/// or too large for the memory. The message lists the arrays of the file.
pub fn read_npz(path: impl AsRef<Path>, names: &ArrayNames) -> Result<Dataset> {
    let path = path.as_ref();
    let file = odesync_base::files::open(path).map_err(|e| Error::io("read", path, &e))?;
    let archive = ZipArchive::new(BufReader::new(file)).map_err(|e| match e {
        ZipError::Io(e) if e.kind() != std::io::ErrorKind::UnexpectedEof => {
            Error::io("read", path, &e)
        }
        _ => data_error(
            path,
            None,
            None,
            "this is not an .npz file (numpy.savez writes them), or it is cut short",
        ),
    })?;
    arrays::read_dataset(path, &mut NpzFile { archive, names }, names)
}

struct NpzFile<'a> {
    archive: ZipArchive<BufReader<File>>,
    names: &'a ArrayNames,
}

impl NpzFile<'_> {
    /// Calls `with` with the header of an array's file, the bytes after it that were read together with it, and a reader of the
    /// rest.
    fn with_entry<T>(
        &mut self,
        name: &str,
        with: impl FnOnce(NpyHeader, &[u8], &mut dyn Read) -> std::result::Result<T, String>,
    ) -> std::result::Result<T, String> {
        let mut entry = self
            .archive
            .by_name(&format!("{name}.npy"))
            .map_err(zip_error)?;
        let mut begin = Vec::new();
        entry
            .by_ref()
            .take(MAX_HEADER_BYTES)
            .read_to_end(&mut begin)
            .map_err(unpack_error)?;
        let (header, data) = NpyHeader::read(&begin)?;
        with(header, data, &mut entry)
    }
}

impl ArrayFile for NpzFile<'_> {
    fn names(&self) -> Vec<String> {
        self.archive
            .file_names()
            .filter_map(|name| Some(name.ok()?.strip_suffix(".npy")?.to_string()))
            .collect()
    }

    fn describe(&mut self, name: &str) -> String {
        let described = self.with_entry(name, |header, _, _| {
            let shape = header.shape.clone();
            Ok(match header.into_numeric() {
                Ok(numbers) => format!("{shape:?} {}", numbers.scalar_type.name()),
                Err(_) => format!("{shape:?}, not real numbers"),
            })
        });
        described.unwrap_or_else(|_| "(damaged)".into())
    }

    fn read(&mut self, name: &str) -> std::result::Result<ArrayD<f64>, String> {
        let names = self.names;
        self.with_entry(name, |header, begin, rest| {
            let numbers = header.into_numeric()?;
            names.check_memory(numbers.n_bytes, numbers.n_bytes / numbers.scalar_type.size)?;
            let mut data = begin.to_vec();
            // Trying to read one byte more than expected detects excess data, and reading to the end verifies the checksum.
            let left = (numbers.n_bytes as u64 + 1).saturating_sub(data.len() as u64);
            rest.take(left)
                .read_to_end(&mut data)
                .map_err(unpack_error)?;
            numbers.decode(&data)
        })
    }

    fn component_names(&mut self) -> Option<Vec<String>> {
        self.with_entry("names", |header, begin, rest| {
            let mut data = begin.to_vec();
            rest.take(MAX_NAMES_BYTES)
                .read_to_end(&mut data)
                .map_err(unpack_error)?;
            decode_strings(&header, &data).ok_or_else(|| "no list of texts".into())
        })
        .ok()
    }
}

fn zip_error(error: ZipError) -> String {
    match error {
        ZipError::CompressionMethodNotSupported(_) => {
            "it is compressed in a way that NumPy does not write; known: stored, deflated".into()
        }
        ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) => "it is encrypted".into(),
        other => format!("the file is damaged: {other}"),
    }
}

fn unpack_error(error: std::io::Error) -> String {
    format!("the file is damaged: {error}")
}

/// Decodes the strings of NumPy's fixed-width `<U` arrays: UTF-32, padded with zeros.
fn decode_strings(header: &NpyHeader, data: &[u8]) -> Option<Vec<String>> {
    let width: usize = header.descr.strip_prefix("<U")?.parse().ok()?;
    let [count] = header.shape[..] else {
        return None;
    };
    let bytes = width.checked_mul(4).filter(|n| *n > 0)?;
    if data.len() != bytes.checked_mul(count)? {
        return None;
    }
    let text = |field: &[u8]| {
        let letters = field.as_chunks::<4>().0.iter();
        letters
            .map(|b| char::from_u32(u32::from_le_bytes(*b)))
            .take_while(|c| *c != Some('\0'))
            .collect::<Option<String>>()
    };
    data.chunks_exact(bytes).map(text).collect()
}

/// Encodes a list of strings as a `.npy` file.
fn encode_strings(texts: &[String]) -> Vec<u8> {
    let width = texts
        .iter()
        .map(|text| text.chars().count())
        .max()
        .unwrap_or(0)
        .max(1);
    let mut header = format!(
        "{{'descr': '<U{width}', 'fortran_order': False, 'shape': ({},), }}",
        texts.len()
    );
    // The numbers begin at a multiple of 64 bytes, and a newline ends the header.
    let before = 10;
    let padded = (before + header.len() + 1).next_multiple_of(64) - before - 1;
    header = format!("{header:padded$}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    for text in texts {
        let padding = std::iter::repeat('\0');
        let letters = text.chars().chain(padding).take(width);
        bytes.extend(letters.flat_map(|c| u32::from(c).to_le_bytes()));
    }
    bytes
}

/// Writes a dataset as a NumPy archive of the arrays `t` `[time]`, `u` `[sample, time, dof]` (`[time, dof]` for one sample), `u0`
/// `[sample, dof]` (`[dof]`) and `names`, which `numpy.load` and [`read_npz`] read. Numbers are float64 and read back exactly.
/// The same data give the same bytes.
///
/// The file appears under its name only when it is complete.
///
/// # Errors
/// Samples with different times; a folder that cannot be created or written.
pub fn write_npz(path: impl AsRef<Path>, data: &Dataset) -> Result<()> {
    let path = path.as_ref();
    arrays::check_uniform(data)?;
    let bytes = npz_bytes(data)
        .map_err(|e| Error::io("write", path, &std::io::Error::other(e.to_string())))?;
    write_atomically(path, &bytes)
}

fn npz_bytes(data: &Dataset) -> std::result::Result<Vec<u8>, Box<dyn std::error::Error>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let mut add =
        |name: &str, bytes: &[u8]| -> std::result::Result<(), Box<dyn std::error::Error>> {
            let large = bytes.len() as u64 > u64::from(u32::MAX);
            zip.start_file(format!("{name}.npy"), options.large_file(large))?;
            zip.write_all(bytes)?;
            Ok(())
        };
    let mut bytes = Vec::new();
    data.t().write_npy(&mut bytes)?;
    add("t", &bytes)?;
    let (u, u0) = (data.u(), data.u0());
    for (name, x) in [("u", u.into_dyn()), ("u0", u0.into_dyn())] {
        bytes.clear();
        match data.samples() {
            1 => x.index_axis(Axis(0), 0).write_npy(&mut bytes)?,
            _ => x.write_npy(&mut bytes)?,
        }
        add(name, &bytes)?;
    }
    add("names", &encode_strings(data.names()))?;
    Ok(zip.finish()?.into_inner())
}
