//! NumPy's `.npy` format: a magic string, a header that is a Python dictionary, and the raw array.
//!
//! Read by hand because the header of a damaged or hostile file must neither allocate what the file does not hold nor
//! nest without end. Source: NumPy Enhancement Proposal 1 and `numpy.lib.format`.

use std::path::Path;

use ndarray::{ArrayD, IxDyn, ShapeBuilder};

use super::{data_error, read_bytes};
use crate::error::Result;

/// Reads an array of any rank; integers, booleans and float32 are widened to float64.
///
/// # Errors
/// A file that cannot be read, is not `.npy`, is cut short, or holds something other than real numbers.
pub fn read_npy(path: impl AsRef<Path>) -> Result<ArrayD<f64>> {
    let path = path.as_ref();
    let bytes = read_bytes(path)?;
    parse(&bytes).map_err(|message| data_error(path, None, None, message))
}

fn parse(bytes: &[u8]) -> std::result::Result<ArrayD<f64>, String> {
    if bytes.starts_with(b"PK\x03\x04") {
        return Err(
            "this is an .npz archive of several arrays: save the one you need with numpy.save"
                .into(),
        );
    }
    let rest = bytes
        .strip_prefix(b"\x93NUMPY")
        .ok_or("this is not an .npy file (numpy.save writes them)")?;
    let damaged = || String::from("the file is damaged: its header is cut short or makes no sense");
    let (major, rest) = rest.split_first().ok_or_else(damaged)?;
    let rest = rest.get(1..).ok_or_else(damaged)?;
    let (length, rest) = match major {
        1 => {
            let (length, rest) = rest.split_first_chunk::<2>().ok_or_else(damaged)?;
            (usize::from(u16::from_le_bytes(*length)), rest)
        }
        2 | 3 => {
            let (length, rest) = rest.split_first_chunk::<4>().ok_or_else(damaged)?;
            let length = u32::from_le_bytes(*length);
            (usize::try_from(length).map_err(|_| damaged())?, rest)
        }
        _ => {
            return Err(format!(
                "version {major} of the .npy format is not known; known: 1, 2, 3"
            ));
        }
    };
    let (header, data) = rest.split_at_checked(length).ok_or_else(damaged)?;
    let header = std::str::from_utf8(header).map_err(|_| damaged())?;
    let descr = value_of(header, "descr").ok_or_else(damaged)?;
    let fortran = value_of(header, "fortran_order")
        .ok_or_else(damaged)?
        .starts_with("True");
    let shape = shape(header).ok_or_else(damaged)?;
    let kind = quoted(descr).and_then(Kind::new).ok_or_else(|| {
        let shown: String = descr.chars().take(20).collect();
        format!("numbers of type {shown} cannot be read: save real numbers, in numpy array.astype(float)")
    })?;
    let count = shape.iter().try_fold(1usize, |n, k| n.checked_mul(*k));
    let needed = count
        .and_then(|n| n.checked_mul(kind.size))
        .ok_or_else(damaged)?;
    if needed != data.len() {
        return Err(format!(
            "the file is damaged: shape {shape:?} takes {needed} bytes, the file holds {}",
            data.len()
        ));
    }
    let values: Vec<f64> = data
        .chunks_exact(kind.size)
        .map(|b| kind.decode(b))
        .collect();
    ArrayD::from_shape_vec(IxDyn(&shape).set_f(fortran), values).map_err(|e| e.to_string())
}

/// What follows `'key':` in the header.
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

/// How one number is stored.
struct Kind {
    /// `f`, `i`, `u` or `b`.
    letter: char,
    size: usize,
    big_endian: bool,
}

impl Kind {
    fn new(descr: &str) -> Option<Self> {
        let mut chars = descr.chars();
        let big_endian = match chars.next()? {
            '<' | '|' => false,
            '>' => true,
            '=' => cfg!(target_endian = "big"),
            _ => return None,
        };
        let letter = chars.next()?;
        let size = chars.as_str().parse().ok()?;
        let fits = match letter {
            'f' => [4, 8].contains(&size),
            'i' | 'u' => [1, 2, 4, 8].contains(&size),
            'b' => size == 1,
            _ => false,
        };
        fits.then_some(Self {
            letter,
            size,
            big_endian,
        })
    }

    /// One number from `self.size` bytes.
    fn decode(&self, bytes: &[u8]) -> f64 {
        let mut low_first = [0; 8];
        for (i, byte) in bytes.iter().enumerate() {
            low_first[if self.big_endian {
                self.size - 1 - i
            } else {
                i
            }] = *byte;
        }
        let bits = u64::from_le_bytes(low_first);
        match (self.letter, self.size) {
            ('f', 4) => f64::from(f32::from_bits(bits as u32)),
            ('f', _) => f64::from_bits(bits),
            ('i', size) => {
                let unused = 64 - 8 * size as u32;
                ((bits << unused) as i64 >> unused) as f64
            }
            _ => bits as f64,
        }
    }
}
