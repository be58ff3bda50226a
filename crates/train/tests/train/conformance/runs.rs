//! Adaptive solves: errors that follow the tolerances, reverse time, breakpoints, replays.

use super::problems::{distance, known, replayed, with};
use ndarray::array;
use odesync_ode::field::system;
use odesync_ode::odesolve::{Engine, NativeEngine, Problem, SolveOptions, solve, solvers};
use odesync_train::smoothing::SmoothingSpline;
use odesync_train::synchronization::{Coupling, synchronize};
use std::sync::Arc;

/// Returns options with which a solver reaches about seven digits.
fn accurate(method: &odesync_ode::odesolve::Solver) -> SolveOptions {
    let options = with(method);
    if method.is_adaptive() {
        return options.tolerances(1e-9, 1e-10);
    }
    let h = match method.order {
        1 => 2e-5,
        2 => 3e-4,
        3 => 2e-3,
        _ => 4e-3,
    };
    options.step_size(h)
}

#[test]
fn forwards_and_backwards_in_time_with_many_outputs() {
    for method in solvers::ALL {
        for known in known().iter().take(2) {
            let (start, end) = known.span;
            let t: Vec<f64> = (0..=120)
                .map(|i| start + (end - start) * f64::from(i) / 120.0)
                .collect();
            let back: Vec<f64> = t.iter().rev().copied().collect();
            for t in [t, back] {
                let options = SolveOptions {
                    max_steps: 1_000_000,
                    ..accurate(method)
                };
                let got = solve(&known.field, &(known.exact)(t[0]), &t, &options).unwrap();
                let want: Vec<f64> = t.iter().flat_map(|t| (known.exact)(*t)).collect();
                let off = distance(got.u.as_slice().unwrap(), &want);
                let bound = match method.order {
                    1 => 5e-3,
                    2 => 1e-4,
                    _ => 2e-6,
                };
                assert!(off < bound, "{} on {}: {off:e}", method.name, known.name);
            }
        }
    }
}

#[test]
fn errors_follow_the_tolerances() {
    for method in solvers::ALL.iter().filter(|m| m.is_adaptive()) {
        for known in known() {
            let t: Vec<f64> = (0..=37)
                .map(|i| known.span.0 + (known.span.1 - known.span.0) * f64::from(i) / 37.0)
                .collect();
            let want: Vec<f64> = t.iter().flat_map(|t| (known.exact)(*t)).collect();
            let error = |tolerance: f64| {
                let options = with(method).tolerances(tolerance, tolerance);
                let got = solve(&known.field, &want[..known.field.dof()], &t, &options).unwrap();
                distance(got.u.as_slice().unwrap(), &want)
            };
            let (loose, tight) = (error(1e-4), error(1e-8));
            println!("{} on {}: {loose:.1e} {tight:.1e}", method.name, known.name);
            assert!(loose < 0.5 && tight < 1e-4 && tight < loose / 50.0);
        }
    }
}

#[test]
fn breakpoints_are_stepped_onto() {
    let t = [0.0, 0.5, 1.1, 1.7, 2.0, 2.9];
    let data = array![[1.0], [0.2], [0.9], [0.1], [0.5], [1.2]];
    let spline = SmoothingSpline::single(&t, data.view(), 0.0).unwrap();
    let model = system(1, &[], |_, u, _| vec![-0.3 * u.at(0).square()]).unwrap();
    let field = synchronize(&model, Arc::new(spline), &Coupling::Scalar(40.0)).unwrap();
    let reference = {
        let options = SolveOptions::default().tolerances(1e-12, 1e-13);
        solve(&field, &[1.0], &[0.0, 0.7, 2.9], &options).unwrap()
    };
    for method in solvers::ALL {
        let mut options = with(method).tolerances(1e-8, 1e-9);
        if !method.is_adaptive() {
            options = options.step_size(1e-3);
        }
        let got = solve(&field, &[1.0], &[0.0, 0.7, 2.9], &options).unwrap();
        for stop in &t[1..5] {
            assert!(
                got.recorded.steps.iter().any(|s| s.end == *stop),
                "{} steps over {stop}",
                method.name
            );
        }
        let off = distance(got.u.as_slice().unwrap(), reference.u.as_slice().unwrap());
        let bound = if method.order == 1 { 1e-2 } else { 1e-4 };
        assert!(off < bound, "{}: {off:e}", method.name);
    }
}

#[test]
fn a_replay_repeats_a_kept_solve() {
    for method in solvers::ALL {
        for known in known() {
            let (start, end) = known.span;
            let t: Vec<f64> = (0..=20)
                .map(|i| start + (end - start) * (f64::from(i) / 20.0).powi(2))
                .collect();
            let u0 = (known.exact)(start);
            let mut options = with(method).tolerances(1e-5, 1e-6);
            if !method.is_adaptive() {
                options = options.step_size(0.02);
            }
            let problem = Problem {
                u0: &u0,
                t: &t,
                sample: 0,
            };
            let mut engine = NativeEngine::default();
            let recorded = engine
                .forward(&known.field, &[problem], &options, None, true)
                .unwrap()
                .remove(0);
            let replay = replayed(&known.field, &u0, &t, &options, recorded.recorded.clone());
            let off = distance(&recorded.u, &replay);
            assert!(off < 1e-11, "{} on {}: {off:e}", method.name, known.name);
            // Recording the steps changes the result within the tolerances only.
            let unrecorded = solve(&known.field, &u0, &t, &options).unwrap();
            assert!(distance(&recorded.u, unrecorded.u.as_slice().unwrap()) < 1e-3);
        }
    }
}
