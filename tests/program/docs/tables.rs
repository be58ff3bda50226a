//! Tests that the book's tables name every script, every method and every option.

use std::collections::BTreeSet;
use std::path::PathBuf;

use odesync::odesolve::solvers;
use odesync::script::{Key, Session, SessionOptions, distinct, reference};

use super::markdown::spans;
use super::{odesync, read, root};

const SCRIPTS: &str = "docs/src/scripts.md";
const METHODS: &str = "docs/src/guides/solvers.md";
const ODE: &str = "crates/ode/README.md";
const LANGUAGE: &str = "docs/src/language.md";
const DATA: &str = "docs/src/guides/data.md";

#[test]
fn every_script_is_in_the_table() {
    let page = read(SCRIPTS);
    let mut scripts: Vec<PathBuf> = std::fs::read_dir(root().join("scripts"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    scripts.retain(|path| path.extension().is_some_and(|e| e == "rhai"));
    assert!(!scripts.is_empty());
    for script in scripts {
        let name = script.file_name().unwrap().to_str().unwrap();
        assert!(
            page.contains(&format!("| `{name}` |")),
            "the table of {SCRIPTS} lacks {name}"
        );
    }
}

/// Returns the code spans in one column of the table that follows a text.
fn column(page: &str, before: &str, column: usize) -> BTreeSet<String> {
    let from = page
        .find(before)
        .unwrap_or_else(|| panic!("no \"{before}\""));
    let rows = page[from..].lines().skip_while(|l| !l.starts_with('|'));
    rows.take_while(|l| l.starts_with('|'))
        .filter_map(|row| row.split('|').nth(column))
        .flat_map(spans)
        .collect()
}

#[test]
fn every_method_is_in_the_table() {
    for (page, heading, column_index) in [(METHODS, "## Which method", 2), (ODE, "## Methods", 1)] {
        let named = column(&read(page), heading, column_index);
        for method in solvers::NAMES {
            assert!(named.contains(method), "the table of {page} lacks {method}");
        }
    }
}

/// Returns the options of a call, as its error message lists them.
fn known_options(call: &str) -> BTreeSet<String> {
    let output = odesync(
        &["eval", &call.replace("OPTIONS", "#{ zzz: 1 }")],
        root(),
        "",
    );
    let errors = String::from_utf8(output.stderr).unwrap();
    let list = errors
        .lines()
        .next()
        .and_then(|line| line.split("known: ").nth(1));
    let list = list.unwrap_or_else(|| panic!("{call}: {errors}"));
    list.split(", ").map(String::from).collect()
}

/// Returns the page with the table after a text replaced by one of these options.
fn with_table(page: &str, before: &str, options: &[&Key]) -> String {
    let start = page
        .find(before)
        .unwrap_or_else(|| panic!("no \"{before}\""));
    let head = "| option | default | meaning |\n|---|---|---|\n";
    let at = start + page[start..].find(head).expect("the head of a table") + head.len();
    let old = page[at..].lines().take_while(|line| line.starts_with('|'));
    let end = at + old.map(|line| line.len() + 1).sum::<usize>();
    let rows: String = reference::option_rows(options)
        .iter()
        .map(|row| format!("{row}\n"))
        .collect();
    format!("{}{rows}{}", &page[..at], &page[end..])
}

/// `INSTA_UPDATE=always` writes the tables anew.
#[test]
fn the_tables_of_options_are_up_to_date() {
    let session = Session::new(SessionOptions {
        quiet: true,
        ..SessionOptions::default()
    });
    let docs = session.unwrap().docs();
    let options = |name: &str| {
        let doc = docs.iter().find(|doc| doc.name == name).unwrap();
        distinct([doc.options])
    };
    let (solve, mut train) = (options("solve"), options("train"));
    train.retain(|key| solve.iter().all(|other| other.name != key.name));
    for key in solve.iter().chain(&train) {
        assert!(!key.meaning().is_empty(), "{} has no description", key.name);
    }
    let page = read(LANGUAGE);
    let renewed = with_table(&page, "Of `train` (", &train);
    let renewed = with_table(&renewed, "Of `solve`, of", &solve);
    if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        return std::fs::write(root().join(LANGUAGE), &renewed).unwrap();
    }
    assert!(
        page == renewed,
        "the tables of options in {LANGUAGE} are not what the declarations say; INSTA_UPDATE=always writes them anew"
    );
}

#[test]
fn every_option_is_described() {
    for (page, call) in [
        (LANGUAGE, "homotopy(#{ coupling: 1 } + OPTIONS)"),
        (LANGUAGE, "multiple_shooting(OPTIONS)"),
        (
            LANGUAGE,
            "loss_and_gradient(blackbox([2, 2, 2]), dataset(lotka_volterra(), [1, 1], [0, 1]), vanilla(), OPTIONS)",
        ),
        (DATA, "read_csv(\"x\", OPTIONS)"),
        (DATA, "read_table(\"x\", OPTIONS)"),
        (DATA, "read_schmidt_lipson(\"x\", OPTIONS)"),
        (
            DATA,
            "lotka_volterra().dataset([1, 1], [0, 1]).add_noise(0.1, OPTIONS)",
        ),
        (LANGUAGE, "figure(OPTIONS)"),
        (LANGUAGE, "figure().line([0, 1], [0, 1], OPTIONS)"),
    ] {
        let text = read(page);
        let words: BTreeSet<&str> = text
            .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
            .collect();
        for option in known_options(call) {
            assert!(
                words.contains(option.as_str()),
                "{call}: {page} lacks \"{option}\""
            );
        }
    }
}
