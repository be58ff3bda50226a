//! Every operation on the disk fails once, in every way in which it can: the training says which file it was, the last checkpoint is
//! good, and the run that goes on ends with the bits of one without a fault.
//!
//! By default a part of all faults; all of them with `ODESYNC_FAULTS=all`.

#![cfg(debug_assertions)]

use std::path::Path;

use odesync_base::Error;
use odesync_base::files::Operation;
use odesync_base::files::faults::{Begun, Fault, inject};
use odesync_train::progress::CsvLogger;
use odesync_train::schedules::Schedule;
use odesync_train::training::{
    Callback, Callbacks, EpochRecord, Homotopy, Run, TrainOptions, TrainingMethod, train,
};

use super::resume::{assert_same, data, model, options as usual_options};

const EPOCHS: usize = 7;
/// Epochs between two checkpoints.
const EVERY: usize = 2;
/// Of the faults, those of the gate: every so many-th.
const STRIDE: usize = 7;

/// Names of the files that may be in the folder of a run.
const KNOWN: [&str; 6] = [
    ".lock",
    "best.safetensors",
    "last.safetensors",
    "last.history.f64",
    "last.path.f64",
    "metrics.csv",
];

fn options(out: &Path) -> TrainOptions {
    TrainOptions {
        checkpoint_every: EVERY,
        trajectory_every: Some(3),
        ..usual_options(out).epochs(EPOCHS)
    }
}

fn method() -> TrainingMethod {
    let schedule = Schedule::power_law(2, 2, 0.6).unwrap();
    TrainingMethod::Homotopy(Homotopy::new(6.0, schedule))
}

fn run_with(options: &TrainOptions) -> Result<Run, Error> {
    let mut logger = CsvLogger::new(options.out.as_ref().unwrap());
    train(&model(), &data(), &method(), options, &mut logger)
}

/// Returns the faults of these operations to try.
fn faults_of(begun: &[Begun]) -> Vec<(Fault, usize)> {
    let all = (0..begun.len()).flat_map(|at| {
        let fits = move |fault: &Fault| fault.fits(begun[at].operation) && *fault != Fault::End;
        let kinds = Fault::ALL.iter().map(|(fault, _)| *fault).filter(fits);
        kinds.map(move |fault| (fault, at)).collect::<Vec<_>>()
    });
    let stride = match std::env::var("ODESYNC_FAULTS").as_deref() {
        Ok("all") => 1,
        _ => STRIDE,
    };
    all.step_by(stride).collect()
}

/// Returns the number of epochs of the last checkpoint that was there before an operation; `start` of the one before them all.
fn epochs_kept(begun: &[Begun], at: usize, start: usize) -> usize {
    let is_checkpoint = |begun: &&Begun| {
        begun.operation == Operation::Rename && begun.path.ends_with("last.safetensors")
    };
    match begun[..at].iter().filter(is_checkpoint).count() {
        0 => start,
        // The first checkpoint of a run is before its first epoch; one that goes on has none there.
        n if start == 0 => (EVERY * (n - 1)).min(EPOCHS),
        n => (start.next_multiple_of(EVERY) + EVERY * n).min(EPOCHS),
    }
}

/// Asserts that the error of a fault names the file that was to be written, or its folder where that is what failed.
fn assert_names(error: &Error, begun: &Begun, out: &Path, what: &str) {
    let text = error.to_string();
    let folder = out.display().to_string();
    let file = begun.path.display().to_string();
    assert!(
        text.contains(&folder) && !text.contains(".odesync-"),
        "{what}: {text}"
    );
    let in_folder = begun.operation == Operation::CreateFolder || begun.path.ends_with(".lock");
    assert!(in_folder || text.contains(&file), "{what}: {text}");
}

/// Lets every fault of a training happen. Before each, `begin` leaves in the folder what the training is to go on with, `start` epochs.
fn try_all(root: &Path, whole: (&Path, &Run), start: usize, begin: impl Fn(&Path)) {
    let resumed = |out: &Path| options(out).resume();
    let (first, begun) = {
        let out = root.join("without");
        begin(&out);
        inject(None, || run_with(&resumed(&out)))
    };
    assert_same(
        "without a fault",
        whole.0,
        &root.join("without"),
        &first.unwrap(),
    );
    let faults = faults_of(&begun);
    assert!(faults.len() > 10, "{}", faults.len());
    let mut failed = 0;
    for (fault, at) in faults {
        let what = format!("{fault:?} at {at}, {:?}", begun[at]);
        let out = root.join("faulty");
        begin(&out);
        let (result, done) = inject(Some((fault, at)), || run_with(&resumed(&out)));
        // The same operation of another folder.
        let faulty = &done[at];
        assert_eq!(faulty.operation, begun[at].operation, "{what}");
        match &result {
            Err(error) => {
                failed += 1;
                assert_ne!(fault, Fault::Short, "{what}: {error}");
                assert_names(error, faulty, &out, &what);
            }
            // What is left behind there does no harm.
            Ok(_) => assert!(
                fault == Fault::Short || faulty.operation == Operation::Remove,
                "{what}"
            ),
        }
        if out.exists() {
            for entry in std::fs::read_dir(&out).unwrap() {
                let name = entry.unwrap().file_name();
                assert!(KNOWN.iter().any(|known| name == *known), "{what}: {name:?}");
            }
        }
        let kept = epochs_kept(&begun, at, start);
        let there = match out.join("last.safetensors").exists() {
            true => Run::load(&out).unwrap().history.len(),
            false => 0,
        };
        assert!(there >= kept, "{what}: {there} epochs, not {kept}");
        let again = run_with(&resumed(&out)).unwrap();
        assert_same(&what, whole.0, &out, &again);
        std::fs::remove_dir_all(&out).unwrap();
    }
    assert!(failed > 8, "{failed}");
}

/// Callback that copies the folder of a run when an epoch is done.
struct CopyAt<'a>(usize, &'a Path, &'a Path);

impl Callback for CopyAt<'_> {
    fn on_epoch_end(&mut self, record: &EpochRecord, _best: f64) -> Result<(), Error> {
        if record.epoch == self.0 {
            copy(self.1, self.2);
        }
        Ok(())
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

#[test]
fn whatever_fails_the_last_checkpoint_is_good_and_goes_on() {
    let root = tempfile::tempdir().unwrap();
    let (whole, stopped) = (root.path().join("whole"), root.path().join("stopped"));
    // What a process leaves that is killed in its sixth epoch: the checkpoint of four has its rows in files beside it.
    let mut callbacks = Callbacks::default();
    callbacks.push(CsvLogger::new(&whole));
    callbacks.push(CopyAt(5, &whole, &stopped));
    let run = train(
        &model(),
        &data(),
        &method(),
        &options(&whole),
        &mut callbacks,
    )
    .unwrap();
    assert!(stopped.join("last.history.f64").exists() && stopped.join("last.path.f64").exists());
    assert!(!whole.join("last.history.f64").exists() && !whole.join("last.path.f64").exists());
    try_all(&root.path().join("new"), (&whole, &run), 0, |_| ());
    try_all(&root.path().join("old"), (&whole, &run), 4, |out| {
        copy(&stopped, out)
    });
}

/// The bytes that a run writes grow as its epochs do, however many checkpoints it has.
#[test]
fn the_bytes_written_grow_as_the_epochs() {
    let root = tempfile::tempdir().unwrap();
    let written = |epochs: usize| {
        let out = root.path().join(epochs.to_string());
        let options = options(&out).epochs(epochs);
        let (run, begun) = inject(None, || run_with(&options));
        let sizes = begun.iter().filter(|b| b.operation == Operation::Write);
        let bytes: usize = sizes.map(|begun| begun.bytes).sum();
        let folder = std::fs::read_dir(out).unwrap();
        let kept: u64 = folder.map(|f| f.unwrap().metadata().unwrap().len()).sum();
        assert_eq!(run.unwrap().history.len(), epochs);
        (bytes as f64, kept as f64)
    };
    let (short, long) = (written(20), written(160));
    // Eight times the epochs and the checkpoints: the history alone, written anew each time, would be 64 times.
    assert!(long.0 / short.0 < 9.0, "{short:?} {long:?}");
}
