//! Tests of the program as users run it: commands, the REPL, experiments, runs that are killed, the documentation's examples.

mod cli;
mod cli_tools;
mod discover;
mod docs;
mod experiments;
mod killed;
mod kills;
mod launchers;
mod pictures;
mod repl;
mod snapshots;
mod tracking;
