//! Weak-constraint training: what it reaches with nothing set, in any units, and that a run goes on as if it had not stopped.

use super::systems::mean_square;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ndarray::{Array1, Array2, s};
use odesync_base::Result;
use odesync_base::random::Generator;
use odesync_ode::dynamics::lotka_volterra;
use odesync_ode::field::{Unary, VectorField, system};
use odesync_ode::odesolve::NativeEngine;
use odesync_ode::odesolve::{SolveOptions, solve};
use odesync_testing::{golden, matrix, numbers};
use odesync_train::datasets::{Dataset, RelativeTo};
use odesync_train::models::{blackbox, second_order};
use odesync_train::progress::CsvLogger;
use odesync_train::training::{
    Callback, Callbacks, ConstantEstimates, EpochRecord, Objective, Observation, Run, StopReason,
    TrainOptions, TrainingMethod, WeakConstraint, train,
};

const U0: [f64; 2] = [0.44249296, 4.6280594];

/// Returns the paper's Lotka-Volterra data, 61 times with 5 % noise, and the truth at these times.
fn data() -> (Dataset, Array2<f64>) {
    data_of_seed(10)
}

/// Returns the same with another draw of the noise.
fn data_of_seed(seed: u64) -> (Dataset, Array2<f64>) {
    let t: Vec<f64> = (0..61).map(|i| f64::from(i) * 0.1).collect();
    let options = SolveOptions::default()
        .solver("dopri8")
        .unwrap()
        .tolerances(1e-12, 1e-12);
    let truth = solve(&lotka_volterra().unwrap(), &U0, &t, &options)
        .unwrap()
        .u;
    let u0 = Some(Array1::from(U0.to_vec()));
    let clean = Dataset::single(Array1::from(t), truth.clone(), u0).unwrap();
    (
        clean
            .add_noise_seeded(0.05, RelativeTo::Mean, seed)
            .unwrap(),
        truth,
    )
}

fn model(seed: u64) -> VectorField {
    blackbox(&[2, 32, 2], Unary::Gelu, &mut Generator::manual_seed(seed)).unwrap()
}

fn method() -> TrainingMethod {
    WeakConstraint::default().into()
}

#[test]
fn with_nothing_set_every_seed_reaches_the_noise() {
    let (data, truth) = data();
    for seed in [10, 20, 30] {
        let run = train(
            &model(seed),
            &data,
            &method(),
            &TrainOptions::default(),
            &mut (),
        )
        .unwrap();
        assert_eq!(run.stop, StopReason::Finished);
        let predicted = run.predict(&data.t().to_vec()).unwrap();
        let interpolation = mean_square(&predicted.slice(s![0, .., ..]).to_owned(), &truth);
        // The reference program's medians are 0.0062 and 0.0024; the noise itself has an mse of 0.0077.
        assert!(run.best_mse <= 0.0065, "{seed}: {}", run.best_mse);
        assert!(interpolation <= 0.0026, "{seed}: {interpolation}");
        let state = run.weak_constraint.as_ref().unwrap();
        assert!(state.is_free() && state.warnings().is_empty());
        // The noise of each component: 5 % of its mean.
        let means = truth.mean_axis(ndarray::Axis(0)).unwrap();
        for (noise, mean) in state.noise().iter().zip(means) {
            assert!((noise / (0.05 * mean) - 1.0).abs() < 0.3, "{noise} {mean}");
        }
        // The best model is the one that was trained to the end, never one that was still guided by the data.
        assert_eq!(run.best_epoch, run.history.len());
        assert_eq!(run.model.params(), run.last.params());
    }
}

#[test]
fn the_result_does_not_depend_on_the_units() {
    let (data, _) = data();
    let base = train(
        &model(10),
        &data,
        &method(),
        &TrainOptions::default(),
        &mut (),
    )
    .unwrap();
    // Powers of two, so that not a bit may differ: other units of time and of each component.
    let (time, scales) = (2.0_f64.powi(-30), [2.0_f64.powi(10), 2.0_f64.powi(-7)]);
    let t = data.t().mapv(|t| t * time);
    let scaled = |u: &Array2<f64>| u * &Array2::from_shape_fn(u.dim(), |(_, j)| scales[j]);
    let u = scaled(&data.sample(0).unwrap().to_owned());
    let u0 = Array1::from(vec![U0[0] * scales[0], U0[1] * scales[1]]);
    let other = Dataset::single(t.clone(), u, Some(u0)).unwrap();
    let options = TrainOptions::default();
    let run = train(&model(10), &other, &method(), &options, &mut ()).unwrap();
    let evidence = |run: &Run| {
        run.weak_constraint
            .as_ref()
            .unwrap()
            .log_evidence()
            .unwrap()
    };
    assert_eq!(run.history.len(), base.history.len());
    assert!((evidence(&run) - evidence(&base)).abs() < 1e-6);
    let chi2 = |run: &Run| run.metric("chi2").unwrap();
    for (a, b) in chi2(&run).iter().zip(chi2(&base)) {
        assert!((a - b).abs() <= 1e-9 * b, "{a} {b}");
    }
}

#[test]
fn a_state_variable_that_was_not_measured_is_found() {
    let pendulum = system(2, &[], |_, u, _| {
        vec![u.at(1), -0.25 * u.at(1) - 4.0 * u.at(0).unary(Unary::Sin)]
    })
    .unwrap();
    let t: Vec<f64> = (0..81).map(|i| f64::from(i) * 0.1).collect();
    let options = SolveOptions::default().tolerances(1e-10, 1e-10);
    let truth = solve(&pendulum, &[2.5, 0.0], &t, &options).unwrap().u;
    let angle = truth.slice(s![.., 0..1]).to_owned();
    let clean = Dataset::single(Array1::from(t.clone()), angle, None).unwrap();
    let data = clean.add_noise_seeded(0.05, RelativeTo::Std, 10).unwrap();
    let model = second_order(&[2, 32, 1], Unary::Gelu, &mut Generator::manual_seed(10)).unwrap();
    let options = TrainOptions {
        observation: Observation::of_variables([0]).train_u0(),
        ..TrainOptions::default()
    };
    let run = train(&model, &data, &method(), &options, &mut ()).unwrap();
    let predicted = run.predict(&t).unwrap();
    let error = mean_square(&predicted.slice(s![0, .., ..]).to_owned(), &truth);
    assert!(error < 0.012, "{error}");
}

#[test]
fn bands_hold_the_truth_and_survive_a_checkpoint() {
    let (data, truth) = data();
    let folder = tempfile::tempdir().unwrap();
    let options = TrainOptions::default().out(folder.path());
    let run = train(&model(10), &data, &method(), &options, &mut ()).unwrap();
    let t = data.t().to_vec();
    let prediction = run.predict_with_bands(&t).unwrap();
    let (mut within, mut n) = ([0.0; 2], 0.0);
    for ((_, time, j), u) in prediction.u.indexed_iter() {
        let z = (u - truth[[time, j]]).abs() / prediction.sd[[0, time, j]];
        if time > 0 {
            (0..2).for_each(|k| within[k] += f64::from(u8::from(z < k as f64 + 1.0)));
            n += 1.0;
        }
    }
    // Of a normal distribution 68 and 95 % are within one and two; neighbours in time are far from independent.
    assert!(
        within[0] / n > 0.4 && within[1] / n > 0.8,
        "{within:?} of {n}"
    );
    // The initial state is known.
    assert!(
        prediction
            .sd
            .slice(s![0, 0, ..])
            .iter()
            .all(|sd| *sd < 1e-12)
    );
    let mut two = Run::load(folder.path()).unwrap();
    (two.t0, two.u0) = (vec![0.0; 2], Array2::ones((2, 2)));
    let elsewhere = tempfile::tempdir().unwrap();
    two.save(elsewhere.path()).unwrap();
    let refused = Run::load(elsewhere.path()).unwrap_err().to_string();
    assert!(refused.contains("not that of its samples"), "{refused}");
    let loaded = Run::load(folder.path()).unwrap();
    let ahead: Vec<f64> = (0..25).map(|i| f64::from(i) * 0.5).collect();
    let [a, b] = [&run, &loaded].map(|run| run.predict_with_bands(&ahead).unwrap());
    assert_eq!((&a.u, &a.sd), (&b.u, &b.sd));
    // The mean is the model's own solution.
    let solved = run.predict(&ahead).unwrap();
    assert!(
        (&a.u - &solved).iter().all(|d| d.abs() < 0.02),
        "{:?}",
        &a.u - &solved
    );
    // Uncertainty grows beyond the data.
    assert!(a.sd[[0, 24, 0]] > a.sd[[0, 4, 0]]);
    let trust = loaded.trust().unwrap();
    assert!(trust.warnings.is_empty(), "{:?}", trust.warnings);
    assert_eq!(trust.leaves_data, [None]);
}

/// Constants of Lotka-Volterra and starts three times too large and too small.
const CONSTANTS: [f64; 4] = [1.3, 0.9, 0.8, 1.8];
const STARTS: [[f64; 4]; 4] = [
    [3.0, 1.0 / 3.0, 3.0, 1.0 / 3.0],
    [1.0 / 3.0, 3.0, 1.0 / 3.0, 3.0],
    [3.0; 4],
    [1.0 / 3.0; 4],
];

/// Trains the constants from each of the starts.
fn constants_from_all_starts(data: &Dataset) -> [ConstantEstimates; 4] {
    STARTS.map(|factors| {
        let names = ["a", "b", "c", "d"];
        let mut model = lotka_volterra().unwrap();
        for (i, name) in names.iter().enumerate() {
            model = model
                .with_param(name, &[CONSTANTS[i] * factors[i]])
                .unwrap();
        }
        let model = model.trainable(&names).unwrap();
        let run = train(&model, data, &method(), &TrainOptions::default(), &mut ()).unwrap();
        let constants = run.trust().unwrap().constants;
        assert_eq!(constants.names, names);
        constants
    })
}

/// The data of the reference program: noise of 5 % of the standard deviation, the initial state not known. It finds the constants
/// within 0.8 %.
#[test]
fn constants_are_found_within_one_per_cent() {
    let golden = golden("lotka_volterra_constants");
    let t = Array1::from(numbers(&golden["t"]));
    let data = Dataset::single(t, matrix(&golden["u"]), None).unwrap();
    for estimates in constants_from_all_starts(&data) {
        for (value, truth) in estimates.values.iter().zip(CONSTANTS) {
            assert!((value / truth - 1.0).abs() < 0.01, "{value} {truth}");
        }
    }
}

/// The start does not matter. What is left is the error of the data, whose standard deviation is 0.6 to 0.9 %: of the first draw of
/// the noise c is 1.3 % off from every start, of the others all constants are within 1 %.
#[test]
fn constants_of_known_equations_come_with_standard_errors() {
    for seed in [10, 20, 30] {
        let data = data_of_seed(seed).0;
        let all = constants_from_all_starts(&data);
        for (i, truth) in CONSTANTS.into_iter().enumerate() {
            let [(lowest, _), (highest, error)] = [f64::min, f64::max].map(|f| {
                let values = all.iter().map(|estimates| estimates.values[i]);
                (values.reduce(f).unwrap(), all[0].errors[i])
            });
            assert!(
                highest - lowest < 0.05 * error,
                "{seed}: {lowest} to {highest}"
            );
            assert!(error < 0.01 * truth, "{seed}: {error}");
            let off = (lowest - truth).abs().max((highest - truth).abs());
            assert!(off < 2.0 * error, "{seed}: {lowest} {highest} ± {error}");
            if seed != 10 {
                assert!(off < 0.01 * truth, "{seed}: {lowest} {highest}");
            }
        }
    }
}

/// Callback that sets the interrupt flag after a step.
pub struct StopAfter(pub usize, pub Arc<AtomicBool>);

impl Callback for StopAfter {
    fn on_epoch_end(&mut self, record: &EpochRecord, _best: f64) -> Result<()> {
        if record.epoch == self.0 {
            self.1.store(true, Ordering::Relaxed);
        }
        Ok(())
    }
}

/// Returns everything of a run but its times.
fn content(run: &Run) -> (Vec<f64>, Vec<Vec<u64>>, Vec<u64>) {
    let metrics = [
        "lambda",
        "train_loss",
        "mse",
        "q",
        "chi2",
        "log_evidence",
        "evaluations",
    ];
    let bits = |x: Vec<f64>| x.into_iter().map(f64::to_bits).collect::<Vec<_>>();
    (
        run.model.params(),
        metrics.map(|name| bits(run.metric(name).unwrap())).to_vec(),
        bits(run.u0.iter().copied().collect()),
    )
}

#[test]
fn a_homotopy_that_sets_itself_reaches_the_noise() {
    let (data, truth) = data();
    let method = TrainingMethod::AdaptiveHomotopy(WeakConstraint::default());
    for seed in [10, 20, 30] {
        let run = train(
            &model(seed),
            &data,
            &method,
            &TrainOptions::default(),
            &mut (),
        )
        .unwrap();
        let predicted = run.predict(&data.t().to_vec()).unwrap();
        let interpolation = mean_square(&predicted.slice(s![0, .., ..]).to_owned(), &truth);
        assert!(
            run.best_mse <= 0.0065 && interpolation <= 0.0026,
            "{seed}: {interpolation}"
        );
        // λ falls from 1 to 0, and the model is free at the end.
        let lambda = run.metric("lambda").unwrap();
        assert_eq!((lambda[0], lambda[lambda.len() - 1]), (1.0, 0.0));
        assert!(lambda.windows(2).all(|pair| pair[1] <= pair[0]));
        assert!(run.weak_constraint.as_ref().unwrap().is_free());
    }
}

/// Wherever a run is interrupted, between two epochs or within one, nothing is lost and nothing is done twice.
#[test]
fn a_run_that_is_interrupted_at_any_time_goes_on_to_the_same_bits() {
    let (data, _) = data();
    let model = model(10);
    let homotopy = TrainingMethod::AdaptiveHomotopy(WeakConstraint::default());
    for method in [method(), homotopy] {
        let want = train(&model, &data, &method, &TrainOptions::default(), &mut ()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let mut options = TrainOptions::default().out(folder.path()).resume();
        let mut delay = Duration::from_millis(1);
        let resumed = loop {
            options.interrupt = Arc::default();
            let flag = options.interrupt.clone();
            let timer = std::thread::spawn(move || {
                std::thread::sleep(delay);
                flag.store(true, Ordering::Relaxed);
            });
            let run = train(&model, &data, &method, &options, &mut ()).unwrap();
            timer.join().unwrap();
            if run.stop == StopReason::Finished {
                break run;
            }
            // In the end the delay is long enough for what is left.
            delay = delay * 13 / 10 + Duration::from_millis(1);
        };
        assert_eq!(content(&resumed), content(&want), "{}", method.name());
    }
}

#[test]
fn a_run_that_was_stopped_goes_on_to_the_same_bits() {
    let (data, _) = data();
    let model = model(10);
    let options = |out: &Path| TrainOptions {
        out: Some(out.into()),
        checkpoint_every: 5,
        ..TrainOptions::default()
    };
    let folder = tempfile::tempdir().unwrap();
    let whole = folder.path().join("whole");
    let want = train(&model, &data, &method(), &options(&whole), &mut ()).unwrap();
    assert_eq!(content(&Run::load(&whole).unwrap()), content(&want));
    let last = want.history.len() - 1;
    // In the first stage, in later ones, and in the free phase.
    for stop_after in [0, 7, 20, last - 2, last] {
        let out = folder.path().join(format!("stopped {stop_after}"));
        let mut options = options(&out);
        let mut stop = StopAfter(stop_after, options.interrupt.clone());
        let stopped = train(&model, &data, &method(), &options, &mut stop).unwrap();
        assert_eq!(stopped.stop, StopReason::Interrupted);
        assert_eq!(stopped.history.len(), stop_after + 1);
        options.interrupt = Arc::default();
        options.resume = true;
        let mut callbacks = Callbacks::default();
        callbacks.push(CsvLogger::new(&out));
        let resumed = train(&model, &data, &method(), &options, &mut callbacks).unwrap();
        assert_eq!(
            content(&resumed),
            content(&want),
            "stopped after {stop_after}"
        );
        assert_eq!(content(&Run::load(&out).unwrap()), content(&want));
        let csv = std::fs::read_to_string(out.join("metrics.csv")).unwrap();
        assert!(csv.starts_with("epoch,lambda,train_loss,mse,"), "{csv}");
        assert!(
            csv.lines()
                .next()
                .unwrap()
                .ends_with(",q,chi2,log_evidence")
        );
        assert!(csv.lines().nth(1).unwrap().starts_with("0,,"), "{csv}");
        assert_eq!(csv.lines().count(), want.history.len() + 1);
    }
}

#[test]
fn what_does_not_fit_is_an_error() {
    let (data, _) = data();
    let torch = TrainOptions {
        engine: "torch".into(),
        ..TrainOptions::default()
    };
    let text = |options: &TrainOptions, method: TrainingMethod| {
        train(&model(10), &data, &method, options, &mut ())
            .unwrap_err()
            .to_string()
    };
    assert!(text(&torch, method()).contains("native engine"));
    let plain = TrainOptions::default();
    let unknown = text(&plain, WeakConstraint::default().solver("rk5").into());
    assert!(unknown.contains("rk4"), "{unknown}");
    let none = text(&plain, WeakConstraint::default().substeps(0).into());
    assert!(none.contains("at least 1"), "{none}");
    let engine = Box::<NativeEngine>::default();
    let loss = Objective::new(
        &model(10),
        &data,
        &method(),
        &SolveOptions::default(),
        engine,
    );
    let error = loss.err().unwrap().to_string();
    assert!(error.contains("no loss of the parameters alone"), "{error}");
    // Initial states of a wrong shape.
    let options = TrainOptions {
        observation: Observation::default().with_u0(Array2::zeros((3, 2))),
        ..TrainOptions::default()
    };
    assert!(text(&options, method()).contains("u0 has shape [3, 2]"));
}

#[test]
fn times_too_far_apart_are_an_error_and_not_a_billion_nodes() {
    let mut t: Vec<f64> = (0..20).map(f64::from).collect();
    t.push(1e12);
    let u = Array2::from_shape_fn((21, 2), |(i, j)| (t[i] * 0.5 + j as f64).sin());
    let data = Dataset::single(Array1::from(t), u, None).unwrap();
    let error = train(
        &model(10),
        &data,
        &method(),
        &TrainOptions::default(),
        &mut (),
    )
    .unwrap_err();
    assert!(error.to_string().contains("so far apart"), "{error}");
}
