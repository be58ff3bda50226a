//! A problem written in other units takes the same steps: no constant of a solve has a unit of time or of the state.

use odesync_base::options::Named;
use odesync_ode::field::{VectorField, system};
use odesync_ode::odesolve::{
    Adjoint, Engine, FnRhs, NativeEngine, Problem, Solution, SolveOptions, Step, solve, solve_rhs,
    solvers,
};
use proptest::prelude::*;

/// An initial value problem that is written in several units: `time` and `state` are the sizes of the base units in the others.
struct Base {
    name: &'static str,
    u0: &'static [f64],
    end: f64,
    field: fn(time: f64, state: f64) -> VectorField,
}

/// Predator and prey, with rates near 1.
fn predators(time: f64, state: f64) -> VectorField {
    let constants = [("k", 1.0 / time), ("m", 1.0 / (time * state))];
    system(2, &constants, |_, u, p| {
        let meets = u.at(0) * u.at(1) * p.get("m");
        vec![
            u.at(0) * p.get("k") * 1.3 - &meets * 0.9,
            meets * 0.8 - u.at(1) * p.get("k") * 1.8,
        ]
    })
    .unwrap()
    .trainable(&["k"])
    .unwrap()
}

/// A relaxation towards a wave, so that the time is in the equations.
fn relaxation(time: f64, state: f64) -> VectorField {
    let constants = [("k", 1.0 / time), ("s", state)];
    system(1, &constants, |t, u, p| {
        let wave = (t * &p.get("k")).cos() * p.get("s");
        vec![(wave - u.at(0)) * p.get("k") * 4.0]
    })
    .unwrap()
    .trainable(&["k"])
    .unwrap()
}

/// A start at zero, where the rule of the first step has nothing to compare with.
fn from_rest(time: f64, state: f64) -> VectorField {
    let constants = [("k", 1.0 / time), ("s", state)];
    system(2, &constants, |_, u, p| {
        let force = (p.get("s") - u.at(0)) * p.get("k");
        vec![u.at(1) * p.get("k"), force - u.at(1) * p.get("k") * 0.3]
    })
    .unwrap()
    .trainable(&["k"])
    .unwrap()
}

const BASES: [Base; 3] = [
    Base {
        name: "predators",
        u0: &[1.0, 1.2],
        end: 10.0,
        field: predators,
    },
    Base {
        name: "relaxation",
        u0: &[0.3],
        end: 5.0,
        field: relaxation,
    },
    Base {
        name: "from rest",
        u0: &[0.0, 0.0],
        end: 12.0,
        field: from_rest,
    },
];

fn options(solver: &str, state: f64) -> SolveOptions {
    let options = SolveOptions::default().solver(solver).unwrap();
    options.tolerances(1e-6, 1e-8 * state)
}

fn solved(base: &Base, solver: &str, time: f64, state: f64) -> Solution {
    let u0: Vec<f64> = base.u0.iter().map(|u| u * state).collect();
    let t = [0.0, 0.37 * base.end * time, base.end * time];
    solve(&(base.field)(time, state), &u0, &t, &options(solver, state)).unwrap()
}

fn adaptive() -> impl Iterator<Item = &'static str> {
    solvers::ALL
        .iter()
        .filter(|s| s.is_adaptive())
        .map(|s| s.name)
}

/// The steps in the base unit of time.
fn in_base_units(solution: &Solution, time: f64) -> Vec<Step> {
    let steps = solution.recorded.steps.iter();
    steps
        .map(|s| Step {
            t: s.t / time,
            end: s.end / time,
        })
        .collect()
}

#[test]
fn another_unit_of_the_state_takes_the_same_steps() {
    for base in &BASES {
        for solver in adaptive() {
            let want = solved(base, solver, 1.0, 1.0);
            for k in -30..=30 {
                let state = 2.0_f64.powi(k);
                let got = solved(base, solver, 1.0, state);
                assert_eq!(got.recorded, want.recorded, "{} {solver} 2^{k}", base.name);
                assert_eq!(got.stats, want.stats, "{} {solver} 2^{k}", base.name);
                assert!(got.u.iter().zip(&want.u).all(|(a, b)| *a == b * state));
                let got = solved(base, solver, 1.0, 10.0_f64.powi(k));
                let more = got.stats.steps.abs_diff(want.stats.steps);
                assert!(more <= 1, "{} {solver} 10^{k}: {more}", base.name);
            }
        }
    }
}

#[test]
fn another_unit_of_time_takes_the_same_steps() {
    // Thousands of steps of a method of low order amplify what rounding changes, as powers of ten do.
    let few = |n: usize| if n > 1000 { n / 25 } else { 1 };
    for base in &BASES {
        for solver in adaptive() {
            let usual = solved(base, solver, 1.0, 1.0).stats.steps;
            let far = 2.0_f64.powi(40);
            let want = in_base_units(&solved(base, solver, far, 1.0), far);
            let differ = |steps: usize| steps.abs_diff(want.len());
            for k in (-30..=30).chain([-100, -70, 70, 100]) {
                let time = 2.0_f64.powi(k);
                let got = solved(base, solver, time, 1.0);
                let steps = got.stats.steps;
                // Ordinary times take the published first step, all others the very same steps.
                if !(-22..=13).contains(&k) {
                    assert_eq!(
                        in_base_units(&got, time),
                        want,
                        "{} {solver} 2^{k}",
                        base.name
                    );
                }
                let bound = 3 + usual / 10;
                let more = steps.abs_diff(usual);
                assert!(
                    more <= bound,
                    "{} {solver} 2^{k}: {steps} {usual}",
                    base.name
                );
            }
            for k in (-30..=-8).chain(7..=30) {
                let steps = solved(base, solver, 10.0_f64.powi(k), 1.0).stats.steps;
                let n = want.len();
                assert!(
                    differ(steps) <= few(n),
                    "{} {solver} 10^{k}: {steps} {n}",
                    base.name
                );
            }
        }
    }
}

#[test]
fn gradients_and_events_are_those_of_the_base_units() {
    let base = &BASES[0];
    let run = |solver: &str, adjoint: Adjoint, time: f64| {
        let field = (base.field)(time, 1.0);
        let t = [0.0, 0.37 * base.end * time, base.end * time];
        let problem = Problem {
            u0: base.u0,
            t: &t,
            sample: 0,
        };
        let options = options(solver, 1.0).adjoint(adjoint);
        let mut engine = NativeEngine::default();
        engine
            .forward(&field, &[problem], &options, None, true)
            .unwrap();
        let gradient = engine
            .backward(&[vec![0.3, 0.1, -0.4, 0.7, 1.0, -0.2]])
            .unwrap();
        // The gradient by the rate k has the unit of time.
        (gradient.values[0] / time, gradient.u0[0].clone())
    };
    for name in Adjoint::NAMES {
        let adjoint = Adjoint::from_name(name).unwrap();
        for solver in adaptive() {
            if options(solver, 1.0).adjoint(adjoint).check().is_err() {
                continue;
            }
            let want = run(solver, adjoint, 2.0_f64.powi(60));
            for k in [-90, -33, 20, 41] {
                let got = run(solver, adjoint, 2.0_f64.powi(k));
                assert_eq!(got, want, "{solver} {name} 2^{k}");
            }
        }
    }
    let crossings = |time: f64| {
        let b = odesync_ode::field::FieldBuilder::new(2);
        let event = odesync_ode::odesolve::Event::build(&b, b.state().at(0) - 1.1).unwrap();
        let options = options("dopri5", 1.0).event(event);
        let field = (base.field)(time, 1.0);
        let got = solve(&field, base.u0, &[0.0, base.end * time], &options).unwrap();
        got.events[0]
            .t
            .iter()
            .map(|t| t / time)
            .collect::<Vec<f64>>()
    };
    let want = crossings(2.0_f64.powi(60));
    assert!(want.len() > 2);
    for k in [-90, -33, 20, 41] {
        assert_eq!(crossings(2.0_f64.powi(k)), want, "2^{k}");
    }
}

#[test]
fn a_rate_of_1e15_is_no_reason_to_stop() {
    let field = system(1, &[], |_, u, _| vec![u.at(0) * -1e15]).unwrap();
    for solver in adaptive() {
        let options = SolveOptions::default().solver(solver).unwrap();
        let got = solve(&field, &[1.0], &[0.0, 1e-15, 5e-15], &options).unwrap();
        for (u, x) in got.u.column(0).iter().zip([0.0_f64, 1.0, 5.0]) {
            assert!((u - (-x).exp()).abs() < 1e-5, "{solver}: {u}");
        }
    }
}

#[test]
fn a_jacobian_by_differences_has_no_unit_either() {
    // A start at zero, which says nothing of the sizes; the closure has no Jacobian of its own.
    let run = |time: f64, state: f64| {
        let rhs = FnRhs::new(2, move |t, u, du| {
            du[0] = (u[1] - 3.0 * u[0] + state * (t / time).cos()) / time;
            du[1] = (u[0] * u[0] / state - 40.0 * u[1]) / time;
        });
        let options = options("radau", state);
        let got = solve_rhs(&rhs, &[0.0, 0.0], &[0.0, 3.0 * time], &options).unwrap();
        (in_base_units(&got, time), got.u[[1, 0]] / state, got.stats)
    };
    let want = run(2.0_f64.powi(50), 1.0);
    for (time, state) in [(-90, 0), (-33, 30), (41, -30), (50, 60), (90, -90)] {
        let got = run(2.0_f64.powi(time), 2.0_f64.powi(state));
        assert_eq!(got, want, "2^{time} 2^{state}");
    }
}

#[test]
fn nanoseconds_since_1970_cost_accuracy_and_not_the_solve() {
    // Numbers are 256 apart there. A relaxation within 1e6 of them, from rest, to a force that is switched off again.
    let origin = 1.7e18;
    let field = system(1, &[], |t, u, _| {
        let wave = ((t - origin) * 1e-8).sin();
        vec![(wave - u.at(0)) * 1e-7]
    })
    .unwrap();
    // u' = (sin(w s) − u) r with r = 1e-7, w = 1e-8.
    let exact = |s: f64| {
        let (r, w) = (1e-7, 1e-8);
        let c = r / (r * r + w * w);
        c * (r * (w * s).sin() - w * (w * s).cos() + w * (-r * s).exp())
    };
    for solver in adaptive() {
        let options = SolveOptions::default().solver(solver).unwrap();
        let options = options.tolerances(1e-5, 1e-7);
        let got = solve(&field, &[0.0], &[origin, origin + 3e8], &options).unwrap();
        let off = (got.u[[1, 0]] - exact(3e8)).abs();
        assert!(off < 1e-3, "{solver}: {off:e}");
    }
    // A rate that is far faster than numbers near the first time are apart; near 0 they are close enough.
    let explodes = system(1, &[], |_, u, _| vec![u.at(0) * 0.0 + 1e50]).unwrap();
    let curved = system(1, &[], |_, u, _| vec![(u.at(0) * 0.0 + 1e50) / u.at(0)]).unwrap();
    let options = SolveOptions::default();
    let error = solve(&curved, &[1.0], &[1.0, 2.0], &options).unwrap_err();
    let error = error.to_string();
    assert!(
        error.contains("beyond the resolution of numbers"),
        "{error}"
    );
    let got = solve(&curved, &[1.0], &[0.0, 1.0], &options).unwrap();
    assert!((got.u[[1, 0]] / 2e50_f64.sqrt() - 1.0).abs() < 1e-5);
    let got = solve(&explodes, &[1.0], &[1.0, 2.0], &options).unwrap();
    assert!((got.u[[1, 0]] / 1e50 - 1.0).abs() < 1e-9);
    // What needs shorter steps than numbers are apart says so.
    let fast = system(1, &[], |_, u, _| vec![u.at(0) * -0.5]).unwrap();
    let error = solve(
        &fast,
        &[1.0],
        &[origin, origin + 1e6],
        &SolveOptions::default(),
    );
    let error = error.unwrap_err().to_string();
    assert!(
        error.contains("beyond the resolution of numbers"),
        "{error}"
    );
}

#[test]
fn each_state_variable_has_its_tolerance() {
    // A population and a concentration, uncoupled, the second far below the first.
    let field = system(2, &[("k", 1.0)], |_, u, p| {
        vec![u.at(0) * p.get("k") * -0.3, u.at(1) * p.get("k") * -2.0]
    })
    .unwrap()
    .trainable(&["k"])
    .unwrap();
    let (u0, t) = ([1e6, 1e-8], [0.0, 1.5]);
    let exact = [1e6 * (-0.45_f64).exp(), 1e-8 * (-3.0_f64).exp()];
    for solver in adaptive() {
        let options = SolveOptions::default().solver(solver).unwrap();
        let each = options.clone().tolerances(1e-6, [1e-2, 1e-16]);
        let got = solve(&field, &u0, &t, &each).unwrap();
        for (u, exact) in got.u.row(1).iter().zip(exact) {
            assert!((u / exact - 1.0).abs() < 1e-3, "{solver}: {u} {exact}");
        }
        // Two equal entries are one for all, to the bit.
        let one = solve(
            &field,
            &[1.0, 2.0],
            &t,
            &options.clone().tolerances(1e-6, 1e-8),
        )
        .unwrap();
        let two = options.clone().tolerances(1e-6, [1e-8, 1e-8]);
        let two = solve(&field, &[1.0, 2.0], &t, &two).unwrap();
        assert_eq!((one.u, one.recorded), (two.u, two.recorded), "{solver}");
        for name in Adjoint::NAMES {
            let options = each.clone().adjoint(Adjoint::from_name(name).unwrap());
            if options.check().is_err() {
                continue;
            }
            let mut engine = NativeEngine::default();
            let problem = Problem {
                u0: &u0,
                t: &t,
                sample: 0,
            };
            engine
                .forward(&field, &[problem], &options, None, true)
                .unwrap();
            let gradient = engine.backward(&[vec![0.0, 0.0, 0.0, 1e8]]).unwrap();
            let want = 1e8 * exact[1] * -3.0;
            let off = (gradient.values[0] / want - 1.0).abs();
            assert!(off < 3e-3, "{solver} {name}: {off:e}");
        }
        let wrong = options.tolerances(1e-6, [1e-8; 3]);
        let error = solve(&field, &u0, &t, &wrong).unwrap_err().to_string();
        assert!(error.contains("atol has 3 numbers"), "{error}");
    }
}

/// Two coupled state variables with units of their own, u′ = A u + b cos(t) with a bounded product of both.
fn coupled(c: &[f64], time: f64, units: [f64; 2]) -> VectorField {
    let [x, y] = units;
    let constants = [
        ("a", c[0] / time),
        ("b", c[1] * x / (y * time)),
        ("c", c[2] * y / (x * time)),
        ("d", c[3] / time),
        ("e", c[4] / time),
        ("y", y),
        ("force", c[5] * y / time),
        ("w", 1.0 / time),
    ];
    system(2, &constants, |t, u, p| {
        let wave = (t * &p.get("w")).cos() * p.get("force");
        let y = u.at(1) / p.get("y");
        let meets = u.at(0) * p.get("e") * &y / (y.square() + 1.0);
        vec![
            u.at(1) * p.get("b") - u.at(0) * p.get("a") - meets,
            wave - u.at(0) * p.get("c") - u.at(1) * p.get("d"),
        ]
    })
    .unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn random_units_take_the_same_steps(
        c in prop::collection::vec(0.2..1.5, 6),
        u0 in (-1.5..1.5, -1.5..1.5),
        time in prop_oneof![-100..-30, 20..100],
        state in -60..60,
        other in -60..60,
        backwards: bool,
    ) {
        for solver in adaptive() {
            let run = |time: i32, state: [i32; 2]| {
                let time = 2.0_f64.powi(time);
                let units = state.map(|k| 2.0_f64.powi(k));
                let atol = units.map(|unit| 1e-7 * unit);
                let options = SolveOptions::default().solver(solver).unwrap().tolerances(1e-5, atol);
                let end = if backwards { -0.25 } else { 6.0 } * time;
                let start = [u0.0 * units[0], u0.1 * units[1]];
                let got = solve(&coupled(&c, time, units), &start, &[0.0, 0.3 * end, end], &options).unwrap();
                let last = [got.u[[2, 0]] / units[0], got.u[[2, 1]] / units[1]];
                (in_base_units(&got, time), last, got.stats)
            };
            let want = run(40, [0, 0]);
            prop_assert_eq!(&run(time, [state, state]), &want, "{}", solver);
            // Units of their own change which row of a Jacobian is the pivot, and so the last digits.
            let (_, last, stats) = run(time, [state, other]);
            let few = 1 + want.2.steps / 25;
            prop_assert!(stats.steps.abs_diff(want.2.steps) <= few, "{}: {:?} {:?}", solver, stats, want.2);
            for (got, want) in last.iter().zip(want.1) {
                prop_assert!((got - want).abs() < 1e-6 + 1e-4 * want.abs(), "{}: {} {}", solver, got, want);
            }
        }
    }
}
