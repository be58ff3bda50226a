//! Tests of multiruns whose runs Optuna chooses, with a stand-in for its package: what is asked, reported and told, pruning, going on.
#![cfg(unix)]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};

const OPTUNA: &str = include_str!("stand_ins/optuna.py");
const LR: &str = "training.lr=tag(log,interval(1e-3,1e-1))";

/// A folder with the stand-in, and the Python that runs it.
struct Study {
    folder: tempfile::TempDir,
    python: String,
}

impl Study {
    /// Returns `None`, and says so, where there is no Python.
    fn new() -> Option<Self> {
        let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".into());
        if Command::new(&python).arg("--version").output().is_err() {
            assert!(std::env::var("CI").is_err(), "there is no {python}");
            eprintln!("skipped: there is no {python}");
            return None;
        }
        let study = Study {
            folder: tempfile::tempdir().unwrap(),
            python,
        };
        std::fs::write(study.path("optuna.py"), OPTUNA).unwrap();
        Some(study)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_odesync"));
        let script = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/scripts/train_lotka_volterra.rhai"
        );
        command
            .args(["--quiet", "--threads", "2", "run", script])
            .args(arguments)
            .current_dir(self.folder.path())
            .env("ODESYNC_PYTHON", &self.python)
            .env("PYTHONPATH", self.folder.path())
            .env("PYTHONDONTWRITEBYTECODE", "1");
        command
    }

    /// Begins a study of vanilla trainings in the folder `many`.
    fn begin(&self, arguments: &[&str], more: &[(&str, &str)], code: i32) -> String {
        let first = ["-m", "sweeper=optuna", "training=vanilla", "--out", "many"];
        self.run(&[&first[..], arguments].concat(), more, code)
    }

    fn run(&self, arguments: &[&str], more: &[(&str, &str)], code: i32) -> String {
        let output = self.command(arguments).envs(more.iter().copied()).output();
        let output = output.unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let all = format!("{}{}", text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(code), "{all}");
        all
    }

    /// Returns the calls of the stand-in with this name, without it.
    fn calls(&self, name: &str) -> Vec<Vec<Value>> {
        let text = std::fs::read_to_string(self.path("calls.json")).unwrap_or_default();
        let calls = text.lines().map(|line| {
            let call: Vec<Value> = serde_json::from_str(line).unwrap();
            call
        });
        calls
            .filter(|call| call[0] == name)
            .map(|call| call[1..].to_vec())
            .collect()
    }

    fn json(&self, name: &str) -> Value {
        serde_json::from_slice(&std::fs::read(self.path(name)).unwrap()).unwrap()
    }

    /// Returns the folders of the members in their order.
    fn members(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.path("many")).unwrap();
        let folders = entries
            .map(|entry| entry.unwrap().path())
            .filter(|p| p.is_dir());
        let number = |path: &PathBuf| -> usize {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            name.split('_').next().unwrap().parse().unwrap()
        };
        let mut folders: Vec<PathBuf> = folders.collect();
        folders.sort_by_key(number);
        folders
    }

    fn status(&self) -> Vec<String> {
        let members = self.members();
        let status = members.iter().map(|member| {
            let bytes = std::fs::read(member.join("status.json")).unwrap();
            let status: Value = serde_json::from_slice(&bytes).unwrap();
            status["status"].as_str().unwrap().to_string()
        });
        status.collect()
    }
}

#[test]
fn optuna_is_asked_for_values_and_told_results() {
    let Some(study) = Study::new() else {
        return;
    };
    let said = study.begin(
        &[
            "n=3",
            LR,
            "model.nodes_per_layer=int(interval(3,6))",
            "random_seed=range(10,40,10)",
            "training.optimizer=adam,adamw",
            "training.epochs=35",
        ],
        &[],
        0,
    );
    let options = &study.calls("study")[0][0];
    assert_eq!(options["direction"], "minimize");
    assert_eq!(options["study_name"], "many");
    let storage = options["storage"].as_str().unwrap();
    assert!(
        storage.starts_with("sqlite:////") && storage.ends_with("/many/optuna.db"),
        "{storage}"
    );
    assert_eq!(
        study.calls("tpe"),
        [[json!({ "seed": 1, "constant_liar": true })]]
    );
    let space: BTreeMap<String, Value> = study
        .calls("space")
        .iter()
        .map(|call| (call[0].as_str().unwrap().into(), json!(call[1..])))
        .collect();
    assert_eq!(
        json!(space),
        json!({
            "training.lr": ["float", [1e-3, 1e-1], { "log": true, "step": null }],
            "model.nodes_per_layer": ["int", [3, 6], { "log": false, "step": 1 }],
            "random_seed": ["int", [10, 30], { "log": false, "step": 10 }],
            "training.optimizer": ["choice", [["adam", "adamw"]], {}],
        })
    );

    // The values that it chose are the members' arguments, and each is told the number of its result.json.
    let trials = study.json("study.json");
    let multirun = study.json("many/multirun.json");
    assert_eq!(multirun["study"]["trials"], json!([0, 1, 2]));
    let members = study.members();
    assert_eq!(members.len(), 3);
    for (i, member) in members.iter().enumerate() {
        let argument = |key: &str| -> String {
            let arguments = multirun["members"][i].as_array().unwrap();
            let mut values = arguments
                .iter()
                .filter_map(|a| a.as_str().unwrap().strip_prefix(key));
            values.next().unwrap().trim_start_matches('=').into()
        };
        let chosen = &trials[i]["params"];
        assert_eq!(
            argument("training.lr").parse::<f64>().unwrap(),
            chosen["training.lr"].as_f64().unwrap()
        );
        assert_eq!(
            argument("model.nodes_per_layer"),
            chosen["model.nodes_per_layer"].to_string()
        );
        assert_eq!(
            argument("training.optimizer"),
            chosen["training.optimizer"].as_str().unwrap()
        );
        let result: Value =
            serde_json::from_slice(&std::fs::read(member.join("result.json")).unwrap()).unwrap();
        assert_eq!(trials[i]["state"], "complete");
        assert_eq!(trials[i]["value"], result["best_mse"]);
        // Every tenth epoch of metrics.csv is reported.
        let rows = csv::Reader::from_path(member.join("metrics.csv"))
            .unwrap()
            .into_deserialize::<BTreeMap<String, String>>()
            .map(|row| row.unwrap()["mse"].parse::<f64>().unwrap());
        let mse: Vec<f64> = rows.collect();
        assert_eq!(mse.len(), 35);
        assert_eq!(
            trials[i]["reported"],
            json!({ "10": mse[10], "20": mse[20], "30": mse[30] })
        );
    }
    let best = trials.as_array().unwrap().iter().enumerate();
    let best = best.min_by(|a, b| {
        let value = |t: &Value| t["value"].as_f64().unwrap();
        value(a.1).total_cmp(&value(b.1))
    });
    let name = members[best.unwrap().0].file_name().unwrap();
    assert!(
        said.contains(&format!("run {}", name.to_string_lossy())),
        "{said}"
    );
    assert!(said.contains("3 of 3 runs done, 0 failed"), "{said}");
}

#[test]
fn a_pruned_run_stops_at_a_checkpoint_and_is_not_run_again() {
    let Some(study) = Study::new() else {
        return;
    };
    // Without pruning the second run would not end.
    let said = study.begin(
        &[
            "n=3",
            "training.epochs=choice(20,1000000000)",
            "trainer.checkpoint_every=5",
            "sweeper.report_every=5",
        ],
        &[("PRUNE", "[1]")],
        0,
    );
    assert_eq!(study.status(), ["done", "pruned", "done"]);
    assert!(
        said.contains("2 of 3 runs done, 1 pruned, 0 failed"),
        "{said}"
    );
    let tells = study.calls("tell");
    let pruned = tells.iter().find(|tell| tell[0] == 1).unwrap();
    assert_eq!(json!(pruned), json!([1, "pruned", null]));
    let summary = std::fs::read_to_string(study.path("many/summary.csv")).unwrap();
    assert!(
        summary.lines().any(|line| line.contains("pruned")),
        "{summary}"
    );

    // It goes on with more runs; those that are over stay as they are.
    let kept = std::fs::read(study.members()[1].join("last.safetensors")).unwrap();
    study.run(
        &["--resume", "many", "sweeper.n_trials=5"],
        &[("PRUNE", "[1, 3]")],
        0,
    );
    assert_eq!(study.status(), ["done", "pruned", "done", "pruned", "done"]);
    assert_eq!(
        std::fs::read(study.members()[1].join("last.safetensors")).unwrap(),
        kept
    );
    let tells = study.calls("tell");
    let told: Vec<&Value> = tells.iter().map(|tell| &tell[0]).collect();
    assert_eq!(told.len(), 5, "each is told once: {told:?}");
    // The sampler does not repeat the draws of its beginning.
    assert_eq!(study.calls("tpe")[1][0]["seed"], 4);
}

#[test]
fn a_study_goes_on_where_its_client_was_lost() {
    let Some(study) = Study::new() else {
        return;
    };
    let arguments = ["n=4", LR, "training.epochs=10", "sweeper.n_jobs=1"];
    let said = study.begin(&arguments, &[("BREAKS_AT", "2")], 1);
    assert!(
        said.contains("sweeper=optuna: RuntimeError: the storage is gone"),
        "{said}"
    );
    assert_eq!(study.status(), ["done", "done"]);
    // A trial that was asked for, by a program that ended before it wrote it down.
    let mut trials = study.json("study.json");
    let orphan = json!({ "state": "running", "params": {}, "reported": {}, "value": null });
    trials.as_array_mut().unwrap().push(orphan);
    std::fs::write(study.path("study.json"), trials.to_string()).unwrap();
    study.run(&["--resume", "many"], &[], 0);
    assert_eq!(study.status(), ["done"; 4]);
    assert_eq!(
        study.json("many/multirun.json")["study"]["trials"],
        json!([0, 1, 3, 4])
    );
    let trials = study.json("study.json");
    let states: Vec<&Value> = (0..5).map(|i| &trials[i]["state"]).collect();
    assert_eq!(
        states,
        ["complete", "complete", "fail", "complete", "complete"]
    );
    // Only the number of runs may be another one.
    let said = study.run(&["--resume", "many", "sweeper.seed=3"], &[], 2);
    assert!(said.contains("leave out sweeper.seed"), "{said}");
}

#[test]
fn runs_that_fail_are_told_so_and_slurm_gets_them_in_batches() {
    let Some(study) = Study::new() else {
        return;
    };
    use std::os::unix::fs::PermissionsExt;
    std::fs::create_dir(study.path("bin")).unwrap();
    let sbatch = study.path("bin/sbatch");
    let text = r#"#!/bin/sh
for script; do :; done
range=$(sed -n 's/^#SBATCH --array=\([0-9]*-[0-9]*\).*/\1/p' "$script")
echo "$range" >>arrays
echo 12
for i in $(seq "${range%-*}" "${range#*-}"); do
  SLURM_ARRAY_JOB_ID=12 SLURM_ARRAY_TASK_ID=$i SLURM_CPUS_PER_TASK=1 sh "$script" >>slurm.log 2>&1
done
exit 0
"#;
    std::fs::write(&sbatch, text).unwrap();
    std::fs::set_permissions(&sbatch, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!(
        "{}:{}",
        study.path("bin").display(),
        std::env::var("PATH").unwrap()
    );
    let said = study.begin(
        &[
            "n=3",
            "model.nodes_per_layer=choice(4,0)",
            "training.epochs=10",
            "sweeper.n_jobs=2",
            "launcher=slurm",
        ],
        &[("PATH", &path)],
        0,
    );
    assert_eq!(study.status(), ["done", "failed", "done"]);
    assert!(said.contains("2 of 3 runs done, 1 failed"), "{said}");
    let arrays = std::fs::read_to_string(study.path("arrays")).unwrap();
    assert_eq!(arrays, "0-1\n2-2\n");
    assert_eq!(json!(study.calls("tell")[1]), json!([1, "fail", null]));
}

#[test]
fn what_a_study_cannot_do_is_said() {
    let Some(study) = Study::new() else {
        return;
    };
    let said = study.begin(&["n=2", "training.lr=0.1"], &[], 2);
    assert!(said.contains("a key with more than one value"), "{said}");
    let said = study.begin(&["n=0", LR], &[], 2);
    assert!(
        said.contains("sweeper.n_trials should be 1 or more"),
        "{said}"
    );
    let said = study.begin(&["sweeper.sampler=tpi", LR], &[], 2);
    assert!(
        said.contains("sweeper.sampler") && said.contains("tpe"),
        "{said}"
    );
    let said = study.begin(&["n=2", LR, "launcher=script"], &[], 2);
    assert!(said.contains("--launcher parallel or slurm"), "{said}");
    let said = study.begin(
        &["n=2", LR, "training.epochs=4", "sweeper.metric=best_msee"],
        &[],
        1,
    );
    assert!(said.contains("did you mean \"best_mse\""), "{said}");
    // Without the package there is a cure, and no run was begun.
    std::fs::remove_dir_all(study.path("many")).unwrap();
    let missing = "raise ModuleNotFoundError(\"No module named 'optuna'\")";
    std::fs::write(study.path("optuna.py"), missing).unwrap();
    let said = study.begin(&["n=2", LR], &[], 1);
    assert!(said.contains("-m pip install optuna"), "{said}");
    assert!(study.members().is_empty());
}
