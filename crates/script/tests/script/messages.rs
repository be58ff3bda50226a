//! Tests of a session's complete error messages: each page has a theme, and its codes with their errors are snapshots in
//! `snapshots/`.
//!
//! For every error, a page also checks that it names the line it happened in, that it contains no internal text, and that the
//! session is usable after it.

mod arrays;
mod data;
mod experiments;
mod expressions;
mod fields;
mod figures;
mod landscapes;
mod options;
mod solving;
mod training;

use std::path::Path;

use odesync_script::experiments::RunDir;
use odesync_script::script::{Output, RunPlan, Session, SessionOptions};

/// Code that defines short data and a network for them.
const DATA: &str = "let data = dataset(lotka_volterra(), [1, 1], arange(0, 1, 0.1)); let model = blackbox([2, 4, 2]);";

/// A page of snapshots with one theme: codes and the messages of the session. Files that a code reads or writes are in a folder
/// of the page, which scripts know as `folder` and the page shows as FOLDER.
struct Page {
    before: String,
    text: String,
    /// Codes that unexpectedly did not fail.
    accepted: Vec<String>,
    folder: tempfile::TempDir,
}

impl Page {
    fn new() -> Self {
        Self {
            before: String::new(),
            text: String::new(),
            accepted: Vec::new(),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// Writes a file into the page's folder.
    fn file(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    /// Sets the code that runs before each of the following codes, in place of the previous one.
    fn before(&mut self, code: &str) -> &mut Self {
        self.before = code.into();
        self.text += &format!(
            "═══ after {}\n\n",
            if code.is_empty() { "nothing" } else { code }
        );
        self
    }

    /// Adds codes that fail, each with its complete error as the session shows it, and with the program's exit code where it is
    /// not 1.
    fn fail(&mut self, codes: &[&str]) -> &mut Self {
        for code in codes {
            self.fails_with(&[], code);
        }
        self
    }

    /// Adds a code that fails when the script is called with arguments.
    fn fails_with(&mut self, arguments: &[&str], code: &str) {
        let mut session = self.session(arguments);
        session
            .eval(&self.before, Some(Path::new("before.rhai")))
            .unwrap_or_else(|error| panic!("{}: {error}", self.before));
        let outcome = session.eval(code, Some(Path::new("a.rhai")));
        let error = match outcome {
            Err(error) => error,
            Ok(outcome) => {
                self.accepted.push(format!("{code}: {}", outcome.text));
                return;
            }
        };
        let message = error.to_string();
        let code_of_exit = error.exit_code();
        let location = error.location;
        let location = location.unwrap_or_else(|| panic!("no place in:\n{message}"));
        assert!(location.line >= 1 && location.text.is_some(), "{message}");
        for internal in ["Runtime error", "panicked", "getter", "Fn("] {
            assert!(!message.contains(internal), "{message}");
        }
        let after = session.eval("1 + 1", None).unwrap().text;
        assert_eq!(after, "2", "the session goes on after {code}");
        if !arguments.is_empty() {
            self.text += &format!("$ {}\n", arguments.join(" "));
        }
        for line in code.lines() {
            self.text += &format!("> {}\n", line.trim_end());
        }
        self.text += &format!("{message}\n");
        if code_of_exit != 1 {
            self.text += &format!("exit code {code_of_exit}\n");
        }
        self.text.push('\n');
    }

    fn session(&self, arguments: &[&str]) -> Session {
        let mut session = Session::new(SessionOptions {
            quiet: true,
            output: Output::captured().0,
            memory_limit: Some(1 << 30),
            arguments: arguments.iter().map(|a| (*a).into()).collect(),
            runs: RunPlan {
                run_dir: RunDir::At(self.folder.path().join("runs/here")),
                ..RunPlan::default()
            },
            ..SessionOptions::default()
        })
        .unwrap();
        let fixtures = odesync_testing::repository().join("tests/fixtures");
        for (name, path) in [("folder", self.folder.path()), ("fixtures", &fixtures)] {
            session
                .eval(&format!("const {name} = {path:?};"), None)
                .unwrap();
        }
        session
    }

    /// Asserts that the page equals the snapshot of this name.
    #[track_caller]
    fn is_kept_as(&self, name: &str) {
        assert!(self.accepted.is_empty(), "{:#?}", self.accepted);
        let fixtures = odesync_testing::repository().join("tests/fixtures");
        let text = self
            .text
            .replace(self.folder.path().to_str().unwrap(), "FOLDER")
            .replace(fixtures.to_str().unwrap(), "FIXTURES");
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!(name, text);
        });
    }
}
