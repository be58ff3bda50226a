//! The memory that the process holds, as counted by the allocator, and the bound on it.
//!
//! Where the memory in use is not known ([`install_gauge`]), [`crate::script::limits`] falls back to a bound on the length of
//! lists and strings.

use crate::{Error, Result};

pub use odesync_base::memory::{allocated, default_limit, format_bytes, install_gauge};

/// Largest number of elements of an `Array` where the memory in use is not known: 2^28, 2 GiB.
const ELEMENTS_WITHOUT_GAUGE: usize = 1 << 28;

/// Checks that `elements` more items of `size` bytes for `what` stay within `limit`.
///
/// # Errors
/// [`Error::Invalid`] that says how much was requested and how much there is.
pub fn check_memory(what: &str, elements: usize, size: usize, limit: usize) -> Result<()> {
    let asked = elements.checked_mul(size);
    let fits = match (asked, allocated()) {
        (None, _) => false,
        (Some(bytes), Some(used)) => used.saturating_add(bytes) <= limit,
        (Some(_), None) => elements <= ELEMENTS_WITHOUT_GAUGE,
    };
    if fits {
        return Ok(());
    }
    let asked = asked.map_or_else(|| "more bytes than can be counted".into(), format_bytes);
    let used = allocated().map_or_else(String::new, |used| {
        format!("; {} are in use", format_bytes(used))
    });
    Err(Error::invalid(format!(
        "{what} would take {elements} elements ({asked}): a script may use {}{used}",
        format_bytes(limit)
    )))
}

/// Checks that `elements` more floats for `what` stay within the limit of the process, where no host of a session is at hand.
///
/// # Errors
/// Those of [`check_memory`].
pub fn check_floats(what: &str, elements: usize) -> Result<()> {
    let limit = odesync_base::memory::limit();
    check_memory(what, elements, size_of::<f64>(), limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_readable() {
        assert_eq!(format_bytes(12), "12 B");
        assert_eq!(format_bytes(1536), "1.5 KiB");
        assert_eq!(format_bytes(8 << 30), "8.0 GiB");
    }

    #[test]
    fn a_product_that_overflows_has_no_room() {
        assert!(check_memory("x", usize::MAX, 8, usize::MAX).is_err());
        assert!(check_memory("x", 1_000_000_000_000, 8, 1 << 30).is_err());
        assert!(check_memory("x", 10, 8, usize::MAX).is_ok());
    }
}
