//! Tests of the documentation of the script's functions.

#[path = "script/configs.rs"]
mod configs;

use odesync_script::script::{Output, Session, SessionOptions};
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
    for doc in docs {
        let result = session().eval(doc.example, None);
        assert!(result.is_ok(), "{}: {}", doc.name, result.unwrap_err());
        assert!(doc.text.ends_with(['.', ')']), "{doc:?}");
        assert_ne!(doc.topic, "other", "{doc:?}");
    }
}
