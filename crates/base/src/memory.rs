//! The limit on memory of the process, and what is in use of it.
//!
//! The program installs an allocator that counts (`src/main.rs`) and passes the function that reads its count to [`install_gauge`]. In a
//! program that does not, the memory in use is not known, and each object is compared with the limit by itself.

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

static GAUGE: OnceLock<fn() -> usize> = OnceLock::new();

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

/// Pages of the process that are no file's, in bytes: those at the first look, before anything was computed, and how many more there
/// were at the last one.
static AT_START: OnceLock<usize> = OnceLock::new();
static RESIDENT: AtomicUsize = AtomicUsize::new(0);

/// Looks at the memory that the process has in pages that are no file's, and returns how much more it is than at the first look, in bytes;
/// 0 where the system does not say. What the program takes by itself does not count so: with libtorch that is much. Who watches the
/// memory calls this again and again, first when the program starts; [`exceeds`] goes by the last look.
pub fn look_at_pages() -> usize {
    const PAGE: usize = 4096;
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let mut pages = pages
        .split_whitespace()
        .skip(1)
        .map_while(|n| n.parse::<usize>().ok());
    let resident = match (pages.next(), pages.next()) {
        (Some(all), Some(of_files)) => all.saturating_sub(of_files) * PAGE,
        _ => 0,
    };
    let more = resident.saturating_sub(*AT_START.get_or_init(|| resident));
    RESIDENT.store(more, Ordering::Relaxed);
    more
}

/// Returns whether the process holds more than `limit`: by the count of its allocations, or by its pages, which many small objects take
/// more of than they are large. Pages that are free again may stay with the process, so they count only where much is in use.
pub fn exceeds(limit: usize) -> bool {
    allocated().is_some_and(|used| {
        used > limit || (used > limit / 2 && RESIDENT.load(Ordering::Relaxed) > limit)
    })
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

/// Checks that `what` and all that is allocated take no more bytes than [`limit`]; `remedy` says in the error what to do about it.
///
/// # Errors
/// [`Error::Invalid`]: "`what` would take 12 GiB; `remedy`".
pub fn check_memory(bytes: usize, what: impl Display, remedy: &str) -> Result<()> {
    if allocated().unwrap_or(0).saturating_add(bytes) <= limit() {
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
