//! Tests that the book's tables name every script, every method and every option.

use std::collections::BTreeSet;
use std::path::PathBuf;

use odesync::odesolve::solvers;

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

#[test]
fn every_option_is_described() {
    let language = read(LANGUAGE);
    let table = |before: &str| column(&language, before, 1);
    let train =
        "train(blackbox([2, 2, 2]), dataset(lorenz(), [1, 1, 1], [0, 1]), vanilla(), OPTIONS)";
    let solve = known_options("solve(lorenz(), [1, 1, 1], [0, 1], OPTIONS)");
    assert_eq!(table("Of `solve`"), solve);
    let own = &known_options(train) - &solve;
    assert_eq!(table("Of `train`"), own);
    for (page, call) in [
        (LANGUAGE, "homotopy(#{ coupling: 1 } + OPTIONS)"),
        (LANGUAGE, "multiple_shooting(OPTIONS)"),
        (
            LANGUAGE,
            "loss_and_gradient(blackbox([2, 2, 2]), dataset(lotka_volterra(), [1, 1], [0, 1]), vanilla(), OPTIONS)",
        ),
        (DATA, "read_csv(\"x\", OPTIONS)"),
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
