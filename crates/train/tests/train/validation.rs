//! Data that a training does not see: what is held out, what the model is chosen by, and when patience ends the run.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ndarray::{Array1, Array2, Axis, array};

use odesync_base::Result;
use odesync_base::random::Generator;
use odesync_ode::dynamics::lotka_volterra;
use odesync_ode::field::{InputSignal, Unary, VectorField, driven_system, system};
use odesync_ode::odesolve::{SolveOptions, solve};
use odesync_train::datasets::{Dataset, RelativeTo};
use odesync_train::models::blackbox;
use odesync_train::progress::{CsvLogger, write_metrics};
use odesync_train::schedules::Schedule;
use odesync_train::training::{
    BestBy, BestOf, Callback, EpochRecord, FoldsOf, Holdout, Homotopy, MultipleShooting, Run,
    StopReason, TrainOptions, TrainingMethod, WeakConstraint, cross_validate, train,
};

/// Noisy trajectories of the Lotka-Volterra system at 31 times.
fn trajectories(starts: &[[f64; 2]]) -> Dataset {
    let t: Vec<f64> = (0..31).map(|i| f64::from(i) * 0.1).collect();
    let system = lotka_volterra().unwrap();
    let parts = starts.iter().map(|u0| {
        let solved = solve(&system, u0, &t, &SolveOptions::default()).unwrap();
        Dataset::single(Array1::from(t.clone()), solved.u, None).unwrap()
    });
    let all = Dataset::join(&parts.collect::<Vec<_>>()).unwrap();
    all.add_noise_seeded(0.05, RelativeTo::Mean, 4).unwrap()
}

fn model() -> VectorField {
    blackbox(&[2, 6, 2], Unary::Tanh, &mut Generator::manual_seed(3)).unwrap()
}

fn homotopy() -> TrainingMethod {
    TrainingMethod::Homotopy(Homotopy::new(6.0, Schedule::power_law(4, 5, 0.6).unwrap()))
}

fn methods() -> [TrainingMethod; 5] {
    [
        TrainingMethod::Vanilla,
        MultipleShooting::default().into(),
        homotopy(),
        WeakConstraint::default().into(),
        TrainingMethod::AdaptiveHomotopy(WeakConstraint::default()),
    ]
}

fn options(method: &TrainingMethod) -> TrainOptions {
    match method.self_setting() {
        Some(_) => TrainOptions::default(),
        None => TrainOptions::default().epochs(30).lr(0.05),
    }
}

/// Returns the mse of a run's prediction on these rows of one sample.
fn mse_on(run: &Run, data: &Dataset, rows: std::ops::Range<usize>) -> f64 {
    let predicted = run.predict(&data.t().to_vec()).unwrap();
    let predicted = predicted.index_axis(Axis(0), 0);
    let u = data.sample(0).unwrap();
    let errors = rows.flat_map(|row| {
        let pairs = predicted
            .row(row)
            .to_vec()
            .into_iter()
            .zip(u.row(row).to_vec());
        pairs.map(|(x, y)| (x - y).powi(2)).collect::<Vec<_>>()
    });
    let errors: Vec<f64> = errors.collect();
    errors.iter().sum::<f64>() / errors.len() as f64
}

#[test]
fn what_is_held_out_does_not_change_the_training_and_its_mse_is_that_of_the_models_trajectory() {
    let data = trajectories(&[[0.44, 4.6]]);
    for method in methods() {
        let options = options(&method);
        let held = options.clone().holdout(Holdout::Times(0.2));
        let run = train(&model(), &data, &method, &held, &mut ()).unwrap();
        // A training on the first 25 of the 31 times.
        let alone = train(
            &model(),
            &data.head(25).unwrap(),
            &method,
            &options,
            &mut (),
        )
        .unwrap();
        let name = method.name();
        assert_eq!(run.last.params(), alone.last.params(), "{name}");
        let mse: Vec<f64> = run.history.iter().map(|r| r.mse).collect();
        assert_eq!(mse, alone.metric("mse").unwrap(), "{name}");
        // The tail is predicted from the initial state of the training.
        let expected = mse_on(&run, &data, 25..31);
        let got = run.best_validation.unwrap();
        assert!(
            (got / expected - 1.0).abs() < 1e-9,
            "{name}: {got}, {expected}"
        );
        assert!(
            (mse_on(&run, &data, 0..25) / run.best_mse - 1.0).abs() < 1e-9,
            "{name}"
        );
    }
}

#[test]
fn the_model_is_the_one_with_the_smallest_score_among_free_epochs() {
    let data = trajectories(&[[0.44, 4.6]]);
    for method in methods() {
        let held = options(&method).holdout(Holdout::Times(0.2));
        let run = train(&model(), &data, &method, &held, &mut ()).unwrap();
        assert_eq!(run.best_by(), BestBy::Validation);
        let free = run.history.iter().filter(|r| r.is_free());
        let scores = free
            .map(|r| r.validation.unwrap())
            .chain(run.final_validation);
        let smallest = scores.fold(f64::INFINITY, f64::min);
        assert_eq!(run.best_validation, Some(smallest), "{}", method.name());
        let chosen = run.history.get(run.best_epoch);
        assert!(chosen.is_none_or(EpochRecord::is_free), "{}", method.name());
    }
}

#[test]
fn a_coupled_epoch_is_the_best_only_where_that_is_asked_for() {
    let data = trajectories(&[[0.44, 4.6]]);
    let mut options = options(&homotopy());
    // λ > 0 in the first 15 epochs, and a learning rate that ruins the model in the free ones.
    options.lr_schedule = odesync_train::training::LrSchedule::Step {
        every: 1,
        factor: 1.0,
    };
    options.lr = 0.3;
    let run =
        |options: &TrainOptions| train(&model(), &data, &homotopy(), options, &mut ()).unwrap();
    let published = run(&options);
    let smallest = |of: &dyn Fn(&EpochRecord) -> bool| {
        let records = published.history.iter().filter(|r| of(r));
        records.map(|r| r.mse).fold(f64::INFINITY, f64::min)
    };
    let (coupled, free) = (smallest(&|r| !r.is_free()), smallest(&|r| r.is_free()));
    let last = published.final_mse.unwrap_or(f64::INFINITY);
    assert_eq!(published.best_mse, coupled.min(free).min(last));
    let by_mse = run(&options.clone().best_by(BestBy::Mse));
    assert_eq!(by_mse.best_mse, free.min(last));
    let all = TrainOptions {
        best_of: Some(BestOf::All),
        ..options.clone().best_by(BestBy::Mse)
    };
    assert_eq!(run(&all).best_mse, published.best_mse);
    let by_last = run(&options.best_by(BestBy::Last));
    assert_eq!(by_last.model.params(), by_last.last.params());
}

#[test]
fn the_evidence_chooses_a_step_whose_state_is_that_of_the_model() {
    let data = trajectories(&[[0.44, 4.6]]);
    let method = WeakConstraint::default().into();
    let options = TrainOptions::default().best_by(BestBy::Evidence);
    let run = train(&model(), &data, &method, &options, &mut ()).unwrap();
    let free = run.history.iter().filter(|r| r.is_free());
    let best = free
        .max_by(|a, b| a.log_evidence.total_cmp(&b.log_evidence))
        .unwrap();
    assert_eq!(run.best_epoch, best.epoch);
    // A training that ends with that step has the same model and trust.
    let until = TrainOptions::default().epochs(best.epoch + 1);
    let ended = train(&model(), &data, &method, &until, &mut ()).unwrap();
    assert_eq!(run.model.params(), ended.model.params());
    let evidence = |run: &Run| run.trust().unwrap().log_evidence.to_bits();
    assert_eq!(evidence(&run), evidence(&ended));
}

#[test]
fn patience_counts_the_validation_mse() {
    let data = trajectories(&[[0.44, 4.6]]);
    let wild = TrainOptions::default().epochs(400).lr(0.3);
    for method in [TrainingMethod::Vanilla, WeakConstraint::default().into()] {
        let options = match method.self_setting() {
            Some(_) => TrainOptions::default(),
            None => wild.clone(),
        };
        let options = options.holdout(Holdout::Times(0.2)).patience(3);
        let run = train(&model(), &data, &method, &options, &mut ()).unwrap();
        let free: Vec<&EpochRecord> = run.history.iter().filter(|r| r.is_free()).collect();
        if run.stop != StopReason::EarlyStop {
            continue;
        }
        let lowest = free.iter().map(|r| r.validation.unwrap());
        let (at, _) =
            (lowest.enumerate()).fold(
                (0, f64::INFINITY),
                |best, (i, x)| if x < best.1 { (i, x) } else { best },
            );
        assert_eq!(free.len() - 1 - at, 3, "{}", method.name());
    }
    let run = train(
        &model(),
        &data,
        &TrainingMethod::Vanilla,
        &wild.holdout(Holdout::Times(0.2)).patience(3),
        &mut (),
    );
    assert_eq!(run.unwrap().stop, StopReason::EarlyStop);
}

#[test]
fn whole_samples_are_held_out_with_their_initial_states_and_inputs() {
    // u' = w(t) − u, with a constant force for each sample.
    let force = |x: f64| InputSignal::linear(&[0.0, 4.0], array![[x], [x]].view()).unwrap();
    let forces = InputSignal::per_sample(&[force(1.0), force(2.0), force(-1.0)]).unwrap();
    let model = driven_system(1, &[("k", 0.5)], &[("w", forces)], |_, u, p| {
        vec![p.get("w") - p.get("k") * u.at(0)]
    })
    .unwrap()
    .trainable(&["k"])
    .unwrap();
    let t = Array1::linspace(0.0, 3.0, 21);
    let solution = |w: f64, u0: f64| t.mapv(|t| w + (u0 - w) * f64::exp(-t)).insert_axis(Axis(1));
    let parts = [(1.0, 0.2), (2.0, 0.0), (-1.0, 0.7)];
    let parts = parts.map(|(w, u0)| Dataset::single(t.clone(), solution(w, u0), None).unwrap());
    let data = Dataset::join(&parts).unwrap();
    let options = TrainOptions::default()
        .lr(0.05)
        .epochs(200)
        .holdout(Holdout::Samples(1));
    let run = train(&model, &data, &TrainingMethod::Vanilla, &options, &mut ()).unwrap();
    assert_eq!(run.t0.len(), 2);
    // Only with its own force is the third sample predicted.
    assert!(
        (run.model.params()[0] - 1.0).abs() < 1e-3,
        "{:?}",
        run.model.params()
    );
    assert!(
        run.best_validation.unwrap() < 1e-6,
        "{:?}",
        run.best_validation
    );
}

#[test]
fn other_data_validate_from_their_own_initial_states() {
    let data = trajectories(&[[0.44, 4.6]]);
    let other = trajectories(&[[1.0, 2.0], [2.0, 1.0]]);
    let options = TrainOptions::default().epochs(20).lr(0.05);
    let held = options.clone().validate(other.clone());
    let run = train(&model(), &data, &TrainingMethod::Vanilla, &held, &mut ()).unwrap();
    let epoch = run.best_epoch;
    let params = &run.model;
    let mut sum = 0.0;
    for (sample, u0) in other.u0().outer_iter().enumerate() {
        let u = solve(
            params,
            &u0.to_vec(),
            &other.t().to_vec(),
            &SolveOptions::default(),
        )
        .unwrap()
        .u;
        sum += (&u - &other.sample(sample).unwrap())
            .mapv(|e| e * e)
            .mean()
            .unwrap()
            / 2.0;
    }
    assert!(
        (run.best_validation.unwrap() / sum - 1.0).abs() < 1e-9,
        "epoch {epoch}"
    );
    let both = held.holdout(Holdout::Times(0.2));
    let error = train(&model(), &data, &TrainingMethod::Vanilla, &both, &mut ()).unwrap_err();
    assert!(error.to_string().contains("not both"), "{error}");
}

#[test]
fn what_cannot_choose_says_what_to_give() {
    let data = trajectories(&[[0.44, 4.6]]);
    let weak: TrainingMethod = WeakConstraint::default().into();
    let vanilla = TrainingMethod::Vanilla;
    let options = TrainOptions::default().epochs(1);
    for (method, options, cure) in [
        (
            &vanilla,
            options.clone().best_by(BestBy::Validation),
            "holdout: 0.2",
        ),
        (
            &vanilla,
            options.clone().best_by(BestBy::Evidence),
            "holdout: 0.2",
        ),
        (&weak, options.clone().patience(2), "holdout: 0.2"),
        (
            &vanilla,
            options.clone().holdout(Holdout::Samples(1)),
            "holdout: 0.2",
        ),
        (
            &vanilla,
            options.clone().holdout(Holdout::Times(0.99)),
            "smaller share",
        ),
        (
            &vanilla,
            options.clone().holdout(Holdout::Times(2.0)),
            "samples: 2",
        ),
    ] {
        let error = train(&model(), &data, method, &options, &mut ()).unwrap_err();
        assert!(error.to_string().contains(cure), "{error}");
    }
}

/// Callback that sets the interrupt flag after an epoch.
struct StopAfter(usize, Arc<AtomicBool>);

impl Callback for StopAfter {
    fn on_epoch_end(&mut self, record: &EpochRecord, _best: f64) -> Result<()> {
        if record.epoch == self.0 {
            self.1.store(true, Ordering::Relaxed);
        }
        Ok(())
    }
}

#[test]
fn a_run_with_data_held_out_goes_on_to_the_same_bits() {
    let data = trajectories(&[[0.44, 4.6]]);
    let folder = tempfile::tempdir().unwrap();
    for method in methods() {
        for best_by in [None, Some(BestBy::Mse), Some(BestBy::Evidence)] {
            if best_by == Some(BestBy::Evidence) && method.self_setting().is_none() {
                continue;
            }
            let out = folder.path().join(format!("{}_{best_by:?}", method.name()));
            let base = TrainOptions {
                best_by,
                ..options(&method).holdout(Holdout::Times(0.2))
            };
            let whole = train(&model(), &data, &method, &base, &mut ()).unwrap();
            let stops = [2, whole.history.len() / 2, whole.history.len() - 1];
            let mut run = None;
            for stop in stops.into_iter().map(Some).chain([None]) {
                let part = TrainOptions {
                    interrupt: Arc::default(),
                    checkpoint_every: 3,
                    ..base.clone().out(&out).resume()
                };
                let mut callback = StopAfter(stop.unwrap_or(usize::MAX), part.interrupt.clone());
                run = Some(train(&model(), &data, &method, &part, &mut callback).unwrap());
            }
            let (run, read) = (run.unwrap(), Run::load(&out).unwrap());
            let what = format!("{} {best_by:?}", method.name());
            for resumed in [&run, &read] {
                assert_eq!(resumed.model.params(), whole.model.params(), "{what}");
                assert_eq!(resumed.last.params(), whole.last.params(), "{what}");
                assert_eq!(resumed.best_epoch, whole.best_epoch, "{what}");
                assert_eq!(resumed.best_validation, whole.best_validation, "{what}");
                let bits = |run: &Run| {
                    run.metric("validation")
                        .unwrap()
                        .into_iter()
                        .map(f64::to_bits)
                        .collect::<Vec<_>>()
                };
                assert_eq!(bits(resumed), bits(&whole), "{what}");
            }
            if let Some(state) = &whole.weak_constraint {
                let evidence = read.weak_constraint.as_ref().unwrap().log_evidence();
                assert_eq!(evidence, state.log_evidence(), "{what}");
            }
            // Other data held out are another run.
            let other = TrainOptions {
                best_by,
                ..options(&method).holdout(Holdout::Times(0.3))
            };
            let error =
                train(&model(), &data, &method, &other.out(&out).resume(), &mut ()).unwrap_err();
            assert!(
                error.to_string().contains("holdout") || error.to_string().contains("data"),
                "{error}"
            );
        }
    }
}

#[test]
fn the_table_of_metrics_has_a_column_where_it_is_asked_for() {
    let data = trajectories(&[[0.44, 4.6]]);
    let folder = tempfile::tempdir().unwrap();
    for method in methods() {
        let held = options(&method).epochs(2).holdout(Holdout::Times(0.2));
        let run = train(
            &model(),
            &data,
            &method,
            &held,
            &mut CsvLogger::new(folder.path()),
        )
        .unwrap();
        let text = std::fs::read_to_string(folder.path().join("metrics.csv")).unwrap();
        let mut lines = text.lines();
        assert!(lines.next().unwrap().ends_with(",validation"), "{text}");
        let last = lines.map(|line| line.rsplit(',').next().unwrap().parse::<f64>().unwrap());
        assert_eq!(last.collect::<Vec<_>>(), run.metric("validation").unwrap());
        write_metrics(&run, folder.path()).unwrap();
        assert_eq!(
            std::fs::read_to_string(folder.path().join("metrics.csv")).unwrap(),
            text
        );
        let run = train(
            &model(),
            &data,
            &method,
            &options(&method).epochs(1),
            &mut (),
        )
        .unwrap();
        assert!(run.metric("validation").is_err());
    }
}

#[test]
fn a_cross_validation_measures_each_part_on_the_training_without_it() {
    let starts = [[0.44, 4.6], [1.0, 2.0], [2.0, 1.0], [1.5, 3.0]];
    let data = trajectories(&starts);
    let options = TrainOptions::default().epochs(15).lr(0.05);
    let vanilla = TrainingMethod::Vanilla;
    let none = |_: &_| -> Box<dyn Callback> { Box::new(()) };
    let found = cross_validate(&model(), &data, &vanilla, None, &options, &mut (), &none).unwrap();
    assert_eq!((found.of, found.folds.len()), (FoldsOf::Samples, 4));
    let mut mse = vec![];
    for (i, fold) in found.folds.iter().enumerate() {
        let kept: Vec<usize> = (0..4).filter(|j| *j != i).collect();
        let without = data.select_samples(&kept).unwrap();
        let run = train(&model(), &without, &vanilla, &options, &mut ()).unwrap();
        assert_eq!(
            fold.run.as_ref().unwrap().model.params(),
            run.model.params()
        );
        let u0 = data.u0().row(i).to_vec();
        let u = solve(
            &run.model,
            &u0,
            &data.t().to_vec(),
            &SolveOptions::default(),
        )
        .unwrap()
        .u;
        let expected = (&u - &data.sample(i).unwrap())
            .mapv(|e| e * e)
            .mean()
            .unwrap();
        assert!((fold.mse() / expected - 1.0).abs() < 1e-9);
        mse.push(expected);
    }
    let mse = Array1::from(mse);
    assert!((found.mean() / mse.mean().unwrap() - 1.0).abs() < 1e-9);
    assert!((found.standard_error() / (mse.std(1.0) / 2.0) - 1.0).abs() < 1e-9);
    assert!(found.to_string().contains("sample 3"), "{found}");
}

#[test]
fn blocks_of_time_are_held_out_of_a_single_sample() {
    // u' = −k u: wherever the block lies, k and the block follow from the rest.
    let t = Array1::linspace(0.0, 2.0, 21);
    let u: Array2<f64> = t.mapv(|t| f64::exp(-t)).insert_axis(Axis(1));
    let data = Dataset::single(t, u, None).unwrap();
    let model = system(1, &[("k", 0.6)], |_, u, p| vec![-(p.get("k") * u.at(0))]);
    let model = model.unwrap().trainable(&["k"]).unwrap();
    let none = |_: &_| -> Box<dyn Callback> { Box::new(()) };
    for method in [TrainingMethod::Vanilla, WeakConstraint::default().into()] {
        let options = match method.self_setting() {
            Some(_) => TrainOptions::default(),
            None => TrainOptions::default().epochs(150).lr(0.05),
        };
        let found =
            cross_validate(&model, &data, &method, Some(4), &options, &mut (), &none).unwrap();
        assert_eq!((found.of, found.folds.len()), (FoldsOf::Times, 4));
        assert!(found.mse().iter().all(|mse| *mse < 1e-6), "{found}");
        assert_eq!(found.folds[0].held_out, "t 0.1 to 0.5");
    }
    let seen = TrainOptions::default().best_by(BestBy::Validation);
    let error = cross_validate(
        &model,
        &data,
        &TrainingMethod::Vanilla,
        None,
        &seen,
        &mut (),
        &none,
    );
    assert!(error.unwrap_err().to_string().contains("leave out best_by"));
    let too_many = TrainOptions::default();
    let error = cross_validate(
        &model,
        &data,
        &TrainingMethod::Vanilla,
        Some(21),
        &too_many,
        &mut (),
        &none,
    );
    assert!(error.unwrap_err().to_string().contains("2 to 20"));
}
