//! The size of a figure in pixels.

use crate::{Error, Result};

/// Largest width or height of a figure in pixels.
const MAX_SIZE: f64 = 4000.0;

/// Returns a width and a height that a figure can have, in pixels.
///
/// # Errors
/// A size below 100 or above the largest one.
pub(crate) fn checked_size(width: f64, height: f64) -> Result<(u32, u32)> {
    let fits = |v: f64| (100.0..=MAX_SIZE).contains(&v);
    match fits(width) && fits(height) {
        true => Ok((width.round() as u32, height.round() as u32)),
        false => Err(Error::invalid(format!(
            "a figure cannot have {width} by {height} pixels; width and height go from 100 to {MAX_SIZE}"
        ))),
    }
}
