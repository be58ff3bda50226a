//! The limit on memory that one object may take.

use std::fmt::Display;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::{Error, Result};

/// Returns the default limit on memory, in bytes: a quarter of the machine's memory, or of the control group's where that is
/// less; 2 GiB where neither is known.
///
/// Memory is checked between two steps of a script, and a step that copies a list of lists can double the memory in use. A
/// quarter leaves space for that and for the allocator's overhead on small allocations.
pub fn default_limit() -> usize {
    static LIMIT: OnceLock<usize> = OnceLock::new();
    *LIMIT.get_or_init(quarter_of_memory)
}

/// The limit that was set; 0 where none was.
static LIMIT: AtomicUsize = AtomicUsize::new(0);

/// Sets the limit on memory of this process, in place of the default.
pub fn set_limit(bytes: usize) {
    LIMIT.store(bytes, Ordering::Relaxed);
}

/// Returns the limit on memory, in bytes: the one that was set, else the default.
pub fn limit() -> usize {
    match LIMIT.load(Ordering::Relaxed) {
        0 => default_limit(),
        limit => limit,
    }
}

/// Returns a number of bytes in readable form: "512 MiB".
pub fn format_bytes(bytes: usize) -> String {
    const UNITS: [&str; 6] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    let digits = usize::from(value < 10.0 && unit > 0);
    format!("{value:.digits$} {}", UNITS[unit])
}

/// Checks that `what` takes no more bytes than [`limit`]; `remedy` says in the error what to do about it.
///
/// # Errors
/// [`Error::Invalid`]: "`what` would take 12 GiB; `remedy`".
pub fn check_memory(bytes: usize, what: impl Display, remedy: &str) -> Result<()> {
    if bytes <= limit() {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "{what} would take {}; {remedy}",
        format_bytes(bytes)
    )))
}

fn quarter_of_memory() -> usize {
    let group = [
        "/sys/fs/cgroup/memory.max",
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
    ]
    .iter()
    .find_map(|path| {
        std::fs::read_to_string(path)
            .ok()?
            .trim()
            .parse::<usize>()
            .ok()
    });
    let machine = std::fs::read_to_string("/proc/meminfo")
        .ok()
        .and_then(|text| {
            let line = text.lines().find(|line| line.starts_with("MemTotal:"))?;
            line.split_whitespace()
                .nth(1)?
                .parse::<usize>()
                .ok()?
                .checked_mul(1024)
        });
    match (group, machine) {
        (Some(a), Some(b)) => a.min(b) / 4,
        (Some(a), None) | (None, Some(a)) => a / 4,
        (None, None) => 2 << 30,
    }
}
