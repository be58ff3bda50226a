//! Tests of events: event times known analytically, for methods of every family, in both directions of time.

use std::f64::consts::{PI, TAU};

use odesync_ode::field::{VectorField, system};
use odesync_ode::odesolve::{
    Direction, Engine, Event, NativeEngine, Problem, Solution, SolveOptions, Solver, solve, solvers,
};

/// The harmonic oscillator u″ = −u.
fn oscillator() -> VectorField {
    system(2, &[], |_, u, _| vec![u.at(1), -u.at(0)]).unwrap()
}

/// The event u₀ = 0, where u₀ is sin t or −sin t.
fn zero() -> Event {
    Event::new(2, &[], |_, u, _| u.at(0)).unwrap()
}

/// Options with which the method's event times are accurate to 1e-10.
fn tight(method: &Solver) -> SolveOptions {
    let mut options = SolveOptions::default()
        .solver(method.name)
        .unwrap()
        .tolerances(1e-13, 1e-13);
    options.max_steps = 10_000_000;
    options
}

/// Methods whose order is high enough to reach an accuracy of 1e-10 in reasonable time.
fn accurate() -> impl Iterator<Item = &'static Solver> {
    solvers::ALL
        .iter()
        .copied()
        .filter(|m| m.is_adaptive() && m.order >= 5)
}

fn close(got: &Solution, event: usize, want: &[f64]) -> f64 {
    let t = &got.events[event].t;
    assert_eq!(t.len(), want.len(), "{t}");
    let errors = t.iter().zip(want).map(|(a, b)| (a - b).abs());
    errors.fold(0.0, f64::max)
}

#[test]
fn zero_crossings_of_an_oscillator_to_1e_10() {
    for method in accurate() {
        let options = tight(method)
            .event(zero())
            .event(zero().direction(Direction::Up))
            .event(zero().direction(Direction::Down));
        for sign in [1.0, -1.0] {
            // u₀ = sin t; the zero at the start does not count.
            let t = [0.0, sign * 5.0, sign * 10.0];
            let got = solve(&oscillator(), &[0.0, 1.0], &t, &options);
            let got = got.unwrap_or_else(|e| panic!("{}: {e}", method.name));
            let all = [PI, TAU, 3.0 * PI].map(|x| sign * x);
            let name = method.name;
            let within = 1e-10;
            assert!(close(&got, 0, &all) < within, "{name}: {}", got.events[0].t);
            // In the direction of integration, forwards and backwards, u₀ crosses zero upwards at 2π.
            let (up, down) = match sign {
                1.0 => (vec![TAU], vec![PI, 3.0 * PI]),
                _ => (vec![-PI, -3.0 * PI], vec![-TAU]),
            };
            assert!(close(&got, 1, &up) < within, "{name}");
            assert!(close(&got, 2, &down) < within, "{name}");
            for (t, u) in got.events[0].t.iter().zip(got.events[0].u.rows()) {
                assert!(
                    u[0].abs() < 1e-10 && (u[1] - t.cos()).abs() < within,
                    "{name}"
                );
            }
            assert_eq!((got.u.nrows(), got.terminated_by), (3, None));
        }
    }
}

#[test]
fn event_times_are_those_of_the_solution_whatever_the_tolerance() {
    for method in ["radau", "kvaerno5", "rodas5p"] {
        for tolerance in [1e-3, 1e-6] {
            let options = SolveOptions::default().solver(method).unwrap();
            let options = options.tolerances(tolerance, tolerance);
            let run = |t: &[f64], options: &SolveOptions| {
                solve(&oscillator(), &[0.0, 1.0], t, options).unwrap()
            };
            let found = run(&[0.0, 10.0], &options.clone().event(zero()));
            let event = &found.events[0];
            assert_eq!(event.t.len(), 3);
            let mut t = vec![0.0];
            t.extend(&event.t);
            t.push(10.0);
            let at_outputs = run(&t, &options);
            for (i, u) in event.u.rows().into_iter().enumerate() {
                let off = at_outputs.u[[i + 1, 0]].abs();
                assert!(off < 1e-12, "{method} at {tolerance:e}: {off:e}");
                assert!((u[1] - at_outputs.u[[i + 1, 1]]).abs() < 1e-11, "{method}");
            }
        }
    }
}

#[test]
fn methods_of_lower_order_and_fixed_steps_find_them_to_their_own_accuracy() {
    for method in solvers::ALL.iter().filter(|m| m.order <= 4) {
        let mut options = tight(method).tolerances(1e-7, 1e-7).event(zero());
        if !method.is_adaptive() {
            options = options.substeps(4000);
        }
        let got = solve(&oscillator(), &[0.0, 1.0], &[0.0, 10.0], &options).unwrap();
        let within = [0.02, 1e-3, 1e-5, 1e-5][method.order - 1];
        let error = close(&got, 0, &[PI, TAU, 3.0 * PI]);
        assert!(error < within, "{}: {error:e}", method.name);
    }
    // Cubic Hermite interpolation preserves the order of rk4.
    let mut errors = vec![];
    for n in [40, 80] {
        let options = SolveOptions::default().solver("rk4").unwrap();
        let options = options.substeps(n).event(zero());
        let got = solve(&oscillator(), &[0.0, 1.0], &[0.0, 10.0], &options).unwrap();
        errors.push(close(&got, 0, &[PI, TAU, 3.0 * PI]));
    }
    assert!(errors[0] / errors[1] > 10.0, "{errors:?}");
}

/// A ball thrown upwards, with u = (height, velocity).
fn ball() -> VectorField {
    system(2, &[("g", 9.81)], |_, u, p| {
        vec![u.at(1), u.at(1) * 0.0 - p.get("g")]
    })
    .unwrap()
}

#[test]
fn a_ball_hits_the_ground_and_the_solve_ends_there() {
    let ground = || {
        Event::new(2, &[], |_, u, _| u.at(0))
            .unwrap()
            .direction(Direction::Down)
            .terminal()
    };
    let top = Event::new(2, &[], |_, u, _| u.at(1)).unwrap();
    let want = (3.0 + (9.0_f64 + 2.0 * 9.81 * 10.0).sqrt()) / 9.81;
    for method in solvers::ALL.iter().filter(|m| m.order >= 2) {
        // Every Runge-Kutta method of order 2 or more is exact for a parabola; bdf, which starts with order 1, is accurate to
        // the tolerance.
        let tolerance = if method.order >= 5 { 1e-11 } else { 1e-9 };
        let mut options = tight(method).tolerances(tolerance, tolerance);
        options = options.event(top.clone()).event(ground());
        if !method.is_adaptive() {
            options = options.step_size(0.05);
        }
        let t = [0.0, 0.5, 1.0, 3.0, 4.0];
        let got = solve(&ball(), &[10.0, 3.0], &t, &options).unwrap();
        let name = method.name;
        let accuracy = 1e-10;
        assert_eq!(got.t.len(), 4, "{name}");
        assert_eq!(got.t.as_slice().unwrap()[..3], t[..3], "{name}");
        assert!((got.t[3] - want).abs() < accuracy, "{name}: {}", got.t[3]);
        assert!(got.u[[3, 0]].abs() < 1e-9, "{name}");
        assert_eq!(got.terminated_by, Some(1), "{name}");
        assert!((got.events[0].t[0] - 3.0 / 9.81).abs() < accuracy, "{name}");
        assert_eq!(got.events[1].t[0], got.t[3], "{name}");
        assert_eq!(got.events[1].u.row(0), got.u.row(3), "{name}");
        assert_eq!(got.recorded.outputs.len(), 4, "{name}");
    }
}

#[test]
fn ends_that_meet_a_requested_time_or_lie_beyond_the_last_one() {
    let at = |time: f64| {
        Event::new(2, &[("time", time)], |t, _, p| t - p.get("time"))
            .unwrap()
            .terminal()
    };
    for method in ["dopri5", "dopri8", "rk4"] {
        let options = SolveOptions::default().solver(method).unwrap();
        let run = |time: f64, t: &[f64]| {
            let options = options.clone().event(at(time));
            solve(&ball(), &[10.0, 3.0], t, &options).unwrap()
        };
        let got = run(0.5, &[0.0, 0.25, 0.5, 0.75]);
        assert_eq!(got.t.len(), 3, "{method}: {}", got.t);
        assert!((got.t[2] - 0.5).abs() < 1e-15, "{method}");
        // The last step may go beyond the last output time; events there are not reported.
        let got = run(0.5001, &[0.0, 0.25, 0.5]);
        assert_eq!((got.terminated_by, got.t.len()), (None, 3), "{method}");
        let got = run(-0.5, &[0.0, 0.5]);
        assert!(got.events[0].t.is_empty(), "{method}");
        // The first of two terminal events ends the solve.
        let both = options.clone().event(at(0.4)).event(at(0.3));
        let got = solve(&ball(), &[10.0, 3.0], &[0.0, 1.0], &both).unwrap();
        assert_eq!(got.terminated_by, Some(1), "{method}");
        assert!(got.events[0].t.is_empty(), "{method}");
    }
}

#[test]
fn what_takes_no_events_says_so() {
    let options = SolveOptions::default().event(Event::new(3, &[], |_, u, _| u.at(0)).unwrap());
    let error = solve(&ball(), &[1.0, 1.0], &[0.0, 1.0], &options).unwrap_err();
    assert!(error.to_string().contains("2 state variables"), "{error}");
    let recorded = solve(&ball(), &[1.0, 1.0], &[0.0, 0.1], &SolveOptions::default());
    let recorded = [recorded.unwrap().recorded];
    let problem = Problem {
        u0: &[1.0, 1.0],
        t: &[0.0, 0.1],
        sample: 0,
    };
    let options = SolveOptions::default().event(zero());
    let replay =
        NativeEngine::default().forward(&ball(), &[problem], &options, Some(&recorded), false);
    assert!(replay.unwrap_err().to_string().contains("events"));
}

/// Tests root finding alone, forwards and backwards: on u′ = (3, −2) the solution of every method is exact, even of order 1.
#[test]
fn crossings_of_straight_lines_by_every_method() {
    let lines = system(2, &[("a", 3.0)], |_, u, p| {
        vec![p.get("a") + u.at(0) * 0.0, u.at(1) * 0.0 - 2.0]
    })
    .unwrap();
    let meet = Event::new(2, &[], |_, u, _| u.at(0) - u.at(1)).unwrap();
    for method in solvers::ALL {
        for sign in [1.0, -1.0] {
            let mut options = SolveOptions::default().solver(method.name).unwrap();
            if !method.is_adaptive() {
                options = options.step_size(0.31);
            }
            // 3 t − 1 = 1.7 − 2 t at t = 0.54; backwards in time with the signs exchanged.
            let u0 = [-sign, 1.7 * sign];
            let got = solve(
                &lines,
                &u0,
                &[0.0, 2.0 * sign],
                &options.event(meet.clone()),
            )
            .unwrap();
            let off = close(&got, 0, &[0.54 * sign]);
            assert!(off < 1e-10, "{}: {off:e}", method.name);
        }
    }
}

#[test]
fn an_event_that_is_never_a_number_is_an_error_and_one_that_is_so_at_times_is_not() {
    let never = || Event::new(2, &[], |_, u, _| (u.at(0) * u.at(0) * -1.0 - 1.0).sqrt()).unwrap();
    // NaN before t = 1.
    let late = || Event::new(2, &[], |t, _, _| (t - 1.0).sqrt() - 0.5).unwrap();
    for name in ["dopri5", "radau", "rk4", "bdf", "auto"] {
        let options = SolveOptions::default().solver(name).unwrap();
        let options = match name {
            "rk4" => options.substeps(20),
            _ => options,
        };
        let solve_with = |event: Event| {
            let options = options.clone().event(zero()).event(event);
            solve(&oscillator(), &[0.0, 1.0], &[0.0, 2.0], &options)
        };
        let error = solve_with(never()).unwrap_err();
        let odesync_base::Error::Solve(failure) = &error else {
            panic!("{name}: {error}");
        };
        let reason = odesync_ode::odesolve::FailureReason::EventNan(1);
        assert_eq!(failure.reason, reason, "{name}");
        assert!(error.to_string().contains("event 1 is NaN"), "{error}");
        let got = solve_with(late()).unwrap();
        assert!((got.events[1].t[0] - 1.25).abs() < 1e-6, "{name}");
    }
}

#[test]
fn the_nth_hit_ends_the_solve() {
    for method in ["dopri5", "radau", "bdf", "auto", "rk4"] {
        let options = SolveOptions::default().solver(method).unwrap();
        let options = match method {
            "rk4" => options.step_size(0.02),
            _ => options.tolerances(1e-9, 1e-11),
        };
        for (n, direction, want) in [
            (1, Direction::Both, PI),
            (3, Direction::Both, 3.0 * PI),
            (3, Direction::Up, 6.0 * PI),
            (2, Direction::Down, 3.0 * PI),
        ] {
            let event = zero().direction(direction).terminal_at_hit(n).unwrap();
            let options = options.clone().event(zero()).event(event);
            let got = solve(&oscillator(), &[0.0, 1.0], &[0.0, 1.0, 50.0], &options).unwrap();
            assert_eq!(got.terminated_by, Some(1), "{method}");
            assert!((got.t[2] - want).abs() < 1e-6, "{method}: {}", got.t[2]);
            assert_eq!(got.events[1].t.len(), n, "{method}");
        }
        // A hit that is never reached ends nothing.
        let event = zero().terminal_at_hit(4).unwrap();
        let options = options.event(event);
        let got = solve(&oscillator(), &[0.0, 1.0], &[0.0, 10.0], &options).unwrap();
        assert_eq!((got.terminated_by, got.events[0].t.len()), (None, 3));
    }
    let error = zero().terminal_at_hit(0).unwrap_err().to_string();
    assert!(error.contains("counted from 1"), "{error}");
}

/// The van der Pol oscillator becomes stiff on its way, so that `auto` changes its method between the hits.
#[test]
fn hits_are_counted_across_the_change_of_a_method() {
    let stiff = system(2, &[], |_, u, _| {
        let (x, v) = (u.at(0), u.at(1));
        vec![v.clone(), 1000.0 * (1.0 - x.square()) * &v - &x]
    })
    .unwrap();
    let run = |solver: &str, n: usize| {
        let event = zero().terminal_at_hit(n).unwrap();
        let options = SolveOptions::default().solver(solver).unwrap();
        solve(&stiff, &[2.0, 0.0], &[0.0, 4000.0], &options.event(event)).unwrap()
    };
    let (auto, radau) = (run("auto", 3), run("radau", 3));
    assert!(auto.stats.switches > 0);
    assert_eq!(auto.events[0].t.len(), 3);
    assert!((auto.t[1] - radau.t[1]).abs() < 1e-2, "{}", auto.t[1]);
}
