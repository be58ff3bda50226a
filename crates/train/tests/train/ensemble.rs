//! Ensembles: every member is the run that it would be if trained alone, whatever the number of threads.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use ndarray::Array1;
use odesync_base::error::Result;
use odesync_base::random::Generator;
use odesync_ode::dynamics::lotka_volterra;
use odesync_ode::field::{Unary, VectorField};
use odesync_ode::odesolve::{SolveOptions, solve};
use odesync_train::datasets::Dataset;
use odesync_train::models::blackbox;
use odesync_train::schedules::Schedule;
use odesync_train::training::{
    Callback, EnsembleMember, EpochRecord, Homotopy, Run, RunStart, TrainOptions, TrainingMethod,
    train, train_ensemble,
};
use odesync_train::weak_constraint::WeakConstraint;

fn data() -> Dataset {
    let t: Vec<f64> = (0..15).map(|i| f64::from(i) * 0.1).collect();
    let system = lotka_volterra().unwrap();
    let u = solve(&system, &[0.44, 4.6], &t, &SolveOptions::default())
        .unwrap()
        .u;
    Dataset::single(Array1::from(t), u, None).unwrap()
}

fn model(seed: u64) -> VectorField {
    blackbox(&[2, 6, 2], Unary::Tanh, &mut Generator::manual_seed(seed)).unwrap()
}

fn member(seed: u64, options: TrainOptions) -> EnsembleMember {
    EnsembleMember {
        label: format!("seed_{seed}"),
        model: model(seed),
        options,
    }
}

fn no_logger(_: &EnsembleMember) -> Box<dyn Callback> {
    Box::new(())
}

/// Returns the bits of a run except for wall-clock times.
fn bits(run: &Run) -> Vec<u64> {
    let history = run.history.iter().flat_map(|r| {
        [
            r.lambda,
            r.train_loss,
            r.mse,
            r.evaluations as f64,
            r.gradient_norm,
        ]
    });
    let numbers = history.chain(run.model.params()).chain(run.last.params());
    numbers.chain([run.best_mse]).map(f64::to_bits).collect()
}

#[test]
fn members_are_the_runs_they_would_be_alone_on_any_number_of_threads() {
    let data = data();
    let method =
        TrainingMethod::Homotopy(Homotopy::new(4.0, Schedule::power_law(3, 4, 0.6).unwrap()));
    let members: Vec<EnsembleMember> = [10, 20, 30, 40, 50]
        .into_iter()
        .map(|seed| member(seed, TrainOptions::default().lr(0.01 * seed as f64)))
        .collect();
    let separate: Vec<Vec<u64>> = members
        .iter()
        .map(|m| bits(&train(&m.model, &data, &method, &m.options, &mut ()).unwrap()))
        .collect();
    for threads in [1, 2, 7] {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        let all = pool
            .install(|| train_ensemble(&members, &data, &method, &mut (), &no_logger))
            .unwrap();
        let together: Vec<Vec<u64>> = all.runs().map(bits).collect();
        assert_eq!(together, separate, "{threads} threads");
        let labels: Vec<&str> = all.members.iter().map(|(label, _)| &label[..]).collect();
        assert_eq!(
            labels,
            ["seed_10", "seed_20", "seed_30", "seed_40", "seed_50"]
        );
        let best = all.runs().map(|r| r.best_mse).fold(f64::INFINITY, f64::min);
        assert_eq!(all.best().unwrap().best_mse, best);
    }
}

#[test]
fn quantiles_are_those_of_the_runs() {
    let data = data();
    let epochs = [3, 5, 5];
    let members: Vec<EnsembleMember> = [1, 2, 3]
        .into_iter()
        .zip(epochs)
        .map(|(seed, epochs)| member(seed, TrainOptions::default().epochs(epochs)))
        .collect();
    let all = train_ensemble(
        &members,
        &data,
        &TrainingMethod::Vanilla,
        &mut (),
        &no_logger,
    )
    .unwrap();
    let mse: Vec<Vec<f64>> = all.runs().map(|r| r.metric("mse").unwrap()).collect();
    let median = all.quantile("mse", 0.5).unwrap();
    let low = all.quantile("mse", 0.25).unwrap();
    assert_eq!(median.len(), 5);
    for epoch in 0..5 {
        let mut values: Vec<f64> = mse.iter().filter_map(|m| m.get(epoch).copied()).collect();
        values.sort_by(f64::total_cmp);
        // The lower quartile of three numbers lies half-way between the first two, of two numbers a quarter of the way.
        let (m, q) = match values[..] {
            [a, b, _] => (b, 0.5 * (a + b)),
            [a, b] => (0.5 * (a + b), 0.75 * a + 0.25 * b),
            _ => panic!("{values:?}"),
        };
        assert!((median[epoch] / m - 1.0).abs() < 1e-14);
        assert!((low[epoch] / q - 1.0).abs() < 1e-14);
    }
    assert!(
        all.quantile("mes", 0.5)
            .unwrap_err()
            .to_string()
            .contains("mse")
    );
    assert!(all.quantile("mse", 1.5).is_err());
    let t = [0.0, 0.7, 2.0];
    let band = all.predict(&t, 0.0, 1.0).unwrap();
    assert_eq!(band.members, 3);
    let each: Vec<_> = all.runs().map(|r| r.predict(&t).unwrap()).collect();
    for at in [[0, 0, 0], [0, 1, 1], [0, 2, 0]] {
        let mut values: Vec<f64> = each.iter().map(|u| u[at]).collect();
        values.sort_by(f64::total_cmp);
        assert_eq!([band.low[at], band.median[at], band.high[at]], values[..]);
    }
}

#[test]
fn a_member_that_fails_does_not_end_the_others() {
    let data = data();
    let hopeless = TrainOptions {
        max_failures: 2,
        solver: SolveOptions {
            max_steps: 1,
            ..SolveOptions::default()
        },
        ..TrainOptions::default().epochs(4)
    };
    let good = TrainOptions::default().epochs(4);
    let members = [
        member(1, good.clone()),
        member(2, hopeless.clone()),
        member(3, good),
    ];
    let all = train_ensemble(
        &members,
        &data,
        &TrainingMethod::Vanilla,
        &mut (),
        &no_logger,
    )
    .unwrap();
    assert_eq!(all.runs().count(), 2);
    let failed: Vec<_> = all.failed().collect();
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0].0, "seed_2");
    assert!(failed[0].1.to_string().contains("could not be solved"));
    let none = train_ensemble(
        &[member(2, hopeless)],
        &data,
        &TrainingMethod::Vanilla,
        &mut (),
        &no_logger,
    );
    let error = none.unwrap_err().to_string();
    assert!(
        error.contains("the only member") && error.contains("seed_2"),
        "{error}"
    );
}

#[test]
fn members_are_told_apart() {
    let data = data();
    let options = TrainOptions::default().epochs(1);
    let run = |members: &[EnsembleMember]| {
        train_ensemble(
            members,
            &data,
            &TrainingMethod::Vanilla,
            &mut (),
            &no_logger,
        )
    };
    assert!(run(&[]).unwrap_err().to_string().contains("at least one"));
    let twice = [member(1, options.clone()), member(1, options.clone())];
    assert!(
        run(&twice)
            .unwrap_err()
            .to_string()
            .contains("called seed_1")
    );
    let folder = tempfile::tempdir().unwrap();
    let same = options.out(folder.path());
    let twice = [member(1, same.clone()), member(2, same)];
    assert!(
        run(&twice)
            .unwrap_err()
            .to_string()
            .contains("a folder of its own")
    );
}

/// Callback that records its calls, and sets the interrupt flag after one epoch.
struct RecordingCallback {
    epochs: Vec<usize>,
    total: usize,
    best: f64,
    stop_at: usize,
    interrupt: Arc<std::sync::atomic::AtomicBool>,
    finished: Arc<Mutex<usize>>,
}

impl Callback for RecordingCallback {
    fn on_start(&mut self, start: &RunStart) -> Result<()> {
        self.total = start.epochs;
        Ok(())
    }

    fn on_epoch_end(&mut self, record: &EpochRecord, best: f64) -> Result<()> {
        self.epochs.push(record.epoch);
        self.best = best;
        if self.epochs.len() == self.stop_at {
            self.interrupt.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    fn on_finish(&mut self, _: &Run) -> Result<()> {
        *self.finished.lock().unwrap() += 1;
        Ok(())
    }
}

#[test]
fn one_listener_hears_of_all_and_an_interrupt_stops_all() {
    let data = data();
    for stop_at in [usize::MAX, 6] {
        let folder = tempfile::tempdir().unwrap();
        let options = |seed: u64| {
            TrainOptions::default()
                .epochs(5)
                .out(folder.path().join(seed.to_string()))
        };
        let mut listener = RecordingCallback {
            epochs: vec![],
            total: 0,
            best: f64::NAN,
            stop_at,
            interrupt: Arc::default(),
            finished: Arc::default(),
        };
        let members: Vec<EnsembleMember> = [1, 2, 3]
            .into_iter()
            .map(|seed| {
                let mut options = options(seed);
                options.interrupt = listener.interrupt.clone();
                member(seed, options)
            })
            .collect();
        let all = train_ensemble(
            &members,
            &data,
            &TrainingMethod::Vanilla,
            &mut listener,
            &no_logger,
        );
        assert_eq!(listener.total, 15);
        if stop_at == usize::MAX {
            assert_eq!(listener.epochs, (0..15).collect::<Vec<_>>());
            let before = |r: &Run| {
                r.history
                    .iter()
                    .map(|r| r.mse)
                    .fold(f64::INFINITY, f64::min)
            };
            let best = all
                .unwrap()
                .runs()
                .map(before)
                .fold(f64::INFINITY, f64::min);
            assert_eq!(listener.best, best);
            assert_eq!(*listener.finished.lock().unwrap(), 1);
        } else {
            assert!(all.unwrap().interrupted());
            assert!(listener.epochs.len() < 15);
            // The folders hold the epochs done, and resuming gives the result of an uninterrupted ensemble.
            for member in &members {
                member.options.interrupt.store(false, Ordering::Relaxed);
            }
            let resumed: Vec<EnsembleMember> = members
                .iter()
                .map(|m| EnsembleMember {
                    options: m.options.clone().resume(),
                    ..m.clone()
                })
                .collect();
            let rest = train_ensemble(
                &resumed,
                &data,
                &TrainingMethod::Vanilla,
                &mut (),
                &no_logger,
            )
            .unwrap();
            for (run, seed) in rest.runs().zip([1, 2, 3]) {
                let uninterrupted = train(
                    &model(seed),
                    &data,
                    &TrainingMethod::Vanilla,
                    &TrainOptions::default().epochs(5),
                    &mut (),
                );
                assert_eq!(bits(run), bits(&uninterrupted.unwrap()));
            }
        }
    }
}

/// The prediction with bands is the mean of the members, and its variance the mean of their own variances plus that of their means.
#[test]
fn bands_are_those_of_the_mixture_of_the_members() {
    let t = [0.0, 0.35, 1.4, 2.0];
    for (method, epochs) in [
        (TrainingMethod::Vanilla, Some(3)),
        (
            TrainingMethod::WeakConstraint(WeakConstraint::default()),
            None,
        ),
    ] {
        let options = TrainOptions {
            epochs,
            ..TrainOptions::default()
        };
        let members = [1, 2, 3].map(|seed| member(seed, options.clone()));
        let all = train_ensemble(&members, &data(), &method, &mut (), &no_logger).unwrap();
        let bands = all.predict_with_bands(&t).unwrap();
        let runs: Vec<&Run> = all.runs().collect();
        assert_eq!(runs.len(), 3);
        for (at, mean) in bands.u.indexed_iter() {
            // E[x²] − E[x]², the other form of the variance of a mixture.
            let (mut first, mut second) = (0.0, 0.0);
            for run in &runs {
                let (u, sd) = match run.weak_constraint {
                    Some(_) => {
                        let own = run.predict_with_bands(&t).unwrap();
                        (own.u[at], own.sd[at])
                    }
                    None => (run.predict(&t).unwrap()[at], 0.0),
                };
                first += u / 3.0;
                second += (u * u + sd * sd) / 3.0;
            }
            let sd = (second - first * first).max(0.0).sqrt();
            assert!((mean - first).abs() < 1e-12 * (1.0 + first.abs()), "{at:?}");
            assert!(
                (bands.sd[at] - sd).abs() < 1e-6 * (1.0 + first.abs()),
                "{at:?}: {} {sd}",
                bands.sd[at]
            );
        }
        // The initial state is the data's for vanilla training.
        let is_vanilla = epochs.is_some();
        assert!(!is_vanilla || bands.sd[(0, 0, 0)] == 0.0);
        assert!(bands.sd[(0, 3, 1)] > 0.0);
    }
}
