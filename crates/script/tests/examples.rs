//! Tests of the documentation of the script's functions.

#[path = "script/configs.rs"]
mod configs;

use std::collections::{HashMap, HashSet};

use odesync_script::script::{Doc, Output, Session, SessionOptions};
use odesync_train::datasets::{Dataset, write_csv, write_npz, write_safetensors};

fn session() -> Session {
    Session::new(SessionOptions {
        output: Output::captured().0,
        quiet: true,
        ..SessionOptions::default()
    })
    .unwrap()
}

/// Creates the files that the examples read.
fn make_files() {
    let t = ndarray::array![0.0, 1.0, 2.0];
    let data = Dataset::single(t, ndarray::array![[1.0], [2.0], [3.0]], None).unwrap();
    write_csv("measured.csv", &data.clone().with_names(["x"]).unwrap()).unwrap();
    let fixtures = odesync_testing::repository().join("tests/fixtures");
    std::fs::copy(fixtures.join("stored.npz"), "measured.npz").unwrap();
    let tables = odesync_testing::repository().join("crates/train/tests/data/tables");
    std::fs::copy(tables.join("tables.xlsx"), "measured.xlsx").unwrap();
    write_safetensors("measured.safetensors", &data).unwrap();
    write_npz("mine.npz", &data).unwrap();
    std::fs::write("measured.json", r#"{"t": [0, 1], "u": [[1], [2]]}"#).unwrap();
    std::fs::write("pendulum.txt", "% o v\n0 0.1 2 3 9\n0 0.2 3 4 9\n").unwrap();
    ndarray_npy::write_npy("measured.npy", &data.u().to_owned()).unwrap();
}

// The only test that uses the current folder.
#[test]
fn every_example_runs() {
    let folder = tempfile::tempdir().unwrap();
    std::env::set_current_dir(folder.path()).unwrap();
    make_files();
    let docs = session().docs();
    assert!(docs.len() > 50);
    let mut sessions = HashMap::new();
    // The properties of one type share examples.
    let mut done = HashSet::new();
    for doc in docs {
        if done.insert(doc.example) {
            let result = session().eval(doc.example, None);
            assert!(result.is_ok(), "{}: {}", doc.name, result.unwrap_err());
        }
        assert!(doc.text.ends_with(['.', ')']), "{doc:?}");
        assert_ne!(doc.topic, "other", "{doc:?}");
        if doc.receiver_type.is_some() {
            check_assignments(&doc, &mut sessions);
        }
    }
}

/// Checks that an assignment to a property, and to what is in its value, changes it or is an error.
fn check_assignments(property: &Doc, sessions: &mut HashMap<String, Session>) {
    let Doc { name, example, .. } = property;
    let read = format!(".{name}");
    let mut reads = example.rmatch_indices(&read);
    let is_whole = |at: usize| {
        let next = example[at + read.len()..].chars().next();
        next.is_none_or(|c| !c.is_alphanumeric() && c != '_')
    };
    let end = reads.find(|(at, _)| is_whole(*at)).expect(example).0;
    // The value whose property is read: back to the bracket or comma that it stands behind.
    let mut depth = 0;
    let begins = |(_, c): &(usize, char)| {
        depth += i32::from(")]}".contains(*c)) - i32::from("([{".contains(*c));
        depth < 0 || depth == 0 && ",;".contains(*c)
    };
    let start = example[..end].char_indices().rev().find(begins);
    let start = start.map_or(0, |(at, _)| at + 1);
    let owner = &example[start..end];
    let statements = example[..start].rfind(';').map_or(0, |at| at + 1);
    let before = &example[..statements];
    // Many properties belong to the same value, and some values take a training to make.
    let made = format!("let original = {{ {before} {owner} }};");
    let session = sessions.entry(made.clone()).or_insert_with(|| {
        let mut session = session();
        let outcome = session.eval(&made, None);
        assert!(outcome.is_ok(), "{made}: {}", outcome.unwrap_err());
        session
    });
    let kind = session.eval(&format!("type_of(original.{name})"), None);
    let kind = kind.unwrap_or_else(|e| panic!("{made} {name}: {e}")).text;
    let (shown, assignments): (&str, &[&str]) = match kind.trim_matches('"') {
        "array" => (
            "",
            &[
                "[0] = \"changed\"",
                ".push(\"changed\")",
                " = [\"changed\"]",
            ],
        ),
        "map" => (
            "",
            &[".changed = 1", "[\"changed\"] = 1", " = #{ changed: 1 }"],
        ),
        "Array" => (
            "",
            &[
                "[0] = 12345.5",
                "[0..1] = 12345.5",
                " += 1.0",
                " = zeros(77)",
            ],
        ),
        "Field" => (
            ".params",
            &[".params = [12345.5]", ".params[0] = 12345.5", " = ()"],
        ),
        "Config" => ("", &[".set(\"random_seed\", 12345)", " = ()"]),
        "string" => ("", &[" = \"changed\"", " += \"changed\"", "[0] = 'c'"]),
        "i64" | "f64" => ("", &[" = 12345", " += 1"]),
        "bool" => ("", &[" = !probe.dof", " = 12345"]),
        _ => ("", &[" = ()", " = 12345"]),
    };
    for assignment in assignments {
        let shown = format!("`${{probe.{name}{shown}}}`");
        let code = format!(
            "let probe = original; let before = {shown}; probe.{name}{assignment}; before == {shown}"
        );
        if let Ok(unchanged) = session.eval(&code, None) {
            assert_eq!(unchanged.text, "false", "nothing happened: {made} {code}");
        }
    }
}
