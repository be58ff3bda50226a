//! Snapshot tests, in `snapshots/`, of help pages, the pages of `odesync docs`, and the messages of wrong calls.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use odesync::prelude::vanilla;
use portable_pty::{CommandBuilder, PtySize, native_pty_system};

use super::cli_tools::trained;

/// Environment variables that are unset, so that the program's output is the same everywhere.
const UNSET: [&str; 6] = [
    "CLICOLOR_FORCE",
    "ODESYNC_GRAPHICS",
    "ODESYNC_ISA",
    "RUST_BACKTRACE",
    "TERM_PROGRAM",
    "TMUX",
];

/// Runs a call in a folder; returns the command line, what it printed to either stream, and the exit code.
fn call(folder: &Path, args: &[&str], input: &str) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_odesync"));
    command.args(args).current_dir(folder).env("NO_COLOR", "1");
    for name in UNSET {
        command.env_remove(name);
    }
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Fails if a program that reads no input has already ended.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();

    let quoted = |arg: &&str| match arg.contains([' ', '(', '[', '{', '<', '"']) {
        true => format!("'{arg}'"),
        false => arg.to_string(),
    };
    let line: Vec<String> = args.iter().map(quoted).collect();
    let mut page = format!("$ odesync {}", line.join(" "))
        .trim_end()
        .to_string();
    for line in input.lines() {
        page += format!("\n< {line}").trim_end();
    }
    page += "\n";
    for (stream, bytes) in [("output", output.stdout), ("error", output.stderr)] {
        let text = String::from_utf8(bytes).unwrap();
        if !text.is_empty() {
            page += &format!("── standard {stream}\n{text}");
        }
    }
    page += &format!("── exit code {}\n\n", output.status.code().unwrap());
    page
}

/// Returns what the program writes at a terminal of a hundred columns.
fn at_a_terminal(args: &[&str]) -> String {
    let size = PtySize {
        rows: 40,
        cols: 100,
        ..PtySize::default()
    };
    let pair = native_pty_system().openpty(size).unwrap();
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_odesync"));
    command.args(args);
    command.env("TERM", "xterm");
    command.env("NO_COLOR", "1");
    for name in UNSET {
        command.env_remove(name);
    }
    let mut child = pair.slave.spawn_command(command).unwrap();
    drop(pair.slave);
    let mut bytes = Vec::new();
    // On some systems reading from a terminal whose program has ended is an error.
    let _ = pair
        .master
        .try_clone_reader()
        .unwrap()
        .read_to_end(&mut bytes);
    assert!(child.wait().unwrap().success(), "{args:?}");
    String::from_utf8(bytes).unwrap().replace("\r\n", "\n")
}

#[track_caller]
fn is_kept_as(name: &str, text: String) {
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!(name, text);
    });
}

/// A snapshot page of calls that fail, one after the other in one folder.
struct Page {
    text: String,
    folder: tempfile::TempDir,
}

impl Page {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        Self {
            text: String::new(),
            folder,
        }
    }

    fn calls(&mut self, calls: &[&[&str]]) -> &mut Self {
        for args in calls {
            self.text += &call(self.folder.path(), args, "");
        }
        self
    }
}

#[test]
fn help_of_the_program_and_of_every_command() {
    let help = at_a_terminal(&["--help"]);
    let commands = help.split("Commands:\n").nth(1).unwrap();
    let commands = commands.split("\n\n").next().unwrap();
    let commands: Vec<&str> = commands
        .lines()
        .map(|line| line.split_whitespace().next().unwrap())
        .filter(|command| *command != "help")
        .collect();
    assert!(commands.contains(&"run"), "{help}");
    for command in commands {
        let page = at_a_terminal(&[command, "--help"]);
        is_kept_as(&format!("help_{command}"), page);
    }
    is_kept_as("help", help);
}

#[test]
fn pages_of_docs() {
    is_kept_as("docs", at_a_terminal(&["docs"]));
    for name in ["solve", "train", "training"] {
        is_kept_as(&format!("docs_{name}"), at_a_terminal(&["docs", name]));
    }
}

#[test]
fn wrong_calls() {
    let mut page = Page::new(&[
        ("plain.rhai", "print(1)"),
        (
            "arguments.rhai",
            "let opt = args(#{ epochs: 600, lr: 0.05, file: () });",
        ),
        (
            "experiment.rhai",
            "let e = experiment(config(\"lotka_volterra\"));\ne.run();\n",
        ),
        ("broken.yaml", "a: [1\nb: 2\n"),
    ]);
    page.calls(&[
        // Commands and flags.
        &["bogus"],
        &["rnu", "plain.rhai"],
        &["plain.rhai"],
        &["--bogus"],
        &["run", "plain.rhai", "--qiet"],
        &["eval"],
        &["run"],
        &["--threads", "0", "eval", "1"],
        &["--threads", "many", "eval", "1"],
        &["--memory", "-1", "eval", "1"],
        &["--memory", "lots", "eval", "1"],
        &["--device", "gpu", "eval", "1"],
        &["--device", "cuda:-1", "doctor"],
        // Scripts and their arguments.
        &["run", "no/such/file.rhai"],
        &["run", "plain.rhai", "epochs"],
        &["run", "plain.rhai", "=3"],
        &["run", "plain.rhai", "epochs=3"],
        &["run", "arguments.rhai", "epohcs=3"],
        &["run", "arguments.rhai", "epochs=many"],
        &["run", "plain.rhai", "--out", "a", "--resume", "b"],
        &["run", "plain.rhai", "--print-config", "-m"],
        // Configurations and runs.
        &["run", "experiment.rhai", "odesolve.method=rk4"],
        &["run", "experiment.rhai", "training=hommotopy"],
        &["run", "experiment.rhai", "training.lrr=0.1"],
        &["run", "experiment.rhai", "--config", "no/such.yaml"],
        &["run", "experiment.rhai", "--config", "broken.yaml"],
        &["run", "experiment.rhai", "--resume", "nowhere"],
        // Documentation and completions.
        &["docs", "smothing_spline"],
        &["docs", "spline"],
        &["docs", "zzz"],
        &["docs", "--markdown", "arange"],
        &["completions", "tcsh"],
    ]);
    page.text += &call(page.folder.path(), &[], ":zzz");
    assert!(
        !page.folder.path().join("runs").exists(),
        "nothing was begun"
    );
    is_kept_as("wrong_calls", page.text);
}

#[test]
fn runs_that_cannot_be_compared() {
    let mut page = Page::new(&[
        ("empty/notes.txt", ""),
        ("begun/config.yaml", "a: 1\n"),
        ("result/result.json", "[1, 2]"),
        ("config/config.yaml", "a: [1\nb: 2\n"),
    ]);
    for run in ["run", "result", "config", "cut"] {
        trained(&page.folder.path().join(run), vanilla(), 1, 2);
    }
    let last = page.folder.path().join("cut/last.safetensors");
    let bytes = std::fs::read(&last).unwrap();
    std::fs::write(&last, &bytes[..bytes.len() / 2]).unwrap();
    page.calls(&[
        &["compare"],
        &["compare", "no/such/run"],
        &["compare", "empty"],
        &["compare", "begun"],
        &["compare", "begun/config.yaml"],
        &["compare", "run", "--out", "curves.bmp"],
        &["compare", "result"],
        &["compare", "config"],
        &["compare", "cut"],
    ]);
    is_kept_as("runs_that_cannot_be_compared", page.text);
}

#[test]
fn scripts_that_fail() {
    let mut page = Page::new(&[
        (
            "calls.rhai",
            "fn inner(x) {\n    zeros([2]) + x\n}\nfn outer(x) { inner(x) }\n\
             print(\"before\");\n[arange(3)].map(|x| outer(x));\n",
        ),
        ("hint.rhai", "let x = [1, 2];\nlet y = mean(\"x\");\n"),
        ("syntax.rhai", "let x = (1 +\n"),
        ("throws.rhai", "throw \"too bad\";\n"),
    ]);
    page.calls(&[
        &["eval", "print(1); mean([])"],
        &["eval", "let long = [1, 2, 3, 4, 5, 6, 7, 8, 9]; let longer = [long, long, long, long, long, long, long]; \
             unknown_name + long.len() + longer.len() + 1 + 2 + 3 + 4 + 5 + 6 + 7 + 8 + 9 + 10"],
        &["run", "calls.rhai"],
        &["run", "hint.rhai"],
        &["run", "syntax.rhai"],
        &["run", "throws.rhai"],
    ]);
    page.text += &call(page.folder.path(), &[], "1\n\nnope()\n2\n");
    is_kept_as("scripts_that_fail", page.text);
}
