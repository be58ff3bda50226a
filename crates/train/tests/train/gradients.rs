//! Adjoints: every way to compute a gradient, compared with backpropagation, finite differences and the reference figures, for
//! every solver and kind of training.

use super::oscillator::oscillator;
use super::reference::{dataset, homotopy, model};
use ndarray::{Array1, Array2, Array3, array};
use odesync_base::Error;
use odesync_base::options::Named;
use odesync_base::random::Generator;
use odesync_ode::engines::engine;
use odesync_ode::field::{FieldBuilder, Unary, VectorField, system};
use odesync_ode::odesolve::{
    Adjoint, Engine, FailureReason, NativeEngine, Problem, RecordedSteps, SolveOptions, Solver,
    solvers,
};
use odesync_testing::{flat_numbers, golden, numbers, relative_error};
use odesync_train::datasets::Dataset;
use odesync_train::models::blackbox;
use odesync_train::schedules::Schedule;
use odesync_train::training::{
    MultipleShooting, Objective, Observation, TrainOptions, TrainingMethod, load_model, train,
};

/// Returns the adjoints that compute the gradient of the discrete solution.
fn exact() -> impl Iterator<Item = Adjoint> {
    Adjoint::ALL.into_iter().filter(|choice| choice.is_exact())
}

fn suits(choice: Adjoint, method: &Solver) -> bool {
    choice != Adjoint::Symplectic || method.tableau().is_some()
}

const U0: [f64; 2] = [1.7, 0.3];

/// Returns ∂/∂θ and ∂/∂u₀ of Σ ⟨bars, u⟩ at the times t, and the recorded steps.
fn gradient(
    field: &VectorField,
    t: &[f64],
    options: &SolveOptions,
    recorded: Option<&RecordedSteps>,
) -> (Vec<f64>, RecordedSteps) {
    let problem = Problem {
        u0: &U0,
        t,
        sample: 0,
    };
    let mut engine = NativeEngine::default();
    let recorded = recorded.map(std::slice::from_ref);
    let solved = engine
        .forward(field, &[problem], options, recorded, true)
        .unwrap();
    let bars = (0..2 * t.len()).map(|i| (0.7 * i as f64).cos()).collect();
    let found = engine.backward(&[bars]).unwrap();
    let all = field.gather(&found.values).into_iter();
    (
        all.chain(found.u0[0].clone()).collect(),
        solved[0].recorded.clone(),
    )
}

fn options(method: &'static Solver) -> SolveOptions {
    SolveOptions {
        solver: method,
        step_size: (!method.is_adaptive()).then_some(0.01),
        ..SolveOptions::default().tolerances(1e-6, 1e-8)
    }
}

#[test]
fn exact_choices_agree_with_backprop_with_every_method() {
    let field = oscillator();
    let forwards: Vec<f64> = (0..23).map(|i| 0.01 * f64::from(i * i)).collect();
    let backwards: Vec<f64> = (0..6).map(|i| -0.01 * f64::from(i)).collect();
    for method in solvers::ALL {
        for t in [&forwards[..], &backwards, &[2.0]] {
            let options = options(method);
            let (want, recorded) = gradient(&field, t, &options, None);
            for choice in exact().filter(|c| suits(*c, method)) {
                let options = options.clone().adjoint(choice);
                for recorded_steps in [None, Some(&recorded)] {
                    let (got, _) = gradient(&field, t, &options, recorded_steps);
                    let off = relative_error(&got, &want);
                    let what = format!("{} {}", method.name, choice.to_name());
                    assert!(
                        off < 1e-9,
                        "{what} {recorded_steps:?}: {off:e} {got:?} {want:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn steps_that_change_between_explicit_and_stiff() {
    // The field is stiff around t = 3 and t = 9.
    let field = system(2, &[("p", 1.0), ("a", 1.0)], |t, u, p| {
        let bump = |at: f64| (-((t.clone() - at) / 0.7).square()).exp();
        let rate = p.get("p") * (1.0 + 5000.0 * (bump(3.0) + bump(9.0)));
        vec![
            -(rate * (u.at(0) - p.get("a") * t.cos())),
            u.at(0) - 0.5 * u.at(1),
        ]
    })
    .unwrap()
    .trainable(&["p", "a"])
    .unwrap();
    let t: Vec<f64> = (0..50).map(|i| 0.25 * f64::from(i)).collect();
    let options = SolveOptions::default().solver("auto").unwrap();
    let (want, recorded) = gradient(&field, &t, &options, None);
    let switches = recorded
        .variants
        .windows(2)
        .filter(|v| v[0] != v[1])
        .count();
    assert!(switches > 3, "{switches}");
    for choice in [Adjoint::SingleCheckpoint, Adjoint::AdaptiveCheckpoint] {
        for recorded_steps in [None, Some(&recorded)] {
            let options = options.clone().adjoint(choice);
            let off = relative_error(&gradient(&field, &t, &options, recorded_steps).0, &want);
            assert!(off < 1e-8, "{}: {off:e}", choice.to_name());
        }
    }
}

#[test]
fn the_continuous_adjoint_converges_to_backprop() {
    let case = &golden("losses_and_gradients")["lv_blackbox"];
    let (model, data) = (model(case), dataset(case));
    let coupled = homotopy(
        case["coupling"].as_f64().unwrap(),
        Schedule::list(vec![1.0]).unwrap(),
    );
    for name in [
        "dopri5", "tsit5", "bosh3", "dopri8", "radau", "rodas5p", "auto",
    ] {
        for (method, lambda) in [(&coupled, 1.0), (&TrainingMethod::Vanilla, 0.0)] {
            let mut before = f64::INFINITY;
            for tolerance in [1e-5, 1e-7, 1e-9] {
                let solver = SolveOptions::default()
                    .solver(name)
                    .unwrap()
                    .tolerances(tolerance, 0.01 * tolerance);
                let of = |solver: &SolveOptions| {
                    let engine = engine("native", "cpu").unwrap();
                    let mut objective =
                        Objective::new(&model, &data, method, solver, engine).unwrap();
                    let params = objective.initial_params();
                    objective.evaluate(&params, lambda, true, None).unwrap()
                };
                let want = of(&solver);
                let got = of(&solver.adjoint(Adjoint::Continuous));
                assert!((got.loss / want.loss - 1.0).abs() < 100.0 * tolerance);
                let off = relative_error(&got.gradient, &want.gradient);
                println!("{name} lambda {lambda} at {tolerance:e}: {off:.1e}");
                assert!(off < (before / 3.0).max(10.0 * tolerance) && off < 1e3 * tolerance);
                before = off;
            }
        }
    }
    // Only the tolerances of the backward solve, then fixed steps, with which the error converges with the solver's order.
    let off = |solver: SolveOptions, adjoint: SolveOptions| {
        let of = |solver: &SolveOptions| {
            let engine = engine("native", "cpu").unwrap();
            let mut objective = Objective::new(&model, &data, &coupled, solver, engine).unwrap();
            let params = objective.initial_params();
            objective
                .evaluate(&params, 1.0, true, None)
                .unwrap()
                .gradient
        };
        relative_error(&of(&adjoint), &of(&solver))
    };
    let fine = SolveOptions::default().tolerances(1e-11, 1e-13);
    let continuous = fine.clone().adjoint(Adjoint::Continuous);
    let loose = off(
        fine.clone(),
        continuous.clone().adjoint_tolerances(1e-3, 1e-5),
    );
    let tight = off(fine, continuous.adjoint_tolerances(1e-10, 1e-12));
    assert!(loose > 1e-7 && tight < 1e-9, "{loose:e} {tight:e}");
    let fixed = |n: usize| {
        let solver = SolveOptions::default().solver("rk4").unwrap().substeps(n);
        off(solver.clone(), solver.adjoint(Adjoint::Continuous))
    };
    let order = (fixed(4) / fixed(8)).log2();
    assert!((order - 4.0).abs() < 0.4, "{order}");
}

#[test]
fn the_continuous_adjoint_of_a_stiff_solve_is_solved_by_the_stiff_solver() {
    let field = odesync_ode::dynamics::robertson()
        .unwrap()
        .trainable(&["k1", "k2", "k3"])
        .unwrap();
    let t = [0.0, 0.1, 1.0, 5.0, 20.0, 40.0];
    let problem = Problem {
        u0: &[1.0, 0.0, 0.0],
        t: &t,
        sample: 0,
    };
    // The second species is small: its weight makes it count.
    let bars: Vec<f64> = (0..3 * t.len())
        .map(|i| if i % 3 == 1 { 1e4 } else { 1.0 + i as f64 })
        .collect();
    for (name, bound) in [
        ("radau", 1e-4),
        ("kvaerno5", 1e-4),
        ("rodas5p", 1e-4),
        ("bdf", 1e-3),
        ("auto", 1e-4),
    ] {
        let solver = SolveOptions::default()
            .solver(name)
            .unwrap()
            .tolerances(1e-7, 1e-10);
        let gradient = |adjoint: Adjoint| {
            let mut engine = NativeEngine::default();
            let solver = solver.clone().adjoint(adjoint);
            engine
                .forward(&field, &[problem], &solver, None, true)
                .unwrap();
            engine.backward(std::slice::from_ref(&bars)).unwrap()
        };
        let (want, got) = (gradient(Adjoint::Backprop), gradient(Adjoint::Continuous));
        for (want, got) in [(&want.values, &got.values), (&want.u0[0], &got.u0[0])] {
            for (want, got) in want.iter().zip(got) {
                let off = (got / want - 1.0).abs();
                println!("{name}: {want:e} {got:e} {off:.1e}");
                assert!(off < bound, "{name}: {want:e} {got:e}");
            }
        }
    }
}

/// Test case: a model, data, a method, λ and the observation.
struct Case {
    name: &'static str,
    model: VectorField,
    data: Dataset,
    method: TrainingMethod,
    lambda: f64,
    observation: Observation,
}

/// Returns test cases: uncoupled, coupled, in segments, with missing values, with trained initial states, and a known system.
fn cases() -> Vec<Case> {
    let net = blackbox(&[2, 12, 2], Unary::Tanh, &mut Generator::manual_seed(3)).unwrap();
    let known = odesync_ode::dynamics::lotka_volterra()
        .unwrap()
        .trainable(&["a", "d"])
        .unwrap();
    let t = Array1::linspace(0.0, 2.0, 16);
    let u = Array3::from_shape_fn((3, 16, 2), |(s, i, d)| {
        (0.4 * i as f64 + s as f64 + 0.5 * d as f64).sin() + 1.5
    });
    let mut gaps = u.clone();
    for (s, i, d) in [(0, 3, 1), (1, 7, 0), (1, 8, 0), (2, 15, 1)] {
        gaps[[s, i, d]] = f64::NAN;
    }
    let complete = Dataset::new(t.clone(), u, None).unwrap();
    let gaps = Dataset::new(t, gaps, None).unwrap();
    let coupled = homotopy(4.0, Schedule::list(vec![1.0]).unwrap());
    let segments = TrainingMethod::MultipleShooting(MultipleShooting {
        segments: 4,
        continuity_weight: 0.3,
    });
    let case = |name, model: &VectorField, data: &Dataset, method: &TrainingMethod, lambda| Case {
        name,
        model: model.clone(),
        data: data.clone(),
        method: method.clone(),
        lambda,
        observation: Observation::default(),
    };
    let mut all = vec![
        case("uncoupled", &net, &complete, &TrainingMethod::Vanilla, 0.0),
        case("coupled", &net, &complete, &coupled, 1.0),
        case("segments", &net, &complete, &segments, 0.0),
        case("missing values", &net, &gaps, &coupled, 0.6),
        case("initial states", &net, &complete, &coupled, 0.5),
        case(
            "known system",
            &known,
            &complete,
            &TrainingMethod::Vanilla,
            0.0,
        ),
    ];
    all[4].observation = Observation::default()
        .with_u0(array![[1.0, 2.0], [1.5, 1.0], [2.0, 0.7]])
        .train_u0();
    all
}

fn objective(case: &Case, solver: &SolveOptions) -> Objective {
    Objective::with_observation(
        &case.model,
        &case.data,
        &case.method,
        &case.observation,
        solver,
        engine("native", "cpu").unwrap(),
    )
    .unwrap()
}

#[test]
fn every_kind_of_training_and_finite_differences() {
    for case in cases() {
        for name in ["dopri5", "vern7", "radau", "bdf"] {
            let solver = SolveOptions::default()
                .solver(name)
                .unwrap()
                .tolerances(1e-8, 1e-10);
            let mut by_backprop = objective(&case, &solver);
            let params = by_backprop.initial_params();
            let want = by_backprop
                .evaluate(&params, case.lambda, true, None)
                .unwrap();
            // Difference of the loss along one direction, on the recorded steps.
            let direction: Vec<f64> = (0..params.len()).map(|i| (1.3 * i as f64).cos()).collect();
            let mut at = |h: f64| {
                let shifted: Vec<f64> = params
                    .iter()
                    .zip(&direction)
                    .map(|(p, d)| p + h * d)
                    .collect();
                by_backprop
                    .evaluate(&shifted, case.lambda, false, Some(&want.recorded))
                    .unwrap()
                    .loss
            };
            let h = 1e-3;
            let slope = (8.0 * (at(h) - at(-h)) - (at(2.0 * h) - at(-2.0 * h))) / (12.0 * h);
            for choice in Adjoint::ALL {
                let what = format!("{} {name} {}", case.name, choice.to_name());
                if !suits(choice, solver.solver) {
                    continue;
                }
                let mut candidate = objective(&case, &solver.clone().adjoint(choice));
                let got = candidate
                    .evaluate(&params, case.lambda, true, None)
                    .unwrap();
                let off = relative_error(&got.gradient, &want.gradient);
                let bound = if choice.is_exact() { 1e-10 } else { 2e-5 };
                assert!(off < bound, "{what}: {off:e}");
                let along: f64 = got
                    .gradient
                    .iter()
                    .zip(&direction)
                    .map(|(g, d)| g * d)
                    .sum();
                let scale = slope
                    .abs()
                    .max(0.1 * got.gradient.iter().map(|g| g * g).sum::<f64>().sqrt());
                let bound = if choice.is_exact() { 1e-7 } else { 2e-4 };
                let off = (along - slope).abs() / scale;
                assert!(off < bound, "{what}: {along} {slope}");
                // A second evaluation with the same engine, whose workspaces have been used.
                let repeated = candidate
                    .evaluate(&params, case.lambda, true, None)
                    .unwrap();
                assert_eq!(repeated.gradient, got.gradient, "{what}");
            }
        }
    }
}

#[test]
fn reference_gradients() {
    let cases = golden("losses_and_gradients");
    for (name, case) in cases.as_object().unwrap() {
        let (model, data) = (model(case), dataset(case));
        let reference = &case["cases"][2];
        let method = homotopy(
            case["coupling"].as_f64().unwrap(),
            Schedule::list(vec![1.0]).unwrap(),
        );
        for choice in Adjoint::ALL {
            let solver = SolveOptions::default()
                .tolerances(1e-10, 1e-12)
                .adjoint(choice);
            let engine = engine("native", "cpu").unwrap();
            let mut objective = Objective::new(&model, &data, &method, &solver, engine).unwrap();
            let params = objective.initial_params();
            let got = objective.evaluate(&params, 1.0, true, None).unwrap();
            let off = relative_error(&got.gradient, &numbers(&reference["grad"]));
            assert!(off < 1e-6, "{name} {}: {off:e}", choice.to_name());
        }
    }
    assert_eq!(flat_numbers(&cases["lv_blackbox"]["u"]).len(), 122);
}

#[test]
fn training_and_its_checkpoints() {
    let data = Dataset::simulated(
        &odesync_ode::dynamics::lotka_volterra().unwrap(),
        &ndarray::array![[1.0, 1.0]],
        &ndarray::Array1::range(0.0, 1.0, 0.1).to_vec(),
        &SolveOptions::default(),
    )
    .unwrap();
    let net = blackbox(&[2, 6, 2], Unary::Gelu, &mut Generator::manual_seed(1)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let run = |choice: Adjoint| {
        let options = TrainOptions::default()
            .epochs(5)
            .solver(SolveOptions::default().adjoint(choice))
            .out(folder.path().join(choice.to_name()))
            .overwrite();
        train(&net, &data, &TrainingMethod::Vanilla, &options, &mut ()).unwrap()
    };
    let want = run(Adjoint::Backprop);
    for choice in Adjoint::ALL {
        let got = run(choice);
        let off = relative_error(&got.last.params(), &want.last.params());
        assert!(off < 1e-5, "{}: {off:e}", choice.to_name());
        assert_eq!(got.history.len(), 5);
        // A resumed run must have the same adjoint.
        let folder = folder.path().join(choice.to_name());
        let options = |choice: Adjoint| {
            TrainOptions::default()
                .epochs(7)
                .solver(SolveOptions::default().adjoint(choice))
                .out(&folder)
                .resume()
        };
        let other = match choice {
            Adjoint::Backprop => Adjoint::Symplectic,
            _ => Adjoint::Backprop,
        };
        let error = train(
            &net,
            &data,
            &TrainingMethod::Vanilla,
            &options(other),
            &mut (),
        )
        .unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("adjoint was") && text.contains(choice.to_name()),
            "{text}"
        );
        let more = train(
            &net,
            &data,
            &TrainingMethod::Vanilla,
            &options(choice),
            &mut (),
        )
        .unwrap();
        assert_eq!(more.history.len(), 7);
        assert_eq!(more.history[..5], got.history[..]);
        assert!(load_model(folder.join("best.safetensors")).is_ok());
    }
}

#[test]
fn what_does_not_go_together_is_an_error_that_names_the_cure() {
    let field = oscillator();
    let refused = |options: SolveOptions| options.check().unwrap_err().to_string();
    for method in solvers::ALL {
        let options = options(method).adjoint(Adjoint::Symplectic);
        if method.tableau().is_some() {
            options.check().unwrap();
            continue;
        }
        let text = refused(options);
        assert!(
            ["adaptive_ckpt", "dopri5", "vern7", method.name]
                .iter()
                .all(|part| text.contains(part)),
            "{text}"
        );
    }
    let text = refused(SolveOptions::default().adjoint_tolerances(1e-6, 1e-8));
    assert!(text.contains("leave them out"), "{text}");
    let continuous = SolveOptions::default().adjoint(Adjoint::Continuous);
    let text = refused(continuous.clone().adjoint_tolerances(-1.0, 1e-8));
    assert!(
        text.contains("adjoint_rtol should be a number that is 0 or above, not -1"),
        "{text}"
    );
    let text = refused(continuous.clone().adjoint_tolerances(1e-6, f64::NAN));
    assert!(
        text.contains("adjoint_atol should be a number above 0, not NaN"),
        "{text}"
    );
    let text = Adjoint::from_name("adaptive_chpt").unwrap_err().to_string();
    assert!(text.contains("did you mean \"adaptive_ckpt\"?"), "{text}");
    // So strongly damped that the solution cannot be integrated backwards; a stiff solver takes it from a second forward solve.
    let stiff = system(2, &[("k", 1e4)], |t, u, p| {
        vec![p.get("k") * (t.cos() - u.at(0)), u.at(0) - u.at(1)]
    })
    .unwrap();
    let problem = Problem {
        u0: &U0,
        t: &[0.0, 1.0, 2.0],
        sample: 0,
    };
    let mut engine = NativeEngine::default();
    let mut gradient = |solver: &SolveOptions| {
        engine
            .forward(&stiff, &[problem], solver, None, true)
            .unwrap();
        engine.backward(&[vec![1.0; 6]])
    };
    let radau = continuous.clone().solver("radau").unwrap();
    let got = gradient(&radau).unwrap();
    let want = gradient(&radau.adjoint(Adjoint::Backprop)).unwrap();
    assert!(relative_error(&got.u0[0], &want.u0[0]) < 1e-6);
    match gradient(&continuous).unwrap_err() {
        Error::Solve(failure) => {
            assert_eq!(failure.reason, FailureReason::AdjointFailed);
            assert!(failure.to_string().contains("adaptive_ckpt"), "{failure}");
        }
        other => panic!("{other}"),
    }
    // Ctrl-C during the solve backwards is noticed at the next output time.
    let interrupt = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let interruptible = SolveOptions {
        interrupt: Some(interrupt.clone()),
        ..continuous.clone()
    };
    engine
        .forward(&stiff, &[problem], &interruptible, None, true)
        .unwrap();
    interrupt.store(true, std::sync::atomic::Ordering::Relaxed);
    let error = engine.backward(&[vec![1.0; 6]]).unwrap_err();
    assert!(matches!(error, Error::Interrupted), "{error:?}");
    // Without a gradient, the choice of the adjoint has no effect.
    let t = [0.0, 1.0];
    let plain = odesync_ode::odesolve::solve(&field, &U0, &t, &SolveOptions::default()).unwrap();
    let other = odesync_ode::odesolve::solve(&field, &U0, &t, &continuous).unwrap();
    assert_eq!(plain.u, other.u);
    assert_eq!(plain.recorded, other.recorded);
    let _: Array2<f64> = plain.u;
}

/// Checks ⟨w, ∂u/∂(u₀, θ) v⟩ = ⟨v, (∂u/∂(u₀, θ))ᵀ w⟩ on the same steps, for every solver with tangents; outputs lie inside steps.
#[test]
fn tangents_are_the_transpose_of_gradients() {
    use odesync_ode::odesolve::{Tangent, jvp};
    let field = blackbox(&[2, 5, 2], Unary::Gelu, &mut Generator::manual_seed(4)).unwrap();
    let t: Vec<f64> = (0..=7).map(|i| 0.37 * f64::from(i)).collect();
    let u0 = [0.4, -0.9];
    let wave = |n: usize, seed: f64| -> Vec<f64> {
        (0..n).map(|i| (1.3 * i as f64 + seed).sin()).collect()
    };
    let tangents: Vec<Tangent> = (0..11)
        .map(|i| Tangent {
            u0: if i == 1 {
                vec![]
            } else {
                wave(2, f64::from(i))
            },
            params: if i == 2 {
                vec![]
            } else {
                wave(field.n_params(), 0.4 * f64::from(i))
            },
        })
        .collect();
    let mut with = 0;
    for method in solvers::ALL {
        for fixed in [false, true] {
            let mut options = SolveOptions::default().solver(method.name).unwrap();
            options = options.tolerances(1e-5, 1e-7);
            if fixed && method.supports_fixed_steps() {
                options = options.substeps(2);
            }
            let Ok((solution, found)) = jvp(&field, &u0, &t, &options, &tangents) else {
                continue;
            };
            with += 1;
            let bars = wave(solution.u.len(), 0.2);
            let problem = Problem {
                u0: &u0,
                t: &t,
                sample: 0,
            };
            let mut engine = NativeEngine::default();
            let recorded = [solution.recorded.clone()];
            engine
                .forward(&field, &[problem], &options, Some(&recorded), true)
                .unwrap();
            let gradient = engine.backward(std::slice::from_ref(&bars)).unwrap();
            let by_params = field.gather(&gradient.values);
            let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
            for (tangent, u_dot) in tangents.iter().zip(&found) {
                let forward = dot(&bars, u_dot.as_slice().unwrap());
                let back = dot(&tangent.u0, &gradient.u0[0]) + dot(&tangent.params, &by_params);
                let off = (forward - back).abs();
                assert!(
                    off < 1e-11 * forward.abs().max(1.0),
                    "{}: {off:e}",
                    method.name
                );
            }
        }
    }
    assert_eq!(
        with,
        2 * 16,
        "Runge-Kutta methods, adaptive and with fixed steps"
    );
    let two = [Tangent {
        u0: vec![1.0; 3],
        params: vec![],
    }];
    let error = jvp(&field, &u0, &t, &SolveOptions::default(), &two).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("has 3 numbers, and 2 are needed"),
        "{error}"
    );
}

/// The stages of u̇ = a have nothing to store: u = u₀ + a t, with the derivatives 1 and t with respect to u₀ and a.
#[test]
fn tangents_of_a_constant_field() {
    use odesync_ode::odesolve::{Tangent, jvp};
    let b = FieldBuilder::new(1);
    let a = b.parameter(b.block("a", &[1], &[0.7], true).unwrap());
    let field = b.finish(a).unwrap();
    let t = [0.0, 0.3, 0.31, 1.7, 2.0];
    let along = |u0: f64, a: f64| Tangent {
        u0: vec![u0],
        params: vec![a],
    };
    for method in ["rk4", "dopri5", "tsit5", "vern7", "radau", "kvaerno5"] {
        let options = SolveOptions::default().solver(method).unwrap();
        let (_, found) = jvp(
            &field,
            &[0.2],
            &t,
            &options,
            &[along(1.0, 0.0), along(0.0, 1.0)],
        )
        .unwrap();
        for (i, t) in t.iter().enumerate() {
            assert!((found[0][[i, 0]] - 1.0).abs() < 1e-12, "{method}");
            assert!((found[1][[i, 0]] - t).abs() < 1e-12, "{method} at {t}");
        }
    }
}
