//! Tests of solves: known systems, dense output, reverse time, gradients of one solve, failures.

use odesync_base::Error;
use odesync_ode::dynamics::{double_pendulum, lorenz, lotka_volterra, robertson, van_der_pol};
use odesync_ode::field::{VectorField, system};
use odesync_ode::odesolve::{
    Engine, FailureReason, NativeEngine, OutputPosition, Problem, RecordedSteps, SolveOptions,
    solve, solvers,
};
use odesync_testing::{flat_numbers, golden, numbers, relative_error};

use super::every_engine::{exact, forced, tight};

#[test]
fn dense_output_and_reverse_time() {
    for name in ["bosh3", "dopri5", "tsit5", "vern7", "dopri8"] {
        let options = SolveOptions::default()
            .tolerances(1e-9, 1e-9)
            .solver(name)
            .unwrap();
        let t: Vec<f64> = (0..=400).map(|i| f64::from(i) * 0.01).collect();
        let forward = solve(&forced(), &exact(0.0), &t, &options).unwrap();
        assert!(
            name == "bosh3" || forward.stats.steps < 200,
            "outputs lie inside steps"
        );
        for (i, t) in t.iter().enumerate() {
            assert!(
                (forward.u[[i, 0]] - exact(*t)[0]).abs() < 1e-7,
                "{name} at {t}"
            );
        }
        let back: Vec<f64> = t.iter().rev().copied().collect();
        let reverse = solve(&forced(), &exact(4.0), &back, &options).unwrap();
        assert!((reverse.u[[400, 0]] - exact(0.0)[0]).abs() < 1e-7, "{name}");
        assert!(reverse.recorded.steps.iter().all(|s| s.h() < 0.0));
    }
}

#[test]
fn energy_of_the_double_pendulum_is_kept_and_friction_takes_it() {
    let t = [0.0, 2.5, 5.0];
    let (m1, m2, l1, l2, g) = (0.7, 1.3, 0.9, 1.1, 9.81);
    let mut field = double_pendulum().unwrap();
    for (name, value) in [("m1", m1), ("m2", m2), ("l1", l1), ("l2", l2)] {
        field = field.with_param(name, &[value]).unwrap();
    }
    let energy = |u: &[f64]| {
        let (a, b, v, w) = (u[0], u[1], u[2], u[3]);
        0.5 * (m1 + m2) * l1 * l1 * v * v
            + 0.5 * m2 * l2 * l2 * w * w
            + m2 * l1 * l2 * v * w * (a - b).cos()
            - (m1 + m2) * g * l1 * a.cos()
            - m2 * g * l2 * b.cos()
    };
    let u0 = [1.8, -0.6, 0.3, 1.0];
    let free = solve(&field, &u0, &t, &tight()).unwrap();
    let damped = solve(
        &field
            .with_param("k1", &[0.2])
            .unwrap()
            .with_param("k2", &[0.1])
            .unwrap(),
        &u0,
        &t,
        &tight(),
    )
    .unwrap();
    let row = |s: &odesync_ode::odesolve::Solution, i: usize| energy(&s.u.row(i).to_vec());
    assert!((row(&free, 2) - energy(&u0)).abs() < 1e-8);
    assert!(row(&damped, 1) < energy(&u0) - 0.1 && row(&damped, 2) < row(&damped, 1) - 0.1);
}

#[test]
fn robertson_and_van_der_pol_agree_with_their_references_at_the_start() {
    let all = golden("trajectories");
    for (name, field, names) in [
        ("robertson", robertson().unwrap(), &["k1", "k2", "k3"][..]),
        ("van_der_pol", van_der_pol().unwrap(), &["mu"][..]),
    ] {
        let case = &all[name];
        let mut field = field;
        for (name, value) in names.iter().zip(numbers(&case["params"])) {
            field = field.with_param(name, &[value]).unwrap();
        }
        let (t, u) = (numbers(&case["t"]), flat_numbers(&case["u"]));
        let dof = field.dof();
        let options = SolveOptions {
            max_steps: 1_000_000,
            ..SolveOptions::default()
        };
        let got = solve(&field, &numbers(&case["u0"]), &t[..2], &options).unwrap();
        for (d, want) in u[dof..2 * dof].iter().enumerate() {
            assert!(
                (got.u[[1, d]] - want).abs() < 1e-6 * (1e-3 + want.abs()),
                "{name} {d}"
            );
        }
    }
}

fn failure(
    field: &VectorField,
    u0: &[f64],
    t: &[f64],
    options: &SolveOptions,
) -> odesync_ode::odesolve::SolveFailure {
    match solve(field, u0, t, options) {
        Err(Error::Solve(failure)) => failure,
        other => panic!("{other:?}"),
    }
}

#[test]
fn failures_say_where_and_what_to_do() {
    let blow_up = system(1, &[], |_, u, _| vec![u.at(0).square()]).unwrap();
    let f = failure(&blow_up, &[1.0], &[0.0, 2.0], &SolveOptions::default());
    assert!(
        (f.t - 1.0).abs() < 1e-3 && f.to_string().contains("blows up"),
        "{f}"
    );
    let root = system(1, &[], |_, u, _| vec![u.at(0).sqrt()]).unwrap();
    let f = failure(&root, &[-1.0], &[0.0, 1.0], &SolveOptions::default());
    assert_eq!(f.reason, FailureReason::NotFinite);
    let f = failure(&root, &[f64::NAN], &[0.0, 1.0], &SolveOptions::default());
    assert_eq!(f.reason, FailureReason::NotFinite);
    let options = SolveOptions {
        max_steps: 10,
        ..SolveOptions::default()
    };
    let f = failure(&van_der_pol().unwrap(), &[2.0, 0.0], &[0.0, 10.0], &options);
    assert_eq!(f.reason, FailureReason::TooManySteps(10));
    let f = failure(
        &blow_up,
        &[1e200],
        &[0.0, 1.0],
        &SolveOptions::default().substeps(3),
    );
    assert_eq!(f.reason, FailureReason::NotFinite);
    // The field is finite only up to the last output time: a step beyond it is rejected, and replaced by one that ends there.
    let edge = system(1, &[], |t, _, _| vec![(-t + 1.0).sqrt()]).unwrap();
    let good = solve(
        &edge,
        &[0.0],
        &[0.0, 1.0],
        &SolveOptions::default().tolerances(1e-5, 1e-5),
    )
    .unwrap();
    assert!((good.u[[1, 0]] - 2.0 / 3.0).abs() < 1e-3);
}

#[test]
fn a_solve_is_interrupted_between_two_steps() {
    let flag = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
    let field = lotka_volterra().unwrap();
    let options = SolveOptions {
        interrupt: Some(flag.clone()),
        ..SolveOptions::default()
    };
    let run = || solve(&field, &[1.0, 1.0], &[0.0, 1.0], &options);
    let interrupted = run();
    assert!(
        matches!(interrupted, Err(Error::Interrupted)),
        "{interrupted:?}"
    );
    flag.store(false, std::sync::atomic::Ordering::Relaxed);
    assert!(run().is_ok());
}

#[test]
fn bad_input_is_an_error() {
    let field = lotka_volterra().unwrap();
    let text =
        |r: odesync_base::Result<odesync_ode::odesolve::Solution>| r.unwrap_err().to_string();
    let o = SolveOptions::default();
    assert!(text(solve(&field, &[1.0], &[0.0, 1.0], &o)).contains("2 state variables"));
    assert!(text(solve(&field, &[1.0, 1.0], &[], &o)).contains("empty"));
    assert!(text(solve(&field, &[1.0, 1.0], &[0.0, 1.0, 0.5], &o)).contains("t[1] = 1"));
    assert!(text(solve(&field, &[1.0, 1.0], &[0.0, f64::NAN], &o)).contains("finite"));
    assert!(
        text(solve(
            &field,
            &[1.0, 1.0],
            &[0.0, 1.0],
            &o.clone().tolerances(-1.0, 1e-9)
        ))
        .contains("rtol")
    );
    assert!(
        o.solver("dopri55")
            .unwrap_err()
            .to_string()
            .contains("did you mean \"dopri5\"?")
    );
    assert_eq!(
        solve(&field, &[1.0, 2.0], &[3.0], &SolveOptions::default())
            .unwrap()
            .u
            .as_slice()
            .unwrap(),
        [1.0, 2.0]
    );
}

/// Returns the derivative of `f` at 0 by a fourth-order central difference.
fn difference(f: &mut dyn FnMut(f64) -> f64) -> f64 {
    let h = 1e-4;
    (8.0 * (f(h) - f(-h)) - (f(2.0 * h) - f(-2.0 * h))) / (12.0 * h)
}

/// Compares ∂/∂θ and ∂/∂u₀ of Σ ⟨bars, u⟩ on recorded steps with finite differences on the same steps.
#[test]
fn gradients_against_finite_differences_on_recorded_steps() {
    let field = lorenz().unwrap().trainable(&["sigma", "beta"]).unwrap();
    let u0 = [1.2, 2.1, 1.7];
    let times: Vec<f64> = (0..12).map(|i| f64::from(i * i) * 0.004).collect();
    // Backwards in time the Lorenz system expands fast; finite differences are accurate only over a shorter time span.
    let back: Vec<f64> = times.iter().rev().map(|t| 0.25 * t).collect();
    for method in solvers::ALL {
        for t in [&times, &back] {
            let mut options = SolveOptions::default()
                .tolerances(1e-5, 1e-6)
                .solver(method.name)
                .unwrap();
            if !method.is_adaptive() {
                options = options.step_size(0.01);
            }
            let mut engine = NativeEngine::default();
            let problem = Problem {
                u0: &u0,
                t,
                sample: 0,
            };
            let solved = engine
                .forward(&field, &[problem], &options, None, true)
                .unwrap();
            let recorded = vec![solved[0].recorded.clone()];
            assert_eq!(recorded[0].outputs.len(), t.len());
            let dense = recorded[0]
                .outputs
                .iter()
                .any(|o| matches!(o, OutputPosition::Inside(..)));
            assert_eq!(dense, method.is_adaptive(), "{}", method.name);
            let bars: Vec<f64> = (0..t.len() * 3).map(|i| (0.7 * i as f64).cos()).collect();
            let gradient = engine.backward(std::slice::from_ref(&bars)).unwrap();
            let mut objective =
                |field: &VectorField, u0: &[f64], recorded: &[RecordedSteps]| -> f64 {
                    let problem = Problem { u0, t, sample: 0 };
                    let solved = engine
                        .forward(field, &[problem], &options, Some(recorded), false)
                        .unwrap();
                    solved[0].u.iter().zip(&bars).map(|(u, b)| u * b).sum()
                };
            let mut want = vec![];
            let params = field.params();
            for i in 0..2 {
                let mut objective_at = |e: f64| {
                    let mut p = params.clone();
                    p[i] += e;
                    objective(&field.with_params(&p).unwrap(), &u0, &recorded)
                };
                want.push(difference(&mut objective_at));
            }
            for i in 0..3 {
                let mut objective_at = |e: f64| {
                    let mut u = u0;
                    u[i] += e;
                    objective(&field, &u, &recorded)
                };
                want.push(difference(&mut objective_at));
            }
            let got: Vec<f64> = field
                .gather(&gradient.values)
                .into_iter()
                .chain(gradient.u0[0].clone())
                .collect();
            assert!(
                relative_error(&got, &want) < 1e-7,
                "{}: {got:?} {want:?}",
                method.name
            );
        }
    }
}

#[test]
fn a_batch_gives_the_bits_of_its_members_on_any_number_of_threads() {
    let field = lotka_volterra().unwrap().trainable(&["a", "d"]).unwrap();
    let starts = [[0.4, 4.6], [1.0, 1.0], [2.0, 0.5], [0.1, 0.2], [3.0, 3.0]];
    let t: Vec<f64> = (0..40).map(|i| f64::from(i) * 0.1).collect();
    let problems: Vec<Problem> = starts
        .iter()
        .map(|u0| Problem {
            u0,
            t: &t,
            sample: 0,
        })
        .collect();
    let bars = vec![vec![1.0; t.len() * 2]; starts.len()];
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| {
            let mut engine = NativeEngine::default();
            let u = engine
                .forward(&field, &problems, &SolveOptions::default(), None, true)
                .unwrap();
            let gradient = engine.backward(&bars).unwrap();
            (
                u.into_iter().map(|u| u.u).collect::<Vec<_>>(),
                gradient.values,
            )
        })
    };
    let (one, three) = (run(1), run(3));
    assert_eq!(one, three);
    for (u0, u) in starts.iter().zip(&one.0) {
        let single = solve(&field, u0, &t, &SolveOptions::default()).unwrap();
        assert_eq!(single.u.as_slice().unwrap(), &u[..]);
    }
}
