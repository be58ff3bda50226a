//! Tests of the loggers besides metrics.csv: event files, read back by a reader of their own; trackers, with stand-ins for Python and
//! for the clients.
#![cfg(unix)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A training of two state variables with options that a test gives.
const SCRIPT: &str = "
let opt = args(#{ epochs: 6, resume: false, logger: [\"csv\"], out: \"run\", many: false });
let d = dataset(lotka_volterra(), [1.0, 1.0], arange(0.0, 2.0, 0.1));
seed(3);
let options = #{ epochs: opt.epochs, out: opt.out, resume: opt.resume, logger: opt.logger, progress: false };
if opt.many {
    options.seeds = [1, 2];
    train(|| blackbox([2, 4, 2]), d, vanilla(), options);
} else {
    print(train(blackbox([2, 4, 2]), d, multiple_shooting(#{ segments: 2, continuity_weight: 0.1 }), options).best_mse);
}";

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Folder(tempfile::tempdir().unwrap());
        std::fs::write(folder.path("train.rhai"), SCRIPT).unwrap();
        folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_odesync"));
        command
            .args(arguments)
            .current_dir(self.0.path())
            .env_remove("WANDB_MODE")
            .env_remove("WANDB_API_KEY")
            .env_remove("MLFLOW_TRACKING_URI");
        command
    }

    fn train(&self, arguments: &[&str]) -> String {
        let output = self
            .command(&[&["run", "train.rhai"], arguments].concat())
            .output();
        said(&output.unwrap(), 0)
    }

    /// Trains with a stand-in for Python that is this shell script.
    fn train_with(&self, stand_in: &str, arguments: &[&str]) -> String {
        use std::os::unix::fs::PermissionsExt;
        let path = self.path("python");
        std::fs::write(&path, format!("#!/bin/sh\n{stand_in}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        let mut command = self.command(&[&["run", "train.rhai"], arguments].concat());
        said(&command.env("ODESYNC_PYTHON", path).output().unwrap(), 0)
    }
}

fn said(output: &Output, code: i32) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let all = format!("{}{}", text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{all}");
    all
}

/// CRC-32C, bit by bit.
fn crc32c(bytes: &[u8]) -> u32 {
    let mut crc = !0u32;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ if crc & 1 == 1 { 0x82f6_3b78 } else { 0 };
        }
    }
    !crc
}

/// The mask of TFRecord's format, as its documentation has it.
fn masked(crc: u32) -> u32 {
    crc.rotate_right(15).wrapping_add(0xa282_ead8)
}

/// The fields of a message of protocol buffers: numbers, and bytes.
#[derive(Debug, Clone)]
enum Field {
    Number(u64),
    Bytes(Vec<u8>),
}

fn fields(mut bytes: &[u8]) -> Vec<(u64, Field)> {
    fn varint(bytes: &mut &[u8]) -> u64 {
        let (mut value, mut shift) = (0, 0);
        loop {
            let byte = bytes[0];
            *bytes = &bytes[1..];
            value |= u64::from(byte & 0x7f) << shift;
            shift += 7;
            if byte < 0x80 {
                return value;
            }
        }
    }
    let mut all = vec![];
    while !bytes.is_empty() {
        let tag = varint(&mut bytes);
        let size = match tag & 7 {
            0 => {
                all.push((tag >> 3, Field::Number(varint(&mut bytes))));
                continue;
            }
            1 => 8,
            5 => 4,
            2 => varint(&mut bytes) as usize,
            other => panic!("wire type {other}"),
        };
        let (field, rest) = bytes.split_at(size);
        all.push((tag >> 3, Field::Bytes(field.to_vec())));
        bytes = rest;
    }
    all
}

fn bytes_of(message: &[u8], field: u64) -> Vec<Vec<u8>> {
    let all = fields(message).into_iter().filter(|(n, _)| *n == field);
    all.map(|(_, field)| match field {
        Field::Bytes(bytes) => bytes,
        Field::Number(n) => panic!("{n} is no message"),
    })
    .collect()
}

/// What an event file holds.
#[derive(Debug, Default, PartialEq)]
struct Events {
    /// Scalars by their tag, with their steps.
    scalars: BTreeMap<String, Vec<(u64, f32)>>,
    /// Pictures by their tag.
    images: BTreeMap<String, Vec<u8>>,
    /// Data of the hparams plugin by their tag.
    hparams: BTreeMap<String, Vec<u8>>,
}

/// Reads the only event file of a folder, and checks its lengths and checksums.
fn events(folder: &Path) -> Events {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().contains("events.out.tfevents."))
        .collect();
    let file = files.pop().expect("an event file");
    assert!(files.is_empty(), "one event file, not also {files:?}");
    let all = std::fs::read(file).unwrap();
    let mut rest = &all[..];
    let mut read = Events::default();
    let mut first = true;
    while !rest.is_empty() {
        let length = u64::from_le_bytes(rest[..8].try_into().unwrap()) as usize;
        let checksum = |at: usize| u32::from_le_bytes(rest[at..at + 4].try_into().unwrap());
        assert_eq!(checksum(8), masked(crc32c(&rest[..8])));
        let event = &rest[12..12 + length];
        assert_eq!(checksum(12 + length), masked(crc32c(event)));
        if first {
            assert_eq!(bytes_of(event, 3), [b"brain.Event:2"]);
            first = false;
        }
        let step = fields(event)
            .into_iter()
            .find_map(|(n, field)| match (n, field) {
                (2, Field::Number(step)) => Some(step),
                _ => None,
            });
        for summary in bytes_of(event, 5) {
            for value in bytes_of(&summary, 1) {
                let tag = String::from_utf8(bytes_of(&value, 1).remove(0)).unwrap();
                for x in bytes_of(&value, 2) {
                    let x = f32::from_le_bytes(x.try_into().unwrap());
                    let at = (step.unwrap(), x);
                    read.scalars.entry(tag.clone()).or_default().push(at);
                }
                for image in bytes_of(&value, 4) {
                    read.images
                        .insert(tag.clone(), bytes_of(&image, 4).remove(0));
                }
                for metadata in bytes_of(&value, 9) {
                    let plugin = bytes_of(&metadata, 1).remove(0);
                    assert_eq!(bytes_of(&plugin, 1), [b"hparams"]);
                    read.hparams
                        .insert(tag.clone(), bytes_of(&plugin, 2).remove(0));
                }
            }
        }
        rest = &rest[16 + length..];
    }
    read
}

/// Returns a column of a metrics.csv.
fn column(folder: &Path, name: &str) -> Vec<f64> {
    let rows = csv::Reader::from_path(folder.join("metrics.csv"))
        .unwrap()
        .into_deserialize();
    rows.map(|row| {
        let row: BTreeMap<String, String> = row.unwrap();
        row[name].parse().unwrap()
    })
    .collect()
}

#[test]
fn the_checksum_is_that_of_rfc_3720() {
    assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
    assert_eq!(crc32c(&[0xff; 32]), 0x62a8_ab43);
    assert_eq!(crc32c(b"123456789"), 0xe306_9283);
}

#[test]
fn an_event_file_holds_what_metrics_csv_holds() {
    let folder = Folder::new();
    folder.train(&["logger=[csv,tensorboard]"]);
    let run = folder.path("run");
    let read = events(&run);
    let columns = [
        "lambda",
        "train_loss",
        "mse",
        "data_loss",
        "continuity",
        "evaluations",
        "seconds",
        "lr",
        "gradient_norm",
    ];
    for name in columns {
        let expected: Vec<(u64, f32)> = column(&run, name)
            .into_iter()
            .enumerate()
            .map(|(epoch, x)| (epoch as u64, x as f32))
            .collect();
        assert_eq!(read.scalars[name], expected, "{name}");
        assert_eq!(expected.len(), 6);
    }
    assert_eq!(read.scalars["epochs"], [(6, 6.0)]);
    assert!(read.scalars["best_mse"][0].1 > 0.0);
    for name in ["losses", "fit"] {
        let picture = &read.images[name];
        assert_eq!(picture[..8], *b"\x89PNG\r\n\x1a\n");
    }
    // SessionStartInfo: a map of the settings, in which the learning rate is a number.
    let start = &bytes_of(&read.hparams["_hparams_/session_start_info"], 3)[0];
    let settings: BTreeMap<String, Vec<u8>> = bytes_of(start, 1)
        .iter()
        .map(|entry| {
            let name = String::from_utf8(bytes_of(entry, 1).remove(0)).unwrap();
            (name, bytes_of(entry, 2).remove(0))
        })
        .collect();
    let lr = bytes_of(&settings["lr"], 2).remove(0);
    assert_eq!(
        f64::from_le_bytes(lr.try_into().unwrap()),
        column(&run, "lr")[0]
    );
    assert_eq!(bytes_of(&settings["method"], 3), [b"multiple_shooting"]);
    assert!(read.hparams.contains_key("_hparams_/session_end_info"));

    // A run that goes on has one file with all epochs.
    folder.train(&["logger=[csv,tensorboard]", "resume=true", "epochs=9"]);
    let longer = events(&run);
    let mse: Vec<(u64, f32)> = longer.scalars["mse"].clone();
    assert_eq!(mse[..6], read.scalars["mse"][..]);
    assert_eq!(
        mse.iter().map(|(step, _)| *step).collect::<Vec<_>>(),
        (0..9).collect::<Vec<u64>>()
    );
}

#[test]
fn a_run_that_is_over_and_a_configured_one_have_the_same_file() {
    let folder = Folder::new();
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/scripts/train_lotka_volterra.rhai"
    );
    let arguments = [
        "run",
        script,
        "training=vanilla",
        "training.epochs=4",
        "logger=[csv,tensorboard]",
        "--out",
        "run",
    ];
    said(&folder.command(&arguments).output().unwrap(), 0);
    let run = folder.path("run");
    let mut written = events(&run);
    assert!(!written.scalars["mse"].is_empty());
    let push = ["log", "push", "run", "--to", "tensorboard"];
    said(&folder.command(&push).output().unwrap(), 0);
    let mut pushed = events(&run);
    // These have the time in them.
    written.hparams.clear();
    pushed.hparams.clear();
    // The normalised mse needs the data, which a saved run does not have.
    written.scalars.remove("best_nmse");
    assert_eq!(written, pushed);
}

#[test]
fn loggers_are_asked_for_by_name_and_need_a_folder() {
    let folder = Folder::new();
    let wrong = |code: &str, part: &str| {
        let code = format!(
            "let d = dataset([0, 1, 2], [[1.0], [2.0], [1.0]]); train(blackbox([1, 2, 1]), d, vanilla(), {code})"
        );
        let text = said(&folder.command(&["eval", &code]).output().unwrap(), 1);
        assert!(text.contains(part), "{part} in {text}");
    };
    wrong("#{ logger: \"tensorboard\" }", "give out");
    wrong(
        "#{ out: \"a\", logger: \"tensorbord\" }",
        "did you mean \"tensorboard\"",
    );
    wrong(
        "#{ out: \"a\", logger: #{ kind: \"wandb\", projct: \"x\" } }",
        "did you mean \"project\"",
    );
    wrong(
        "#{ out: \"a\", logger: #{ kind: \"csv\", project: \"x\" } }",
        "unknown option \"project\"",
    );
}

/// A stand-in for the process of the bridge: it keeps what it gets, and answers.
const BRIDGE: &str = r#"while IFS= read -r line; do
  printf '%s\n' "$line" >>lines.json
  id=$(printf '%s' "$line" | sed 's/.*"id":\([0-9]*\).*/\1/')
  case $line in
    *'"op":"start"'*) echo "{\"event\":\"started\",\"id\":$id,\"where\":\"the stand-in\"}" ;;
    *'"op":"finish"'*) echo "{\"event\":\"finished\",\"id\":$id}" ;;
  esac
done"#;

fn lines(folder: &Folder) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(folder.path("lines.json")).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn a_tracker_gets_every_epoch_by_the_protocol() {
    let folder = Folder::new();
    let text = folder.train_with(BRIDGE, &["logger=[csv,wandb,mlflow]"]);
    assert!(text.contains("logger wandb: the stand-in"), "{text}");
    let all = lines(&folder);
    let of = |id: u64, op: &str| -> Vec<&serde_json::Value> {
        all.iter()
            .filter(|m| m["id"] == id && m["op"] == op)
            .collect()
    };
    for (id, tracker) in [(1, "wandb"), (2, "mlflow")] {
        let start = of(id, "start")[0];
        assert_eq!(start["tracker"], tracker);
        assert_eq!(start["name"], "run");
        assert_eq!(start["config"]["method"], "multiple_shooting");
        assert_eq!(start["resume"], false);
        let logged: Vec<f64> = of(id, "log")
            .iter()
            .map(|m| m["metrics"]["mse"].as_f64().unwrap())
            .collect();
        assert_eq!(logged, column(&folder.path("run"), "mse"));
        assert_eq!(of(id, "finish")[0]["success"], true);
        let images = of(id, "image");
        let names: Vec<_> = images.iter().map(|m| m["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["losses", "fit"]);
        for image in images {
            assert!(Path::new(image["path"].as_str().unwrap()).is_file());
        }
        assert!(
            of(id, "summary")[0]["metrics"]["best_mse"]
                .as_f64()
                .unwrap()
                > 0.0
        );
    }

    // Members of an ensemble are runs of their own in one group, through one process.
    std::fs::remove_file(folder.path("lines.json")).unwrap();
    folder.train_with(BRIDGE, &["logger=[wandb]", "many=true", "out=all"]);
    let all = lines(&folder);
    let starts: Vec<_> = all.iter().filter(|m| m["op"] == "start").collect();
    let mut names: Vec<_> = starts.iter().map(|m| m["name"].as_str().unwrap()).collect();
    names.sort();
    assert_eq!(names, ["seed_1", "seed_2"]);
    assert!(starts.iter().all(|m| m["group"] == "all"));
    assert_eq!(all.iter().filter(|m| m["op"] == "log").count(), 12);
}

#[test]
fn no_tracker_ends_a_training_or_changes_it() {
    let folder = Folder::new();
    folder.train(&["out=plain"]);
    let plain = std::fs::read(folder.path("plain/best.safetensors")).unwrap();
    let cases = [
        ("missing", None, "does not start"),
        (
            "dies",
            Some("echo 'No module named wandb' >&2; exit 3"),
            "No module named wandb",
        ),
        (
            "midway",
            Some(
                "read -r one; read -r two; echo 'Traceback' >&2; echo 'OSError: No space left on device' >&2; exit 1",
            ),
            "No space left on device",
        ),
        (
            "refuses",
            Some(
                "read -r one; echo '{\"event\":\"failed\",\"id\":1,\"text\":\"CommError: no network\"}'; while read -r l; do case $l in *finish*) echo '{\"event\":\"finished\",\"id\":1}';; esac; done",
            ),
            "CommError: no network",
        ),
        ("silent", Some("sleep 1"), "ended"),
        (
            "noise",
            Some("echo 'not JSON'; echo '{\"id\":7}'; echo '[]'; exit 0"),
            "ended",
        ),
    ];
    for (out, stand_in, part) in cases {
        let arguments = ["logger=[csv,wandb]", &format!("out={out}")];
        let text = match stand_in {
            Some(stand_in) => folder.train_with(stand_in, &arguments),
            None => {
                let mut command =
                    folder.command(&[&["run", "train.rhai"], &arguments[..]].concat());
                said(
                    &command
                        .env("ODESYNC_PYTHON", "/nowhere/python")
                        .output()
                        .unwrap(),
                    0,
                )
            }
        };
        assert!(text.contains(part), "{out}: {text}");
        assert!(
            text.contains(&format!("odesync log push {out} --to wandb")),
            "{text}"
        );
        let best = std::fs::read(folder.path(out).join("best.safetensors")).unwrap();
        assert!(best == plain, "{out} changes the training");
        assert_eq!(column(&folder.path(out), "mse").len(), 6);
    }
    // Handing over afterwards, a failure is an error.
    let mut push = folder.command(&["log", "push", "plain", "--to", "wandb"]);
    let text = said(
        &push
            .env("ODESYNC_PYTHON", "/nowhere/python")
            .output()
            .unwrap(),
        1,
    );
    assert!(text.contains("does not start"), "{text}");
}

/// A stand-in for the package wandb, which keeps the calls.
const WANDB: &str = r#"
import json, os, types

def keep(*call):
    with open("calls.json", "a") as file:
        file.write(json.dumps(call, default=str) + "\n")

def Settings(**settings): return None
def Image(path): return "image " + os.path.basename(path)

class Run:
    url, dir = "https://wandb.example/run", "offline"
    def __init__(self, id): self.id, self.summary = id or "abc", {}
    def log(self, metrics, step=None): keep("log", step, metrics)
    def finish(self, exit_code): keep("finish", exit_code, self.summary)

def init(id=None, **options):
    options.pop("config"); options.pop("settings")
    keep("init", id, options)
    print("noise on the standard output")
    return Run(id)
"#;

#[test]
fn the_bridge_calls_the_client() {
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".into());
    if Command::new(&python).arg("--version").output().is_err() {
        assert!(std::env::var("CI").is_err(), "there is no {python}");
        eprintln!("skipped: there is no {python}");
        return;
    }
    let folder = Folder::new();
    std::fs::create_dir(folder.path("wandb")).unwrap();
    std::fs::write(folder.path("wandb/__init__.py"), WANDB).unwrap();
    let run = |arguments: &[&str]| {
        let mut command = folder.command(arguments);
        command
            .env("ODESYNC_PYTHON", &python)
            .env("PYTHONPATH", folder.0.path())
            .env("HOME", folder.0.path());
        said(&command.output().unwrap(), 0)
    };
    let calls = || -> Vec<serde_json::Value> {
        let text = std::fs::read_to_string(folder.path("calls.json")).unwrap();
        std::fs::remove_file(folder.path("calls.json")).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    };
    let text = run(&["run", "train.rhai", "logger=[csv,wandb]"]);
    assert!(text.contains("logger wandb: offline"), "{text}");
    let all = calls();
    // Without a key nothing is sent anywhere.
    assert_eq!(all[0][2]["mode"], "offline");
    assert_eq!(all[0][2]["project"], "odesync");
    let logged: Vec<f64> = all
        .iter()
        .filter(|call| call[0] == "log" && call[1].is_u64())
        .map(|call| call[2]["mse"].as_f64().unwrap())
        .collect();
    assert_eq!(logged, column(&folder.path("run"), "mse"));
    let end = all.last().unwrap();
    assert!(end[0] == "finish" && end[1] == 0 && end[2]["best_mse"].is_f64());
    assert!(
        all.iter()
            .any(|call| call[2]["losses"] == "image losses.png")
    );

    // A run that goes on is the same one there; one that is handed over later has all its epochs.
    run(&[
        "run",
        "train.rhai",
        "logger=[csv,wandb]",
        "resume=true",
        "epochs=8",
    ]);
    let all = calls();
    assert_eq!(all[0][1], "abc");
    assert_eq!(
        all.iter()
            .filter(|call| call[0] == "log" && call[1].is_u64())
            .count(),
        2
    );
    let text = run(&[
        "log",
        "push",
        "run",
        "--to",
        "wandb",
        "--project",
        "pendulum",
    ]);
    assert!(text.contains("run: offline"), "{text}");
    let all = calls();
    assert_eq!(all[0][2]["project"], "pendulum");
    assert_eq!(
        all.iter()
            .filter(|call| call[0] == "log" && call[1].is_u64())
            .count(),
        8
    );
}
