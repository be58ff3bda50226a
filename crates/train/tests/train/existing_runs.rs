//! A folder with a run: it is replaced only where somebody says so.

use std::path::Path;

use ndarray::array;
use odesync_base::Error;
use odesync_base::random::Generator;
use odesync_ode::dynamics::lotka_volterra;
use odesync_ode::field::{Unary, VectorField};
use odesync_ode::odesolve::SolveOptions;
use odesync_train::datasets::Dataset;
use odesync_train::models::blackbox;
use odesync_train::training::{
    Callback, EnsembleMember, EpochRecord, Run, TrainOptions, TrainingMethod, train, train_ensemble,
};

fn model() -> VectorField {
    blackbox(&[2, 4, 2], Unary::Tanh, &mut Generator::manual_seed(10)).unwrap()
}

fn data() -> Dataset {
    let t: Vec<f64> = (0..6).map(|i| f64::from(i) * 0.2).collect();
    Dataset::simulated(
        &lotka_volterra().unwrap(),
        &array![[1.0, 2.0]],
        &t,
        &SolveOptions::default(),
    )
    .unwrap()
}

/// Stops a run after some epochs.
struct StopAfter(usize);

impl Callback for StopAfter {
    fn on_epoch_end(&mut self, record: &EpochRecord, _best: f64) -> odesync_base::Result<()> {
        match record.epoch + 1 >= self.0 {
            true => Err(Error::Interrupted),
            false => Ok(()),
        }
    }
}

fn attempt(options: TrainOptions) -> Result<Run, Error> {
    train(
        &model(),
        &data(),
        &TrainingMethod::Vanilla,
        &options,
        &mut (),
    )
}

fn to(folder: &Path, epochs: usize) -> TrainOptions {
    TrainOptions::default().out(folder).epochs(epochs)
}

#[test]
fn a_finished_run_stays_unless_it_may_be_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("last.safetensors");
    attempt(to(folder.path(), 3)).unwrap();
    let before = std::fs::read(&file).unwrap();
    let error = attempt(to(folder.path(), 4)).unwrap_err();
    assert!(matches!(error, Error::RunExists { .. }));
    let text = error.to_string();
    assert!(
        text.contains("holds a finished run (3 epochs): `overwrite: true` replaces it"),
        "{text}"
    );
    assert!(text.contains("another folder keeps both"), "{text}");
    assert_eq!(std::fs::read(&file).unwrap(), before);
    let replaced = attempt(to(folder.path(), 4).overwrite()).unwrap();
    assert_eq!(replaced.history.len(), 4);
    assert_eq!(Run::load(folder.path()).unwrap().history.len(), 4);
    // Both at once is no order.
    let both = attempt(to(folder.path(), 5).overwrite().resume()).unwrap_err();
    assert!(both.to_string().contains("give one of them"));
    // The same run may be saved over itself, another one not.
    assert!(replaced.check_saves_over_nothing(folder.path()).is_ok());
    let other = attempt(TrainOptions::default().epochs(2)).unwrap();
    assert!(other.check_saves_over_nothing(folder.path()).is_err());
    assert!(
        other
            .check_saves_over_nothing(folder.path().join("new"))
            .is_ok()
    );
}

#[test]
fn an_unfinished_run_says_how_to_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let stopped = train(
        &model(),
        &data(),
        &TrainingMethod::Vanilla,
        &to(folder.path(), 9),
        &mut StopAfter(2),
    );
    assert!(matches!(stopped, Err(Error::Interrupted)));
    let text = attempt(to(folder.path(), 9)).unwrap_err().to_string();
    assert!(
        text.contains("holds an unfinished run (2 of 9 epochs): `resume: true` goes on with it"),
        "{text}"
    );
    assert!(text.contains("`overwrite: true` replaces it"), "{text}");
    assert_eq!(
        attempt(to(folder.path(), 9).resume())
            .unwrap()
            .history
            .len(),
        9
    );
    // What cannot be read may be worth something as well.
    std::fs::write(folder.path().join("last.safetensors"), "damaged").unwrap();
    let text = attempt(to(folder.path(), 9)).unwrap_err().to_string();
    assert!(text.contains("holds a run that cannot be read"), "{text}");
    attempt(to(folder.path(), 2).overwrite()).unwrap();
}

#[test]
fn an_ensemble_is_refused_before_it_begins() {
    let folder = tempfile::tempdir().unwrap();
    let member = |seed: u64| EnsembleMember {
        label: format!("seed_{seed}"),
        model: model(),
        options: to(&folder.path().join(format!("seed_{seed}")), 2),
    };
    let all = |seeds: &[u64]| {
        let members: Vec<EnsembleMember> = seeds.iter().map(|seed| member(*seed)).collect();
        train_ensemble(
            &members,
            &data(),
            &TrainingMethod::Vanilla,
            &mut (),
            &|_| Box::new(()),
        )
    };
    all(&[2]).unwrap();
    let error = all(&[1, 2]).unwrap_err();
    assert!(matches!(error, Error::RunExists { .. }), "{error}");
    assert!(!folder.path().join("seed_1").exists());
}
