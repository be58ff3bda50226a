//! Faults of the disk for tests: the `n`-th operation fails in a way that is asked for. Builds without debug assertions, as every release
//! is one, do not have this file.
//!
//! A test in this process asks by [`inject`], for its own thread. A program that is started with `ODESYNC_FAULT=FAULT:N` makes the `N`-th
//! operation of its own fail, on whatever thread, and so do the programs that it starts; with `ODESYNC_FAULT=list` nothing fails, and each
//! operation is a line on standard error.

use std::cell::RefCell;
use std::io::{Error, Write};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::disk::Operation;

/// Name of the environment variable.
const VARIABLE: &str = "ODESYNC_FAULT";

/// Exit code of a program that ended at an operation.
pub const ENDED: i32 = 86;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is not allowed.
    Denied,
    /// There is no space left; of what is written nothing arrives.
    NoSpace,
    /// There is no space left from here on.
    Full,
    /// The device fails.
    Broken,
    /// Half of what is written arrives, then there is no space left.
    Torn,
    /// Half of what is written arrives, which is no error: the rest is to be written by another call.
    Short,
    /// The program ends before the operation, or in the middle of what it writes.
    End,
}

impl Fault {
    /// Every fault, with its name in the environment variable.
    pub const ALL: [(Fault, &'static str); 7] = [
        (Fault::Denied, "denied"),
        (Fault::NoSpace, "no_space"),
        (Fault::Full, "full"),
        (Fault::Broken, "broken"),
        (Fault::Torn, "torn"),
        (Fault::Short, "short"),
        (Fault::End, "end"),
    ];

    /// Whether an operation can go wrong in this way.
    pub fn fits(self, operation: Operation) -> bool {
        let is_write = operation == Operation::Write;
        match self {
            Fault::Denied => !matches!(operation, Operation::Write | Operation::Sync),
            Fault::NoSpace => operation != Operation::Remove,
            Fault::Broken | Fault::End => true,
            Fault::Full | Fault::Torn | Fault::Short => is_write,
        }
    }

    /// Returns the error of the operating system.
    fn error(self) -> Error {
        // The numbers of Linux, macOS and the BSDs.
        Error::from_raw_os_error(match self {
            Fault::Denied => 13,
            Fault::Broken => 5,
            _ => 28,
        })
    }

    /// Writes as far as this fault lets it.
    pub(super) fn write(self, file: &mut impl Write, bytes: &[u8]) -> std::io::Result<usize> {
        let half = bytes.get(..bytes.len().div_ceil(2)).unwrap_or(bytes);
        match self {
            Fault::Short => file.write(half),
            Fault::Torn => file.write_all(half).and(Err(self.error())),
            Fault::End => {
                // The process ends whether or not that arrives.
                let _ = file.write_all(half);
                std::process::exit(ENDED)
            }
            _ => Err(self.error()),
        }
    }
}

/// An operation that was begun: its place in the order of all, what it did to which file, and with how many bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begun {
    /// What was done.
    pub operation: Operation,
    /// The file or folder, by the name that it has in the end.
    pub path: PathBuf,
    /// Number of bytes of a write.
    pub bytes: usize,
}

/// What happens on a thread.
#[derive(Debug, Default)]
struct Injection {
    fault: Option<(Fault, usize)>,
    begun: Vec<Begun>,
}

thread_local! {
    static INJECTION: RefCell<Option<Injection>> = const { RefCell::new(None) };
}

/// Does `work`, in which the operation of this number, counted from 0, goes wrong, if it is one that can. Returns what `work` does, and
/// the operations of this thread.
pub fn inject<T>(fault: Option<(Fault, usize)>, work: impl FnOnce() -> T) -> (T, Vec<Begun>) {
    let begun = vec![];
    INJECTION.set(Some(Injection { fault, begun }));
    let result = work();
    let injection = INJECTION.take().unwrap_or_default();
    (result, injection.begun)
}

/// What the environment variable asks for.
#[derive(Debug, Clone, Copy)]
enum Asked {
    Nothing,
    List,
    Fault(Fault, usize),
}

fn asked() -> Asked {
    static ASKED: OnceLock<Asked> = OnceLock::new();
    let read = || {
        let text = std::env::var(VARIABLE).ok()?;
        if text == "list" {
            return Some(Asked::List);
        }
        let (name, number) = text.split_once(':')?;
        let known = Fault::ALL.iter().find(|(_, known)| *known == name);
        Some(Asked::Fault(known?.0, number.parse().ok()?))
    };
    *ASKED.get_or_init(|| read().unwrap_or(Asked::Nothing))
}

/// Number of the operations of all threads so far.
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// Whether an operation, the `now`-th, is to have a fault that is due at the `at`-th.
fn is_due((fault, at): (Fault, usize), operation: Operation, now: usize) -> bool {
    let is_reached = match fault {
        Fault::Full => now >= at,
        _ => now == at,
    };
    is_reached && fault.fits(operation)
}

/// Notes an operation, and returns the fault that it is to have.
pub(super) fn next(operation: Operation, path: &Path, bytes: usize) -> Option<Fault> {
    let here = INJECTION.with_borrow_mut(|injection| {
        let injection = injection.as_mut()?;
        let now = injection.begun.len();
        injection.begun.push(Begun {
            operation,
            path: path.into(),
            bytes,
        });
        let due = |fault: &(Fault, usize)| is_due(*fault, operation, now);
        Some(injection.fault.filter(due).map(|(fault, _)| fault))
    });
    if let Some(fault) = here {
        return fault;
    }
    match asked() {
        Asked::Nothing => None,
        Asked::List => {
            eprintln!("operation {operation:?} {}", path.display());
            None
        }
        Asked::Fault(fault, at) => {
            let now = COUNT.fetch_add(1, Ordering::SeqCst);
            is_due((fault, at), operation, now).then_some(fault)
        }
    }
}

/// Notes an operation other than a write, and fails where it is to fail.
pub(super) fn before(operation: Operation, path: &Path) -> std::io::Result<()> {
    match next(operation, path, 0) {
        None => Ok(()),
        Some(Fault::End) => std::process::exit(ENDED),
        Some(fault) => Err(fault.error()),
    }
}
