//! Tests of `odesync docs`, `odesync completions` and `odesync compare`.

use std::path::Path;

use assert_cmd::Command as Odesync;
use odesync::prelude::*;

fn odesync(args: &[&str]) -> (i32, String, String) {
    let output = Odesync::cargo_bin("odesync")
        .unwrap()
        .args(args)
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    )
}

/// Returns the standard output of a command that succeeds and writes nothing to standard error.
fn prints(args: &[&str]) -> String {
    let (code, out, err) = odesync(args);
    assert_eq!((code, err.as_str()), (0, ""), "{args:?}");
    out
}

#[test]
fn docs_of_a_name_end_in_an_example_that_runs() {
    for name in ["arange", "best_mse", "run.best_mse", "PI", "table"] {
        let text = prints(&["docs", name]);
        let (about, example) = text.split_once("\nExample:\n").unwrap();
        assert!(about.contains(name) && about.lines().count() >= 2, "{text}");
        let example = example.split("\n\n").next().unwrap();
        assert_eq!(odesync(&["--quiet", "eval", example]).0, 0, "{example}");
    }
    assert!(prints(&["docs", "slice"]).contains("data.slice(from, to) -> Dataset"));
    assert!(!prints(&["docs", "x.slice"]).contains("data.slice"));
}

#[test]
fn completions_for_every_shell_know_the_commands() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let text = prints(&["completions", shell]);
        for word in ["odesync", "run", "compare", "completions", "markdown"] {
            assert!(text.contains(word), "{shell}: {word}");
        }
    }
}

#[test]
fn the_bash_completions_complete() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("odesync.bash");
    std::fs::write(&path, prints(&["completions", "bash"])).unwrap();
    let code = format!(
        "source {} && COMP_WORDS=(odesync com) COMP_CWORD=1 && _odesync odesync com odesync && echo ${{COMPREPLY[@]}}",
        path.display()
    );
    let Ok(output) = std::process::Command::new("bash")
        .args(["-c", &code])
        .output()
    else {
        println!("skipped: there is no bash");
        return;
    };
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(text.trim(), "compare completions", "{output:?}");
}

/// Trains a short run and saves it.
pub fn trained(
    folder: &Path,
    method: impl Into<TrainingMethod>,
    weights: u64,
    epochs: usize,
) -> Run {
    let data = dataset(
        &lotka_volterra().unwrap(),
        &[1.0, 1.0],
        &arange(0.0, 1.0, 0.1),
    )
    .unwrap();
    seed(weights);
    let model = blackbox(&[2, 4, 2]).unwrap();
    let options = TrainOptions::default().epochs(epochs);
    let run = odesync::training::train(&model, &data, &method.into(), &options, &mut ()).unwrap();
    run.save(folder).unwrap();
    run
}

fn row<'a>(table: &'a str, label: &str) -> Vec<&'a str> {
    let line = table.lines().find(|line| line.starts_with(label));
    let line = line.unwrap_or_else(|| panic!("no {label} in\n{table}"));
    line[label.len()..]
        .split("  ")
        .map(str::trim)
        .filter(|x| !x.is_empty())
        .collect()
}

#[test]
fn runs_stand_side_by_side() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let (a, b) = (root.join("x/one"), root.join("x/two"));
    let method = homotopy(6.0, power_law(2, 2, 0.6).unwrap());
    let runs = [trained(&a, vanilla(), 1, 3), trained(&b, method, 2, 4)];
    let config = |lr: f64| {
        format!("training:\n  lr: {lr}\n  optimizer: adamw\nmodel:\n  nodes: [2, 4, 2]\n")
    };
    std::fs::write(a.join("config.yaml"), config(0.02)).unwrap();
    std::fs::write(b.join("config.yaml"), config(0.05) + "clip: null\n").unwrap();
    let result =
        r#"{"seed": 2, "method": "homotopy", "note": "é", "truth_mse": 1.23456e-3, "no": null}"#;
    std::fs::write(b.join("result.json"), result).unwrap();
    let paths = [a.to_str().unwrap(), b.to_str().unwrap()];

    let table = prints(&["compare", paths[0], paths[1]]);
    let header: Vec<&str> = table.lines().next().unwrap().split_whitespace().collect();
    assert_eq!(header, ["one", "two"]);
    assert_eq!(row(&table, "method"), ["vanilla", "homotopy"]);
    assert_eq!(row(&table, "epochs"), ["3", "4"]);
    // 2 · 4 + 4 weights and biases, then 4 · 2 + 2.
    assert_eq!(row(&table, "parameters"), ["22", "22"]);
    assert_eq!(row(&table, "stop"), ["finished", "finished"]);
    for (shown, run) in row(&table, "best mse").iter().zip(&runs) {
        let shown: f64 = shown.parse().unwrap();
        assert!((shown / run.best_mse - 1.0).abs() < 1e-3, "{table}");
    }
    assert_eq!(row(&table, "truth mse"), ["0.001235"]);
    assert_eq!(row(&table, "note"), ["é"]);
    assert_eq!(row(&table, "training.lr"), ["0.02", "0.05"]);
    assert_eq!(row(&table, "clip"), ["null"]);
    // Settings that all runs have in common are not shown, nor those that another row shows.
    assert!(
        !table.contains("optimizer") && !table.contains("nodes"),
        "{table}"
    );
    assert_eq!(table.matches("homotopy").count(), 1);

    let csv = prints(&["compare", "--csv", paths[0], paths[1]]);
    let lines: Vec<Vec<&str>> = csv.lines().map(|line| line.split(',').collect()).collect();
    let column = |name: &str| lines[0].iter().position(|c| *c == name).unwrap();
    assert_eq!(lines.len(), 3);
    for (line, run) in lines[1..].iter().zip(&runs) {
        assert_eq!(line[column("best_mse")].parse(), Ok(run.best_mse));
        assert_eq!(line[column("evaluations")], run.evaluations().to_string());
    }
    assert_eq!(lines[1][column("truth_mse")], "");
    assert_eq!(lines[2][column("truth_mse")], "0.00123456");
}

#[test]
fn a_folder_of_runs_stands_for_all_of_them_and_curves_are_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for (name, weights) in [("10_seed=3", 3), ("9_seed=2", 2), ("0_seed=1", 1)] {
        trained(&root.join("multi").join(name), vanilla(), weights, 2);
    }
    std::fs::create_dir_all(root.join("multi/11_seed=4")).unwrap();
    std::fs::write(root.join("multi/11_seed=4/config.yaml"), "a: 1\n").unwrap();
    let file = root.join("curves.svg");
    let args = [
        "compare",
        root.to_str().unwrap(),
        "--out",
        file.to_str().unwrap(),
    ];
    let (code, table, err) = odesync(&args);
    assert_eq!(code, 0, "{err}");
    let header: Vec<&str> = table.lines().next().unwrap().split_whitespace().collect();
    assert_eq!(header, ["0_seed=1", "9_seed=2", "10_seed=3"]);
    assert!(
        err.contains("skipped") && err.contains("11_seed=4"),
        "{err}"
    );
    assert!(err.contains("wrote"), "{err}");
    let svg = std::fs::read_to_string(&file).unwrap();
    assert!(svg.contains("mse") && svg.contains("9_seed=2") && !svg.contains('λ'));

    let coupled = root.join("coupled");
    trained(&coupled, homotopy(6.0, power_law(2, 2, 0.6).unwrap()), 1, 4);
    let png = root.join("curves.png");
    let args = [
        "--quiet",
        "compare",
        coupled.to_str().unwrap(),
        args[1],
        args[1],
    ];
    let more = ["--out", png.to_str().unwrap()];
    let table = prints(&[&args[..], &more].concat());
    // A run counts once, however often it is named.
    assert_eq!(row(&table, "method").len(), 4, "{table}");
    assert!(std::fs::read(&png).unwrap().starts_with(b"\x89PNG"));
    let svg = root.join("coupled.svg");
    let args = [
        "--quiet",
        "compare",
        args[2],
        "--out",
        svg.to_str().unwrap(),
    ];
    prints(&args);
    assert!(std::fs::read_to_string(&svg).unwrap().contains('λ'));
}
