//! Tests of step control: controllers, limits on the step size, and the cost of dense output.

use ndarray::array;
use odesync_base::options::Named;
use odesync_ode::dynamics::{lorenz, lotka_volterra};
use odesync_ode::field::{InputSignal, driven_system, system};
use odesync_ode::odesolve::{Controller, OutputPosition, SolveOptions, solve, solvers};

#[test]
fn no_step_is_longer_than_max_step() {
    let field = lotka_volterra().unwrap();
    for method in solvers::ALL {
        for t in [[0.0, 1.0], [1.0, 0.0]] {
            let options = SolveOptions::default().solver(method.name).unwrap();
            let options = options.tolerances(1e-3, 1e-3).max_step(0.0103);
            let got = solve(&field, &[1.0, 1.0], &t, &options).unwrap();
            let longest = got.recorded.steps.iter().map(|s| s.h().abs());
            let longest = longest.fold(0.0, f64::max);
            assert!(
                longest < 0.0103 * (1.0 + 1e-12),
                "{}: {longest}",
                method.name
            );
        }
    }
    let error = SolveOptions::default().max_step(-1.0).check().unwrap_err();
    assert!(error.to_string().contains("max_step"), "{error}");
}

#[test]
fn pi_control_keeps_the_tolerance_and_rejects_less() {
    // With λ = −500 the step sizes of an explicit method are limited by its stability region.
    let field = system(1, &[], |t, u, _| {
        vec![-500.0 * (u.at(0) - t.cos()) - t.sin()]
    })
    .unwrap();
    let smooth = lorenz().unwrap();
    for name in ["bosh3", "dopri5", "tsit5", "vern7", "dopri8"] {
        let run = |controller| {
            let options = SolveOptions::default().solver(name).unwrap();
            let options = options.tolerances(1e-6, 1e-6).controller(controller);
            let got = solve(&field, &[1.0], &[0.0, 4.0], &options).unwrap();
            assert!((got.u[[1, 0]] - 4.0_f64.cos()).abs() < 1e-4, "{name}");
            let free = solve(&smooth, &[1.0, 1.0, 1.0], &[0.0, 2.0], &options).unwrap();
            (got.stats, free.stats, free.u)
        };
        let (i, i_free, u) = run(Controller::Integral);
        let (pi, pi_free, v) = run(Controller::ProportionalIntegral);
        assert!(
            name == "bosh3" || pi.rejected < i.rejected,
            "{name}: {pi:?} {i:?}"
        );
        assert!(
            pi_free.rejected < i_free.rejected,
            "{name}: {pi_free:?} {i_free:?}"
        );
        assert!(
            10 * pi_free.evaluations < 12 * i_free.evaluations,
            "{name}: {pi_free:?} {i_free:?}"
        );
        assert!(
            u.iter().zip(&v).all(|(a, b)| (a - b).abs() < 1e-3),
            "{name}: {u} {v}"
        );
    }
}

#[test]
fn every_controller_keeps_the_tolerance_with_every_adaptive_method() {
    let field = lorenz().unwrap();
    let (u0, t) = ([1.0, 1.0, 1.0], [0.0, 1.0]);
    let tight = SolveOptions::default().solver("vern7").unwrap();
    let want = solve(&field, &u0, &t, &tight.tolerances(1e-12, 1e-12)).unwrap();
    for method in solvers::ALL.iter().filter(|m| m.is_adaptive()) {
        let mut steps = vec![];
        for name in Controller::NAMES {
            let options = SolveOptions::default().solver(method.name).unwrap();
            let controller = Controller::from_name(name).unwrap();
            let options = options.tolerances(1e-6, 1e-6).controller(controller);
            let got = solve(&field, &u0, &t, &options).unwrap();
            let off = (&got.u - &want.u)
                .iter()
                .fold(0.0, |a: f64, x| a.max(x.abs()));
            // The error of a method of order 2 grows over its many steps.
            let bound = if method.order > 2 { 2e-3 } else { 2e-2 };
            assert!(off < bound, "{}, {name}: {off:e}", method.name);
            steps.push((name, got.recorded.steps));
        }
        for (i, (a, some)) in steps.iter().enumerate() {
            for (b, others) in &steps[i + 1..] {
                assert!(
                    some != others,
                    "{}: {a} takes the steps of {b}",
                    method.name
                );
            }
        }
    }
}

#[test]
fn extra_stages_are_evaluated_for_steps_with_an_output_inside_only() {
    let field = lorenz().unwrap();
    for (name, extra) in [("dopri5", 0), ("tsit5", 0), ("vern7", 5), ("dopri8", 3)] {
        let method = solvers::by_name(name).unwrap();
        let stages = method.tableau().unwrap().stages();
        let options = SolveOptions::default().solver(name).unwrap();
        let times: Vec<f64> = [0.0, 0.31, 0.3101, 0.7, 2.0].to_vec();
        for t in [&times[..], &times[..1], &[0.0, 1.0]] {
            let got = solve(&field, &[1.0, 1.0, 1.0], t, &options).unwrap();
            let mut inside: Vec<usize> = vec![];
            for output in &got.recorded.outputs {
                if let OutputPosition::Inside(n, _) = output {
                    inside.push(*n);
                }
            }
            inside.dedup();
            let attempts = got.stats.steps + got.stats.rejected;
            // Two evaluations choose the initial step size; the last stage of a step is the first of the next one.
            let initial = if t.len() > 1 { 2 } else { 0 };
            let want = initial + (stages - 1) * attempts + extra * inside.len();
            assert_eq!(got.stats.evaluations, want, "{name}");
            assert!(t.len() < 5 || (3..=4).contains(&inside.len()), "{name}");
        }
    }
}

#[test]
fn steps_that_time_cannot_show_are_not_taken() {
    // Output times only a few floating-point numbers apart, with fifty steps between them.
    let field = lotka_volterra().unwrap();
    let nth_after = |t: f64, n: u64| f64::from_bits(t.to_bits() + n);
    let t = [1e8, nth_after(1e8, 3), nth_after(1e8, 7)];
    for method in solvers::ALL.iter().filter(|m| m.supports_fixed_steps()) {
        for options in [
            SolveOptions::default().substeps(50),
            SolveOptions::default().step_size(1e-12),
        ] {
            let options = options.solver(method.name).unwrap();
            let got = solve(&field, &[1.0, 1.0], &t, &options).unwrap();
            assert!(
                got.recorded.steps.iter().all(|s| s.h() > 0.0),
                "{}",
                method.name
            );
            assert!(
                got.u.iter().all(|u| (u - 1.0).abs() < 1e-6),
                "{}",
                method.name
            );
        }
    }
}

#[test]
fn a_solution_that_becomes_infinite_is_none() {
    // The field does not depend on the state, which overflows; relative to an infinite state every error would be zero.
    let field = system(1, &[], |t, u, _| vec![(u.at(0) * 0.0 + 1e300) * (1.0 + t)]).unwrap();
    let constant = system(1, &[], |_, u, _| vec![u.at(0).sign() * 1e300]).unwrap();
    for method in solvers::ALL {
        let mut options = SolveOptions::default().solver(method.name).unwrap();
        if !method.is_adaptive() {
            options = options.substeps(2000);
        }
        for field in [&field, &constant] {
            let result = solve(field, &[1.0], &[0.0, 1e9], &options);
            assert!(result.is_err(), "{}: {result:?}", method.name);
        }
    }
}

#[test]
fn a_stop_far_away_changes_nothing_before_it() {
    // Two samples: breakpoints at the ends, and an input of zero between them.
    let (samples, start) = (array![[0.0], [0.0]], [1.5]);
    let input = InputSignal::linear(&[0.0, 1000.0], samples.view()).unwrap();
    let field = driven_system(1, &[], &[("w", input)], |t, u, p| {
        vec![p.get("w") - (u.at(0) - t.cos())]
    })
    .unwrap();
    let exact = |t: f64| 0.5 * (t.cos() + t.sin()) + (start[0] - 0.5) * (-t).exp();
    // Methods of low order would need a hundred thousand steps.
    for method in solvers::ALL
        .iter()
        .filter(|m| m.is_adaptive() && m.order > 2)
    {
        let run = |breakpoints| {
            let options = SolveOptions::default().solver(method.name).unwrap();
            let options = options.breakpoints(breakpoints).tolerances(1e-6, 1e-8);
            let got = solve(&field, &start, &[0.0, 1000.0], &options).unwrap();
            let off = (got.u[[1, 0]] - exact(1000.0)).abs();
            assert!(off < 1e-4, "{}: {off:e}", method.name);
            got.stats
        };
        let (without, with) = (run(false), run(true));
        println!("{}: {without:?} {with:?}", method.name);
        let alike = |a: usize, b: usize| a as f64 <= 1.1 * b as f64 + 20.0;
        assert!(
            alike(with.steps, without.steps)
                && alike(with.rejected, without.rejected)
                && alike(with.factorizations, without.factorizations),
            "{}: {without:?} without breakpoints, {with:?} with them",
            method.name
        );
    }
}

#[test]
fn a_first_step_past_the_end_is_no_worse_than_another() {
    let field = lotka_volterra().unwrap();
    let end = |options: SolveOptions| {
        let got = solve(&field, &[1.0, 1.0], &[0.0, 4.0], &options).unwrap();
        (got.u.row(1).to_vec(), got.stats.steps)
    };
    let (want, _) = end(SolveOptions::default().tolerances(1e-12, 1e-13));
    for method in solvers::ALL.iter().filter(|m| m.is_adaptive()) {
        let options = || SolveOptions::default().solver(method.name).unwrap();
        let (_, usual) = end(options());
        let (got, steps) = end(SolveOptions {
            first_step: Some(5.0),
            ..options()
        });
        let off = (got[0] - want[0]).abs().max((got[1] - want[1]).abs());
        let bound = if method.order > 2 { 2e-5 } else { 2e-4 };
        assert!(off < bound, "{}: {off:e}", method.name);
        assert!(steps <= usual + usual / 10 + 20, "{}: {steps}", method.name);
    }
}
