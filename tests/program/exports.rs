//! `odesync export` and `odesync report` on a saved run.

use assert_cmd::Command as Odesync;

/// Runs the program in a folder; returns its exit code and standard error.
fn odesync(folder: &std::path::Path, args: &[&str]) -> (i32, String) {
    let mut command = Odesync::cargo_bin("odesync").unwrap();
    let output = command.current_dir(folder).args(args).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code().unwrap(), errors)
}

#[test]
fn a_saved_run_becomes_files_and_a_page() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let script = "let data = dataset(lotka_volterra(), [1, 1], arange(0, 1, 0.1)); \
                  data.write_csv(\"mine.csv\"); \
                  train(blackbox([2, 4, 2]), data, vanilla(), #{ epochs: 2 }).save(\"runs/mine\")";
    assert_eq!(
        odesync(here, &["--quiet", "eval", script]),
        (0, String::new())
    );
    for (args, file, text) in [
        (
            ["export", "runs/mine", "model.jl"].as_slice(),
            "model.jl",
            "function f!(du, u, p, t)",
        ),
        (
            &["export", "runs/mine", "jax.py", "--target", "jax"],
            "jax.py",
            "import jax\n",
        ),
        (
            &["export", "runs/mine", "model.rhai"],
            "model.rhai",
            "system(2, |t, u, p| {",
        ),
        (
            &["export", "model.rhai", "model.c"],
            "model.c",
            "void f(double t, const double *u, double *du)",
        ),
        (
            &["report", "runs/mine", "--data", "mine.csv"],
            "runs/mine/report.html",
            "Fit, prediction and residuals",
        ),
        (
            &["report", "runs/mine", "--out", "plain.html"],
            "plain.html",
            "A run does not hold its data",
        ),
    ] {
        let (code, errors) = odesync(here, args);
        assert_eq!(code, 0, "{args:?}: {errors}");
        assert!(
            errors.contains(&format!("wrote {file}")),
            "{args:?}: {errors}"
        );
        let written = std::fs::read_to_string(here.join(file)).unwrap();
        assert!(written.contains(text), "{args:?}");
    }
}

#[test]
fn the_page_of_an_experiment_says_how_to_repeat_it() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/scripts/train_lotka_volterra.rhai"
    );
    let short = ["training=vanilla", "training.epochs=2", "--out", "one"];
    let (code, errors) = odesync(here, &[&["run", script][..], &short].concat());
    assert_eq!(code, 0, "{errors}");
    assert_eq!(odesync(here, &["report", "one"]).0, 0);
    let page = std::fs::read_to_string(here.join("one/report.html")).unwrap();
    let result = std::fs::read(here.join("one/result.json")).unwrap();
    let result: serde_json::Value = serde_json::from_slice(&result).unwrap();
    let beyond = result["extrapolation_mse"].as_f64().unwrap();
    for part in [
        "Fit, prediction and residuals",
        "truth, beyond them",
        &format!("{beyond:.6e}"),
        "Where it was made",
        "train_lotka_volterra.rhai --config one/config.yaml --out again",
        "random_seed: 10",
    ] {
        assert!(page.contains(part), "{part}");
    }
    // The command on the page makes the same model.
    let again = [
        "run",
        script,
        "--config",
        "one/config.yaml",
        "--out",
        "again",
    ];
    assert_eq!(odesync(here, &again).0, 0);
    let bits = |run: &str| std::fs::read(here.join(run).join("best.safetensors")).unwrap();
    assert!(bits("one") == bits("again"));
}

#[test]
fn wrong_usage_says_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    for (args, expected) in [
        (
            ["export", "missing", "model.c"].as_slice(),
            "there is no run missing",
        ),
        (
            &["export", "missing", "model.pth"],
            "unknown format of an export \"pth\"",
        ),
        (&["report", "missing"], "there is no run missing"),
        (&["report", ".", "--out", "a.pdf"], "ends with .html"),
    ] {
        let (code, errors) = odesync(folder.path(), args);
        assert_eq!(code, 2, "{args:?}: {errors}");
        assert!(errors.contains(expected), "{args:?}: {errors}");
    }
}
