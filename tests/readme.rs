//! The README's scripts run, its commands exist, and its tables name every script and every option.
//!
//! Its Rust is a doc test of the library.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use assert_cmd::Command;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(name: &str) -> String {
    let path = root().join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The fenced blocks of a language: line of the fence, text.
fn blocks(markdown: &str, language: &str) -> Vec<(usize, String)> {
    let mut blocks = vec![];
    let mut open: Option<(usize, bool, String)> = None;
    for (i, line) in markdown.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(name)) => open = Some((i + 1, name.trim() == language, String::new())),
            (None, None) => {}
            (Some(_), Some(_)) => {
                if let Some((line, true, text)) = open.take() {
                    blocks.push((line, text));
                }
            }
            (Some((_, _, text)), None) => text.push_str(&format!("{line}\n")),
        }
    }
    assert!(open.is_none(), "a fence is not closed");
    blocks
}

/// What stands between backquotes in the text, fenced blocks left out.
fn spans(markdown: &str) -> Vec<String> {
    let mut fenced = false;
    let mut spans = vec![];
    for line in markdown.lines() {
        if line.starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            spans.extend(line.split('`').skip(1).step_by(2).map(String::from));
        }
    }
    spans
}

/// Every command of the README, as words; quotes keep words together, and a comment ends the line.
fn commands() -> Vec<Vec<String>> {
    let readme = read("README.md");
    let fenced = blocks(&readme, "sh")
        .into_iter()
        .flat_map(|(_, text)| text.lines().map(String::from).collect::<Vec<_>>());
    let inline = spans(&readme).into_iter().filter(|span| {
        ["odesync ", "make ", "cargo "]
            .iter()
            .any(|p| span.starts_with(p))
    });
    fenced
        .chain(inline)
        .map(|line| {
            let (mut words, mut word, mut quoted) = (vec![], String::new(), false);
            for c in line.chars().chain([' ']) {
                match c {
                    '\'' => quoted = !quoted,
                    ' ' if !quoted => {
                        words.extend(Some(std::mem::take(&mut word)).filter(|w| !w.is_empty()))
                    }
                    c => word.push(c),
                }
            }
            assert!(!quoted, "an open quote in {line}");
            let end = words
                .iter()
                .position(|w| w.starts_with('#'))
                .unwrap_or(words.len());
            words.truncate(end);
            words
        })
        .filter(|words| !words.is_empty())
        .collect()
}

fn odesync(args: &[&str], folder: &Path) -> std::process::Output {
    let mut command = Command::cargo_bin("odesync").unwrap();
    command.args(args).current_dir(folder).output().unwrap()
}

#[test]
fn every_script_of_the_readme_runs() {
    let scripts = blocks(&read("README.md"), "rhai");
    assert!(scripts.len() > 10, "{} blocks", scripts.len());
    for (line, text) in scripts {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.rhai"), text).unwrap();
        let output = odesync(&["--quiet", "run", "a.rhai"], folder.path());
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "README.md, the script under line {line}:\n{errors}"
        );
        assert_eq!(errors, "", "README.md, the script under line {line}");
    }
}

#[test]
fn every_command_of_the_readme_exists() {
    let makefile = read("Makefile");
    let commands = commands();
    assert!(commands.len() > 15, "{} commands", commands.len());
    for words in &commands {
        let shown = words.join(" ");
        let rest: Vec<&str> = words[1..].iter().map(String::as_str).collect();
        match words[0].as_str() {
            "make" => {
                for target in rest.iter().filter(|w| !w.contains('=')) {
                    let rule = format!("{target}:");
                    assert!(
                        makefile.lines().any(|l| l.starts_with(&rule)),
                        "{shown}: no such target"
                    );
                }
            }
            "cargo" => {
                assert!(
                    ["run", "build", "doc", "install", "bench"].contains(&rest[0]),
                    "{shown}"
                );
                if let Some(i) = rest.iter().position(|w| *w == "--") {
                    check_odesync(&rest[i + 1..], &shown);
                }
            }
            "odesync" => check_odesync(&rest, &shown),
            _ => panic!("{shown}: only make, cargo and odesync are known here"),
        }
    }
}

/// That the command and the script exist and the script declares the arguments; `eval` is run.
fn check_odesync(words: &[&str], shown: &str) {
    let start = words.iter().position(|w| {
        [
            "run",
            "eval",
            "help",
            "doctor",
            "docs",
            "compare",
            "completions",
        ]
        .contains(w)
    });
    let start = start.unwrap_or_else(|| panic!("{shown}: no known command"));
    let flags = [&words[..start], &["help", words[start]]].concat();
    let help = odesync(&flags, root());
    assert!(
        help.status.success(),
        "{shown}: {}",
        String::from_utf8_lossy(&help.stderr)
    );
    match (words[start], &words[start + 1..]) {
        ("eval", code) => {
            let output = odesync(&[&["eval"], code].concat(), root());
            assert!(
                output.status.success(),
                "{shown}: {}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
        ("run", [script, args @ ..]) if script.starts_with("scripts/") => {
            let text = read(script);
            // Overrides of a configuration have tests of their own.
            if text.contains("config(") {
                return;
            }
            let declared = text
                .split("args(#{")
                .nth(1)
                .and_then(|t| t.split("})").next())
                .unwrap_or("");
            for arg in args {
                let key = arg.split('=').next().unwrap();
                let known = declared
                    .split([' ', ',', '{'])
                    .any(|w| w == format!("{key}:"));
                assert!(known, "{shown}: {script} takes no {key}");
            }
        }
        _ => {}
    }
}

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
    let output = odesync(&["eval", &call.replace("OPTIONS", "#{ zzz: 1 }")], root());
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
