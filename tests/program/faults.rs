//! Operations on the disk that fail in the program: an experiment, its continuation, a multirun. Each ends with an error that names the
//! file, leaves a folder that goes on, and goes on to the bits of a run without a fault.
//!
//! By default a part of all faults; all of them with `ODESYNC_FAULTS=all`. `crates/train/tests/train/faults.rs` has those of a training.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Mutex;

use odesync::files::Operation;
use odesync::files::faults::{ENDED, Fault};
use odesync::training::Run;

use super::kills::assert_same;

/// A run of six epochs with four checkpoints.
const SHORT: [&str; 4] = [
    "training=homotopy",
    "training.schedule.epochs_per_step=1",
    "trainer.checkpoint_every=2",
    "model.nodes_per_layer=6",
];

fn odesync(arguments: &[&str], fault: Option<&str>) -> Output {
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/scripts/train_lotka_volterra.rhai"
    );
    let mut command = Command::new(env!("CARGO_BIN_EXE_odesync"));
    command
        .args(["run", "--quiet", "--threads", "1", script])
        .args(arguments)
        .args(["--allow-all"])
        .current_dir(std::env::temp_dir());
    if let Some(fault) = fault {
        command.env("ODESYNC_FAULT", fault);
    }
    command.output().unwrap()
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Returns the operations of a run: what is done, and the file or folder.
fn operations(arguments: &[&str]) -> Vec<(Operation, PathBuf)> {
    let output = odesync(arguments, Some("list"));
    let said = errors(&output);
    assert!(output.status.success(), "{said}");
    let all = said
        .lines()
        .filter_map(|line| line.strip_prefix("operation "));
    let all = all.map(|line| {
        let (name, path) = line.split_once(' ').unwrap();
        let operation = match name {
            "CreateFolder" => Operation::CreateFolder,
            "Open" => Operation::Open,
            "Write" => Operation::Write,
            "Sync" => Operation::Sync,
            "Rename" => Operation::Rename,
            "Remove" => Operation::Remove,
            other => panic!("{other}"),
        };
        (operation, path.into())
    });
    all.collect()
}

/// Returns every file below a folder, relative to it.
fn files(folder: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).into_iter().flatten() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => drop(found.insert(path.strip_prefix(folder).unwrap().to_path_buf())),
            }
        }
    }
    found
}

fn is_temporary(file: &Path) -> bool {
    let hidden = |part: std::path::Component| {
        let name = part.as_os_str().to_string_lossy().into_owned();
        name.starts_with(".odesync-") || name.starts_with(".new-")
    };
    file.components().any(hidden)
}

/// Asserts that the program said what could not be written: the file, or the folder in which it was to lie.
fn assert_said(said: &str, path: &Path, what: &str) {
    let name = |path: &Path| {
        path.file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    };
    let names = [name(path), name(path.parent().unwrap_or(path))];
    let errors: Vec<&str> = said
        .lines()
        .filter(|line| line.contains("cannot "))
        .collect();
    let is_named = errors
        .iter()
        .any(|line| names.iter().any(|name| line.contains(name)));
    assert!(is_named, "{what}: {said}");
    assert!(
        !said.contains(".odesync-") && !said.contains(".new-"),
        "{what}: {said}"
    );
}

/// Tries faults of a run. `begin` starts it in a folder, `go_on` continues what is there; `check` compares the end with the run without a
/// fault.
struct Trial<'a> {
    root: &'a Path,
    /// Arguments but for the folder.
    arguments: &'a [&'a str],
    /// A folder to begin with; none where `None`.
    from: Option<&'a Path>,
    check: &'a (dyn Fn(&Path, &str) + Sync),
    /// Of the faults, every so many-th in the gate.
    stride: usize,
}

impl Trial<'_> {
    /// Returns the arguments by which a run begins, or goes on.
    fn arguments<'b>(&'b self, folder: &'b str) -> Vec<&'b str> {
        // A folder that has no configuration yet holds nothing to go on with.
        let holds_run = ["config.yaml", "multirun.json"];
        let goes_on = holds_run
            .iter()
            .any(|file| Path::new(folder).join(file).exists());
        let flag = if goes_on { "--resume" } else { "--out" };
        let given = match goes_on && self.is_multirun() {
            // The members are in the folder.
            true => &[],
            false => self.arguments,
        };
        [given, &[flag, folder]].concat()
    }

    fn is_multirun(&self) -> bool {
        self.arguments.contains(&"-m")
    }

    fn run(&self) -> usize {
        let listed = self.folder("listed");
        let operations = operations(&self.arguments(listed.to_str().unwrap()));
        (self.check)(&listed, "without a fault");
        let all = operations
            .iter()
            .enumerate()
            .flat_map(|(at, (operation, _))| {
                let kinds = Fault::ALL
                    .iter()
                    .filter(|(fault, _)| fault.fits(*operation));
                kinds.map(move |(fault, name)| (*fault, *name, at))
            });
        let stride = match std::env::var("ODESYNC_FAULTS").as_deref() {
            Ok("all") => 1,
            _ => self.stride,
        };
        let faults: Vec<_> = all.step_by(stride).collect();
        let next = Mutex::new(faults.iter());
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while let Some((fault, name, at)) = { next.lock().unwrap().next() } {
                        let path = operations[*at].1.strip_prefix(&listed);
                        let path = path.map_or(operations[*at].1.clone(), Path::to_path_buf);
                        self.try_one(*fault, (name, *at), (operations[*at].0, &path));
                    }
                });
            }
        });
        faults.len()
    }

    fn folder(&self, name: &str) -> PathBuf {
        let folder = self.root.join(name);
        if let Some(from) = self.from {
            for file in files(from) {
                let to = folder.join(&file);
                std::fs::create_dir_all(to.parent().unwrap()).unwrap();
                std::fs::copy(from.join(&file), to).unwrap();
            }
        }
        folder
    }

    fn try_one(
        &self,
        fault: Fault,
        (name, at): (&str, usize),
        (operation, path): (Operation, &Path),
    ) {
        let what = format!("{name} at {at}, {operation:?} {}", path.display());
        let folder = self.folder(&format!("{name}_{at}"));
        let text = folder.to_str().unwrap();
        let output = odesync(&self.arguments(text), Some(&format!("{name}:{at}")));
        let said = errors(&output);
        match (fault, output.status.code()) {
            (Fault::End, code) => assert_eq!(code, Some(ENDED), "{what}: {said}"),
            (Fault::Short, code) => assert_eq!(code, Some(0), "{what}: {said}"),
            // What is left behind there does no harm, and the table of a multirun that goes on is written again.
            (_, Some(0)) => assert!(
                operation == Operation::Remove || path.ends_with("summary.csv"),
                "{what}: {said}"
            ),
            (_, code) => {
                assert_eq!(code, Some(1), "{what}: {said}");
                match self.is_multirun() {
                    false => assert_said(&said, &folder.join(path), &what),
                    // What a member could not write, which has faults of its own, is in the table of the members.
                    true => {
                        let summary = std::fs::read_to_string(folder.join("summary.csv"));
                        let said = format!("{said}{}", summary.unwrap_or_default());
                        assert!(said.contains("cannot "), "{what}: {said}");
                    }
                }
            }
        }
        if fault != Fault::End {
            let left = files(&folder).into_iter().find(|file| is_temporary(file));
            assert_eq!(left, None, "{what}");
        }
        for file in files(&folder) {
            if file.ends_with("last.safetensors") && !is_temporary(&file) {
                Run::load(folder.join(&file).parent().unwrap()).expect(&what);
            }
        }
        let again = odesync(&self.arguments(text), None);
        assert!(again.status.success(), "{what}: {}", errors(&again));
        (self.check)(&folder, &what);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}

/// Returns the results of a run without what differs between two runs.
fn results(folder: &Path) -> serde_json::Value {
    let bytes = std::fs::read(folder.join("result.json")).unwrap();
    let mut results: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    results["seconds"] = 0.into();
    // It is not computed anew for a run that was over already.
    results["best_nmse"] = 0.into();
    results
}

fn assert_same_experiment(whole: &Path, folder: &Path, what: &str) {
    assert_same(whole, folder);
    assert_eq!(results(whole), results(folder), "{what}");
    let names = |folder: &Path| -> BTreeSet<PathBuf> {
        let all = files(folder).into_iter();
        all.filter(|file| !is_temporary(file)).collect()
    };
    assert_eq!(names(whole), names(folder), "{what}");
}

#[test]
fn an_experiment_whose_disk_fails_goes_on() {
    let root = tempfile::tempdir().unwrap();
    let whole = root.path().join("whole");
    let (out, text) = (&whole, whole.to_str().unwrap());
    let output = odesync(&[&SHORT[..], &["--out", text]].concat(), None);
    assert!(output.status.success(), "{}", errors(&output));
    let check = |folder: &Path, what: &str| assert_same_experiment(out, folder, what);
    let trial = |name: &str, from| {
        let place = root.path().join(name);
        Trial {
            root: &place,
            arguments: &SHORT,
            from,
            check: &check,
            stride: 37,
        }
        .run()
    };
    assert!(trial("new", None) > 5);
    // What a program leaves that ends in the middle of its fifth epoch: a checkpoint of four, its rows in a file beside it.
    let stopped = root.path().join("stopped");
    let text = stopped.to_str().unwrap();
    let arguments = [&SHORT[..], &["--out", text]].concat();
    let rows = |(operation, path): &(Operation, PathBuf)| {
        *operation == Operation::Write && path.ends_with("metrics.csv")
    };
    let operations = operations(&arguments);
    let lines = operations.iter().enumerate().filter(|(_, o)| rows(o));
    // The head is the first one.
    let (fifth, _) = lines.clone().nth(5).unwrap();
    std::fs::remove_dir_all(&stopped).unwrap();
    let output = odesync(&arguments, Some(&format!("end:{fifth}")));
    assert_eq!(output.status.code(), Some(ENDED), "{}", errors(&output));
    assert!(stopped.join("last.history.f64").exists());
    assert!(trial("old", Some(&stopped)) > 4);
}

#[test]
fn a_multirun_whose_disk_fails_goes_on() {
    let root = tempfile::tempdir().unwrap();
    let whole = root.path().join("whole");
    let arguments = [&["-m", "random_seed=1,2"], &SHORT[..]].concat();
    let output = odesync(
        &[&arguments[..], &["--out", whole.to_str().unwrap()]].concat(),
        None,
    );
    assert!(output.status.success(), "{}", errors(&output));
    let members = ["0_random_seed=1", "1_random_seed=2"];
    let check = |folder: &Path, what: &str| {
        for member in members {
            let log = folder.join(member).join("output.log");
            let log = std::fs::read_to_string(log).unwrap_or_default();
            assert!(
                folder.join(member).join("result.json").exists(),
                "{what}: {log}"
            );
            assert_same_experiment(&whole.join(member), &folder.join(member), what);
        }
        assert!(folder.join("summary.csv").exists(), "{what}");
    };
    let place = root.path().join("many");
    let trial = Trial {
        root: &place,
        arguments: &arguments,
        from: None,
        check: &check,
        stride: 23,
    };
    assert!(trial.run() > 4);
}
