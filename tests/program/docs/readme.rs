//! The README's tables name every script and every option.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::markdown::spans;
use super::{odesync, read, root};

#[test]
fn every_script_is_in_the_table() {
    let readme = read("README.md");
    let mut scripts: Vec<PathBuf> = std::fs::read_dir(root().join("scripts"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    scripts.retain(|path| path.extension().is_some_and(|e| e == "rhai"));
    assert!(!scripts.is_empty());
    for script in scripts {
        let name = script.file_name().unwrap().to_str().unwrap();
        assert!(
            readme.contains(&format!("| `{name}` |")),
            "the README's table lacks {name}"
        );
    }
}

/// The options that a call knows, as its own error lists them.
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
    let readme = read("README.md");
    let words: BTreeSet<&str> = readme
        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .collect();
    let table = |header: &str| -> BTreeSet<String> {
        let from = readme
            .find(header)
            .unwrap_or_else(|| panic!("no \"{header}\""));
        let rows = readme[from..].lines().skip_while(|l| !l.starts_with('|'));
        rows.take_while(|l| l.starts_with('|'))
            .filter_map(|row| row.split('|').nth(1))
            .flat_map(spans)
            .collect()
    };
    let train =
        "train(blackbox([2, 2, 2]), dataset(lorenz(), [1, 1, 1], [0, 1]), vanilla(), OPTIONS)";
    let solve = known_options("solve(lorenz(), [1, 1, 1], [0, 1], OPTIONS)");
    assert_eq!(table("Of `solve`"), solve);
    let own = &known_options(train) - &solve;
    assert_eq!(table("Of `train`"), own);
    for call in [
        "homotopy(#{ coupling: 1 } + OPTIONS)",
        "multiple_shooting(OPTIONS)",
        "loss_and_gradient(blackbox([2, 2, 2]), dataset(lotka_volterra(), [1, 1], [0, 1]), vanilla(), OPTIONS)",
        "read_csv(\"x\", OPTIONS)",
        "read_schmidt_lipson(\"x\", OPTIONS)",
        "lotka_volterra().dataset([1, 1], [0, 1]).add_noise(0.1, OPTIONS)",
        "figure(OPTIONS)",
        "figure().line([0, 1], [0, 1], OPTIONS)",
    ] {
        for option in known_options(call) {
            assert!(
                words.contains(option.as_str()),
                "{call}: the README lacks \"{option}\""
            );
        }
    }
}
