//! Tests that runs that are killed at any moment resume to the same bits as runs without an interruption.

#![cfg(unix)]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use odesync::random::Generator;
use odesync::training::Run;

/// Returns the number of runs that are killed: `ODESYNC_KILLS`, by default 50, which is enough for every run of the tests.
fn kills() -> usize {
    match std::env::var("ODESYNC_KILLS") {
        Ok(number) => number.parse().expect("ODESYNC_KILLS is a number"),
        Err(_) => 50,
    }
}

/// Arguments of short runs of the three methods, with frequent checkpoints.
const RUNS: [&[&str]; 3] = [
    &["training=homotopy", "training.schedule.epochs_per_step=15"],
    &["training=multishoot", "training.epochs=60"],
    &[
        "training=vanilla",
        "training.epochs=150",
        "training.lr_schedule=cosine",
    ],
];

fn start(arguments: &[&str], run_flag: &str, folder: &Path) -> Child {
    Command::new(env!("CARGO_BIN_EXE_odesync"))
        .args(["run", "--quiet", "--threads", "1", run_flag])
        .arg(folder)
        .arg(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/scripts/train_lotka_volterra.rhai"
        ))
        .args(["trainer.checkpoint_every=4", "model.nodes_per_layer=8"])
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Runs a run to its end; returns the elapsed time.
fn finish(arguments: &[&str], run_flag: &str, folder: &Path) -> Duration {
    let started = Instant::now();
    let output = start(arguments, run_flag, folder)
        .wait_with_output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{run_flag} {}: {errors}",
        folder.display()
    );
    started.elapsed()
}

/// Returns the number of epochs that a run has written to its metrics.
fn epochs_done(folder: &Path) -> usize {
    let text = std::fs::read(folder.join("metrics.csv")).unwrap_or_default();
    let lines = text.iter().filter(|byte| **byte == b'\n').count();
    lines.saturating_sub(1)
}

/// Waits for a moment between 0 and 1.2 of a run: up to 0.2 it starts, between 0.2 and 1 it trains, from 1 on it writes its
/// results. The moment is determined from the run's own progress, since the speed of a machine may change from one run to the
/// next.
fn wait_for(moment: f64, child: &mut Child, folder: &Path, (epochs, time): (usize, Duration)) {
    let after = |epochs: usize, child: &mut Child| {
        while epochs_done(folder) < epochs && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_micros(200));
        }
    };
    // The start and the end each take about a third of the time.
    let outside = |part: f64| time.mul_f64(part / 0.2 / 3.0);
    if moment < 0.2 {
        std::thread::sleep(outside(moment));
    } else if moment < 1.0 {
        let progress = (moment - 0.2) / 0.8 * epochs as f64;
        after(progress as usize, child);
        std::thread::sleep((time / epochs as u32).mul_f64(progress.fract()));
    } else {
        after(epochs, child);
        std::thread::sleep(outside(moment - 1.0));
    }
}

/// Asserts that two runs are equal in everything but their time.
pub(crate) fn assert_same(a: &Path, b: &Path) {
    let (one, other) = (Run::load(a).unwrap(), Run::load(b).unwrap());
    let bits = |x: &[f64]| x.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(one.last.values()), bits(other.last.values()));
    assert_eq!(bits(one.model.values()), bits(other.model.values()));
    assert_eq!(
        bits(&one.optimizer.first_moment),
        bits(&other.optimizer.first_moment)
    );
    assert_eq!(
        bits(&one.optimizer.second_moment),
        bits(&other.optimizer.second_moment)
    );
    assert_eq!(bits(&one.aux_params), bits(&other.aux_params));
    assert_eq!(one.optimizer.step, other.optimizer.step);
    assert_eq!(
        (one.best_epoch, one.best_mse.to_bits()),
        (other.best_epoch, other.best_mse.to_bits())
    );
    assert_eq!(one.stop, other.stop);
    for name in [
        "epoch",
        "lambda",
        "train_loss",
        "mse",
        "data_loss",
        "continuity",
        "evaluations",
        "lr",
        "gradient_norm",
        "failed",
    ] {
        assert_eq!(
            bits(&one.metric(name).unwrap()),
            bits(&other.metric(name).unwrap()),
            "{name}"
        );
    }
    let csv = |folder: &Path| -> Vec<Vec<String>> {
        let mut reader = csv::Reader::from_path(folder.join("metrics.csv")).unwrap();
        let seconds = reader
            .headers()
            .unwrap()
            .iter()
            .position(|h| h == "seconds")
            .unwrap();
        let cells = |row: csv::StringRecord| {
            let other = row.iter().enumerate().filter(|(i, _)| *i != seconds);
            other.map(|(_, cell)| cell.to_string()).collect()
        };
        reader.records().map(|row| cells(row.unwrap())).collect()
    };
    assert_eq!(csv(a), csv(b));
}

#[test]
fn a_run_killed_at_any_moment_resumes_to_the_same_bits() {
    let root = tempfile::tempdir().unwrap();
    let whole: Vec<(PathBuf, (usize, Duration))> = RUNS
        .iter()
        .enumerate()
        .map(|(i, run)| {
            let folder = root.path().join(format!("whole_{i}"));
            let time = finish(run, "--out", &folder);
            let epochs = epochs_done(&folder);
            assert!(epochs > 0, "{}", folder.display());
            (folder, (epochs, time))
        })
        .collect();
    let draws = Mutex::new(Generator::manual_seed(7));
    let draw = || draws.lock().unwrap().uniform_f64(0.0, 1.0, 2);
    let kills = kills();
    let next = Mutex::new(0..kills);
    let killed = Mutex::new(0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(i) = { next.lock().unwrap().next() } {
                    let (folder, of_whole) = &whole[i % RUNS.len()];
                    let run = RUNS[i % RUNS.len()];
                    let killed_run = root.path().join(format!("killed_{i}"));
                    let numbers = draw();
                    let mut child = start(run, "--out", &killed_run);
                    wait_for(1.2 * numbers[0], &mut child, &killed_run, *of_whole);
                    let signal = if numbers[1] < 0.5 { "-KILL" } else { "-INT" };
                    // The process id of an ended process may belong to another by now.
                    if child.try_wait().unwrap().is_none() {
                        Command::new("kill")
                            .args([signal, &child.id().to_string()])
                            .status()
                            .unwrap();
                    }
                    let status = child.wait().unwrap();
                    if !status.success() {
                        *killed.lock().unwrap() += 1;
                    }
                    // Before its configuration is written a run cannot be resumed.
                    let run_flag = if killed_run.join("config.yaml").exists() {
                        "--resume"
                    } else {
                        "--out"
                    };
                    finish(run, run_flag, &killed_run);
                    assert_same(folder, &killed_run);
                }
            });
        }
    });
    let killed = *killed.lock().unwrap();
    println!("{killed} of {kills} runs were killed");
    assert!(
        killed >= kills / 2,
        "only {killed} of {kills} runs were killed before their end"
    );
}
