//! Tests that every script of every page runs.
//!
//! | fence | what the test does |
//! |---|---|
//! | `rhai` | runs it: exit code 0 and nothing on standard error |
//! | `rhai,fails` | runs it: exit code 1 or 2, and the message is that of the heading above, where … matches any text |
//! | `repl` | types it at the prompt |
//! | any, under `<!-- file: NAME -->` | writes it to that file |
//!
//! `<!-- run with: KEY=VALUE … -->` above a script sets arguments that make it short. The blocks of a page run in their order in
//! one folder, with the shipped scripts and configurations.

use std::path::Path;

use super::markdown::{Block, blocks, spans};
use super::{everything, odesync, read, root};

/// The generated page of functions, whose examples are run by `crates/script/tests/examples.rs`.
const GENERATED: &str = "docs/src/functions.md";

#[test]
fn every_script_of_every_page_runs() {
    let pages = everything();
    let counts: Vec<usize> = std::thread::scope(|scope| {
        let pages = pages.iter().filter(|page| !page.ends_with(GENERATED));
        let running: Vec<_> = pages.map(|page| scope.spawn(|| run(page))).collect();
        let finished = running.into_iter().map(|page| page.join());
        finished
            .map(|count| count.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    });
    let all: usize = counts.iter().sum();
    assert!(all > 40, "{all} scripts");
}

/// Runs the scripts of a page; returns their number.
fn run(page: &Path) -> usize {
    let folder = tempfile::tempdir().unwrap();
    for shipped in ["scripts", "configs"] {
        std::os::unix::fs::symlink(root().join(shipped), folder.path().join(shipped)).unwrap();
    }
    let mut count = 0;
    for block in blocks(&read(page)) {
        let location = format!("{}, line {}", page.display(), block.line);
        let note = block.note.as_deref().unwrap_or_default();
        if let Some(name) = note.strip_prefix("file: ") {
            std::fs::write(folder.path().join(name), &block.text).unwrap();
            continue;
        }
        match block.language.as_str() {
            "rhai" => runs(&block, folder.path(), &location),
            "rhai,fails" => fails(&block, folder.path(), &location),
            "repl" => {
                let output = odesync(&["--quiet"], folder.path(), &block.text);
                let errors = String::from_utf8_lossy(&output.stderr);
                assert!(output.status.success(), "{location}:\n{errors}");
            }
            "python" => python_names_exist(&block, &location),
            "rust" | "sh" | "text" | "yaml" | "bibtex" => continue,
            other => panic!("{location}: nobody knows how to check {other:?}"),
        }
        count += 1;
    }
    count
}

/// Checks that the Python module has what a snippet takes from it. `make wheel-test` runs the module itself.
fn python_names_exist(block: &Block, location: &str) {
    let module = read(Path::new("python/odesync/__init__.py"));
    let names = module.lines().find(|line| line.starts_with("__all__"));
    let names = names.unwrap_or_else(|| panic!("the module has no __all__"));
    let mut found = 0;
    for (at, called) in block.text.match_indices("odesync.") {
        let rest = &block.text[at + called.len()..];
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_'));
        let name = &rest[..end.unwrap_or(rest.len())];
        assert!(
            names.contains(&format!("\"{name}\"")),
            "{location}: the module has no {name}"
        );
        found += 1;
    }
    assert!(found > 0, "{location}: nothing of the module");
}

fn script(block: &Block, folder: &Path) -> std::process::Output {
    std::fs::write(folder.join("a.rhai"), &block.text).unwrap();
    let note = block.note.as_deref().unwrap_or_default();
    let given = note.strip_prefix("run with: ").unwrap_or_default();
    // What is shipped is there as links, and lies elsewhere.
    let shipped = format!("--allow-read={}", root().display());
    let args = ["--quiet", &shipped, "run", "a.rhai"].into_iter();
    let args: Vec<&str> = args.chain(given.split_whitespace()).collect();
    odesync(&args, folder, "")
}

fn runs(block: &Block, folder: &Path, location: &str) {
    let output = script(block, folder);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{location}:\n{errors}");
    assert_eq!(errors, "", "{location}");
}

fn fails(block: &Block, folder: &Path, location: &str) {
    let output = script(block, folder);
    let errors = String::from_utf8_lossy(&output.stderr);
    // 2 is a usage error, such as a name that does not exist.
    let code = output.status.code();
    assert!(
        matches!(code, Some(1 | 2)),
        "{location}: {code:?}\n{errors}"
    );
    // The last code span, since a heading may have several.
    let heading = spans(&block.heading);
    let message = heading
        .last()
        .unwrap_or_else(|| panic!("{location}: no message in the heading"));
    let mut rest: &str = &errors;
    for part in message.split('…').map(str::trim) {
        let at = rest.find(part);
        let at = at.unwrap_or_else(|| panic!("{location}: not \"{message}\" but\n{errors}"));
        rest = &rest[at + part.len()..];
    }
}
