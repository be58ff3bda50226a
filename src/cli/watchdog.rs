//! The last resorts: a program that does not stop when it is told to, or that takes far more memory than it may, is ended.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::memory;

/// Time in which what runs ends by itself after a signal.
const PATIENCE: Duration = Duration::from_millis(800);
/// Time between two looks.
const INTERVAL: Duration = Duration::from_millis(20);
/// Time between two looks at the memory where much of it is in use: a few megabytes are filled in it.
const SHORT_INTERVAL: Duration = Duration::from_millis(2);
/// The program ends where it holds so much more memory than a script may use, in pages that are no file's: with its own code it is then
/// some megabytes below 64 MiB more, in which it ends. What asks before it allocates stays below.
const BEYOND: usize = 20 << 20;
/// The program ends where so many times the memory that a script may use is allocated, whether it is filled or not.
const MEMORY_FACTOR: usize = 2;

/// Whether what ran has stopped, so that the program ends by itself.
static HAS_STOPPED: AtomicBool = AtomicBool::new(false);

/// Says that what ran has stopped. A library that is slow to unload, as libtorch is, then ends no program with a message.
pub(super) fn has_stopped() {
    HAS_STOPPED.store(true, Ordering::Relaxed);
}

/// Ends the program with the exit code of an interrupt where it has not ended by itself in less than a second. What is being written to
/// the disk is finished.
pub(super) fn end_soon() {
    std::thread::spawn(|| {
        std::thread::sleep(PATIENCE);
        while odesync_base::interrupt::is_keeping() {
            std::thread::sleep(INTERVAL);
        }
        if HAS_STOPPED.load(Ordering::Relaxed) {
            return;
        }
        super::print_error("interrupted; what was running does not stop by itself");
        std::process::exit(super::limits::exit_code_of_stop().into());
    });
}

/// Ends the program where it holds more memory than a script may use.
pub(super) fn guard_memory() {
    let limit = memory::limit();
    memory::look_at_pages();
    std::thread::spawn(move || {
        loop {
            let Some(used) = memory::allocated() else {
                return;
            };
            let is_much = used > limit / 2;
            let resident = if is_much { memory::look_at_pages() } else { 0 };
            if used / MEMORY_FACTOR > limit || resident > limit.saturating_add(BEYOND) {
                break;
            }
            std::thread::sleep(if is_much { SHORT_INTERVAL } else { INTERVAL });
        }
        super::print_error(&format!(
            "error: the script needs more than the {} it may use\n  hint: `odesync --memory GIB …` allows more",
            memory::format_bytes(limit)
        ));
        std::process::exit(1);
    });
}
