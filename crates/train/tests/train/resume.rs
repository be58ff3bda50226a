//! Runs that are stopped, in any way, and resumed: the result is that of an uninterrupted run, to the bit.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ndarray::{Array1, Array2};
use odesync_base::options::Named;
use odesync_base::random::Generator;
use odesync_base::{Error, Result};
use odesync_ode::dynamics::lotka_volterra;
use odesync_ode::field::{Unary, VectorField};
use odesync_ode::odesolve::{SolveOptions, solve};
use odesync_train::datasets::Dataset;
use odesync_train::models::blackbox;
use odesync_train::progress::CsvLogger;
use odesync_train::schedules::Schedule;
use odesync_train::training::{
    Callback, Callbacks, EpochRecord, Homotopy, LrSchedule, MultipleShooting, Optimizer, Run,
    RunStart, Sgd, StopReason, TrainOptions, TrainingMethod, load_model, train,
};
use safetensors::SafeTensors;

const EPOCHS: usize = 30;
/// Column of `run.history` with the wall-clock times.
const SECONDS: usize = 7;

pub(crate) fn data() -> Dataset {
    let t: Vec<f64> = (0..11).map(|i| f64::from(i) * 0.2).collect();
    let system = lotka_volterra().unwrap();
    let u = solve(&system, &[0.44, 4.6], &t, &SolveOptions::default());
    Dataset::single(Array1::from(t), u.unwrap().u, None).unwrap()
}

pub(crate) fn model() -> VectorField {
    blackbox(&[2, 6, 2], Unary::Tanh, &mut Generator::manual_seed(10)).unwrap()
}

fn methods() -> [TrainingMethod; 3] {
    [
        TrainingMethod::Vanilla,
        TrainingMethod::MultipleShooting(MultipleShooting::default()),
        TrainingMethod::Homotopy(Homotopy::new(6.0, Schedule::power_law(4, 5, 0.6).unwrap())),
    ]
}

pub(crate) fn options(out: &Path) -> TrainOptions {
    TrainOptions {
        lr: 0.05,
        checkpoint_every: 4,
        out: Some(out.into()),
        epochs: Some(EPOCHS),
        ..TrainOptions::default()
    }
}

/// Returns options and methods with everything that the state of a run depends on, in all combinations.
fn cases(out: &Path) -> Vec<(String, TrainingMethod, TrainOptions)> {
    let momentum = Optimizer::Sgd(Sgd {
        momentum: 0.9,
        weight_decay: 0.01,
    });
    let mut cases = vec![];
    for method in methods() {
        for optimizer in [Optimizer::default(), momentum.clone()] {
            for (patience, clip, lr_schedule) in [
                (None, None, LrSchedule::Constant),
                (Some(4), None, LrSchedule::Cosine),
                (None, Some(0.5), LrSchedule::Exponential { rate: 0.9 }),
            ] {
                let what = format!(
                    "{} {} patience {patience:?} clip {clip:?} {lr_schedule:?}",
                    method.name(),
                    optimizer.to_name()
                );
                let options = TrainOptions {
                    patience,
                    clip,
                    lr_schedule,
                    // A learning rate so high that the mse increases again, and patience ends the run.
                    lr: if patience.is_some() { 0.5 } else { 0.05 },
                    optimizer: optimizer.clone(),
                    ..options(&out.join(&what))
                };
                cases.push((what, method.clone(), options));
            }
        }
    }
    cases
}

/// Callback that sets the interrupt flag after some epochs.
struct StopAfter {
    epochs: BTreeSet<usize>,
    flag: Arc<AtomicBool>,
}

impl Callback for StopAfter {
    fn on_epoch_end(&mut self, record: &EpochRecord, _best: f64) -> Result<()> {
        if self.epochs.contains(&record.epoch) {
            self.flag.store(true, Ordering::Relaxed);
        }
        Ok(())
    }
}

/// Callback that calls a closure after each epoch.
struct Each<F>(F);

impl<F: FnMut(usize) -> Result<()> + Send> Callback for Each<F> {
    fn on_epoch_end(&mut self, record: &EpochRecord, _best: f64) -> Result<()> {
        (self.0)(record.epoch)
    }
}

/// Resumes a run until it is finished, with a stop after each of these epochs.
fn in_parts(method: &TrainingMethod, options: &TrainOptions, stop_epochs: &BTreeSet<usize>) -> Run {
    let mut options = options.clone();
    options.resume = true;
    for part in 0.. {
        options.interrupt = Arc::default();
        let mut callback = StopAfter {
            epochs: stop_epochs.clone(),
            flag: options.interrupt.clone(),
        };
        let run = train(&model(), &data(), method, &options, &mut callback).unwrap();
        if run.stop != StopReason::Interrupted {
            return run;
        }
        assert!(part < stop_epochs.len(), "it never comes to an end");
    }
    unreachable!()
}

/// Formats everything in a run except for wall-clock times and the normalised mse, which a run that was read from files has not.
pub(crate) fn all_of(run: &Run) -> String {
    let mut run = run.clone();
    run.best_nmse = None;
    run.history.iter_mut().for_each(|r| r.seconds = 0.0);
    format!("{:?}", plain(run))
}

/// Returns the run with its arrays in standard layout, because `{:?}` shows the layout too.
fn plain(mut run: Run) -> Run {
    let u0 = run.u0.iter().copied().collect();
    run.u0 = Array2::from_shape_vec(run.u0.dim(), u0).unwrap();
    run
}

/// Asserts that two runs are the same; their text is too long to be shown.
#[track_caller]
pub(crate) fn assert_equal(a: &str, b: &str, what: &str) {
    let at = a.bytes().zip(b.bytes()).position(|(a, b)| a != b);
    let around = |text: &str| {
        let at = at.unwrap_or_default();
        String::from_utf8_lossy(&text.as_bytes()[at.saturating_sub(80)..(at + 40).min(text.len())])
            .into_owned()
    };
    assert!(a == b, "{what}: …{}… is not …{}…", around(a), around(b));
}

type File = (serde_json::Value, BTreeMap<String, (Vec<usize>, Vec<u8>)>);

/// Reads a checkpoint without wall-clock times and the checksum, which depends on them.
fn file(path: &Path) -> File {
    let bytes = std::fs::read(path).unwrap();
    let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
    let entry = &header.metadata().as_ref().unwrap()["odesync"];
    let mut entry: serde_json::Value = serde_json::from_str(entry).unwrap();
    entry["checksum"] = "".into();
    let mut tensors = BTreeMap::new();
    for (name, view) in SafeTensors::deserialize(&bytes).unwrap().tensors() {
        let mut bytes = view.data().to_vec();
        if name == "run.history" {
            let columns = view.shape()[1];
            for row in bytes.chunks_mut(8 * columns) {
                row[8 * SECONDS..8 * (SECONDS + 1)].fill(0);
            }
        }
        tensors.insert(name, (view.shape().to_vec(), bytes));
    }
    (entry, tensors)
}

/// Asserts that both files of two folders are the same except for wall-clock times, as are the runs in them and the run that was
/// returned.
pub(crate) fn assert_same(what: &str, a: &Path, b: &Path, run: &Run) {
    let best = |folder: &Path| std::fs::read(folder.join("best.safetensors")).unwrap();
    assert!(best(a) == best(b), "{what}: best.safetensors");
    let last = |folder: &Path| file(&folder.join("last.safetensors"));
    let ((about_a, a_tensors), (about_b, b_tensors)) = (last(a), last(b));
    assert_eq!(about_a, about_b, "{what}");
    for (name, tensor) in &a_tensors {
        assert!(b_tensors.get(name) == Some(tensor), "{what}: {name}");
    }
    assert_eq!(a_tensors.len(), b_tensors.len(), "{what}");
    for folder in [a, b] {
        assert_equal(&all_of(&Run::load(folder).unwrap()), &all_of(run), what);
    }
}

fn copy(from: &Path, to: &Path, names: &[&str]) {
    std::fs::create_dir_all(to).unwrap();
    for name in names {
        // The rows are in a file beside the checkpoint only while a run goes on.
        if from.join(name).exists() {
            std::fs::copy(from.join(name), to.join(name)).unwrap();
        }
    }
}

#[test]
fn runs_in_parts_equal_whole_ones() {
    let folder = tempfile::tempdir().unwrap();
    let mut ends = BTreeSet::new();
    for (i, (what, method, uninterrupted)) in cases(folder.path()).into_iter().enumerate() {
        let run = train(&model(), &data(), &method, &uninterrupted, &mut ()).unwrap();
        ends.insert(format!("{:?}", run.stop));
        let mut random = Generator::manual_seed(i as u64);
        let stop_epochs: BTreeSet<usize> =
            (0..5).map(|_| random.random() as usize % EPOCHS).collect();
        let out = folder.path().join("parts").join(&what);
        let parts = in_parts(&method, &uninterrupted.clone().out(&out), &stop_epochs);
        assert_equal(
            &all_of(&parts),
            &all_of(&run),
            &format!("{what}, stopped after {stop_epochs:?}"),
        );
        assert_same(&what, uninterrupted.out.as_ref().unwrap(), &out, &run);
    }
    assert_eq!(ends.len(), 2, "some runs end early: {ends:?}");
}

/// Stops after every epoch, including the first, the last, and those that fail before a run gives up.
#[test]
fn a_stop_after_every_epoch_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let calm = options(&folder.path().join("calm"));
    let failing = TrainOptions {
        lr: 1e6,
        max_failures: 3,
        epochs: Some(200),
        ..options(&folder.path().join("failing"))
    };
    let impatient = TrainOptions {
        patience: Some(4),
        lr: 0.5,
        ..options(&folder.path().join("impatient"))
    };
    for (method, uninterrupted) in [
        (&methods()[2], calm),
        (&methods()[1], impatient),
        (&TrainingMethod::Vanilla, failing),
    ] {
        let run = train(&model(), &data(), method, &uninterrupted, &mut ()).unwrap();
        let what = format!("{:?}", run.stop);
        let out = folder.path().join(format!("{} in parts", method.name()));
        let stop_epochs = (0..run.history.len()).collect();
        let parts = in_parts(method, &uninterrupted.clone().out(&out), &stop_epochs);
        assert_equal(&all_of(&parts), &all_of(&run), &what);
        assert_same(&what, uninterrupted.out.as_ref().unwrap(), &out, &run);
        let failures = match (
            uninterrupted.max_failures,
            uninterrupted.patience,
            &run.stop,
        ) {
            (3, None, StopReason::Failing(_)) => 3,
            (_, Some(_), StopReason::EarlyStop) | (_, None, StopReason::Finished) => 0,
            other => panic!("{other:?}"),
        };
        assert_eq!(run.failures(), failures);
    }
}

/// Another thread sets the flag at arbitrary times, also during a solve.
#[test]
fn a_stop_at_any_moment_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let method = &methods()[1];
    let mut uninterrupted = options(&folder.path().join("whole"));
    // Many steps, so that most of the time is spent in solves.
    uninterrupted.solver = SolveOptions::default().solver("rk4").unwrap().substeps(400);
    let run = train(&model(), &data(), method, &uninterrupted, &mut ()).unwrap();
    let out = folder.path().join("parts");
    let duration = Duration::from_secs_f64(run.seconds());
    let mut part = uninterrupted.clone().out(&out).resume();
    let mut stopped = 0;
    let parts = loop {
        part.interrupt = Arc::default();
        let flag = part.interrupt.clone();
        // Increasing waits, so that the run finishes.
        let wait = duration.mul_f64(0.03 * f64::from(stopped + 1));
        let timer = std::thread::spawn(move || {
            std::thread::sleep(wait);
            flag.store(true, Ordering::Relaxed);
        });
        let run = train(&model(), &data(), method, &part, &mut ()).unwrap();
        timer.join().unwrap();
        if run.stop != StopReason::Interrupted {
            break run;
        }
        stopped += 1;
    };
    assert!(stopped > 0, "it was never stopped");
    assert_equal(
        &all_of(&parts),
        &all_of(&run),
        &format!("stopped {stopped} times"),
    );
    assert_same(
        "any moment",
        uninterrupted.out.as_ref().unwrap(),
        &out,
        &run,
    );
}

/// Files that a killed process leaves: each is that of some checkpoint, `best.safetensors` and the rows of the history possibly of a
/// later one.
#[test]
fn whatever_a_kill_leaves_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut with_torn_rows = 0;
    for method in methods() {
        let root = folder.path().join(method.name());
        let uninterrupted = options(&root.join("whole"));
        let out = uninterrupted.out.clone().unwrap();
        let names = [
            "last.history.f64",
            "best.safetensors",
            "last.safetensors",
            "metrics.csv",
        ];
        let mut callbacks = Callbacks::default();
        callbacks.push(CsvLogger::new(&out));
        callbacks.push(Each(|epoch| {
            copy(&out, &root.join(format!("{epoch}")), &names);
            Ok(())
        }));
        let run = train(&model(), &data(), &method, &uninterrupted, &mut callbacks).unwrap();
        let mut random = Generator::manual_seed(1);
        for newer in (0..EPOCHS).step_by(2) {
            let older = newer.saturating_sub(random.random() as usize % 5);
            let left = root.join("left");
            copy(&root.join(format!("{older}")), &left, &names[2..]);
            copy(&root.join(format!("{newer}")), &left, &names[..2]);
            std::fs::write(left.join(".odesync-a1b2c3"), "half of a fi").unwrap();
            with_torn_rows += usize::from(tear(&left.join(names[0])));
            let part = uninterrupted.clone().out(&left).resume();
            let resumed = train(&model(), &data(), &method, &part, &mut ()).unwrap();
            let what = format!("{} {older} {newer}", method.name());
            assert_equal(&all_of(&resumed), &all_of(&run), &what);
            assert_same(&what, &out, &left, &run);
            std::fs::remove_dir_all(&left).unwrap();
        }
    }
    assert!(with_torn_rows > 10, "{with_torn_rows}");
}

/// Adds half of a row to a file of rows, and returns whether there was one.
fn tear(rows: &Path) -> bool {
    let Ok(mut bytes) = std::fs::read(rows) else {
        return false;
    };
    bytes.extend([1; 20]);
    std::fs::write(rows, bytes).unwrap();
    true
}

#[test]
fn more_epochs_may_follow() {
    let folder = tempfile::tempdir().unwrap();
    for method in methods() {
        let uninterrupted = options(&folder.path().join(method.name()));
        let run = train(&model(), &data(), &method, &uninterrupted, &mut ()).unwrap();
        let out = folder.path().join("more").join(method.name());
        let part = uninterrupted.clone().out(&out).resume();
        for epochs in [7, 20, EPOCHS] {
            let part = part.clone().epochs(epochs);
            let run = train(&model(), &data(), &method, &part, &mut ()).unwrap();
            assert_eq!(
                (run.stop, run.history.len()),
                (StopReason::Finished, epochs)
            );
        }
        assert_same(
            method.name(),
            uninterrupted.out.as_ref().unwrap(),
            &out,
            &run,
        );
        let fewer = part.epochs(10);
        let error = train(&model(), &data(), &method, &fewer, &mut ()).unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("30 epochs already, and epochs is 10"),
            "{text}"
        );
    }
}

/// Callback that counts its calls.
#[derive(Default)]
struct CallCounter {
    starts: Vec<(usize, usize)>,
    epochs: usize,
    notes: Vec<String>,
    finishes: usize,
}

impl Callback for CallCounter {
    fn on_start(&mut self, start: &RunStart) -> Result<()> {
        self.starts.push((start.first_epoch(), start.epochs));
        Ok(())
    }
    fn on_epoch_end(&mut self, _record: &EpochRecord, _best: f64) -> Result<()> {
        self.epochs += 1;
        Ok(())
    }
    fn on_note(&mut self, text: &str) {
        self.notes.push(text.into());
    }
    fn on_finish(&mut self, _run: &Run) -> Result<()> {
        self.finishes += 1;
        Ok(())
    }
}

#[test]
fn a_run_that_is_over_is_there_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let calm = options(&folder.path().join("finished"));
    let patient = TrainOptions {
        patience: Some(2),
        lr: 1e-300,
        ..options(&folder.path().join("early"))
    };
    let failing = TrainOptions {
        lr: 1e6,
        max_failures: 3,
        epochs: Some(200),
        ..options(&folder.path().join("failing"))
    };
    for (i, options) in [calm, patient, failing].into_iter().enumerate() {
        let run = train(
            &model(),
            &data(),
            &TrainingMethod::Vanilla,
            &options,
            &mut (),
        )
        .unwrap();
        match (&run.stop, i) {
            (StopReason::Finished, 0)
            | (StopReason::EarlyStop, 1)
            | (StopReason::Failing(_), 2) => {}
            other => panic!("{other:?}"),
        }
        let last = options.out.as_ref().unwrap().join("last.safetensors");
        let before = std::fs::read(&last).unwrap();
        let mut counter = CallCounter::default();
        let resumed_options = options.clone().resume();
        let resumed = train(
            &model(),
            &data(),
            &TrainingMethod::Vanilla,
            &resumed_options,
            &mut counter,
        )
        .unwrap();
        let text = |run: &Run| format!("{:?}", plain(run.clone()));
        assert_equal(&text(&resumed), &text(&run), "at once");
        let done = run.history.len();
        assert_eq!(counter.starts, [(done, options.epochs.unwrap())]);
        assert_eq!((counter.epochs, counter.finishes), (0, 1));
        assert!(std::fs::read(&last).unwrap() == before);
    }
}

#[test]
fn with_overwrite_a_run_begins_anew_and_what_was_there_goes() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = options(folder.path());
    train(
        &model(),
        &data(),
        &TrainingMethod::Vanilla,
        &options,
        &mut (),
    )
    .unwrap();
    options.lr = 0.01;
    options.overwrite = true;
    options.interrupt.store(true, Ordering::Relaxed);
    let run = train(
        &model(),
        &data(),
        &TrainingMethod::Vanilla,
        &options,
        &mut (),
    )
    .unwrap();
    assert_eq!(
        (&run.stop, run.history.len()),
        (&StopReason::Interrupted, 0)
    );
    let back = Run::load(folder.path()).unwrap();
    assert_eq!((back.history.len(), back.settings.options.lr), (0, 0.01));
    assert_eq!(
        load_model(folder.path().join("best.safetensors"))
            .unwrap()
            .params(),
        model().params()
    );
    // The new run is on disk before its first epoch: a kill then leaves the new run, not the old one.
    options.interrupt = Arc::default();
    let mut epochs_on_disk = vec![];
    let mut reader = Each(|_| {
        epochs_on_disk.push(Run::load(folder.path())?.history.len());
        Ok(())
    });
    train(
        &model(),
        &data(),
        &TrainingMethod::Vanilla,
        &options,
        &mut reader,
    )
    .unwrap();
    assert_eq!(epochs_on_disk[..6], [0, 0, 0, 0, 4, 4]);
    let none = TrainOptions {
        out: None,
        ..options.resume()
    };
    let error = train(&model(), &data(), &TrainingMethod::Vanilla, &none, &mut ()).unwrap_err();
    assert!(error.to_string().contains("give out"), "{error}");
}

#[test]
fn what_has_changed_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let homotopy = &methods()[2];
    let mut first = options(folder.path());
    first.clip = Some(2.5);
    let flag = Arc::new(AtomicBool::new(false));
    first.interrupt = flag.clone();
    let mut callback = StopAfter {
        epochs: [9].into(),
        flag,
    };
    train(&model(), &data(), homotopy, &first, &mut callback).unwrap();
    first.interrupt = Arc::default();
    let resumed = first.resume();
    let says = |model: &VectorField,
                data: &Dataset,
                method: &TrainingMethod,
                options: &TrainOptions,
                what: &str| {
        let error = train(model, data, method, options, &mut ())
            .unwrap_err()
            .to_string();
        let folder = folder.path().display().to_string();
        assert!(
            error.contains(what) && error.contains(&folder) && error.contains("another folder"),
            "{what}: {error}"
        );
    };

    let changed = |change: &dyn Fn(&mut TrainOptions)| {
        let mut options = resumed.clone();
        change(&mut options);
        options
    };
    let adamw = |change: fn(&mut odesync_train::training::Adam)| match Optimizer::default() {
        Optimizer::AdamW(mut settings) => {
            change(&mut settings);
            Optimizer::AdamW(settings)
        }
        other => other,
    };
    for (what, options) in [
        (
            "lr was 0.05 when it began, and is 0.1 now",
            changed(&|o| o.lr = 0.1),
        ),
        (
            "clip was 2.5 when it began, and is none now",
            changed(&|o| o.clip = None),
        ),
        (
            "patience was none when it began, and is 9 now",
            changed(&|o| o.patience = Some(9)),
        ),
        ("max_failures was 10", changed(&|o| o.max_failures = 11)),
        (
            "lr_schedule was constant when it began, and is cosine now",
            changed(&|o| o.lr_schedule = LrSchedule::Cosine),
        ),
        (
            "optimizer was adamw when it began, and is sgd now",
            changed(&|o| o.optimizer = Optimizer::from_name("sgd").unwrap()),
        ),
        (
            "optimizer.weight_decay was 0.01",
            changed(&|o| o.optimizer = Optimizer::default().with_weight_decay(0.2)),
        ),
        (
            "optimizer.beta2 was 0.999",
            changed(&|o| o.optimizer = adamw(|a| a.beta2 = 0.99)),
        ),
        (
            "solver was dopri5 when it began, and is tsit5 now",
            changed(&|o| o.solver = SolveOptions::default().solver("tsit5").unwrap()),
        ),
        (
            "rtol was 1e-7",
            changed(&|o| o.solver = SolveOptions::default().tolerances(1e-6, 1e-9)),
        ),
        (
            "substeps was none when it began, and is 3 now",
            changed(&|o| o.solver = SolveOptions::default().substeps(3)),
        ),
        (
            "breakpoints was true",
            changed(&|o| o.solver.breakpoints = false.into()),
        ),
    ] {
        says(&model(), &data(), homotopy, &options, what);
    }

    let with = |k: f64, alpha: f64, schedule: Schedule| {
        TrainingMethod::Homotopy(Homotopy::new(k, schedule).smoothing(alpha))
    };
    let power = |n, e, rate| Schedule::power_law(n, e, rate).unwrap();
    for (what, method) in [
        (
            "method was homotopy when it began, and is vanilla now",
            TrainingMethod::Vanilla,
        ),
        (
            "method.coupling was 6.0 when it began, and is 7.0 now",
            with(7.0, 0.0, power(4, 5, 0.6)),
        ),
        ("method.smoothing was 0.0", with(6.0, 0.1, power(4, 5, 0.6))),
        (
            "method.schedule.rate was 0.6 when it began, and is 0.5 now",
            with(6.0, 0.0, power(4, 5, 0.5)),
        ),
        (
            "method.schedule was power_law when it began, and is stepwise now",
            with(6.0, 0.0, Schedule::stepwise(0.2, 5).unwrap()),
        ),
    ] {
        says(&model(), &data(), &method, &resumed, what);
    }

    let draw = |nodes: &[usize], activation, seed| {
        blackbox(nodes, activation, &mut Generator::manual_seed(seed)).unwrap()
    };
    says(
        &draw(&[2, 7, 2], Unary::Tanh, 10),
        &data(),
        homotopy,
        &resumed,
        "other equations or sizes",
    );
    says(
        &draw(&[2, 6, 2], Unary::Gelu, 10),
        &data(),
        homotopy,
        &resumed,
        "other equations or sizes",
    );
    says(
        &draw(&[2, 6, 2], Unary::Tanh, 11),
        &data(),
        homotopy,
        &resumed,
        "another seed?",
    );

    type Change<'a> = &'a dyn Fn(&mut Vec<f64>, &mut Array2<f64>, &mut Vec<f64>);
    let with = |change: Change| {
        let data = data();
        let (mut t, mut u, mut u0) = (
            data.t().to_vec(),
            data.sample(0).unwrap().to_owned(),
            data.u0().row(0).to_vec(),
        );
        change(&mut t, &mut u, &mut u0);
        Dataset::single(t.into(), u, Some(u0.into())).unwrap()
    };
    for (what, data) in [
        (
            "the values of the data",
            with(&|_, u, _| u[[10, 1]] = f64::from_bits(u[[10, 1]].to_bits() + 1)),
        ),
        (
            "the values of the data",
            with(&|_, u, _| u[[3, 0]] = f64::NAN),
        ),
        ("the times of the data", with(&|t, _, _| t[10] += 1e-9)),
        (
            "the initial states of the data",
            with(&|_, _, u0| u0[1] = 4.7),
        ),
        (
            "was 1 x 11 x 2 when it began, and is 1 x 9 x 2 now",
            data().head(9).unwrap(),
        ),
    ] {
        says(&model(), &data, homotopy, &resumed, what);
    }

    // None of these attempts has changed the run.
    let run = train(&model(), &data(), homotopy, &resumed, &mut ()).unwrap();
    assert_eq!(
        (run.stop, run.history.len()),
        (StopReason::Finished, EPOCHS)
    );
}

/// Constants of a model that are not trained are compared too.
#[test]
fn a_constant_that_has_changed_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let guess = |b: f64| {
        let system = lotka_volterra().unwrap().with_param("b", &[b]).unwrap();
        system.trainable(&["a"]).unwrap()
    };
    let b = guess(0.9);
    train(
        &b,
        &data(),
        &TrainingMethod::Vanilla,
        &options(folder.path()),
        &mut (),
    )
    .unwrap();
    let resumed = options(folder.path()).resume().epochs(40);
    let error = train(
        &guess(0.8),
        &data(),
        &TrainingMethod::Vanilla,
        &resumed,
        &mut (),
    )
    .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("the model's constant \"b\" was 0.9 when it began, and is 0.8 now"),
        "{error}"
    );
    let text = |e: Error| e.to_string();
    let unfixed = lotka_volterra().unwrap().trainable(&["a", "b"]).unwrap();
    let error = text(
        train(
            &unfixed,
            &data(),
            &TrainingMethod::Vanilla,
            &resumed,
            &mut (),
        )
        .unwrap_err(),
    );
    assert!(error.contains("other equations or sizes"), "{error}");
    assert_eq!(
        train(&b, &data(), &TrainingMethod::Vanilla, &resumed, &mut ())
            .unwrap()
            .history
            .len(),
        40
    );
}

#[test]
fn a_failing_disk_or_observer_leaves_the_last_good_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let uninterrupted = options(&folder.path().join("whole"));
    let run = train(
        &model(),
        &data(),
        &TrainingMethod::Vanilla,
        &uninterrupted,
        &mut (),
    )
    .unwrap();

    let out = folder.path().join("observer");
    let part = uninterrupted.clone().out(&out);
    let mut counter = CallCounter::default();
    let mut failing = Callbacks::default();
    failing.push(Each(|epoch| match epoch {
        13 => Err(Error::Training("no space left".into())),
        _ => Ok(()),
    }));
    let mut both = Callbacks(vec![Box::new(failing), Box::new(&mut counter)]);
    let error = train(
        &model(),
        &data(),
        &TrainingMethod::Vanilla,
        &part,
        &mut both,
    )
    .unwrap_err();
    drop(both);
    assert_eq!(error.to_string(), "no space left");
    assert_eq!(
        (counter.epochs, counter.finishes),
        (14, 0),
        "the other one hears of it"
    );
    assert_eq!(Run::load(&out).unwrap().history.len(), 14);
    train(
        &model(),
        &data(),
        &TrainingMethod::Vanilla,
        &part.resume(),
        &mut (),
    )
    .unwrap();
    assert_same("callback", uninterrupted.out.as_ref().unwrap(), &out, &run);

    // From epoch 9 on the folder is moved, and writing into it fails.
    let (out, moved_folder) = (folder.path().join("disk"), folder.path().join("aside"));
    let part = uninterrupted.clone().out(&out);
    let mut breaks = Each(|epoch| {
        if epoch == 9 {
            std::fs::rename(&out, &moved_folder).unwrap();
            std::fs::write(&out, "").unwrap();
        }
        Ok(())
    });
    let error = train(
        &model(),
        &data(),
        &TrainingMethod::Vanilla,
        &part,
        &mut breaks,
    )
    .unwrap_err();
    assert!(matches!(error, Error::Io { .. }), "{error}");
    assert!(error.to_string().contains("disk"), "{error}");
    std::fs::remove_file(&out).unwrap();
    std::fs::rename(&moved_folder, &out).unwrap();
    assert_eq!(Run::load(&out).unwrap().history.len(), 8);
    train(
        &model(),
        &data(),
        &TrainingMethod::Vanilla,
        &part.resume(),
        &mut (),
    )
    .unwrap();
    assert_same("disk", uninterrupted.out.as_ref().unwrap(), &out, &run);
}

#[test]
fn a_folder_has_one_writer() {
    let folder = tempfile::tempdir().unwrap();
    let options = options(folder.path());
    let other = train(
        &model(),
        &data(),
        &TrainingMethod::Vanilla,
        &TrainOptions {
            out: None,
            ..options.clone()
        },
        &mut (),
    );
    let other = other.unwrap();
    let mut errors = vec![];
    let mut second = Each(|epoch| {
        if epoch == 3 {
            errors.push(
                train(
                    &model(),
                    &data(),
                    &TrainingMethod::Vanilla,
                    &options.clone().resume(),
                    &mut (),
                )
                .unwrap_err(),
            );
            errors.push(other.save(folder.path()).unwrap_err());
        }
        Ok(())
    });
    train(
        &model(),
        &data(),
        &TrainingMethod::Vanilla,
        &options,
        &mut second,
    )
    .unwrap();
    assert_eq!(errors.len(), 2);
    for error in errors {
        let text = error.to_string();
        assert!(
            text.contains("another run is writing there")
                && text.contains(&folder.path().display().to_string()),
            "{text}"
        );
    }
    other.save(folder.path()).unwrap();
}

/// Returns a table as text without its column of times, and the times.
fn table(folder: &Path) -> (Vec<Vec<String>>, Vec<f64>) {
    let text = std::fs::read_to_string(folder.join("metrics.csv")).unwrap();
    assert!(text.ends_with('\n'));
    let mut times = vec![];
    let rows = text.lines().enumerate().map(|(i, line)| {
        let mut cells: Vec<String> = line.split(',').map(Into::into).collect();
        let time = cells.remove(5);
        match i {
            0 => assert_eq!(time, "seconds"),
            _ => times.push(time.parse().unwrap()),
        }
        cells
    });
    (rows.collect(), times)
}

#[test]
fn the_table_follows_the_run_and_is_cut_back() {
    let folder = tempfile::tempdir().unwrap();
    for method in methods() {
        let with_logger =
            |options: &TrainOptions, mut then: Box<dyn FnMut(usize) -> Result<()> + Send + '_>| {
                let mut callbacks = Callbacks::default();
                callbacks.push(CsvLogger::new(options.out.as_ref().unwrap()));
                callbacks.push(Each(&mut then));
                train(&model(), &data(), &method, options, &mut callbacks).unwrap()
            };
        let uninterrupted = options(&folder.path().join(method.name()));
        let out = uninterrupted.out.clone().unwrap();
        let run = with_logger(
            &uninterrupted,
            Box::new(|epoch| {
                // The line of an epoch is written immediately.
                assert_eq!(table(&out).1.len(), epoch + 1);
                Ok(())
            }),
        );
        let (rows, times) = table(&out);
        let extra_columns: &[&str] = match method {
            TrainingMethod::MultipleShooting(_) => &["data_loss", "continuity"],
            _ => &[],
        };
        let header = [
            "epoch",
            "lambda",
            "train_loss",
            "mse",
            "evaluations",
            "lr",
            "gradient_norm",
            "failed",
        ];
        assert_eq!(rows[0], [&header[..], extra_columns].concat());
        for (i, name) in rows[0].iter().enumerate() {
            let column = rows[1..].iter().map(|row| match &*row[i] {
                "false" => 0.0,
                "true" => 1.0,
                number => number.parse().unwrap(),
            });
            let bits = |x: f64| x.to_bits();
            assert!(
                column
                    .map(bits)
                    .eq(run.metric(name).unwrap().into_iter().map(bits)),
                "{name}"
            );
        }
        assert_eq!(times, run.metric("seconds").unwrap());

        for damage in [
            "lines of later epochs",
            "a torn line",
            "no file",
            "another file",
        ] {
            let part = uninterrupted.clone().out(folder.path().join("part"));
            let out = part.out.clone().unwrap();
            let flag = part.interrupt.clone();
            let part = part.resume();
            with_logger(
                &part,
                Box::new(move |epoch| {
                    flag.store(epoch == 10, Ordering::Relaxed);
                    Ok(())
                }),
            );
            part.interrupt.store(false, Ordering::Relaxed);
            let metrics = out.join("metrics.csv");
            let text = std::fs::read_to_string(&metrics).unwrap();
            match damage {
                "lines of later epochs" => {
                    std::fs::write(&metrics, format!("{text}11,1.0,2.0\n12,1.0,3.0\n")).unwrap()
                }
                "a torn line" => std::fs::write(&metrics, &text[..text.len() - 20]).unwrap(),
                "no file" => std::fs::remove_file(&metrics).unwrap(),
                _ => std::fs::write(&metrics, "time,hare\n").unwrap(),
            }
            let resumed = with_logger(&part, Box::new(|_| Ok(())));
            let (rows_after, times_after) = table(&out);
            assert_eq!(rows_after, rows, "{damage}");
            assert_eq!(times_after, resumed.metric("seconds").unwrap(), "{damage}");
            std::fs::remove_dir_all(&out).unwrap();
        }
    }
}

#[test]
fn a_table_that_cannot_be_written_ends_the_run() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("metrics.csv")).unwrap();
    let mut logger = CsvLogger::new(folder.path());
    let options = options(folder.path());
    let error = train(
        &model(),
        &data(),
        &TrainingMethod::Vanilla,
        &options,
        &mut logger,
    )
    .unwrap_err();
    assert!(error.to_string().contains("metrics.csv"), "{error}");
    assert_eq!(Run::load(folder.path()).unwrap().history.len(), 0);
}

#[test]
fn the_best_mse_at_lambda_zero_is_that_of_the_model_alone() {
    let homotopy = |values: Vec<f64>| {
        TrainingMethod::Homotopy(Homotopy::new(6.0, Schedule::list(values).unwrap()))
    };
    let options = |epochs| TrainOptions::default().epochs(epochs).lr(0.05);
    let run = |method: &TrainingMethod, epochs| {
        train(&model(), &data(), method, &options(epochs), &mut ()).unwrap()
    };
    let coupled = run(&homotopy(vec![1.0]), 3);
    assert!(coupled.best_mse_at_lambda_zero().is_nan());
    assert!(coupled.final_mse.unwrap().is_finite());

    let mut some = run(&homotopy(vec![1.0, 1.0, 0.0]), 5);
    let mse = some.metric("mse").unwrap();
    let uncoupled = mse[2..].iter().copied().chain(some.final_mse);
    assert_eq!(
        some.best_mse_at_lambda_zero(),
        uncoupled.fold(f64::INFINITY, f64::min)
    );
    some.history[0].mse = 1e-30;
    assert!(some.best_mse_at_lambda_zero() > 1e-30, "λ is 1 there");
    some.history[3].mse = 1e-20;
    some.history[4].mse = f64::NAN;
    assert_eq!(some.best_mse_at_lambda_zero(), 1e-20);

    let vanilla = run(&TrainingMethod::Vanilla, 4);
    assert_eq!(vanilla.best_mse_at_lambda_zero(), vanilla.best_mse);
    let evaluations = vanilla.metric("evaluations").unwrap();
    assert_eq!(
        vanilla.evaluations() as f64,
        evaluations.iter().sum::<f64>()
    );
}
