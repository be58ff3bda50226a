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
    let read =
        |name: &str| std::fs::read_to_string(folder.path().join("found").join(name)).unwrap();
    // The data are in the folder, in their own units; the equations are a script that runs; the page stands alone.
    assert_eq!(read("data.csv").lines().next(), Some("t,prey,predator"));
    std::fs::write(
        folder.path().join("use.rhai"),
        format!(
            "let f = {}; print(f.dof)",
            read("equations.rhai").trim_end()
        ),
    )
    .unwrap();
    let (code, dof, err) = odesync(folder.path(), &["run", "use.rhai"]);
    assert_eq!((code, dof.trim()), (0, "2"), "{err}");
    let page = read("index.html");
    assert!(page.contains("<svg") && page.contains("dprey/dt"), "{page}");
    assert!(!page.contains("src=") && !page.contains("<script"));
    // The run is one that load reads, and the script gives the same again.
    let run = Run::load(folder.path().join("found")).unwrap();
    assert!(run.best_mse < 0.0065, "{}", run.best_mse);
    let (code, again, err) = odesync(folder.path(), &["run", "found/discover.rhai"]);
    assert_eq!(code, 0, "{err}");
    assert_eq!(again, out);
}

/// A tank with a known inflow: its column is no state.
#[test]
fn a_column_can_be_a_known_input() {
    let folder = tempfile::tempdir().unwrap();
    // dx/dt = w − x with w = sin 1.3 t, from 0: x = (sin 1.3 t − 1.3 cos 1.3 t + 1.3 exp(−t))/(1 + 1.3²).
    let mut table = String::from("t,level,inflow\n");
    for i in 0..120 {
        let t = 0.1 * f64::from(i);
        let (w, b) = ((1.3 * t).sin(), 1.3 * (1.3 * t).cos());
        let level = (w - b + 1.3 * (-t).exp()) / (1.0 + 1.3 * 1.3);
        table += &format!("{t},{level},{w}\n");
    }
    std::fs::write(folder.path().join("tank.csv"), table).unwrap();
    let args = [
        "discover", "tank.csv", "--input", "inflow", "--hidden", "8", "--out", "found",
    ];
    let (code, out, err) = odesync(folder.path(), &args);
    assert_eq!(code, 0, "{err}");
    assert!(
        out.contains("level: from") && !out.contains("inflow: from"),
        "{out}"
    );
    // The equation, -level + inflow, is found.
    let equation = out
        .lines()
        .find(|line| line.contains("dlevel/dt ="))
        .unwrap();
    assert!(
        equation.contains("inflow") || equation.contains("w"),
        "{equation}"
    );
    let (code, _, err) = odesync(
        folder.path(),
        &["discover", "tank.csv", "--input", "outflow"],
    );
    assert_eq!(code, 1);
    assert!(err.contains("outflow") && err.contains("inflow"), "{err}");
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
