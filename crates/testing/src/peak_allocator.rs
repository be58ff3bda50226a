//! An allocator that counts the bytes in use, their peak during a call, and allocations.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

thread_local! {
    static CALLS: Cell<usize> = const { Cell::new(0) };
}

/// The system's allocator, with counts of the bytes in use, of their peak, and of allocations.
#[derive(Debug)]
pub struct PeakAllocator {
    in_use: AtomicUsize,
    peak: AtomicUsize,
}

impl Default for PeakAllocator {
    fn default() -> Self {
        Self::new()
    }
}

impl PeakAllocator {
    /// Creates the allocator with all counts zero.
    pub const fn new() -> Self {
        PeakAllocator {
            in_use: AtomicUsize::new(0),
            peak: AtomicUsize::new(0),
        }
    }

    /// Returns the peak of bytes in use during a call, beyond those in use before it, and the result of the call.
    pub fn peak_of<T>(&self, call: impl FnOnce() -> T) -> (usize, T) {
        let before = self.in_use.load(Relaxed);
        self.peak.store(before, Relaxed);
        let result = call();
        (self.peak.load(Relaxed) - before, result)
    }

    /// Returns the number of allocations that this thread makes during a call.
    pub fn count_allocations<T>(&self, call: impl FnOnce() -> T) -> usize {
        let before = CALLS.get();
        drop(call());
        CALLS.get() - before
    }

    fn record_allocation(&self, bytes: usize) {
        // The count of a thread that is ending is already destroyed.
        let _ = CALLS.try_with(|calls| calls.set(calls.get() + 1));
        let now = self.in_use.fetch_add(bytes, Relaxed) + bytes;
        self.peak.fetch_max(now, Relaxed);
    }
}

// SAFETY: every call is the system allocator's own.
unsafe impl GlobalAlloc for PeakAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.record_allocation(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        self.in_use.fetch_sub(layout.size(), Relaxed);
        unsafe { System.dealloc(pointer, layout) }
    }
}
