//! The request to stop, for long loops of the library that no options reach.
//!
//! A session gives its thread the flag that Ctrl-C sets ([`listen`]); a loop that may take long calls [`check`] now and then. On a thread
//! without a flag nothing stops.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::{Error, Result};

thread_local! {
    static FLAG: RefCell<Option<Arc<AtomicBool>>> = const { RefCell::new(None) };
}

/// Makes the work of this thread stop when the flag is set.
pub fn listen(flag: Arc<AtomicBool>) {
    FLAG.set(Some(flag));
}

/// Whether this thread was asked to stop.
pub fn is_requested() -> bool {
    FLAG.with_borrow(|flag| {
        flag.as_ref()
            .is_some_and(|flag| flag.load(Ordering::Relaxed))
    })
}

/// Checks whether this thread was asked to stop. It costs some nanoseconds.
///
/// # Errors
/// [`Error::Interrupted`].
pub fn check() -> Result<()> {
    match is_requested() {
        true => Err(Error::Interrupted),
        false => Ok(()),
    }
}

static WRITING: AtomicUsize = AtomicUsize::new(0);

/// Something that is being kept on the disk; the program should not end before this is dropped.
#[derive(Debug)]
pub struct Keeping(());

/// Begins to keep something on the disk.
pub fn keeping() -> Keeping {
    WRITING.fetch_add(1, Ordering::SeqCst);
    Keeping(())
}

impl Drop for Keeping {
    fn drop(&mut self) {
        WRITING.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Whether something is being kept on the disk, on whatever thread.
pub fn is_keeping() -> bool {
    WRITING.load(Ordering::SeqCst) > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_stops_at_its_own_flag() {
        assert!(check().is_ok());
        let flag = Arc::new(AtomicBool::new(false));
        listen(flag.clone());
        assert!(check().is_ok());
        flag.store(true, Ordering::Relaxed);
        assert!(matches!(check(), Err(Error::Interrupted)));
        assert!(std::thread::spawn(|| check().is_ok()).join().unwrap());
        let kept = keeping();
        assert!(is_keeping());
        drop(kept);
    }
}
