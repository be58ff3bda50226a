//! The memory that the process holds, as counted by the allocator, and the bound on it.
//!
//! The program installs the allocator (`src/main.rs`) and passes the function that reads its count to [`install_gauge`]. In a
//! program that does not, the memory in use is not known and [`crate::script::limits`] falls back to a bound on the length of
//! lists and strings.

use std::sync::OnceLock;

use crate::{Error, Result};

pub use odesync_base::memory::{default_limit, format_bytes};

static GAUGE: OnceLock<fn() -> usize> = OnceLock::new();

/// Largest number of elements of an `Array` where the memory in use is not known: 2^28, 2 GiB.
const ELEMENTS_WITHOUT_GAUGE: usize = 1 << 28;

/// Installs the function that returns the bytes that are allocated now. The first call wins.
pub fn install_gauge(gauge: fn() -> usize) {
    // A second installation refers to the same global allocator: a process has only one.
    let _ = GAUGE.set(gauge);
}

/// Returns the bytes allocated now; `None` where no counting allocator is installed.
#[inline]
pub fn allocated() -> Option<usize> {
    GAUGE.get().map(|gauge| gauge())
}

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
