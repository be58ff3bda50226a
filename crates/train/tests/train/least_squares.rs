//! Levenberg-Marquardt: constants of a known truth, the optimum of multiple shooting, chaos, bounds, resumed runs, messages.

use std::path::Path;

use ndarray::{Array1, Array2, Array3};
use odesync_base::Result;
use odesync_base::options::Named;
use odesync_base::random::Generator;
use odesync_ode::dynamics::{lorenz, lotka_volterra};
use odesync_ode::field::{ConstantSpec, Unary, VectorField};
use odesync_ode::odesolve::{SolveOptions, solve};
use odesync_train::datasets::Dataset;
use odesync_train::models::blackbox;
use odesync_train::progress::CsvLogger;
use odesync_train::training::{
    Callback, EpochRecord, Homotopy, LevenbergMarquardt, LrSchedule, MultipleShooting, Objective,
    Observation, Optimizer, Run, Scaling, StopReason, TrainOptions, TrainingMethod, train,
};

/// Lotka-Volterra's constants, as in `lotka_volterra`.
const TRUTH: [f64; 4] = [1.3, 0.9, 0.8, 1.8];
const NAMES: [&str; 4] = ["a", "b", "c", "d"];

fn lm() -> TrainOptions {
    TrainOptions {
        optimizer: Optimizer::from_name("lm").unwrap(),
        solver: SolveOptions::default().tolerances(1e-9, 1e-11),
        epochs: Some(200),
        ..TrainOptions::default()
    }
}

fn shooting(segments: usize) -> TrainingMethod {
    MultipleShooting {
        segments,
        ..MultipleShooting::default()
    }
    .into()
}

fn times(n: u32, dt: f64) -> Vec<f64> {
    (0..n).map(|i| f64::from(i) * dt).collect()
}

/// Solutions of a field from initial states, with normal noise of this standard deviation on all but the first value.
fn measured(field: &VectorField, starts: &[&[f64]], t: &[f64], noise: f64) -> Dataset {
    let mut generator = Generator::manual_seed(5);
    let mut all = Array3::zeros((starts.len(), t.len(), field.dof()));
    for (start, mut to) in starts.iter().zip(all.outer_iter_mut()) {
        let solver = SolveOptions::default().tolerances(1e-9, 1e-11);
        to.assign(&solve(field, start, t, &solver).unwrap().u);
        for mut row in to.outer_iter_mut().skip(1) {
            let draws = generator.normal(0.0, 1.0, row.len());
            row.iter_mut()
                .zip(draws)
                .for_each(|(u, x)| *u += noise * f64::from(x));
        }
    }
    Dataset::new(Array1::from(t.to_vec()), all, None).unwrap()
}

fn with_values(field: &VectorField, names: &[&str], values: &[f64]) -> VectorField {
    let set = names.iter().zip(values);
    let field = set.fold(field.clone(), |field, (name, value)| {
        field.with_param(name, &[*value]).unwrap()
    });
    field.trainable(names).unwrap()
}

fn guess() -> VectorField {
    with_values(&lotka_volterra().unwrap(), &NAMES, &[1.0, 1.2, 1.0, 1.4])
}

fn largest_error(found: &[f64], truth: &[f64]) -> f64 {
    let errors = found.iter().zip(truth).map(|(x, y)| (x / y - 1.0).abs());
    errors.fold(0.0, f64::max)
}

#[test]
fn constants_are_found_to_the_last_digits_of_the_solver() {
    let data = measured(
        &lotka_volterra().unwrap(),
        &[&[0.44, 4.6], &[1.0, 2.0]],
        &times(31, 0.1),
        0.0,
    );
    for method in [TrainingMethod::Vanilla, shooting(4)] {
        let run = train(&guess(), &data, &method, &lm(), &mut ()).unwrap();
        let error = largest_error(&run.model.params(), &TRUTH);
        assert!(error < 1e-6, "{} {error:e}", method.name());
        let epochs = run.history.len();
        assert!(epochs < 60, "{} {epochs}", method.name());
        assert_eq!(run.stop, StopReason::Finished);
        let last = run.history.last().unwrap();
        assert!(
            last.continuity < 1e-12,
            "{} {}",
            method.name(),
            last.continuity
        );
    }
}

/// The minimum of a loss is where its gradient, by reverse sweeps and without any of the code of a step, is zero.
#[test]
fn both_methods_end_where_the_gradient_is_zero() {
    let mut u = measured(
        &lotka_volterra().unwrap(),
        &[&[0.44, 4.6]],
        &times(41, 0.1),
        0.1,
    )
    .u()
    .to_owned();
    u[[0, 7, 1]] = f64::NAN;
    let data = Dataset::new(Array1::from(times(41, 0.1)), u, None).unwrap();
    for train_u0 in [false, true] {
        let observation = Observation {
            train_u0,
            ..Observation::default()
        };
        let options = lm().observation(observation.clone());
        let vanilla = train(&guess(), &data, &TrainingMethod::Vanilla, &options, &mut ()).unwrap();
        let engine = odesync_ode::engines::engine("native", "cpu").unwrap();
        let mut loss = Objective::with_observation(
            &guess(),
            &data,
            &TrainingMethod::Vanilla,
            &observation,
            &options.solver,
            engine,
        )
        .unwrap();
        let at = |run: &Run| {
            let n = run.aux_params.len();
            let u0 = if train_u0 {
                &run.aux_params[n - 2..]
            } else {
                &[]
            };
            [&run.last.params()[..], u0].concat()
        };
        let first = loss
            .evaluate(&loss.initial_params(), 0.0, true, None)
            .unwrap();
        let first: f64 = first.gradient.iter().map(|g| g * g).sum();
        let shot = train(&guess(), &data, &shooting(5), &options, &mut ()).unwrap();
        for run in [&vanilla, &shot] {
            let gradient = loss.evaluate(&at(run), 0.0, true, None).unwrap().gradient;
            let norm: f64 = gradient.iter().map(|g| g * g).sum();
            assert!(norm < 1e-10 * first, "{} {norm:e} {first:e}", run.method);
        }
        let difference = largest_error(&at(&shot), &at(&vanilla));
        assert!(difference < 1e-5, "{train_u0} {difference:e}");
    }
}

/// A step in one parameter has a closed form: with the residuals r and their derivatives j it is −jᵀr/((1 + μ) jᵀj); j by differences.
#[test]
fn a_first_step_is_that_of_the_normal_equations() {
    let system = lotka_volterra().unwrap();
    let t = times(11, 0.2);
    let data = measured(&system, &[&[0.44, 4.6]], &t, 0.05);
    let model = with_values(&system, &["a", "d"], &[1.25, 1.75]);
    let options = TrainOptions {
        epochs: Some(1),
        optimizer: Optimizer::LevenbergMarquardt(LevenbergMarquardt {
            damping: 0.3,
            weight_decay: 0.04,
            ..LevenbergMarquardt::default()
        }),
        ..lm()
    };
    let run = train(&model, &data, &TrainingMethod::Vanilla, &options, &mut ()).unwrap();
    let n = (t.len() * 2) as f64;
    let residuals = |a: f64, d: f64| -> Array1<f64> {
        let field = with_values(&system, &["a", "d"], &[a, d]);
        let u = solve(&field, &[0.44, 4.6], &t, &options.solver).unwrap().u;
        let difference: Array2<f64> = (&u - &data.u().index_axis(ndarray::Axis(0), 0)) / n.sqrt();
        difference.into_iter().collect()
    };
    let (a, d, h) = (1.25, 1.75, 1e-4);
    let r = residuals(a, d);
    let by_a = (residuals(a + h, d) - residuals(a - h, d)) / (2.0 * h);
    let by_d = (residuals(a, d + h) - residuals(a, d - h)) / (2.0 * h);
    // Normal equations with μ times their diagonal and the weight decay 0.04/2, by Cramer's rule.
    let (aa, ad, dd) = (by_a.dot(&by_a), by_a.dot(&by_d), by_d.dot(&by_d));
    let (m, k) = (aa * 1.3 + 0.02, dd * 1.3 + 0.02);
    let (p, q) = (-by_a.dot(&r) - 0.02 * a, -by_d.dot(&r) - 0.02 * d);
    let det = m * k - ad * ad;
    let wanted = [a + (k * p - ad * q) / det, d + (m * q - ad * p) / det];
    let error = largest_error(&run.last.params(), &wanted);
    assert!(error < 1e-7, "{error:e}");
}

/// In chaos the loss of one solve has more minima than anyone can count; that of segments has one.
#[test]
fn shooting_finds_the_constants_of_chaos_where_one_solve_does_not() {
    let system = lorenz().unwrap();
    let data = measured(&system, &[&[-8.0, 7.0, 27.0]], &times(151, 0.05), 0.0);
    let names: Vec<String> = system.blocks().iter().map(|b| b.name.clone()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let truth: Vec<f64> = system.values().to_vec();
    let start: Vec<f64> = truth.iter().map(|x| 0.8 * x).collect();
    let model = with_values(&system, &names, &start);
    let vanilla = train(&model, &data, &TrainingMethod::Vanilla, &lm(), &mut ()).unwrap();
    let shot = train(&model, &data, &shooting(30), &lm(), &mut ()).unwrap();
    let (one, many) = (
        largest_error(&vanilla.model.params(), &truth),
        largest_error(&shot.model.params(), &truth),
    );
    assert!(one > 1e-2, "{one:e}");
    assert!(many < 1e-6, "{many:e}");
}

#[test]
fn constants_stay_within_their_bounds() {
    let system = lotka_volterra().unwrap();
    let data = measured(&system, &[&[0.44, 4.6]], &times(31, 0.1), 0.0);
    let start = |a: f64| {
        system
            .with_param("a", &[a])
            .unwrap()
            .with_param("d", &[1.5])
            .unwrap()
    };
    let known = |a: f64, spec| start(a).trainable_with("a", spec).unwrap();
    // a = 1.3 lies within, or beyond an upper bound of 1.2.
    for (spec, wanted) in [
        (ConstantSpec::default().min(0.5).max(2.0), 1.3),
        (ConstantSpec::default().log(), 1.3),
        (ConstantSpec::default().max(1.2), 1.2),
    ] {
        for method in [TrainingMethod::Vanilla, shooting(3)] {
            let run = train(&known(1.0, spec), &data, &method, &lm(), &mut ());
            // Only a is trained, and d is wrong where a cannot be right.
            let found = run.unwrap().last.params()[0];
            match wanted < 1.3 {
                true => assert!(found < 1.2 && found > 1.0, "{found}"),
                false => assert!(found > 0.5 && found < 2.0, "{found}"),
            }
        }
    }
    let run = train(
        &lotka_volterra()
            .unwrap()
            .with_param("a", &[0.9])
            .unwrap()
            .trainable_with("a", ConstantSpec::default().min(0.5).max(2.0))
            .unwrap(),
        &data,
        &TrainingMethod::Vanilla,
        &lm(),
        &mut (),
    )
    .unwrap();
    assert!(largest_error(&run.last.params(), &[1.3]) < 1e-6);
    let with_prior = known(1.0, ConstantSpec::default().prior(1.0, 0.1));
    let error = train(&with_prior, &data, &TrainingMethod::Vanilla, &lm(), &mut ()).unwrap_err();
    assert!(error.to_string().contains("weak_constraint()"), "{error}");
}

#[test]
fn a_network_is_trained_by_few_steps() {
    let data = measured(
        &lotka_volterra().unwrap(),
        &[&[0.44, 4.6]],
        &times(31, 0.1),
        0.0,
    );
    let model = blackbox(&[2, 12, 2], Unary::Tanh, &mut Generator::manual_seed(10)).unwrap();
    for (method, scale) in [
        (TrainingMethod::Vanilla, Scaling::None),
        (shooting(5), Scaling::Auto),
    ] {
        let options = TrainOptions {
            epochs: Some(60),
            scale,
            ..lm()
        };
        let run = train(&model, &data, &method, &options, &mut ()).unwrap();
        let first = run.history[0].mse;
        assert!(
            run.best_mse < 1e-3 * first.min(1.0),
            "{} {}",
            method.name(),
            run.best_mse
        );
    }
}

/// Stops a run after an epoch.
struct StopAt(usize, std::sync::Arc<std::sync::atomic::AtomicBool>);

impl Callback for StopAt {
    fn on_epoch_end(&mut self, record: &EpochRecord, _best: f64) -> Result<()> {
        if record.epoch == self.0 {
            self.1.store(true, std::sync::atomic::Ordering::Relaxed);
        }
        Ok(())
    }
}

fn resumed(
    options: &TrainOptions,
    method: &TrainingMethod,
    data: &Dataset,
    out: &Path,
) -> [Run; 2] {
    let start = guess();
    let bounded = start
        .trainable_with("a", ConstantSpec::default().min(0.1))
        .unwrap();
    let whole = TrainOptions {
        out: Some(out.join("whole")),
        ..options.clone()
    };
    let whole = train(&bounded, data, method, &whole, &mut ()).unwrap();
    let mut parts = TrainOptions {
        out: Some(out.join("parts")),
        resume: true,
        ..options.clone()
    };
    for epoch in 0..whole.history.len() - 1 {
        parts.interrupt = std::sync::Arc::default();
        let mut stop = StopAt(epoch, parts.interrupt.clone());
        let run = train(&bounded, data, method, &parts, &mut stop).unwrap();
        assert_eq!(run.stop, StopReason::Interrupted, "{epoch}");
    }
    parts.interrupt = std::sync::Arc::default();
    [
        whole,
        train(&bounded, data, method, &parts, &mut ()).unwrap(),
    ]
}

#[test]
fn a_run_in_parts_has_the_bits_of_a_whole_one() {
    let data = measured(
        &lotka_volterra().unwrap(),
        &[&[0.44, 4.6]],
        &times(31, 0.1),
        0.1,
    );
    let folder = tempfile::tempdir().unwrap();
    for (name, method) in [
        ("vanilla", TrainingMethod::Vanilla),
        ("shooting", shooting(4)),
    ] {
        // A first damping so small that steps are rejected.
        let options = TrainOptions {
            optimizer: Optimizer::LevenbergMarquardt(LevenbergMarquardt {
                damping: 1e-9,
                ..LevenbergMarquardt::default()
            }),
            epochs: Some(25),
            observation: Observation {
                train_u0: true,
                ..Observation::default()
            },
            ..lm()
        };
        let [whole, parts] = resumed(&options, &method, &data, &folder.path().join(name));
        let bits = |run: &Run| -> Vec<u64> {
            let rows = run.history.iter().flat_map(|r| {
                [
                    r.train_loss,
                    r.mse,
                    r.continuity,
                    r.gradient_norm,
                    r.evaluations as f64,
                ]
                .into_iter()
                .chain(r.damping)
            });
            let all = rows.chain(run.last.params()).chain(run.model.params());
            all.chain(run.aux_params.clone())
                .map(f64::to_bits)
                .collect()
        };
        assert_eq!(bits(&whole), bits(&parts), "{name}");
        assert_eq!(
            (whole.stop, whole.best_epoch),
            (parts.stop, parts.best_epoch)
        );
    }
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let data = measured(
        &lotka_volterra().unwrap(),
        &[&[0.44, 4.6], &[1.0, 1.0], &[2.0, 1.0]],
        &times(21, 0.1),
        0.05,
    );
    let model = blackbox(&[2, 8, 2], Unary::Tanh, &mut Generator::manual_seed(3)).unwrap();
    let options = TrainOptions {
        epochs: Some(4),
        ..lm()
    };
    for method in [TrainingMethod::Vanilla, shooting(3)] {
        let on = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            let run = || train(&model, &data, &method, &options, &mut ()).unwrap();
            pool.build().unwrap().install(run).last.params()
        };
        let (one, five) = (on(1), on(5));
        let same = one
            .iter()
            .zip(&five)
            .all(|(a, b)| a.to_bits() == b.to_bits());
        assert!(same, "{}", method.name());
    }
}

#[test]
fn the_log_has_the_damping_and_no_learning_rate() {
    let data = measured(
        &lotka_volterra().unwrap(),
        &[&[0.44, 4.6]],
        &times(11, 0.1),
        0.0,
    );
    let folder = tempfile::tempdir().unwrap();
    let mut logger = CsvLogger::new(folder.path());
    let options = TrainOptions {
        epochs: Some(2),
        ..lm()
    };
    train(
        &guess(),
        &data,
        &TrainingMethod::Vanilla,
        &options,
        &mut logger,
    )
    .unwrap();
    let text = std::fs::read_to_string(folder.path().join("metrics.csv")).unwrap();
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(lines[0][6], "lr");
    assert_eq!(lines[0].last(), Some(&"damping"));
    assert_eq!((lines[1][6], lines[1].len()), ("", lines[0].len()));
    assert_eq!(lines[1].last(), Some(&"0.01"));
}

#[test]
fn what_does_not_go_with_it_is_told_with_the_cure() {
    let data = measured(
        &lotka_volterra().unwrap(),
        &[&[0.44, 4.6]],
        &times(11, 0.1),
        0.0,
    );
    let says = |options: TrainOptions, method: TrainingMethod, word: &str| {
        let error = train(&guess(), &data, &method, &options, &mut ()).unwrap_err();
        assert!(error.to_string().contains(word), "{error}");
    };
    let vanilla = TrainingMethod::Vanilla;
    says(lm().lr(0.1), vanilla.clone(), "leave it out");
    says(
        TrainOptions {
            clip: Some(1.0),
            ..lm()
        },
        vanilla.clone(),
        "clip belongs to",
    );
    says(
        TrainOptions {
            lr_schedule: LrSchedule::Cosine,
            ..lm()
        },
        vanilla.clone(),
        "lr_schedule belongs to",
    );
    says(
        TrainOptions {
            optimizer: Optimizer::LevenbergMarquardt(LevenbergMarquardt {
                damping_increase: 1.0,
                ..LevenbergMarquardt::default()
            }),
            ..lm()
        },
        vanilla,
        "above 1",
    );
    let homotopy = Homotopy::new(
        6.0,
        odesync_train::schedules::Schedule::power_law(4, 5, 0.6).unwrap(),
    );
    says(lm(), homotopy.into(), "vanilla() and multiple_shooting()");
}
