//! The program; see [`odesync::cli`].

use std::alloc::System;
use std::process::ExitCode;

/// The global allocator, which counts allocated memory, so that a script that needs too much ends with an error.
#[global_allocator]
static ALLOCATOR: cap::Cap<System> = cap::Cap::new(System, usize::MAX);

fn main() -> ExitCode {
    odesync::script::memory::install_gauge(|| ALLOCATOR.allocated());
    odesync::cli::main()
}
