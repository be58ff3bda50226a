//! Tests of the README and the book (`docs/`): their scripts run, their commands and links exist, and their tables are complete.
//!
//! | file | contents |
//! |---|---|
//! | `markdown` | a reader of pages: fenced blocks, code spans, links |
//! | `snippets` | every script of every page runs, or fails with the message that it demonstrates |
//! | `commands` | every command exists |
//! | `tables` | the book's tables name every script, every method and every option |
//! | `book` | every page is in the summary, every link leads somewhere, the page of functions is up to date |
//!
//! Rust code of the pages is run as doc tests of the library.

mod book;
mod commands;
mod markdown;
mod snippets;
mod tables;

use std::path::{Path, PathBuf};
use std::process::Output;

use assert_cmd::Command;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Returns the book's pages, including its summary, relative to the checkout, in alphabetical order.
fn pages() -> Vec<PathBuf> {
    let mut pages = vec![];
    let mut folders = vec![root().join("docs/src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "md") {
                pages.push(path.strip_prefix(root()).unwrap().to_path_buf());
            }
        }
    }
    pages.sort();
    pages
}

/// Returns the README and the book's pages.
fn everything() -> Vec<PathBuf> {
    [vec![PathBuf::from("README.md")], pages()].concat()
}

fn odesync(args: &[&str], folder: &Path, input: &str) -> Output {
    let mut command = Command::cargo_bin("odesync").unwrap();
    command.args(args).current_dir(folder).write_stdin(input);
    command.output().unwrap()
}
