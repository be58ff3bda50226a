//! `odesync discover` on a table of measurements.

use assert_cmd::Command as Odesync;
use odesync::prelude::*;

fn odesync(folder: &std::path::Path, args: &[&str]) -> (i32, String, String) {
    let mut command = Odesync::cargo_bin("odesync").unwrap();
    let output = command.current_dir(folder).args(args).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    )
}

#[test]
fn a_table_becomes_a_model_equations_and_a_script_that_repeats_it() {
    let folder = tempfile::tempdir().unwrap();
    let truth = lotka_volterra().unwrap();
    let data = dataset(&truth, &[0.44, 4.63], &arange(0.0, 6.1, 0.1)).unwrap();
    let data = data.add_noise_seeded(0.05, RelativeTo::Mean, 10).unwrap();
    let data = data.with_names(["prey", "predator"]).unwrap();
    write_csv(folder.path().join("measured.csv"), &data).unwrap();
    let args = [
        "discover",
        "measured.csv",
        "--hidden",
        "16",
        "--out",
        "found",
    ];
    let (code, out, err) = odesync(folder.path(), &args);
    assert_eq!(code, 0, "{err}");
    for expected in [
        "prey: from",
        "5 of 5 seeds agree",
        "noise of predator",
        "equations:",
        "dprey/dt =",
    ] {
        assert!(out.contains(expected), "{expected}: {out}");
    }
    // The run is one that load reads, and the script gives the same again.
    let run = Run::load(folder.path().join("found")).unwrap();
    assert!(run.best_mse < 0.0065, "{}", run.best_mse);
    let (code, again, err) = odesync(folder.path(), &["run", "found/discover.rhai"]);
    assert_eq!(code, 0, "{err}");
    assert_eq!(again, out);
}

#[test]
fn what_does_not_fit_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let (code, _, err) = odesync(folder.path(), &["discover", "nothing.csv"]);
    assert_eq!(code, 2);
    assert!(err.contains("there is no file nothing.csv"), "{err}");
    std::fs::write(folder.path().join("empty.csv"), "").unwrap();
    let (code, _, err) = odesync(folder.path(), &["discover", "empty.csv"]);
    assert_eq!(code, 1, "{err}");
    assert!(err.contains("empty.csv"), "{err}");
    std::fs::write(folder.path().join("short.csv"), "t,x\n0,1\n1,2\n").unwrap();
    let (code, _, err) = odesync(folder.path(), &["discover", "short.csv"]);
    assert_eq!(code, 1, "{err}");
    assert!(err.contains("at least three"), "{err}");
}
