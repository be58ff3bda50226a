//! An allocator that counts the bytes in use, and the most of them since it was asked to begin anew.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

thread_local! {
    static CALLS: Cell<usize> = const { Cell::new(0) };
}

/// Counts what the system's allocator hands out.
#[derive(Debug)]
pub struct Peak {
    now: AtomicUsize,
    most: AtomicUsize,
}

impl Default for Peak {
    fn default() -> Self {
        Self::new()
    }
}

impl Peak {
    /// With nothing counted yet.
    pub const fn new() -> Self {
        Peak {
            now: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
        }
    }

    /// The most bytes in use at a time during a call, beyond those in use before it.
    pub fn of<T>(&self, call: impl FnOnce() -> T) -> (usize, T) {
        let before = self.now.load(Relaxed);
        self.most.store(before, Relaxed);
        let result = call();
        (self.most.load(Relaxed) - before, result)
    }

    /// The number of allocations that this thread makes during a call.
    pub fn count<T>(&self, call: impl FnOnce() -> T) -> usize {
        let before = CALLS.get();
        drop(call());
        CALLS.get() - before
    }

    fn add(&self, bytes: usize) {
        // A thread that ends has no count any more.
        let _ = CALLS.try_with(|calls| calls.set(calls.get() + 1));
        let now = self.now.fetch_add(bytes, Relaxed) + bytes;
        self.most.fetch_max(now, Relaxed);
    }
}

// SAFETY: every call is the system allocator's own.
unsafe impl GlobalAlloc for Peak {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.add(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        self.now.fetch_sub(layout.size(), Relaxed);
        unsafe { System.dealloc(pointer, layout) }
    }
}
