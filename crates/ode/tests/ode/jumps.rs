//! Jumps of the state, at the hits of an event and at given times, against solutions known piece by piece.

use odesync_ode::field::{VectorField, system};
use odesync_ode::odesolve::{
    Direction, Dose, Event, FailureReason, FnRhs, Integrator, Jump, SolveOptions, Solver, solve,
    solve_rhs, solvers,
};

const G: f64 = 9.81;
const RESTITUTION: f64 = 0.9;

/// A ball in free fall, u = (height, velocity).
fn ball() -> VectorField {
    system(2, &[("g", G)], |_, u, p| {
        vec![u.at(1), u.at(1) * 0.0 - p.get("g")]
    })
    .unwrap()
}

fn ground() -> Event {
    Event::new(2, &[], |_, u, _| u.at(0))
        .unwrap()
        .direction(Direction::Down)
}

fn bounce() -> Jump {
    Jump::new(2, &[], |_, u, _| {
        vec![u.at(0) * 1.0, u.at(1) * -RESTITUTION]
    })
    .unwrap()
}

/// Times of the first n bounces of a ball dropped from a height of 1, and the speeds before them.
fn bounces(n: usize) -> Vec<(f64, f64)> {
    let mut t = (2.0 / G).sqrt();
    let mut v = G * t;
    let mut all = vec![];
    for _ in 0..n {
        all.push((t, v));
        v *= RESTITUTION;
        t += 2.0 * v / G;
    }
    all
}

/// Height of the ball at a time.
fn height(t: f64) -> f64 {
    let before = bounces(60).into_iter().rfind(|(hit, _)| *hit <= t);
    match before {
        None => 1.0 - 0.5 * G * t * t,
        Some((hit, v)) => RESTITUTION * v * (t - hit) - 0.5 * G * (t - hit) * (t - hit),
    }
}

fn adaptive() -> impl Iterator<Item = &'static Solver> {
    solvers::ALL.iter().copied().filter(|m| m.is_adaptive())
}

fn tight(method: &Solver) -> SolveOptions {
    let tolerance = if method.order >= 5 { 1e-12 } else { 1e-9 };
    let mut options = SolveOptions::default().solver(method.name).unwrap();
    options.max_steps = 10_000_000;
    options.tolerances(tolerance, tolerance)
}

#[test]
fn ten_bounces_by_every_adaptive_method() {
    let want = bounces(10);
    let end = 0.5 * (want[9].0 + bounces(11)[10].0);
    for method in adaptive() {
        let t: Vec<f64> = (0..=40).map(|i| end * f64::from(i) / 40.0).collect();
        let options = tight(method).event(ground().jump(bounce()).unwrap());
        let got = solve(&ball(), &[1.0, 0.0], &t, &options).unwrap();
        let bound = 1e-7;
        assert_eq!(got.events[0].t.len(), 10, "{}", method.name);
        for (i, (hit, speed)) in want.iter().enumerate() {
            let (t, u) = (got.events[0].t[i], got.events[0].u.row(i));
            assert!((t - hit).abs() < bound, "{} {i}: {t} {hit}", method.name);
            // The record holds the state before the jump.
            assert!((u[1] + speed).abs() < 10.0 * bound, "{} {i}", method.name);
            assert!(u[0].abs() < 1e-12, "{} {i}: {:e}", method.name, u[0]);
        }
        for (t, u) in t.iter().zip(got.u.column(0)) {
            let off = (u - height(*t)).abs();
            assert!(off < 10.0 * bound, "{} at {t}: {off:e}", method.name);
        }
        assert_eq!(got.terminated_by, None);
    }
}

#[test]
fn fixed_steps_and_backwards_in_time() {
    let options = SolveOptions::default().solver("rk4").unwrap();
    let options = options
        .step_size(0.05)
        .event(ground().jump(bounce()).unwrap());
    let got = solve(&ball(), &[1.0, 0.0], &[0.0, 0.7, 2.0], &options).unwrap();
    for (t, u) in got.t.iter().zip(got.u.column(0)) {
        assert!((u - height(*t)).abs() < 1e-10, "{t}: {u}");
    }
    for name in ["implicit_adams", "adams4"] {
        let options = options.clone().solver(name).unwrap();
        let got = solve(&ball(), &[1.0, 0.0], &[0.0, 0.7, 2.0], &options).unwrap();
        assert!((got.u[[2, 0]] - height(2.0)).abs() < 1e-8, "{name}");
    }
    // Backwards the ball gains speed at each hit: the inverse jump leads back to the start.
    let inverse = Jump::new(2, &[], |_, u, _| {
        vec![u.at(0) * 1.0, u.at(1) * (-1.0 / RESTITUTION)]
    });
    for method in ["dopri5", "radau", "bdf", "auto"] {
        let options = tight(solvers::by_name(method).unwrap())
            .tolerances(1e-10, 1e-12)
            .event(ground().jump(inverse.clone().unwrap()).unwrap());
        let (hit, speed) = bounces(3)[2];
        let start = hit + 0.05;
        let u = [height(start), RESTITUTION * speed - G * 0.05];
        let got = solve(&ball(), &u, &[start, 0.5, 0.0], &options).unwrap();
        assert_eq!(got.events[0].t.len(), 3, "{method}");
        assert!((got.u[[2, 0]] - 1.0).abs() < 1e-6, "{method}: {}", got.u);
        assert!((got.u[[1, 0]] - height(0.5)).abs() < 1e-6, "{method}");
    }
}

/// u' = 1 with two events: at u = 1 the state falls by 1/2, at u = 1.2 it doubles. From 0 the first is reached over and over, so
/// that the second, inside the same long step, never is.
#[test]
fn events_of_one_step_come_in_their_order() {
    let clock = system(1, &[], |_, u, _| vec![u.at(0) * 0.0 + 1.0]).unwrap();
    let at = |level: f64| Event::new(1, &[("level", level)], |_, u, p| u.at(0) - p.get("level"));
    let fall = Jump::new(1, &[], |_, u, _| vec![u.at(0) - 0.5]).unwrap();
    let double = Jump::new(1, &[], |_, u, _| vec![u.at(0) * 2.0]).unwrap();
    for method in adaptive() {
        let options = tight(method)
            .event(at(1.2).unwrap().jump(double.clone()).unwrap())
            .event(at(0.3).unwrap())
            .event(at(1.0).unwrap().jump(fall.clone()).unwrap());
        let got = solve(&clock, &[0.0], &[0.0, 2.2], &options).unwrap();
        let name = method.name;
        assert!(got.events[0].t.is_empty(), "{name}");
        assert_eq!(got.events[1].t.len(), 1, "{name}");
        for (t, want) in got.events[2].t.iter().zip([1.0, 1.5, 2.0]) {
            assert!((t - want).abs() < 1e-9, "{name}: {}", got.events[2].t);
        }
        assert!((got.u[[1, 0]] - 0.7).abs() < 1e-9, "{name}: {}", got.u);
        // Two at once: both happen, in the order of the options.
        let options = tight(method)
            .event(at(1.0).unwrap().jump(double.clone()).unwrap())
            .event(at(1.0).unwrap().jump(fall.clone()).unwrap());
        let got = solve(&clock, &[0.0], &[0.0, 1.0, 1.25], &options).unwrap();
        assert!((got.u[[1, 0]] - 1.5).abs() < 1e-9, "{name}: {}", got.u);
        assert!((got.u[[2, 0]] - 1.75).abs() < 1e-9, "{name}: {}", got.u);
    }
}

#[test]
fn the_state_at_the_time_of_a_jump_is_the_one_after_it() {
    let clock = system(1, &[], |_, u, _| vec![u.at(0) * 0.0 + 1.0]).unwrap();
    let reset = Jump::new(1, &[], |_, u, _| vec![u.at(0) * 0.0]).unwrap();
    let event = Event::new(1, &[], |t, _, _| t - 1.0).unwrap();
    let options = SolveOptions::default().event(event.clone().jump(reset.clone()).unwrap());
    let got = solve(&clock, &[0.0], &[0.0, 1.0, 2.0], &options).unwrap();
    assert_eq!(got.u[[1, 0]], 0.0);
    assert!((got.events[0].u[[0, 0]] - 1.0).abs() < 1e-12);
    assert!((got.u[[2, 0]] - 1.0).abs() < 1e-12);
    // At the last time too, and where the hit ends the solve.
    let got = solve(&clock, &[0.0], &[0.0, 1.0], &options).unwrap();
    assert_eq!(got.u[[1, 0]], 0.0);
    let ends = event.jump(reset).unwrap().terminal();
    let options = SolveOptions::default().event(ends);
    let got = solve(&clock, &[0.0], &[0.0, 0.5, 2.0, 3.0], &options).unwrap();
    assert_eq!((got.terminated_by, got.t.len()), (Some(0), 3));
    assert!((got.t[2] - 1.0).abs() < 1e-15 && got.u[[2, 0]] == 0.0);
}

#[test]
fn the_nth_bounce_ends_the_solve() {
    for method in ["tsit5", "radau", "bdf", "auto"] {
        let event = ground().jump(bounce()).unwrap().terminal_at_hit(4).unwrap();
        let options = tight(solvers::by_name(method).unwrap()).event(event);
        let got = solve(&ball(), &[1.0, 0.0], &[0.0, 0.1, 50.0], &options).unwrap();
        let (hit, speed) = bounces(4)[3];
        assert_eq!((got.terminated_by, got.events[0].t.len()), (Some(0), 4));
        assert!((got.t[2] - hit).abs() < 1e-7, "{method}: {}", got.t[2]);
        assert!((got.u[[2, 1]] - RESTITUTION * speed).abs() < 1e-6);
    }
}

#[test]
fn bounces_that_accumulate_are_an_error_that_says_so() {
    for method in ["dopri5", "vern7", "radau", "rodas5p", "bdf", "auto"] {
        let options = SolveOptions::default().solver(method).unwrap();
        let options = options.event(ground().jump(bounce()).unwrap());
        let got = solve(&ball(), &[1.0, 0.0], &[0.0, 50.0], &options).map(|s| s.events[0].t.len());
        let error = got.expect_err(method);
        let odesync_base::Error::Solve(failure) = &error else {
            panic!("{method}: {error}");
        };
        assert_eq!(
            failure.reason,
            FailureReason::EventsAccumulate(0),
            "{method}"
        );
        assert!(error.to_string().contains("accumulate"), "{error}");
        // The sum of the flights: t₁ (1 + 2 e / (1 − e)).
        let limit = (2.0 / G).sqrt() * (1.0 + 2.0 * RESTITUTION / (1.0 - RESTITUTION));
        assert!((failure.t - limit).abs() < 1e-2, "{method}: {}", failure.t);
    }
    // A jump that takes all speed leaves the ball on the ground, which holds nothing up.
    let stop = Jump::new(2, &[], |_, u, _| vec![u.at(0) * 0.0, u.at(1) * 0.0]).unwrap();
    let options = SolveOptions::default().event(ground().jump(stop).unwrap());
    let got = solve(&ball(), &[1.0, 0.0], &[0.0, 2.0], &options).map(|s| s.u);
    let error = got.unwrap_err();
    assert!(error.to_string().contains("at once"), "{error}");
}

/// A drug in two compartments, dosed at times of which one is an output time and one the start.
#[test]
fn doses_at_given_times() {
    let field = system(1, &[("k", 0.8)], |_, u, p| vec![-p.get("k") * u.at(0)]).unwrap();
    let give = |amount: f64| {
        Jump::new(1, &[("amount", amount)], |_, u, p| {
            vec![u.at(0) + p.get("amount")]
        })
    };
    let exact = |t: f64, doses: &[(f64, f64)]| -> f64 {
        let given = doses.iter().filter(|(at, _)| *at <= t);
        given
            .map(|(at, amount)| amount * (-0.8 * (t - at)).exp())
            .sum()
    };
    let all = [(0.0, 1.0), (1.5, 1.0), (3.0, 1.0), (1.5, 0.25), (7.0, 0.25)];
    for method in solvers::ALL {
        let mut options = SolveOptions::default().solver(method.name).unwrap();
        options = options
            .tolerances(1e-9, 1e-11)
            .dose(Dose::new(&[3.0, 0.0, 1.5, -1.0, 9.0], give(1.0).unwrap()).unwrap())
            .dose(Dose::new(&[7.0, 1.5], give(0.25).unwrap()).unwrap());
        if !method.is_adaptive() {
            options = options.step_size(0.002);
        }
        options.max_steps = 1_000_000;
        for t in [vec![0.0, 1.0, 1.5, 2.0, 7.0], vec![0.0, 8.0]] {
            let got = solve(&field, &[0.0], &t, &options).unwrap();
            let bound = match (method.is_adaptive(), method.order) {
                (false, 1) => 2e-3,
                _ => 1e-6,
            };
            for (t, u) in t.iter().zip(got.u.column(0)) {
                let off = (u - exact(*t, &all)).abs();
                assert!(off < bound, "{} at {t}: {off:e}", method.name);
            }
        }
    }
    let error = Dose::new(&[], give(1.0).unwrap()).unwrap_err().to_string();
    assert!(error.contains("at least one time"), "{error}");
    assert!(Dose::new(&[f64::NAN], give(1.0).unwrap()).is_err());
}

#[test]
fn a_closure_takes_jumps_and_an_integrator_says_that_it_does_not() {
    let rhs = || FnRhs::new(2, |_, u, du| (du[0], du[1]) = (u[1], -G));
    let options = SolveOptions::default().event(ground().jump(bounce()).unwrap());
    let got = solve_rhs(&rhs(), &[1.0, 0.0], &[0.0, 2.0], &options).unwrap();
    assert!((got.u[[1, 0]] - height(2.0)).abs() < 1e-6);
    let error = Integrator::new(rhs(), &[1.0, 0.0], &[0.0, 2.0], &options)
        .err()
        .unwrap();
    assert!(error.to_string().contains("solve"), "{error}");
    let wrong = Jump::new(3, &[], |_, u, _| vec![u]).unwrap();
    let error = ground().jump(wrong).unwrap_err().to_string();
    assert!(error.contains("3 numbers"), "{error}");
}

/// Zero is crossed with a long step of which the first eighth holds the whole flight.
#[test]
fn a_flight_shorter_than_a_step_is_not_missed() {
    let first_step = 30.0;
    let options = SolveOptions {
        first_step: Some(first_step),
        ..SolveOptions::default()
    };
    // The ball starts on the ground, flies for 2 v / g ≈ 0.2 s.
    let options = options.event(ground().jump(bounce()).unwrap());
    let got = solve(&ball(), &[1e-3, 1.0], &[0.0, 1.0], &options).unwrap();
    assert!(got.events[0].t.len() > 3);
    let hit = (1.0 + (1.0_f64 + 2.0 * G * 1e-3).sqrt()) / G;
    assert!((got.events[0].t[0] - hit).abs() < 1e-9);
}
