//! Solves that cannot be finished: they end immediately, with a reason.

use super::problems::with;
use odesync_base::Error;
use odesync_ode::field::{VectorField, system};
use odesync_ode::odesolve::{FailureReason, SolveFailure, SolveOptions, solve, solvers};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

fn failure(field: &VectorField, u0: &[f64], t: &[f64], options: &SolveOptions) -> SolveFailure {
    match solve(field, u0, t, options) {
        Err(Error::Solve(failure)) => failure,
        other => panic!("{} should fail: {other:?}", options.solver.name),
    }
}

/// Returns the default options, with fixed steps for solvers that have no others.
fn ready(method: &odesync_ode::odesolve::Solver) -> SolveOptions {
    match method.is_adaptive() {
        true => with(method),
        false => with(method).step_size(1e-3),
    }
}

#[test]
fn a_solution_that_blows_up() {
    let field = system(1, &[], |_, u, _| vec![u.at(0).square()]).unwrap();
    for method in solvers::ALL {
        let result = solve(&field, &[1.0], &[0.0, 2.0], &ready(method));
        match result {
            Err(Error::Solve(failure)) => {
                assert!(failure.state.iter().all(|u| u.is_finite()));
                assert!(!failure.to_string().contains("NaN"), "{failure}");
                if method.is_adaptive() {
                    assert!((failure.t - 1.0).abs() < 1e-3, "{}: {failure}", method.name);
                }
            }
            // A fixed implicit step may pass the pole.
            Ok(solution) => assert!(
                !method.is_adaptive() && solution.u.iter().all(|u| u.is_finite()),
                "{}",
                method.name
            ),
            Err(other) => panic!("{}: {other}", method.name),
        }
    }
}

#[test]
fn a_field_that_ends() {
    // The argument of the square root becomes negative at t = 1.
    let field = system(1, &[], |t, u, _| vec![(1.0 - t).sqrt() + 0.0 * u.at(0)]).unwrap();
    for method in solvers::ALL {
        let failure = failure(&field, &[0.0], &[0.0, 2.0], &ready(method));
        // A fixed step may end beyond t = 1; the next one then fails.
        assert!(failure.t <= 1.002, "{}: {failure}", method.name);
        assert_eq!(failure.reason, FailureReason::NotFinite, "{}", method.name);
        // A solve that ends before t = 1 succeeds.
        let solved = solve(&field, &[0.0], &[0.0, 0.999], &ready(method)).unwrap();
        assert!(
            (solved.u[[1, 0]] - 2.0 / 3.0).abs() < 1e-3,
            "{}",
            method.name
        );
    }
    let nowhere = system(1, &[], |_, u, _| vec![(u.at(0) - 5.0).log()]).unwrap();
    for method in solvers::ALL {
        let failure = failure(&nowhere, &[0.0], &[0.0, 1.0], &ready(method));
        assert_eq!(failure.reason, FailureReason::NotFinite, "{}", method.name);
        assert_eq!((failure.t, &failure.state[..]), (0.0, &[0.0][..]));
        let nan = super::failures::failure(&nowhere, &[f64::NAN], &[0.0, 1.0], &ready(method));
        assert_eq!(nan.reason, FailureReason::NotFinite);
    }
}

#[test]
fn limits_and_interrupts() {
    let field = system(1, &[], |t, u, _| vec![(40.0 * t).cos() * u.at(0)]).unwrap();
    for method in solvers::ALL {
        let options = SolveOptions {
            max_steps: 7,
            ..ready(method)
        };
        let failure = failure(&field, &[1.0], &[0.0, 50.0], &options);
        assert_eq!(failure.reason, FailureReason::TooManySteps(7));
        let mut options = SolveOptions {
            interrupt: Some(Arc::new(AtomicBool::new(true))),
            max_steps: usize::MAX,
            ..ready(method)
        };
        if method.supports_fixed_steps() {
            options = options.step_size(1e-3);
        } else {
            options = options.tolerances(1e-11, 1e-12);
        }
        let result = solve(&field, &[1.0], &[0.0, 1000.0], &options);
        assert!(matches!(result, Err(Error::Interrupted)), "{}", method.name);
    }
}
