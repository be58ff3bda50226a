//! Tests that every command of every page exists.

use super::markdown::{blocks, spans};
use super::{everything, odesync, read, root};

const COMMANDS: [&str; 12] = [
    "run",
    "eval",
    "help",
    "doctor",
    "docs",
    "compare",
    "export",
    "report",
    "completions",
    "kernel",
    "multirun",
    "log",
];

/// Returns every command as words; quotes keep words together, and a comment ends the line.
fn commands() -> Vec<Vec<String>> {
    let mut lines = vec![];
    for page in everything() {
        let markdown = read(page);
        let fenced = blocks(&markdown).into_iter().filter(|b| b.language == "sh");
        lines.extend(fenced.flat_map(|b| b.text.lines().map(String::from).collect::<Vec<_>>()));
        let known = ["odesync ", "make ", "cargo "];
        let inline = spans(&markdown).into_iter();
        lines.extend(inline.filter(|span| known.iter().any(|p| span.starts_with(p))));
    }
    let words = lines.iter().map(|line| words(line));
    words.filter(|words| !words.is_empty()).collect()
}

fn words(line: &str) -> Vec<String> {
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
    let end = words.iter().position(|w| w.starts_with('#'));
    words.truncate(end.unwrap_or(words.len()));
    words
}

#[test]
fn every_command_exists() {
    let makefile = read("Makefile");
    let commands = commands();
    assert!(commands.len() > 30, "{} commands", commands.len());
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
                    ["run", "build", "doc", "install", "bench", "test"].contains(&rest[0]),
                    "{shown}"
                );
                check_target(&rest, &shown);
                if rest[0] == "run"
                    && !rest.contains(&"--example")
                    && let Some(i) = rest.iter().position(|w| *w == "--")
                {
                    check_odesync(&rest[i + 1..], &shown);
                }
            }
            "odesync" => check_odesync(&rest, &shown),
            "pip" => assert!(
                rest[0] == "install" && rest[1].starts_with("dist/odesync-"),
                "{shown}: only the package in dist/ is installed by pip"
            ),
            "jupyter" => assert!(["lab", "nbconvert"].contains(&rest[0]), "{shown}"),
            "papermill" => assert!(rest.iter().any(|w| w.ends_with(".ipynb")), "{shown}"),
            _ => panic!(
                "{shown}: only make, cargo, odesync, pip, jupyter and papermill are known here"
            ),
        }
    }
}

/// Checks that the test, benchmark or example that a cargo command names exists.
fn check_target(words: &[&str], shown: &str) {
    let after = |flag: &str| {
        let i = words.iter().position(|w| *w == flag)?;
        words.get(i + 1).copied()
    };
    let package = match after("-p").or(after("--package")) {
        Some(name) if name != "odesync" => format!("crates/{}/", name.replace("odesync-", "")),
        _ => String::new(),
    };
    for (flag, folder) in [
        ("--test", "tests"),
        ("--bench", "benches"),
        ("--example", "examples"),
    ] {
        let Some(name) = after(flag) else { continue };
        let there = |file: String| root().join(file).exists();
        assert!(
            there(format!("{package}{folder}/{name}.rs"))
                || there(format!("{package}{folder}/{name}/main.rs")),
            "{shown}: there is no {flag} {name}"
        );
    }
}

/// Checks that the command and the script exist and the script declares the arguments; `eval` is run.
fn check_odesync(words: &[&str], shown: &str) {
    let Some(start) = words.iter().position(|w| COMMANDS.contains(w)) else {
        // No command: the REPL.
        let flags = [words, &["--help"]].concat();
        assert!(odesync(&flags, root(), "").status.success(), "{shown}");
        return;
    };
    let flags = [&words[..start], &["help", words[start]]].concat();
    let help = odesync(&flags, root(), "");
    assert!(
        help.status.success(),
        "{shown}: {}",
        String::from_utf8_lossy(&help.stderr)
    );
    match (words[start], &words[start + 1..]) {
        ("eval", code) => {
            let output = odesync(&[&["eval"], code].concat(), root(), "");
            assert!(
                output.status.success(),
                "{shown}: {}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
        ("run", [script, args @ ..]) if script.contains('/') => {
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
