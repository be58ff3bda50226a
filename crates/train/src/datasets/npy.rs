//! NumPy's `.npy` format: a magic string, a header that is a Python dictionary, and the raw array.
//!
//! The parser is our own because the header of a damaged or hostile file must neither allocate more than the file contains nor
//! nest without end. Source: NumPy Enhancement Proposal 1 and `numpy.lib.format`.

use std::path::Path;

use ndarray::{ArrayD, IxDyn, ShapeBuilder};

use super::scalar_type::ScalarType;
use super::{data_error, read_bytes};
use odesync_base::error::Result;

/// Reads an array of any rank; integers, booleans and narrower floats are converted to float64.
///
/// # Errors
/// A file that cannot be read, is not `.npy`, is truncated, or contains something other than real numbers.
pub fn read_npy(path: impl AsRef<Path>) -> Result<ArrayD<f64>> {
    let path = path.as_ref();
    let bytes = read_bytes(path)?;
    parse(&bytes).map_err(|message| data_error(path, None, None, message))
}

fn parse(bytes: &[u8]) -> std::result::Result<ArrayD<f64>, String> {
    if bytes.starts_with(b"PK\x03\x04") {
        return Err(
            "this is an .npz archive of several arrays: read_npz makes a dataset of them, numpy.save saves one alone"
                .into(),
        );
    }
    let (header, data) = NpyHeader::read(bytes)?;
    header.into_numeric()?.decode(data)
}

/// Header of a `.npy` file.
pub(super) struct NpyHeader {
    /// Type in NumPy's notation, as in the file.
    pub descr: String,
    pub shape: Vec<usize>,
    fortran_order: bool,
}

/// Header of an array of real numbers.
pub(super) struct NumericHeader {
    pub scalar_type: ScalarType,
    pub shape: Vec<usize>,
    fortran_order: bool,
    /// Number of bytes after the header.
    pub n_bytes: usize,
}

fn damaged_header() -> String {
    "the file is damaged: its header is cut short or makes no sense".into()
}

impl NpyHeader {
    /// Parses the header and returns it with the remaining bytes.
    pub fn read(bytes: &[u8]) -> std::result::Result<(Self, &[u8]), String> {
        let rest = bytes
            .strip_prefix(b"\x93NUMPY")
            .ok_or("this is not an .npy file (numpy.save writes them)")?;
        let (major, rest) = rest.split_first().ok_or_else(damaged_header)?;
        let rest = rest.get(1..).ok_or_else(damaged_header)?;
        let (length, rest) = match major {
            1 => {
                let (length, rest) = rest.split_first_chunk::<2>().ok_or_else(damaged_header)?;
                (usize::from(u16::from_le_bytes(*length)), rest)
            }
            2 | 3 => {
                let (length, rest) = rest.split_first_chunk::<4>().ok_or_else(damaged_header)?;
                let length = u32::from_le_bytes(*length);
                (usize::try_from(length).map_err(|_| damaged_header())?, rest)
            }
            _ => {
                return Err(format!(
                    "version {major} of the .npy format is not known; known: 1, 2, 3"
                ));
            }
        };
        let (header, data) = rest.split_at_checked(length).ok_or_else(damaged_header)?;
        let header = std::str::from_utf8(header).map_err(|_| damaged_header())?;
        let descr = value_of(header, "descr").ok_or_else(damaged_header)?;
        let fortran = value_of(header, "fortran_order").ok_or_else(damaged_header)?;
        let descr = match quoted(descr) {
            Some(descr) => descr.to_string(),
            None => descr.chars().take(20).collect(),
        };
        let header = Self {
            descr,
            shape: shape(header).ok_or_else(damaged_header)?,
            fortran_order: fortran.starts_with("True"),
        };
        Ok((header, data))
    }

    /// Converts the header to that of an array of real numbers.
    pub fn into_numeric(self) -> std::result::Result<NumericHeader, String> {
        let kind = ScalarType::from_numpy(&self.descr).ok_or_else(|| {
            format!(
                "numbers of type '{}' cannot be read: save real numbers, in numpy array.astype(float)",
                self.descr.chars().take(20).collect::<String>()
            )
        })?;
        let count = self.shape.iter().try_fold(1usize, |n, k| n.checked_mul(*k));
        Ok(NumericHeader {
            scalar_type: kind,
            n_bytes: count
                .and_then(|n| n.checked_mul(kind.size))
                .ok_or_else(damaged_header)?,
            shape: self.shape,
            fortran_order: self.fortran_order,
        })
    }
}

impl NumericHeader {
    /// Decodes the bytes of an array.
    pub fn decode(self, data: &[u8]) -> std::result::Result<ArrayD<f64>, String> {
        if self.n_bytes != data.len() {
            return Err(format!(
                "the file is damaged: shape {:?} takes {} bytes, the file holds {}",
                self.shape,
                self.n_bytes,
                data.len()
            ));
        }
        let values = self.scalar_type.decode_all(data);
        ArrayD::from_shape_vec(IxDyn(&self.shape).set_f(self.fortran_order), values)
            .map_err(|e| e.to_string())
    }
}

/// Returns the text after `'key':` in the header.
fn value_of<'a>(header: &'a str, key: &str) -> Option<&'a str> {
    let from = header.find(&format!("'{key}'"))? + key.len() + 2;
    header[from..]
        .trim_start()
        .strip_prefix(':')
        .map(str::trim_start)
}

fn quoted(value: &str) -> Option<&str> {
    value.strip_prefix('\'')?.split('\'').next()
}

fn shape(header: &str) -> Option<Vec<usize>> {
    let inside = value_of(header, "shape")?
        .strip_prefix('(')?
        .split_once(')')?
        .0;
    let lengths = inside.split(',').map(str::trim).filter(|k| !k.is_empty());
    lengths.map(|k| k.parse().ok()).collect()
}
