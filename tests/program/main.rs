//! Tests of the program as users run it: commands, the REPL, experiments, runs that are killed, the documentation's examples.

mod access;
mod cli;
mod cli_tools;
mod discover;
mod docs;
mod experiments;
mod exports;
#[cfg(debug_assertions)]
mod faults;
mod interrupts;
mod killed;
mod kills;
mod launchers;
mod limits;
mod memory;
mod paths;
mod pictures;
mod repl;
mod snapshots;
mod studies;
mod tracking;
