//! Tests of the paper's experiments on the command line: overrides, run folders, saved configurations, multiruns.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use odesync::options::Named;
use odesync::training::Run;

const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts");

/// Overrides for a training of a few epochs.
const SHORT: [&str; 2] = [
    "training.schedule.epochs_per_step=1",
    "trainer.checkpoint_every=2",
];

struct Workspace(tempfile::TempDir);

impl Workspace {
    fn new() -> Self {
        Workspace(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn odesync(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_odesync"))
            .args(arguments)
            .current_dir(self.0.path())
            .output()
            .unwrap()
    }

    fn train(&self, script: &str, arguments: &[&str]) -> Output {
        let script = format!("{SCRIPTS}/train_{script}.rhai");
        self.odesync(&[&["run", "--quiet", &script], arguments].concat())
    }

    /// Returns the only folder under runs/EXPERIMENT.
    fn only_run(&self, experiment: &str) -> PathBuf {
        let runs: Vec<_> = std::fs::read_dir(self.path("runs").join(experiment))
            .unwrap()
            .collect();
        assert_eq!(runs.len(), 1);
        runs[0].as_ref().unwrap().path()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn succeeded(output: &Output) -> String {
    assert!(
        output.status.success(),
        "{}{}",
        text(&output.stdout),
        text(&output.stderr)
    );
    text(&output.stdout)
}

fn failed(output: &Output, code: i32) -> String {
    assert_eq!(
        output.status.code(),
        Some(code),
        "{}{}",
        text(&output.stdout),
        text(&output.stderr)
    );
    text(&output.stderr)
}

/// Returns the best and the last parameters as bits.
fn bits(folder: &Path) -> Vec<u64> {
    let run = Run::load(folder).unwrap();
    let all = run.last.values().iter().chain(run.model.values());
    all.map(|x| x.to_bits()).collect()
}

#[test]
fn the_commands_of_the_book_run_and_leave_a_folder() {
    for arguments in [
        &["training=homotopy"][..],
        &["model=lotka_graybox", "model.nodes_per_layer=10"],
        &["logger=none"],
    ] {
        let workspace = Workspace::new();
        let out = succeeded(&workspace.train("lotka_volterra", &[arguments, &SHORT[..]].concat()));
        assert!(
            out.contains("best mse, data") && out.contains("beyond them"),
            "{out}"
        );
        let run = workspace.only_run("lotka_volterra");
        for file in [
            "config.yaml",
            "environment.json",
            "best.safetensors",
            "last.safetensors",
            "result.json",
            "figures/fit.svg",
            "figures/losses.svg",
        ] {
            assert!(run.join(file).is_file(), "{file}");
        }
        assert_eq!(
            run.join("metrics.csv").exists(),
            arguments != ["logger=none"]
        );
        let environment: serde_json::Value =
            serde_json::from_slice(&std::fs::read(run.join("environment.json")).unwrap()).unwrap();
        for key in [
            "odesync",
            "instruction_set",
            "threads",
            "device",
            "engine",
            "command",
            "time",
        ] {
            assert!(!environment[key].is_null(), "{key}: {environment}");
        }
        assert_eq!(Run::load(&run).unwrap().history.len(), 6);
    }
}

#[test]
fn a_saved_configuration_runs_again_to_the_same_bits() {
    let workspace = Workspace::new();
    let changed = ["model.nodes_per_layer=7", "odesolve=tsit5", "random_seed=3"];
    succeeded(&workspace.train(
        "lotka_volterra",
        &[&SHORT[..], &changed, &["--out", "first"]].concat(),
    ));
    let saved = workspace.path("first/config.yaml");
    let saved = saved.to_str().unwrap();
    succeeded(&workspace.train("lotka_volterra", &["--config", saved, "--out", "second"]));
    assert_eq!(
        bits(&workspace.path("first")),
        bits(&workspace.path("second"))
    );
    assert_eq!(
        std::fs::read(saved).unwrap(),
        std::fs::read(workspace.path("second/config.yaml")).unwrap()
    );

    // An older configuration, with the solver's name under the key method, gives the same bits, and a note says so.
    let text = std::fs::read_to_string(saved).unwrap();
    let old = text.replace("\n  solver: tsit5\n", "\n  method: tsit5\n");
    assert_ne!(old, text);
    std::fs::write(workspace.path("old.yaml"), old).unwrap();
    let script = format!("{SCRIPTS}/train_lotka_volterra.rhai");
    let output = workspace.odesync(&["run", &script, "--config", "old.yaml", "--out", "old"]);
    succeeded(&output);
    let notes = String::from_utf8_lossy(&output.stderr);
    assert!(
        notes.contains("old.yaml: odesolve.method is now called odesolve.solver"),
        "{notes}"
    );
    assert_eq!(bits(&workspace.path("first")), bits(&workspace.path("old")));

    // A saved configuration can be printed without a run, and changed by further overrides.
    let printed =
        succeeded(&workspace.train("lotka_volterra", &["--config", saved, "--print-config"]));
    assert_eq!(
        printed.trim_end(),
        std::fs::read_to_string(saved).unwrap().trim_end()
    );
    succeeded(&workspace.train(
        "lotka_volterra",
        &["--config", saved, "random_seed=4", "--out", "third"],
    ));
    assert_ne!(
        bits(&workspace.path("first")),
        bits(&workspace.path("third"))
    );
    assert!(!workspace.path("runs").exists());

    let other = failed(&workspace.train("lorenz3d", &["--config", saved]), 2);
    assert!(
        other.contains("lotka_volterra") && other.contains("lorenz3d"),
        "{other}"
    );
}

#[test]
fn every_experiment_is_a_configuration_that_can_be_printed() {
    let workspace = Workspace::new();
    for (script, methods) in [
        ("lotka_volterra", &["vanilla", "multishoot", "homotopy"][..]),
        ("double_pendulum", &["vanilla", "multishoot", "homotopy"]),
        ("lorenz3d", &["vanilla", "multishoot", "homotopy"]),
        ("weather", &["vanilla", "multishoot", "homotopy"]),
    ] {
        for method in methods {
            let training = format!("training={method}");
            let printed = succeeded(&workspace.train(script, &[&training, "--print-config"]));
            assert!(!printed.contains("${"), "{printed}");
            let value: serde_yaml::Value = serde_yaml::from_str(&printed).unwrap();
            assert!(value["training"]["lr"].as_f64().unwrap() > 0.0);
        }
    }
}

#[test]
fn levenberg_marquardt_is_a_training_of_its_own() {
    let workspace = Workspace::new();
    for (training, name) in [("training=lm", "one"), ("training=lm_multishoot", "many")] {
        let short = [training, "training.epochs=12", "--out", name];
        succeeded(&workspace.train("lotka_volterra", &short));
        let run = Run::load(workspace.path(name)).unwrap();
        assert_eq!(run.settings.options.optimizer.to_name(), "lm");
        assert_eq!(run.history.len(), 12);
        assert!(run.history[11].train_loss < run.history[0].train_loss);
    }
    // A learning rate is that of another optimiser.
    let other = ["training=vanilla", "training.optimizer=lm"];
    let message = failed(&workspace.train("lotka_volterra", &other), 2);
    assert!(message.contains("training=lm"), "{message}");
}

#[test]
fn a_folder_with_a_run_is_not_written_over() {
    let workspace = Workspace::new();
    let short = [&SHORT[..], &["--out", "here"]].concat();
    succeeded(&workspace.train("lotka_volterra", &short));
    let message = failed(&workspace.train("lotka_volterra", &short), 1);
    assert!(message.contains("--resume"), "{message}");
    // Resuming a finished run changes nothing.
    let before = bits(&workspace.path("here"));
    succeeded(&workspace.train("lotka_volterra", &["--resume", "here"]));
    assert_eq!(bits(&workspace.path("here")), before);
    // Resumes with more epochs than the run was started with.
    succeeded(&workspace.train("lotka_volterra", &["--resume", "here", "training.epochs=8"]));
    assert_eq!(Run::load(workspace.path("here")).unwrap().history.len(), 8);
    let message = failed(
        &workspace.train("lotka_volterra", &["--resume", "here", "training.lr=0.5"]),
        1,
    );
    assert!(message.contains("lr"), "{message}");
    let message = failed(
        &workspace.train("lotka_volterra", &["--resume", "nowhere"]),
        2,
    );
    assert!(message.contains("nowhere"), "{message}");
}

#[test]
fn measured_data_train_too() {
    let (Some(pendulum), Some(weather)) = (
        odesync_testing::measured_data("real_double_pend_h_1.txt"),
        odesync_testing::measured_data("weather_delay_embedding.npy"),
    ) else {
        return;
    };
    let workspace = Workspace::new();
    let path = format!("dataset.path={}", pendulum.display());
    succeeded(&workspace.train(
        "double_pendulum",
        &[&["dataset=double_pendulum_real", &path][..], &SHORT[..]].concat(),
    ));
    let path = format!("dataset.path={}", weather.display());
    succeeded(&workspace.train("weather", &[&[path.as_str()][..], &SHORT[..]].concat()));
    let run = Run::load(workspace.only_run("weather")).unwrap();
    assert_eq!(run.u0.dim(), (1, 5));
}

#[test]
fn a_table_of_ones_own_trains_by_the_same_script() {
    let workspace = Workspace::new();
    let mut csv = String::from("by hand, on Monday\ntime,v,x\n");
    for i in 0..40 {
        let t = f64::from(i) * 0.1;
        csv += &format!("{t},{},{}\n", -t.sin(), t.cos());
    }
    std::fs::write(workspace.path("own.csv"), csv).unwrap();
    let own = [
        "dataset=file",
        "dataset.path=own.csv",
        "+dataset.skip=1",
        "dataset.state=[x, v]",
        "dataset.train=30",
    ];
    succeeded(&workspace.train("lotka_volterra", &[&own[..], &SHORT[..]].concat()));
    let run = Run::load(workspace.only_run("lotka_volterra")).unwrap();
    assert_eq!(run.u0.row(0).to_vec(), [1.0, 0.0]);
}

fn summary(folder: &Path) -> Vec<std::collections::BTreeMap<String, String>> {
    csv::Reader::from_path(folder.join("summary.csv"))
        .unwrap()
        .deserialize()
        .map(Result::unwrap)
        .collect()
}

#[test]
fn a_multirun_runs_the_product_and_a_failed_member_ends_no_other() {
    let workspace = Workspace::new();
    let product = [
        "-m",
        "training=homotopy,multishoot",
        "random_seed=10,20",
        "--out",
        "many",
        "training.epochs=4",
    ];
    succeeded(&workspace.train("lotka_volterra", &product));
    let rows = summary(&workspace.path("many"));
    let names: Vec<&str> = rows.iter().map(|r| r["run"].as_str()).collect();
    assert_eq!(
        names,
        [
            "0_training=homotopy,random_seed=10",
            "1_training=homotopy,random_seed=20",
            "2_training=multishoot,random_seed=10",
            "3_training=multishoot,random_seed=20",
        ]
    );
    for row in &rows {
        assert_eq!(row["status"], "done");
        assert_eq!(row["epochs"], "4");
        assert!(row["best_mse"].parse::<f64>().unwrap() > 0.0);
    }
    // A member equals a single run with the member's arguments.
    succeeded(&workspace.train(
        "lotka_volterra",
        &[
            "training=multishoot",
            "random_seed=20",
            "training.epochs=4",
            "--out",
            "alone",
        ],
    ));
    assert_eq!(
        bits(&workspace.path("many").join(names[3])),
        bits(&workspace.path("alone"))
    );

    let some = [
        "-m",
        "model.nodes_per_layer=4,0,5",
        "training.epochs=2",
        "--out",
        "some",
    ];
    let message = failed(&workspace.train("lotka_volterra", &some), 1);
    assert!(message.contains("1 of 3 runs failed"), "{message}");
    let rows = summary(&workspace.path("some"));
    let statuses: Vec<&str> = rows.iter().map(|r| r["status"].as_str()).collect();
    assert_eq!(statuses, ["done", "failed", "done"]);
    assert!(
        rows[1]["error"].contains("width") || rows[1]["error"].contains('0'),
        "{}",
        rows[1]["error"]
    );
}

#[test]
fn the_notes_of_a_multirun_are_in_the_output_of_each_member() {
    let workspace = Workspace::new();
    let script = format!("{SCRIPTS}/train_lotka_volterra.rhai");
    // Four epochs end before λ is 0.
    let cut = ["training.epochs=4", "random_seed=10,20", "--out", "cut"];
    succeeded(&workspace.odesync(&[&["run", &script, "-m"], &cut[..]].concat()));
    for seed in [10, 20] {
        let member = format!("{}_random_seed={seed}", seed / 10 - 1);
        let output = workspace.path("cut").join(member).join("output.log");
        let output = std::fs::read_to_string(output).unwrap();
        assert!(
            output.contains("so the model is never trained alone"),
            "{output}"
        );
    }
}

#[cfg(unix)]
#[test]
fn a_stopped_multirun_goes_on_where_it_was() {
    let workspace = Workspace::new();
    let script = format!("{SCRIPTS}/train_lotka_volterra.rhai");
    let arguments = [
        "model.nodes_per_layer=8",
        "training=vanilla",
        "training.epochs=400",
        "trainer.checkpoint_every=5",
    ];
    let mut child = Command::new(env!("CARGO_BIN_EXE_odesync"))
        .args([
            "run",
            "--quiet",
            "--threads",
            "2",
            &script,
            "-m",
            "random_seed=1,2,3,4,5",
            "--out",
            "many",
        ])
        .args(arguments)
        .current_dir(workspace.0.path())
        .spawn()
        .unwrap();
    // Waits until the first members are training.
    let begun = workspace.path("many/0_random_seed=1/last.safetensors");
    while !begun.exists() && child.try_wait().unwrap().is_none() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(
        summary(&workspace.path("many"))
            .iter()
            .any(|r| r["status"] != "done")
    );

    succeeded(&workspace.train("lotka_volterra", &["--resume", "many"]));
    let rows = summary(&workspace.path("many"));
    assert!(
        rows.iter()
            .all(|r| r["status"] == "done" && r["epochs"] == "400"),
        "{rows:?}"
    );
    succeeded(&workspace.train(
        "lotka_volterra",
        &[&arguments[..], &["random_seed=1", "--out", "alone"]].concat(),
    ));
    assert_eq!(
        bits(&workspace.path("many/0_random_seed=1")),
        bits(&workspace.path("alone"))
    );
}

/// The built-in configurations are exactly those of `configs/`.
#[test]
fn what_is_built_in_is_what_the_folder_holds() {
    use odesync::config::{Config, ConfigSource};
    let built_in = ConfigSource::BuiltIn;
    let folder = ConfigSource::Folder(odesync_testing::repository().join("configs"));
    let experiments = built_in.experiments().unwrap();
    assert!(!experiments.is_empty());
    assert_eq!(experiments, folder.experiments().unwrap());
    let groups = built_in.groups().unwrap();
    assert_eq!(groups, folder.groups().unwrap());
    let mut choices = vec![vec![]];
    for group in groups {
        let options = built_in.options(&group).unwrap();
        assert_eq!(options, folder.options(&group).unwrap());
        // Of a multirun, no part of an experiment.
        if ["launcher", "sweeper"].contains(&group.as_str()) {
            continue;
        }
        choices.extend(
            options
                .iter()
                .map(|option| vec![format!("{group}={option}").parse().unwrap()]),
        );
    }
    for experiment in &experiments {
        for choice in &choices {
            let one = Config::compose(&built_in, experiment, choice).unwrap();
            let other = Config::compose(&folder, experiment, choice).unwrap();
            assert_eq!(one.to_yaml(), other.to_yaml(), "{experiment} {choice:?}");
        }
    }
}
