//! Realistic data: samples at different times, missing values, observed subsets of the state, external inputs, trained initial
//! states. Independent comparisons: finite differences on recorded steps, closed forms, and the same loss computed in another way.

use ndarray::{Array1, Array2, Axis, array};
use odesync_base::options::Named;
use odesync_base::random::Generator;
use odesync_ode::dynamics::{lorenz, lotka_volterra};
use odesync_ode::engines::engine;
use odesync_ode::field::{InputSignal, Signal, Unary, VectorField, driven_system, system};
use odesync_ode::odesolve::{SolveOptions, solve};
use odesync_testing::relative_error;

use super::observed::{objective, times};
use odesync_train::datasets::Dataset;
use odesync_train::models::{driven_blackbox, driven_second_order};
use odesync_train::schedules::Schedule;
use odesync_train::smoothing::{SmoothingSpline, spline_input};
use odesync_train::synchronization::Coupling;
use odesync_train::training::{
    Homotopy, LrSchedule, MultipleShooting, Objective, Observation, Optimizer, Run, TrainOptions,
    TrainingMethod, train,
};

const NAN: f64 = f64::NAN;

fn homotopy(coupling: impl Into<Coupling>) -> TrainingMethod {
    TrainingMethod::Homotopy(Homotopy::new(coupling, Schedule::list(vec![1.0]).unwrap()))
}

#[test]
fn the_loss_is_the_mean_over_all_values_that_are_there() {
    let (model, data) = (lotka_volterra().unwrap().trainable(&["a", "c"]).unwrap(), {
        let a = (
            times(0.0, 9, 0.3),
            Array2::from_shape_fn((9, 2), |(i, j)| 1.0 + 0.1 * (i + j) as f64),
        );
        let mut b = (
            times(0.5, 5, 0.2),
            Array2::from_shape_fn((5, 2), |(i, j)| 2.0 - 0.1 * (i * j) as f64),
        );
        b.1[[2, 1]] = NAN;
        Dataset::ragged(vec![a, b], None).unwrap()
    });
    let shooting = TrainingMethod::MultipleShooting(MultipleShooting {
        segments: 2,
        continuity_weight: 0.0,
    });
    for method in [TrainingMethod::Vanilla, homotopy(3.0), shooting] {
        let lambda = if method.name() == "homotopy" {
            0.5
        } else {
            0.0
        };
        let of = |data: &Dataset| {
            let mut o = objective(&model, data, &method, &Observation::default(), "native");
            o.evaluate(&o.initial_params(), lambda, true, None).unwrap()
        };
        let (both, a, b) = (
            of(&data),
            of(&data.single_sample(0).unwrap()),
            of(&data.single_sample(1).unwrap()),
        );
        let mean = |a: f64, b: f64| (18.0 * a + 9.0 * b) / 27.0;
        assert!(
            (both.loss - mean(a.loss, b.loss)).abs() < 1e-13,
            "{}",
            method.name()
        );
        for i in 0..2 {
            let want = mean(a.gradient[i], b.gradient[i]);
            assert!((both.gradient[i] - want).abs() < 1e-12 * (1.0 + want.abs()));
        }
    }
}

#[test]
fn observed_columns_are_the_whole_state_with_the_rest_missing() {
    let t = times(0.0, 15, 0.05);
    let system = lorenz().unwrap().trainable(&["rho", "beta"]).unwrap();
    let truth = solve(
        &system,
        &[1.0, 2.0, 20.0],
        &t.to_vec(),
        &SolveOptions::default(),
    )
    .unwrap()
    .u;
    let model = system.with_param("rho", &[24.0]).unwrap();
    let start = array![[1.0, 2.0, 20.0]];
    let observed = Dataset::single(t.clone(), truth.select(Axis(1), &[2, 0]), None).unwrap();
    let mut complete = truth.clone();
    complete.column_mut(1).fill(NAN);
    let complete = Dataset::single(t.clone(), complete, Some(start.row(0).to_owned())).unwrap();
    let full = Dataset::single(t, truth, None).unwrap();
    let observation = Observation::of_variables([2, 0]).with_u0(start);
    let all = Observation::default();
    let value =
        |data: &Dataset, method: &TrainingMethod, observation: &Observation, lambda: f64| {
            let mut o = objective(&model, data, method, observation, "native");
            o.evaluate(&o.initial_params(), lambda, true, None).unwrap()
        };
    let a = value(&observed, &TrainingMethod::Vanilla, &observation, 0.0);
    let b = value(&complete, &TrainingMethod::Vanilla, &all, 0.0);
    assert!((a.loss / b.loss - 1.0).abs() < 1e-13);
    assert!(relative_error(&a.gradient, &b.gradient) < 1e-12);
    // A coupling of 0 on the hidden variable has no effect: the same solve, but a loss of all three columns.
    let a = value(
        &observed,
        &homotopy(Coupling::Vector(vec![4.0, 7.0])),
        &observation,
        1.0,
    );
    let solver = |k: Vec<f64>| value(&full, &homotopy(Coupling::Vector(k)), &all, 1.0);
    let same = solver(vec![7.0, 0.0, 4.0]);
    assert_eq!(a.stats.steps, same.stats.steps);
    assert_ne!(solver(vec![7.0, 4.0, 4.0]).stats.steps, same.stats.steps);
}

#[test]
fn a_hidden_state_and_its_parameters_are_found() {
    // A damped pendulum of which only the angle is measured.
    let pendulum = |g: f64, k: f64| {
        system(2, &[("g", g), ("k", k)], |_, u, p| {
            vec![u.at(1), -p.get("g") * u.at(0).sin() - p.get("k") * u.at(1)]
        })
        .unwrap()
        .trainable(&["g", "k"])
        .unwrap()
    };
    let t = times(0.0, 41, 0.1);
    let truth = solve(
        &pendulum(4.0, 0.3),
        &[1.2, -0.8],
        &t.to_vec(),
        &SolveOptions::default(),
    )
    .unwrap();
    let angle = truth.u.select(Axis(1), &[0]);
    let data = Dataset::single(t, angle, None).unwrap();
    let guess = pendulum(3.0, 0.05);
    let options = TrainOptions {
        epochs: Some(500),
        lr: 0.05,
        optimizer: Optimizer::from_name("adam").unwrap(),
        lr_schedule: LrSchedule::Exponential { rate: 0.99 },
        observation: Observation::of_variables([0]).train_u0(),
        ..TrainOptions::default()
    };
    let shooting = TrainingMethod::MultipleShooting(MultipleShooting {
        segments: 4,
        continuity_weight: 1.0,
    });
    for method in [
        TrainingMethod::Vanilla,
        TrainingMethod::Homotopy(Homotopy::new(3.0, Schedule::power_law(4, 60, 0.6).unwrap())),
        shooting,
    ] {
        // The corrections of multiple shooting converge slowly.
        let options = match method {
            TrainingMethod::MultipleShooting(_) => TrainOptions {
                epochs: Some(2500),
                lr_schedule: LrSchedule::Exponential { rate: 0.998 },
                ..options.clone()
            },
            _ => options.clone(),
        };
        let run = train(&guess, &data, &method, &options, &mut ()).unwrap();
        let found = run.model.params();
        assert!(
            (found[0] - 4.0).abs() < 0.01 && (found[1] - 0.3).abs() < 0.01,
            "{} {found:?}",
            method.name()
        );
        assert!(
            (run.u0[[0, 1]] + 0.8).abs() < 0.02,
            "{} {}",
            method.name(),
            run.u0
        );
        // All state variables are predicted, including the velocity, which was not measured.
        let later = run.predict(&[1.0, 2.5, 4.0]).unwrap();
        assert_eq!(later.dim(), (1, 3, 2));
        for (i, time) in [10, 25, 40].into_iter().enumerate() {
            assert!((later[[0, i, 1]] - truth.u[[time, 1]]).abs() < 0.03);
        }
    }
}

#[test]
fn trained_initial_states_are_kept_and_a_stopped_run_goes_on_with_them() {
    let t = times(0.0, 12, 0.15);
    let u = solve(
        &lotka_volterra().unwrap(),
        &[0.5, 3.0],
        &t.to_vec(),
        &SolveOptions::default(),
    )
    .unwrap()
    .u;
    let other = &u * 1.1;
    let data = Dataset::ragged(vec![(t.clone(), u), (&t + 0.4, other)], None).unwrap();
    let model = lotka_volterra()
        .unwrap()
        .trainable(&["a", "b", "c", "d"])
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let options = |epochs: usize, out: &str| TrainOptions {
        epochs: Some(epochs),
        observation: Observation::default().train_u0(),
        out: Some(folder.path().join(out)),
        ..TrainOptions::default()
    };
    for method in [
        TrainingMethod::Vanilla,
        TrainingMethod::MultipleShooting(MultipleShooting::default()),
        TrainingMethod::Homotopy(Homotopy::new(
            2.0,
            Schedule::list(vec![1.0, 0.5, 0.0]).unwrap(),
        )),
    ] {
        let name = method.name();
        let uninterrupted = train(
            &model,
            &data,
            &method,
            &options(9, &format!("{name}_whole")),
            &mut (),
        )
        .unwrap();
        assert_ne!(uninterrupted.u0, data.u0());
        assert_eq!(uninterrupted.t0, [0.0, 0.4]);
        let out = format!("{name}_parts");
        train(&model, &data, &method, &options(4, &out), &mut ()).unwrap();
        let rest = train(&model, &data, &method, &options(9, &out).resume(), &mut ()).unwrap();
        assert_eq!(rest.u0, uninterrupted.u0, "{name}");
        assert_eq!(rest.last.params(), uninterrupted.last.params(), "{name}");
        assert_eq!(rest.aux_params, uninterrupted.aux_params, "{name}");
        let read = Run::load(folder.path().join(&out)).unwrap();
        assert_eq!(read.u0, uninterrupted.u0);
        assert_eq!(
            read.predict(&[0.4, 2.0]).unwrap(),
            uninterrupted.predict(&[0.4, 2.0]).unwrap()
        );
        // Other initial states make a different run.
        let other_u0 = TrainOptions {
            observation: Observation::default()
                .with_u0(array![[1.0, 1.0]])
                .train_u0(),
            ..options(9, &out).resume()
        };
        let refused = train(&model, &data, &method, &other_u0, &mut ()).unwrap_err();
        assert!(refused.to_string().contains("initial states"), "{refused}");
    }
}

#[test]
fn before_its_beginning_a_sample_has_no_prediction() {
    let t = times(0.0, 6, 0.2);
    let u = solve(
        &lotka_volterra().unwrap(),
        &[0.5, 3.0],
        &t.to_vec(),
        &SolveOptions::default(),
    )
    .unwrap()
    .u;
    let data = Dataset::ragged(vec![(t.clone(), u.clone()), (&t + 0.5, u.clone())], None).unwrap();
    let model = lotka_volterra().unwrap().trainable(&["a"]).unwrap();
    let options = TrainOptions::default().epochs(1).lr(1e-12);
    let run = train(&model, &data, &TrainingMethod::Vanilla, &options, &mut ()).unwrap();
    let all = run.predict(&[0.2, 0.5, 0.7, 1.0]).unwrap();
    assert!(all.iter().take(8).all(|x| x.is_finite()));
    assert!(all[[1, 0, 0]].is_nan() && all[[1, 0, 1]].is_nan());
    // The system is autonomous: the second sample is the first one, 0.5 later.
    for (i, time) in [(1, 0), (2, 1)] {
        assert!((all[[1, i, 0]] - u[[time, 0]]).abs() < 1e-6);
    }
    let early = run.predict(&[-0.1]).unwrap_err().to_string();
    assert!(early.contains("begins at t = 0"), "{early}");
    assert_eq!(run.predict(&[]).unwrap().dim(), (2, 0, 2));
}

#[test]
fn inputs_are_what_they_interpolate() {
    let t = [0.0, 1.0, 3.0, 4.0];
    let values = array![[1.0, 0.0], [3.0, 1.0], [-1.0, 1.0], [0.0, 5.0]];
    let linear = InputSignal::linear(&t, values.view()).unwrap();
    // Expected: numpy.interp([-1, 0, 0.25, 2, 4, 9], t, values).
    let want = array![
        [1.0, 0.0],
        [1.0, 0.0],
        [1.5, 0.25],
        [1.0, 1.0],
        [0.0, 5.0],
        [0.0, 5.0]
    ];
    assert_eq!(linear.values_at(0, &[-1.0, 0.0, 0.25, 2.0, 4.0, 9.0]), want);
    let cubic = spline_input(&t, values.view(), 0.0).unwrap();
    let spline = SmoothingSpline::single(&t, values.view(), 0.0).unwrap();
    for time in [0.0, 0.3, 1.0, 2.2, 3.9, 4.0] {
        let want = spline.at(&[time]);
        for (a, b) in cubic.values_at(0, &[time]).iter().zip(&want) {
            assert!((a - b).abs() < 1e-14);
        }
    }
    assert_eq!(cubic.values_at(0, &[7.0]), array![[0.0, 5.0]]);
    for input in [&linear, &cubic] {
        for time in [0.4, 1.7, 3.2, 6.0] {
            let at = |t: f64| input.values_at(0, &[t]).row(0).to_vec();
            let (mut first, mut second) = ([0.0; 2], [0.0; 2]);
            input.derivative(0, time, &mut first);
            input.second_derivative(0, time, &mut second);
            let h = 1e-3;
            let (a, b, c) = (at(time - h), at(time), at(time + h));
            for i in 0..2 {
                assert!(((c[i] - a[i]) / (2.0 * h) - first[i]).abs() < 1e-5);
                assert!(((c[i] - 2.0 * b[i] + a[i]) / (h * h) - second[i]).abs() < 1e-7);
            }
        }
    }
    assert_eq!(linear.breakpoints(0), t);
    for (t, values, part) in [
        (vec![0.0, 0.0], array![[1.0], [2.0]], "must increase"),
        (vec![0.0, NAN], array![[1.0], [2.0]], "time 1"),
        (vec![0.0, 1.0], array![[1.0], [NAN]], "value [1, 0]"),
        (vec![0.0], array![[1.0], [2.0]], "one row for each time"),
        (vec![], Array2::zeros((0, 1)), "at least one time"),
    ] {
        let refused = InputSignal::linear(&t, values.view())
            .unwrap_err()
            .to_string();
        assert!(refused.contains(part), "{refused}");
    }
}

#[test]
fn a_driven_field_is_solved_exactly_and_saved_with_its_input() {
    // du/dt = w: u is the integral of a piecewise linear function, which a solver of order 5 computes exactly on steps that end
    // at its corners.
    let push = InputSignal::linear(&[0.0, 1.0, 3.0], array![[0.0], [2.0], [0.0]].view()).unwrap();
    let field = driven_system(1, &[("scale", 1.0)], &[("w", push)], |_, _, p| {
        vec![p.get("scale") * p.get("w")]
    })
    .unwrap();
    assert!(field.show().contains("w(t)"), "{}", field.show());
    assert_eq!(field.breakpoints(0), [0.0, 1.0, 3.0]);
    let t = [0.0, 0.5, 1.0, 2.0, 3.0, 5.0];
    let u = solve(&field, &[0.0], &t, &SolveOptions::default())
        .unwrap()
        .u;
    for (got, want) in u.iter().zip([0.0, 0.25, 1.0, 2.5, 3.0, 3.0]) {
        assert!((got - want).abs() < 1e-14, "{got} {want}");
    }
    let reread = VectorField::from_json(&field.to_json().unwrap()).unwrap();
    assert_eq!(reread.show(), field.show());
    assert_eq!(
        solve(&reread, &[0.0], &t, &SolveOptions::default())
            .unwrap()
            .u,
        u
    );
    let stronger = InputSignal::linear(&[0.0], array![[2.0]].view()).unwrap();
    let other = reread.with_input("w", stronger.clone()).unwrap();
    assert_eq!(other.derivative(7.0, &[0.0]).unwrap(), [2.0]);
    assert_eq!(reread.derivative(7.0, &[0.0]).unwrap(), [0.0]);
    let unknown = reread.with_input("v", stronger).unwrap_err().to_string();
    assert!(
        unknown.contains("unknown input \"v\"") && unknown.contains("known: w"),
        "{unknown}"
    );
    let text = field.to_json().unwrap();
    for (from, to) in [
        ("[0.0,1.0,3.0]", "[0.0,0.0,3.0]"),
        ("\"dof\":1,\"curves\"", "\"dof\":2,\"curves\""),
    ] {
        assert!(text.contains(from), "{text}");
        assert!(VectorField::from_json(&text.replace(from, to)).is_err());
    }
    let twice = driven_system(
        1,
        &[("w", 1.0)],
        &[("w", reread.inputs().next().unwrap().1.clone())],
        |_, u, _| vec![u],
    );
    assert!(twice.unwrap_err().to_string().contains("the name \"w\""));
}

#[test]
fn models_see_their_input() {
    let w = InputSignal::linear(&[0.0, 1.0], array![[0.0], [1.0]].view()).unwrap();
    let mut generator = Generator::manual_seed(1);
    let black = driven_blackbox(&[3, 5, 2], Unary::Tanh, w.clone(), &mut generator).unwrap();
    let second = driven_second_order(&[3, 5, 1], Unary::Tanh, w.clone(), &mut generator).unwrap();
    for model in [&black, &second] {
        assert_eq!(model.dof(), 2);
        assert_ne!(
            model.derivative(0.0, &[0.5, 0.7]).unwrap(),
            model.derivative(1.0, &[0.5, 0.7]).unwrap()
        );
    }
    assert_eq!(second.derivative(0.3, &[0.5, 0.7]).unwrap()[0], 0.7);
    // Computed by hand: W₁ tanh(W₀ (u, w) + b₀) + b₁.
    let (w0, b0) = (
        black.param("layer0.weight").unwrap(),
        black.param("layer0.bias").unwrap(),
    );
    let (w1, b1) = (
        black.param("layer1.weight").unwrap(),
        black.param("layer1.bias").unwrap(),
    );
    let x = [0.5, 0.7, 0.25];
    let hidden: Vec<f64> = (0..5)
        .map(|i| ((0..3).map(|j| w0[[i, j]] * x[j]).sum::<f64>() + b0[i]).tanh())
        .collect();
    let got = black.derivative(0.25, &x[..2]).unwrap();
    for (i, got) in got.iter().enumerate() {
        let want: f64 = (0..5).map(|j| w1[[i, j]] * hidden[j]).sum::<f64>() + b1[i];
        assert!((got - want).abs() < 1e-12);
    }
    let refused = driven_blackbox(&[2, 5, 2], Unary::Tanh, w, &mut generator).unwrap_err();
    assert!(
        refused.to_string().contains("must begin with 3"),
        "{refused}"
    );
}

#[test]
fn the_damping_of_a_driven_pendulum_is_found_from_two_experiments() {
    let force = |t: &Array1<f64>, frequency: f64| {
        let values = t.mapv(|t| (frequency * t).sin()).insert_axis(Axis(1));
        InputSignal::linear(&t.to_vec(), values.view()).unwrap()
    };
    let t = times(0.0, 41, 0.1);
    let input = InputSignal::per_sample(&[force(&t, 1.3), force(&t, 2.9)]).unwrap();
    let pendulum = |k: f64, strength: f64| {
        driven_system(
            2,
            &[("k", k), ("s", strength)],
            &[("w", input.clone())],
            |_, u, p| {
                vec![
                    u.at(1),
                    p.get("s") * p.get("w") - 4.0 * u.at(0).sin() - p.get("k") * u.at(1),
                ]
            },
        )
        .unwrap()
        .trainable(&["k", "s"])
        .unwrap()
    };
    let starts = array![[0.5, 0.0], [-1.0, 0.4]];
    let truth = pendulum(0.5, 1.5);
    let data = Dataset::simulated(&truth, &starts, &t.to_vec(), &SolveOptions::default()).unwrap();
    assert_ne!(
        data.single_sample(0).unwrap().u(),
        Dataset::simulated(
            &truth,
            &array![[0.5, 0.0], [0.5, 0.0]],
            &t.to_vec(),
            &SolveOptions::default()
        )
        .unwrap()
        .single_sample(1)
        .unwrap()
        .u(),
        "each sample sees its own force"
    );
    let options = TrainOptions {
        epochs: Some(300),
        lr: 0.05,
        optimizer: Optimizer::from_name("adam").unwrap(),
        lr_schedule: LrSchedule::Exponential { rate: 0.98 },
        ..TrainOptions::default()
    };
    let run = train(
        &pendulum(0.1, 1.0),
        &data,
        &TrainingMethod::Vanilla,
        &options,
        &mut (),
    )
    .unwrap();
    let found = run.model.params();
    assert!(
        (found[0] - 0.5).abs() < 1e-3 && (found[1] - 1.5).abs() < 1e-3,
        "{found:?}"
    );
    let three = Dataset::join(&[data.clone(), data.single_sample(0).unwrap()]).unwrap();
    let refused = train(&truth, &three, &TrainingMethod::Vanilla, &options, &mut ()).unwrap_err();
    assert!(
        refused
            .to_string()
            .contains("for 2 samples, the data have 3"),
        "{refused}"
    );
}

#[test]
fn what_does_not_fit_is_refused_with_the_cure() {
    let t = times(0.0, 5, 0.1);
    let data = Dataset::single(t, Array2::ones((5, 1)), None).unwrap();
    let model = lotka_volterra().unwrap().trainable(&["a"]).unwrap();
    let refused = |observation: Observation| {
        let engine = engine("native", "cpu").unwrap();
        let solver = SolveOptions::default();
        Objective::with_observation(
            &model,
            &data,
            &TrainingMethod::Vanilla,
            &observation,
            &solver,
            engine,
        )
        .err()
        .unwrap()
        .to_string()
    };
    for (observation, part) in [
        (
            Observation::default(),
            "the model has 2 state variables, the data 1; if the data are some",
        ),
        (
            Observation::of_variables([0]),
            "state variable 1 was not measured",
        ),
        (
            Observation::of_variables([2]).train_u0(),
            "observe names state variable 2, and the model has 2",
        ),
        (
            Observation::of_variables([0, 1]),
            "observe names 2 state variables, and the data have 1",
        ),
        (
            Observation::of_variables([0]).with_u0(array![[1.0]]),
            "u0 has shape [1, 1]",
        ),
        (
            Observation::of_variables([0]).with_u0(array![[1.0, f64::INFINITY]]),
            "u0 holds inf",
        ),
        (
            Observation::of_variables([0]).with_u0(array![[1.0, NAN]]),
            "state variable 1 was not measured",
        ),
    ] {
        let error = refused(observation);
        assert!(error.contains(part), "{error}");
    }
}
