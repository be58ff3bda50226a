//! Losses, gradients and training, compared with reference figures, finite differences and each other.

use std::path::Path;
use std::sync::atomic::Ordering;

use super::reference::homotopy;
use ndarray::Array1;
use odesync_base::Error;
use odesync_base::options::{Named, OptionSet, Value};
use odesync_base::random::Generator;
use odesync_ode::dynamics::lotka_volterra;
use odesync_ode::field::{Unary, VectorField};
use odesync_ode::odesolve::{Controller, SolveOptions, solve};
use odesync_train::datasets::Dataset;
use odesync_train::models::{blackbox, second_order};
use odesync_train::schedules::Schedule;
use odesync_train::synchronization::Coupling;
use odesync_train::training::{
    Adam, Homotopy, LrSchedule, MultipleShooting, Optimizer, OptimizerState, Run, Sgd, StopReason,
    TrainOptions, TrainingMethod, load_model, train,
};

#[test]
fn optimisers_follow_their_formulas() {
    // Closed forms: the first step of Adam is lr · sign(g) / (1 + eps/|g|); AdamW multiplies by 1 − lr · decay before it.
    let gradient = [4.0, -0.5];
    let mut params = [1.0, -2.0];
    OptimizerState::new(2).update(
        &Optimizer::from_name("adamw")
            .unwrap()
            .with_weight_decay(0.5),
        0.1,
        &mut params,
        &gradient,
        1,
    );
    assert!((params[0] - (0.95 - 0.1 / (1.0 + 1e-8 / 4.0))).abs() < 1e-15);
    assert!(
        (params[1] - (-2.0 + 0.1 / (1.0 + 1e-8 / 0.5))).abs() < 1e-15,
        "entries past the limit are not decayed"
    );
    let momentum = Optimizer::Sgd(Sgd {
        momentum: 0.9,
        weight_decay: 0.0,
    });
    let (mut params, mut state) = ([0.0], OptimizerState::new(1));
    for _ in 0..3 {
        state.update(&momentum, 0.1, &mut params, &[1.0], 1);
    }
    // The velocities are 1, 1.9, 2.71.
    assert!((params[0] + 0.1 * (1.0 + 1.9 + 2.71)).abs() < 1e-15);
    assert!(
        Optimizer::from_name("adamax")
            .unwrap_err()
            .to_string()
            .contains("adamw")
    );
}

#[test]
fn settings_of_an_optimiser_are_those_of_the_one_that_is_chosen() {
    let mut optimizer = Optimizer::default();
    optimizer.set("beta1", &Value::Float(0.8)).unwrap();
    let adam = Adam {
        beta1: 0.8,
        ..Adam::default()
    };
    assert_eq!(optimizer, Optimizer::AdamW(adam));
    optimizer.set("optimizer", &"sgd".into()).unwrap();
    optimizer.set("momentum", &Value::Float(0.9)).unwrap();
    let json = serde_json::to_string(&optimizer).unwrap();
    assert_eq!(json, r#"{"name":"sgd","momentum":0.9,"weight_decay":0.0}"#);
    for (name, value, want) in [
        (
            "beta1",
            0.8,
            "sgd has no beta1; choose optimizer: \"adamw\" or \"adam\"",
        ),
        (
            "weight_decay",
            -1.0,
            "\"weight_decay\" should be a number that is 0 or above",
        ),
        ("beta3", 0.8, "unknown option \"beta3\""),
    ] {
        let error = optimizer
            .set(name, &Value::Float(value))
            .unwrap_err()
            .to_string();
        assert!(error.contains(want), "{error}");
    }
    let mut adam = Optimizer::from_name("adam").unwrap();
    assert_eq!(adam.get("weight_decay"), Some(Value::Float(0.0)));
    let error = adam
        .set("beta2", &Value::Float(1.0))
        .unwrap_err()
        .to_string();
    assert!(error.contains("from 0 to below 1"), "{error}");
    let broken = adam
        .with_weight_decay(f64::NAN)
        .check()
        .unwrap_err()
        .to_string();
    assert!(broken.contains("weight_decay"), "{broken}");
}

fn small() -> (VectorField, Dataset, TrainOptions) {
    let t: Vec<f64> = (0..21).map(|i| f64::from(i) * 0.1).collect();
    let system = lotka_volterra().unwrap();
    let u = solve(&system, &[0.44, 4.6], &t, &SolveOptions::default())
        .unwrap()
        .u;
    let data = Dataset::single(Array1::from(t), u, None).unwrap();
    let model = blackbox(&[2, 8, 2], Unary::Tanh, &mut Generator::manual_seed(10)).unwrap();
    let options = TrainOptions {
        epochs: Some(30),
        lr: 0.05,
        ..TrainOptions::default()
    };
    (model, data, options)
}

#[test]
fn parameters_of_a_known_system_are_identified() {
    let (_, data, _) = small();
    let guess = lotka_volterra()
        .unwrap()
        .with_param("a", &[1.0])
        .unwrap()
        .with_param("d", &[1.5])
        .unwrap();
    let guess = guess.trainable(&["a", "d"]).unwrap();
    let options = TrainOptions {
        epochs: Some(300),
        lr: 0.05,
        optimizer: Optimizer::from_name("adam").unwrap(),
        lr_schedule: LrSchedule::Exponential { rate: 0.98 },
        ..TrainOptions::default()
    };
    for method in [
        TrainingMethod::Vanilla,
        TrainingMethod::MultipleShooting(MultipleShooting::default()),
        homotopy(6.0, Schedule::power_law(4, 40, 0.6).unwrap()),
    ] {
        let run = train(&guess, &data, &method, &options, &mut ()).unwrap();
        let found = run.model.params();
        assert!(
            (found[0] - 1.3).abs() < 1e-3 && (found[1] - 1.8).abs() < 1e-3,
            "{} {found:?}",
            method.name()
        );
        assert_eq!(
            guess.params(),
            [1.0, 1.5],
            "the model that was given is not changed"
        );
    }
}

#[test]
fn runs_are_repeatable_bit_for_bit_on_any_number_of_threads() {
    let (model, data, options) = small();
    let method = homotopy(6.0, Schedule::power_law(3, 10, 0.6).unwrap());
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| {
            train(&model, &data, &method, &options, &mut ())
                .unwrap()
                .last
                .params()
        })
    };
    assert_eq!(run(1), run(3));
}

#[test]
fn a_saved_run_is_read_back_and_damage_is_an_error() {
    let (model, data, mut options) = small();
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("deep/run");
    options.out = Some(out.clone());
    let run = train(
        &model,
        &data,
        &TrainingMethod::MultipleShooting(MultipleShooting::default()),
        &options,
        &mut (),
    )
    .unwrap();
    let back = Run::load(&out).unwrap();
    assert_eq!(back.model.params(), run.model.params());
    assert_eq!(back.last.params(), run.last.params());
    assert_eq!(back.model.show(), run.model.show());
    assert_eq!(back.history, run.history);
    assert_eq!(
        (back.best_mse, back.best_epoch),
        (run.best_mse, run.best_epoch)
    );
    assert_eq!(back.optimizer, run.optimizer);
    assert_eq!(back.aux_params, run.aux_params);
    assert_eq!(
        back.predict(&[0.0, 0.5, 3.0]).unwrap(),
        run.predict(&[0.0, 0.5, 3.0]).unwrap()
    );
    assert_eq!(
        run.predict(&[0.5]).unwrap()[[0, 0, 1]],
        run.predict(&[0.0, 0.5]).unwrap()[[0, 1, 1]]
    );

    // Every byte counts: any changed or truncated file is an error, and never a panic.
    for (name, load) in [
        (
            "last.safetensors",
            (|out| Run::load(out).map(drop)) as fn(&Path) -> Result<(), Error>,
        ),
        ("best.safetensors", |out| {
            load_model(out.join("best.safetensors")).map(drop)
        }),
    ] {
        let path = out.join(name);
        let good = std::fs::read(&path).unwrap();
        assert!(load(&out).is_ok());
        for at in (0..good.len()).step_by(97) {
            for damaged in [good[..at].to_vec(), {
                let mut b = good.clone();
                b[at] ^= 0x55;
                b
            }] {
                std::fs::write(&path, damaged).unwrap();
                match load(&out) {
                    Err(Error::Checkpoint { path: named, .. }) => assert_eq!(named, path),
                    other => panic!("{name}, byte {at}: {other:?}"),
                }
            }
        }
        std::fs::write(&path, b"not a checkpoint").unwrap();
        let error = load(&out).unwrap_err().to_string();
        assert!(error.contains("not a usable checkpoint"), "{error}");
        std::fs::remove_file(&path).unwrap();
        assert!(matches!(load(&out), Err(Error::Io { .. })));
    }
    let left: Vec<_> = std::fs::read_dir(&out)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left, [".lock"], "no temporary file is left");
}

#[test]
fn what_was_set_and_why_it_ended_is_saved() {
    let (model, data, mut options) = small();
    options.epochs = Some(12);
    options.patience = Some(2);
    options.lr = 1e-300;
    options.solver = SolveOptions {
        max_steps: 777,
        first_step: Some(0.01),
        max_step: Some(0.5),
        controller: Some(Controller::ProportionalIntegral),
        breakpoints: false.into(),
        ..SolveOptions::default().solver("tsit5").unwrap()
    };
    let folder = tempfile::tempdir().unwrap();
    options.out = Some(folder.path().into());
    train(&model, &data, &TrainingMethod::Vanilla, &options, &mut ()).unwrap();
    let back = Run::load(folder.path()).unwrap();
    assert_eq!(back.stop, StopReason::EarlyStop);
    assert_eq!(
        format!("{:?}", back.solver),
        format!("{:?}", options.solver)
    );
    assert_eq!(back.settings.options.patience, Some(2));
    assert_eq!(
        (back.settings.options.lr, back.settings.epochs),
        (1e-300, 12)
    );
    assert_eq!(back.settings.method, TrainingMethod::Vanilla);
    assert_eq!(back.settings.options.optimizer, options.optimizer);
}

#[test]
fn a_model_that_cannot_be_saved_is_refused_before_it_is_trained() {
    let (_, data, mut options) = small();
    let folder = tempfile::tempdir().unwrap();
    let field = odesync_ode::field::system(2, &[("data.u0", 1.0)], |_, u, p| {
        vec![p.get("data.u0") * u.at(0), u.at(1)]
    })
    .unwrap()
    .trainable(&["data.u0"])
    .unwrap();
    options.epochs = Some(1);
    let run = train(&field, &data, &TrainingMethod::Vanilla, &options, &mut ()).unwrap();
    let error = run.save(folder.path()).unwrap_err().to_string();
    assert!(error.contains("rename it"), "{error}");
    options.out = Some(folder.path().into());
    let error = train(&field, &data, &TrainingMethod::Vanilla, &options, &mut ())
        .unwrap_err()
        .to_string();
    assert!(error.contains("rename it"), "{error}");

    let (model, ..) = small();
    let spline = odesync_train::smoothing::SmoothingSpline::new(&data.t().to_vec(), data.u(), 0.0);
    let coupled =
        odesync_train::synchronization::synchronize(&model, spline.unwrap().into(), &1.0.into())
            .unwrap();
    let error = train(&coupled, &data, &TrainingMethod::Vanilla, &options, &mut ())
        .unwrap_err()
        .to_string();
    assert!(error.contains("can't be saved"), "{error}");
}

#[test]
fn parameters_that_overflow_are_saved_and_read_back() {
    let (model, data, mut options) = small();
    let folder = tempfile::tempdir().unwrap();
    options.out = Some(folder.path().into());
    options.optimizer = Optimizer::from_name("sgd").unwrap();
    options.lr = f64::MAX;
    options.epochs = Some(2);
    let run = train(&model, &data, &TrainingMethod::Vanilla, &options, &mut ()).unwrap();
    assert!(run.last.params().iter().any(|p| !p.is_finite()));
    let back = Run::load(folder.path()).unwrap();
    let bits = |f: &VectorField| f.params().iter().map(|p| p.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(&back.last), bits(&run.last));
}

#[test]
fn a_run_that_never_trained_is_an_error() {
    let (model, data, mut options) = small();
    options.epochs = Some(3);
    options.solver = SolveOptions::default().substeps(1_000_000);
    let error = train(&model, &data, &TrainingMethod::Vanilla, &options, &mut ())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("all 3 epochs") && error.contains("max_steps"),
        "{error}"
    );
    let nothing = Dataset::new(
        data.t().to_owned(),
        data.u().mapv(|_| f64::NAN),
        Some(data.u0().to_owned()),
    )
    .unwrap();
    let (model, _, options) = small();
    let error = train(
        &model,
        &nothing,
        &TrainingMethod::Vanilla,
        &options,
        &mut (),
    )
    .unwrap_err()
    .to_string();
    assert!(error.contains("missing"), "{error}");
}

#[test]
fn failing_epochs_are_skipped_counted_and_end_the_run_with_advice() {
    let (_, data, mut options) = small();
    // For a > 0 the solution blows up at once, whatever the data.
    let field = odesync_ode::field::system(2, &[("a", 50.0)], |_, u, p| {
        vec![p.get("a") * u.at(0).square(), u.at(1)]
    })
    .unwrap()
    .trainable(&["a"])
    .unwrap();
    options.max_failures = 4;
    let error = train(&field, &data, &TrainingMethod::Vanilla, &options, &mut ())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("4 epochs in a row") && error.contains("lower learning rate"),
        "{error}"
    );

    // A learning rate that destroys the model after a good start: the best model is stored.
    let (model, data, mut options) = small();
    options.lr = 1e6;
    options.max_failures = 3;
    options.epochs = Some(200);
    let folder = tempfile::tempdir().unwrap();
    options.out = Some(folder.path().into());
    let run = train(&model, &data, &TrainingMethod::Vanilla, &options, &mut ()).unwrap();
    assert!(matches!(run.stop, StopReason::Failing(_)), "{:?}", run.stop);
    assert_eq!(run.failures(), 3);
    assert!(run.best_mse.is_finite() && run.history.last().unwrap().train_loss.is_nan());
    assert_eq!(
        Run::load(folder.path()).unwrap().model.params(),
        run.model.params()
    );
}

#[test]
fn early_stop_clipping_and_interruption() {
    let (model, data, mut options) = small();
    options.patience = Some(5);
    options.lr = 1e-300;
    options.epochs = Some(500);
    let method = homotopy(6.0, Schedule::power_law(3, 10, 0.6).unwrap());
    let run = train(&model, &data, &method, &options, &mut ()).unwrap();
    assert_eq!(run.stop, StopReason::EarlyStop);
    assert!(
        run.history.len() >= 25,
        "epochs with coupling do not count: {}",
        run.history.len()
    );

    let (model, data, mut options) = small();
    options.clip = Some(1e-3);
    options.optimizer = Optimizer::from_name("sgd").unwrap();
    options.epochs = Some(1);
    options.lr = 1.0;
    let run = train(&model, &data, &TrainingMethod::Vanilla, &options, &mut ()).unwrap();
    let distance_squared: f64 = run
        .last
        .params()
        .iter()
        .zip(model.params())
        .map(|(a, b)| (a - b) * (a - b))
        .sum();
    assert!(
        run.history[0].gradient_norm > 1e-2 && (distance_squared.sqrt() - 1e-3).abs() < 1e-6,
        "{distance_squared}"
    );

    options.interrupt.store(true, Ordering::Relaxed);
    let run = train(&model, &data, &TrainingMethod::Vanilla, &options, &mut ()).unwrap();
    assert_eq!((run.stop, run.history.len()), (StopReason::Interrupted, 0));
}

#[test]
fn settings_that_do_not_fit_are_errors() {
    let (model, data, options) = small();
    let text = |model: &VectorField, method: &TrainingMethod, options: &TrainOptions| {
        train(model, &data, method, options, &mut ())
            .unwrap_err()
            .to_string()
    };
    let wide = blackbox(&[3, 4, 3], Unary::Gelu, &mut Generator::manual_seed(1)).unwrap();
    assert!(text(&wide, &TrainingMethod::Vanilla, &options).contains("3 state variables"));
    assert!(
        text(
            &lotka_volterra().unwrap(),
            &TrainingMethod::Vanilla,
            &options
        )
        .contains("no trainable parameters")
    );
    let many = TrainingMethod::MultipleShooting(MultipleShooting {
        segments: 22,
        ..MultipleShooting::default()
    });
    assert!(text(&model, &many, &options).contains("between 1 and the number of times, 21"));
    let bad = TrainOptions {
        lr: -1.0,
        ..options.clone()
    };
    assert!(
        text(&model, &TrainingMethod::Vanilla, &bad)
            .contains("lr should be a number above 0, not -1")
    );
    let bad = TrainOptions {
        engine: "tensor".into(),
        ..options.clone()
    };
    assert!(text(&model, &TrainingMethod::Vanilla, &bad).contains("unknown engine"));
    let bad = TrainingMethod::Homotopy(Homotopy {
        coupling: Coupling::Vector(vec![1.0; 3]),
        ..Homotopy::new(1.0, Schedule::power_law(3, 10, 0.6).unwrap())
    });
    assert!(text(&model, &bad, &options).contains("2 x 2 matrix"));
    let bad = TrainingMethod::Homotopy(Homotopy {
        smoothing: -0.1,
        ..Homotopy::new(1.0, Schedule::power_law(3, 10, 0.6).unwrap())
    });
    assert!(text(&model, &bad, &options).contains("-0.1"));
    let file = tempfile::NamedTempFile::new().unwrap();
    let bad = TrainOptions {
        out: Some(file.path().join("run")),
        ..options
    };
    assert!(text(&model, &TrainingMethod::Vanilla, &bad).contains("cannot create the folder"));
    assert!(blackbox(&[2, 8, 3], Unary::Gelu, &mut Generator::manual_seed(1)).is_err());
    assert!(second_order(&[4, 8, 3], Unary::Gelu, &mut Generator::manual_seed(1)).is_err());
    assert!(blackbox(&[2], Unary::Gelu, &mut Generator::manual_seed(1)).is_err());
    assert!(blackbox(&[2, 0, 2], Unary::Gelu, &mut Generator::manual_seed(1)).is_err());
}
