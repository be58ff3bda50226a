//! Training in mini-batches: their gradients against the full one, resumed runs against whole ones, known truths, mistakes.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ndarray::{Array1, Array2, Array3, array, s};
use odesync_base::Error;
use odesync_base::options::{Named, OptionSet};
use odesync_base::random::Generator;
use odesync_ode::dynamics::lotka_volterra;
use odesync_ode::engines::engine;
use odesync_ode::field::{Unary, VectorField, system};
use odesync_ode::odesolve::{BatchSolve, SolveOptions};
use odesync_train::datasets::Dataset;
use odesync_train::models::blackbox;
use odesync_train::schedules::Schedule;
use odesync_train::training::{
    Callback, EnsembleMember, Homotopy, LrSchedule, MultipleShooting, Objective, Observation,
    Optimizer, Run, StopReason, TrainOptions, TrainingMethod, WeakConstraint, train,
    train_ensemble,
};

use crate::observed::{driven, ragged};

/// Returns trajectories of Lotka and Volterra's system from random initial states.
fn data(samples: usize, times: usize) -> Dataset {
    let t = Array1::from_iter((0..times).map(|i| 0.2 * i as f64));
    let draws = Generator::manual_seed(5).uniform_f64(0.5, 4.0, 2 * samples);
    let u0 = Array2::from_shape_vec((samples, 2), draws).unwrap();
    let system = lotka_volterra().unwrap();
    let solved = BatchSolve::new(&system, u0.view()).unwrap();
    let solved = solved.solve(&t.to_vec(), &SolveOptions::default()).unwrap();
    Dataset::new(t, solved.u, Some(u0)).unwrap()
}

fn model() -> VectorField {
    blackbox(&[2, 6, 2], Unary::Tanh, &mut Generator::manual_seed(10)).unwrap()
}

fn methods() -> [TrainingMethod; 3] {
    [
        TrainingMethod::Vanilla,
        TrainingMethod::MultipleShooting(MultipleShooting {
            segments: 3,
            continuity_weight: 0.3,
        }),
        TrainingMethod::Homotopy(Homotopy::new(6.0, Schedule::power_law(4, 3, 0.6).unwrap())),
    ]
}

fn options() -> TrainOptions {
    TrainOptions::default().lr(0.02).epochs(12)
}

/// Callback that collects the notes of a run.
struct Notes(Vec<String>);

impl Callback for Notes {
    fn on_note(&mut self, text: &str) {
        self.0.push(text.into());
    }
}

/// Formats everything in a run except for wall-clock times and what a run that was read from files has not.
fn all_of(run: &Run) -> String {
    let mut run = run.clone();
    run.best_nmse = None;
    run.history.iter_mut().for_each(|r| r.seconds = 0.0);
    run.u0 = run.u0.as_standard_layout().into_owned();
    format!("{run:?}")
}

#[track_caller]
fn assert_same(a: &Run, b: &Run, what: &str) {
    // The texts are too long to be shown.
    assert!(all_of(a) == all_of(b), "{what}");
}

fn objective(
    model: &VectorField,
    data: &Dataset,
    method: &TrainingMethod,
    observation: &Observation,
) -> Objective {
    let solver = SolveOptions::default();
    let engine = engine("native", "cpu").unwrap();
    Objective::with_observation(model, data, method, observation, &solver, engine).unwrap()
}

/// Asserts that the mean over these batches, which have all samples, is the full loss with its gradient, and that a batch of all
/// samples is the full loss to the bit.
fn mean_of_batches_is_full(mut objective: Objective, lambda: f64, batches: &[&[usize]]) {
    let mut params = objective.initial_params();
    let draws = Generator::manual_seed(1).uniform_f64(-0.1, 0.1, params.len());
    params.iter_mut().zip(draws).for_each(|(p, x)| *p += x);
    let full = objective.evaluate(&params, lambda, true, None).unwrap();
    let n = batches.concat().len();
    let mut gradient = vec![0.0; full.gradient.len()];
    let (mut loss, mut data_loss, mut continuity) = (0.0, 0.0, 0.0);
    for batch in batches {
        let part = objective.evaluate_batch(batch, &params, lambda).unwrap();
        let share = batch.len() as f64 / n as f64;
        loss += share * part.loss;
        data_loss += share * part.data_loss;
        continuity += share * part.continuity;
        for (sum, g) in gradient.iter_mut().zip(&part.gradient) {
            *sum += share * g;
        }
    }
    let close = |a: f64, b: f64| (a - b).abs() <= 1e-12 * (1.0 + b.abs());
    assert!(close(loss, full.loss), "{loss} {}", full.loss);
    assert!(close(data_loss, full.data_loss));
    assert!(close(continuity, full.continuity));
    for (a, b) in gradient.iter().zip(&full.gradient) {
        assert!(close(*a, *b), "{a} {b}");
    }
    let backwards: Vec<usize> = (0..n).rev().collect();
    let all = objective
        .evaluate_batch(&backwards, &params, lambda)
        .unwrap();
    assert_eq!((all.loss, all.data_loss), (full.loss, full.data_loss));
    assert_eq!(all.gradient, full.gradient);
}

#[test]
fn the_mean_gradient_of_the_batches_is_the_full_one() {
    let data = data(7, 9);
    for method in methods() {
        let lambda = match method {
            TrainingMethod::Homotopy(_) => 0.5,
            _ => 0.0,
        };
        for train_u0 in [false, true] {
            let observation = Observation {
                train_u0,
                ..Observation::default()
            };
            mean_of_batches_is_full(
                objective(&model(), &data, &method, &observation),
                lambda,
                &[&[6, 0, 3], &[1, 5], &[2, 4]],
            );
        }
    }
}

/// Samples of different times with missing values, and an input of each sample's own.
#[test]
fn batches_of_samples_that_differ_are_weighted_as_the_full_loss() {
    let observation = Observation {
        observe: Some(vec![2, 0]),
        u0: Some(array![[1.0, 2.0, 20.0], [-3.0, 1.0, 15.0]]),
        ..Observation::default()
    };
    for method in methods() {
        let lambda = match method {
            TrainingMethod::Homotopy(_) => 0.5,
            _ => 0.0,
        };
        let objective = objective(&driven(), &ragged(), &method, &observation);
        mean_of_batches_is_full(objective, lambda, &[&[1], &[0]]);
    }
}

#[test]
fn a_batch_of_all_samples_has_the_bits_of_none_and_a_note() {
    let data = data(5, 9);
    for method in methods() {
        let whole = train(&model(), &data, &method, &options(), &mut ()).unwrap();
        let mut notes = Notes(vec![]);
        let batch = options().batch(5);
        let run = train(&model(), &data, &method, &batch, &mut notes).unwrap();
        assert_eq!(run.last.params(), whole.last.params());
        assert_eq!(run.metric("mse").unwrap(), whole.metric("mse").unwrap());
        assert!(notes.0.iter().any(|note| note.contains("batch: 5")));
    }
}

#[test]
fn an_epoch_has_a_step_for_each_batch_and_the_mse_of_all_data() {
    let data = data(10, 9);
    let method = TrainingMethod::Vanilla;
    let run = train(&model(), &data, &method, &options().batch(4), &mut ()).unwrap();
    // Ten samples are batches of 4, 4 and 2.
    assert_eq!(run.optimizer.step, 3 * 12);
    let mut all = objective(&model(), &data, &method, &Observation::default());
    let first = all.evaluate(&model().params(), 0.0, false, None).unwrap();
    assert_eq!(run.history[0].mse, first.data_loss);
    let last = all.evaluate(&run.last.params(), 0.0, false, None).unwrap();
    assert_eq!(run.final_mse, Some(last.data_loss));
    assert!(run.best_mse < 0.5 * first.data_loss);
}

#[test]
fn threads_do_not_change_the_bits() {
    let data = data(13, 9);
    for method in methods() {
        let of_threads = |n: usize| -> Run {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(n);
            let pool = pool.build().unwrap();
            let options = options().batch(6);
            pool.install(|| train(&model(), &data, &method, &options, &mut ()))
                .unwrap()
        };
        let one = of_threads(1);
        for n in [2, 3, 8] {
            assert_same(&of_threads(n), &one, method.name());
        }
    }
}

/// A run that another thread stops at arbitrary times, mostly within an epoch.
#[test]
fn a_run_that_is_stopped_within_epochs_equals_a_whole_one() {
    let folder = tempfile::tempdir().unwrap();
    let data = data(12, 9);
    for (method, scale) in methods().into_iter().zip(["none", "none", "auto"]) {
        let mut whole = options().batch(5).out(folder.path().join(method.name()));
        whole.checkpoint_every = 3;
        whole.shuffle_seed = Some(77);
        whole.set("scale", &scale.into()).unwrap();
        // Many steps, so that most of the time is spent in solves.
        whole.solver = SolveOptions::default().solver("rk4").unwrap().substeps(60);
        let run = train(&model(), &data, &method, &whole, &mut ()).unwrap();
        let mut part = whole.clone().resume();
        part.out = Some(folder.path().join(format!("{} in parts", method.name())));
        let mut stopped = 0;
        let parts = loop {
            part.interrupt = Arc::default();
            let flag = part.interrupt.clone();
            // Increasing waits, so that the run finishes.
            let wait = Duration::from_secs_f64(0.04 * run.seconds() * f64::from(stopped + 1));
            let timer = std::thread::spawn(move || {
                std::thread::sleep(wait);
                flag.store(true, Ordering::Relaxed);
            });
            // The seed of the run on disk shuffles.
            part.shuffle_seed = Some(78);
            if stopped == 0 {
                part.shuffle_seed = whole.shuffle_seed;
            }
            let run = train(&model(), &data, &method, &part, &mut ()).unwrap();
            timer.join().unwrap();
            if run.stop != StopReason::Interrupted {
                break run;
            }
            stopped += 1;
        };
        assert!(stopped > 0, "it was never stopped");
        assert_same(&parts, &run, method.name());
        let last = |folder: &Option<std::path::PathBuf>| Run::load(folder.as_ref().unwrap());
        assert_same(
            &last(&part.out).unwrap(),
            &last(&whole.out).unwrap(),
            method.name(),
        );
    }
}

/// A run that ends early and goes on with more epochs has the batches of one that was asked for all of them.
#[test]
fn more_epochs_follow_a_finished_run() {
    let folder = tempfile::tempdir().unwrap();
    let (data, method) = (data(9, 9), TrainingMethod::Vanilla);
    let out = |name: &str| options().batch(4).out(folder.path().join(name));
    let whole = train(&model(), &data, &method, &out("whole"), &mut ()).unwrap();
    let first = out("parts").epochs(5);
    train(&model(), &data, &method, &first, &mut ()).unwrap();
    let rest = train(&model(), &data, &method, &out("parts").resume(), &mut ()).unwrap();
    assert_same(&rest, &whole, "more epochs");
    let changed = out("parts").resume().batch(3);
    let error = train(&model(), &data, &method, &changed, &mut ()).unwrap_err();
    let error = error.to_string();
    assert!(
        error.contains("batch was 4 when it began, and is 3 now"),
        "{error}"
    );
}

#[test]
fn a_training_on_256_trajectories_reaches_the_truth() {
    let data = data(256, 11);
    let truth = lotka_volterra().unwrap();
    let trainable = truth.trainable(&["a", "b", "c", "d"]).unwrap();
    let first: Vec<f64> = trainable.params().iter().map(|x| 1.2 * x).collect();
    let model = trainable.with_params(&first).unwrap();
    let options = TrainOptions {
        optimizer: Optimizer::default().with_weight_decay(0.0),
        lr_schedule: LrSchedule::Cosine,
        ..TrainOptions::default().lr(0.03).epochs(12).batch(32)
    };
    let run = train(&model, &data, &TrainingMethod::Vanilla, &options, &mut ()).unwrap();
    for (found, truth) in run.model.params().iter().zip(trainable.params()) {
        assert!((found / truth - 1.0).abs() < 2e-3, "{found} {truth}");
    }
}

#[test]
fn members_of_an_ensemble_are_shuffled_by_their_own_seeds() {
    let (data, method) = (data(9, 9), TrainingMethod::Vanilla);
    let member = |seed: u64| {
        let mut options = options().batch(4);
        options.shuffle_seed = Some(seed);
        EnsembleMember {
            label: format!("seed {seed}"),
            model: model(),
            options,
        }
    };
    let members: Vec<EnsembleMember> = (1..4).map(member).collect();
    let loggers = |_: &EnsembleMember| -> Box<dyn Callback> { Box::new(()) };
    let all = train_ensemble(&members, &data, &method, &mut (), &loggers).unwrap();
    let mut found = vec![];
    for (member, run) in members.iter().zip(all.runs()) {
        let alone = train(&model(), &data, &method, &member.options, &mut ()).unwrap();
        assert_same(run, &alone, &member.label);
        found.push(run.last.params());
    }
    assert!(found[0] != found[1] && found[1] != found[2]);
}

/// A sample that cannot be solved costs the step of its batch alone.
#[test]
fn a_batch_that_fails_is_skipped() {
    // du/dt = p u² ends before t = 1 where p u₀ > 1.
    let growth = system(1, &[("p", 0.5)], |_, u, p| {
        vec![p.get("p") * u.at(0).square()]
    });
    let model = growth.unwrap().trainable(&["p"]).unwrap();
    let t = Array1::linspace(0.0, 1.0, 5);
    let u = Array3::from_shape_fn((6, 5, 1), |(i, j, _)| {
        let u0 = 0.2 + 0.1 * i as f64;
        u0 / (1.0 - 0.4 * u0 * t[j])
    });
    let mut u0 = u.slice(s![.., 0, ..]).to_owned();
    u0[[4, 0]] = 10.0;
    let data = Dataset::new(t, u, Some(u0)).unwrap();
    let method = TrainingMethod::Vanilla;
    let mut notes = Notes(vec![]);
    let run = train(&model, &data, &method, &options().batch(2), &mut notes).unwrap();
    assert_eq!(run.failures(), 0);
    // Two of the three steps of each epoch were made.
    assert_eq!(run.optimizer.step, 2 * 12);
    assert!(
        run.history
            .iter()
            .all(|r| r.train_loss.is_finite() && r.mse.is_nan())
    );
    let found = run.last.params()[0];
    assert!((found - 0.4).abs() < (0.5_f64 - 0.4).abs(), "{found}");
    let told: Vec<&String> = notes
        .0
        .iter()
        .filter(|note| note.contains("skipped"))
        .collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].contains("1 of its 3 steps skipped") && told[0].contains("sample 4"),
        "{told:?}"
    );
}

#[test]
fn what_takes_all_samples_has_no_batches() {
    let data = data(6, 9);
    let error = |method: &TrainingMethod, options: &TrainOptions| {
        let error = train(&model(), &data, method, options, &mut ()).unwrap_err();
        assert!(matches!(error, Error::Invalid(_)), "{error}");
        error.to_string()
    };
    let lm = TrainOptions::default()
        .optimizer(Optimizer::from_name("lm").unwrap())
        .batch(4);
    let text = error(&TrainingMethod::Vanilla, &lm);
    assert!(text.contains("leave batch out"), "{text}");
    let itself: TrainingMethod = WeakConstraint::default().into();
    let text = error(&itself, &TrainOptions::default().batch(4));
    assert!(text.contains("batch belongs to gradient descent"), "{text}");
    let mut full = objective(
        &model(),
        &data,
        &TrainingMethod::Vanilla,
        &Observation::default(),
    );
    let params = full.initial_params();
    for (batch, cure) in [
        (&[][..], "at least one sample"),
        (&[2, 6], "there are 6 samples"),
    ] {
        let error = full.evaluate_batch(batch, &params, 0.0).unwrap_err();
        assert!(error.to_string().contains(cure), "{error}");
    }
}
