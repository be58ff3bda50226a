//! `--time-limit` and `--max-output`: what runs too long is stopped, and what would be written beyond the limit is refused.

use std::path::Path;
use std::process::{Command, Output};

fn odesync(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(assert_cmd::cargo::cargo_bin("odesync"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap()
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A training that takes far longer than a test, in a folder.
const LONG: &str = "train(blackbox([2, 64, 2]), dataset(lotka_volterra(), [1, 1], arange(0, 6, 0.1)), vanilla(), \
     #{ epochs: 1000000, checkpoint_every: 1000000, out: \"run\" })";

#[test]
fn a_time_limit_stops_as_ctrl_c_does() {
    let folder = tempfile::tempdir().unwrap();
    let output = odesync(folder.path(), &["--time-limit", "3s", "eval", LONG]);
    let said = errors(&output);
    assert_eq!(output.status.code(), Some(124), "{said}");
    assert!(said.contains("the time limit of 3s is over"), "{said}");
    // The epochs so far are kept.
    let code = "load(\"run\").epochs > 0";
    let output = odesync(folder.path(), &["eval", code]);
    assert_eq!(output.stdout, b"true\n", "{}", errors(&output));
    // What is done before is no matter.
    let output = odesync(folder.path(), &["--time-limit", "1h", "eval", "1 + 1"]);
    assert_eq!(
        (output.status.code(), &output.stdout[..]),
        (Some(0), &b"2\n"[..])
    );
    for (arguments, message) in [
        (
            &["--time-limit", "soon", "eval", "1"][..],
            "should be a time above 0",
        ),
        (
            &["--time-limit", "1h"],
            "for commands that end by themselves",
        ),
        (
            &["--max-output", "-1", "eval", "1"],
            "should be a size above 0",
        ),
    ] {
        let output = odesync(folder.path(), arguments);
        assert_eq!(output.status.code(), Some(2));
        assert!(errors(&output).contains(message), "{}", errors(&output));
    }
}

#[test]
fn no_more_is_written_than_may_be() {
    let folder = tempfile::tempdir().unwrap();
    let write =
        "for i in 0..10 { write_csv(dataset(arange(0, 1000), randn([1000, 1])), `${i}.csv`); }";
    let output = odesync(folder.path(), &["--max-output", "100k", "eval", write]);
    let said = errors(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("`odesync --max-output SIZE …` allows more"),
        "{said}"
    );
    let sizes = std::fs::read_dir(folder.path()).unwrap();
    let sizes: Vec<u64> = sizes
        .map(|f| f.unwrap().metadata().unwrap().len())
        .collect();
    let all: u64 = sizes.iter().sum();
    assert!(
        sizes.len() > 1 && all <= 100 * 1024 && sizes.iter().all(|n| *n > 0),
        "{sizes:?}"
    );
    let output = odesync(folder.path(), &["--max-output", "10M", "eval", write]);
    assert_eq!(output.status.code(), Some(0), "{}", errors(&output));
    // The lines of metrics.csv count too, which are appended one by one.
    let folder = tempfile::tempdir().unwrap();
    let train = LONG.replace("64", "2");
    let output = odesync(
        folder.path(),
        &["--time-limit", "5m", "--max-output", "40k", "eval", &train],
    );
    let said = errors(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("metrics.csv") && said.contains("--max-output"),
        "{said}"
    );
    let metrics = std::fs::metadata(folder.path().join("run/metrics.csv")).unwrap();
    assert!(metrics.len() <= 40 * 1024, "{}", metrics.len());
}
