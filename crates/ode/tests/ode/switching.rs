//! Equations that switch at times: steps end there, a pulse is not missed, and the derivative by such a time is the jump of the field
//! times the adjoint.

use odesync_base::options::Named;
use odesync_ode::field::{Expr, FieldBuilder, InputSignal, Signal, VectorField, system};
use odesync_ode::odesolve::{
    Adjoint, Engine, FnRhs, NativeEngine, Problem, SolveOptions, Tangent, jvp, solve, solve_rhs,
    solvers,
};

/// A pulse between t = 5 and t = 6 towards 1, and decay: 0 before, u(6) = (1 − e⁻²)/2 after, then e^−(t − 6) of that.
fn pulse() -> VectorField {
    system(1, &[], |t, u, _| {
        let number = |x: f64| t.builder().constant(&[x]);
        let on = t.lt(&number(6.0)).select(&number(1.0), &number(0.0));
        let on = t.gt(&number(5.0)).select(&on, &number(0.0));
        vec![on * (1.0 - u.at(0)) - u.at(0)]
    })
    .unwrap()
}

fn after_pulse(t: f64) -> f64 {
    0.5 * (1.0 - (-2.0_f64).exp()) * (6.0 - t).exp()
}

fn times(from: f64, to: f64, n: usize) -> Vec<f64> {
    let at = |i: usize| from + (to - from) * i as f64 / (n - 1) as f64;
    (0..n).map(at).collect()
}

#[test]
fn a_pulse_is_not_missed_by_any_method() {
    let field = pulse();
    for solver in solvers::ALL {
        let mut options = SolveOptions::default().solver(solver.name).unwrap();
        options = options.tolerances(1e-8, 1e-10);
        if !solver.is_adaptive() {
            options = options.substeps(2000);
        }
        // Output times at the switches, and a single one after them.
        for t in [times(0.0, 10.0, 11), vec![0.0, 10.0]] {
            let got = solve(&field, &[0.0], &t, &options).unwrap();
            let bound = match (solver.is_adaptive(), solver.order) {
                (false, 1) => 5e-3,
                (false, 2) => 1e-4,
                _ => 2e-6,
            };
            for (t, u) in t.iter().zip(got.u.column(0)).filter(|(t, _)| **t >= 6.0) {
                let off = (u - after_pulse(*t)).abs();
                assert!(off < bound, "{} at {t}: {u} {off:e}", solver.name);
            }
            assert!(
                got.u
                    .column(0)
                    .iter()
                    .take(t.len() / 2)
                    .all(|u| u.abs() < 1e-12)
            );
        }
    }
}

#[test]
fn a_known_switch_costs_little_and_is_exact() {
    let t = [0.0, 10.0];
    let cost = |options: SolveOptions| {
        let got = solve(&pulse(), &[0.0], &t, &options).unwrap();
        (got.stats, (got.u[[1, 0]] - after_pulse(10.0)).abs())
    };
    let (stats, off) = cost(SolveOptions::default());
    assert!(off < 1e-8, "{off:e}");
    assert!(stats.rejected < 12, "{stats:?}");
    // Without breakpoints the pulse is passed over, which is what they are for.
    let (_, off) = cost(SolveOptions::default().breakpoints(false));
    assert!(off > 1e-3);
}

#[test]
fn backwards_in_time_and_from_a_switch() {
    let field = pulse();
    let back = solve(
        &field,
        &[after_pulse(8.0)],
        &[8.0, 5.5, 4.0],
        &SolveOptions::default(),
    )
    .unwrap();
    let inside = 0.5 * (1.0 - (-1.0_f64).exp());
    assert!((back.u[[1, 0]] - inside).abs() < 1e-6, "{}", back.u);
    assert!(back.u[[2, 0]].abs() < 1e-5, "{}", back.u);
    // At t = 5 itself the condition does not hold yet; the solve that starts there does not begin with the slope of before.
    let from = solve(&field, &[0.0], &[5.0, 6.0], &SolveOptions::default()).unwrap();
    assert!(
        (from.u[[1, 0]] - after_pulse(6.0)).abs() < 1e-8,
        "{}",
        from.u
    );
    assert!(from.stats.rejected < 5, "{:?}", from.stats);
}

#[test]
fn times_that_are_given_are_stepped_onto() {
    // A closure does not tell when it switches.
    let rhs = || {
        FnRhs::new(1, |t, u, du| {
            let on = if (5.0..6.0).contains(&t) { 1.0 } else { 0.0 };
            du[0] = on * (1.0 - u[0]) - u[0];
        })
    };
    for solver in solvers::ALL.iter().filter(|s| s.is_adaptive()) {
        let options = SolveOptions::default().solver(solver.name).unwrap();
        let options = options.tolerances(1e-8, 1e-10).breakpoints([5.0, 6.0]);
        let got = solve_rhs(&rhs(), &[0.0], &[0.0, 10.0], &options).unwrap();
        let off = (got.u[[1, 0]] - after_pulse(10.0)).abs();
        assert!(off < 1e-6, "{}: {off:e}", solver.name);
    }
    let field = system(1, &[], |_, u, _| vec![-u.at(0)]).unwrap();
    let options = SolveOptions::default().breakpoints(vec![0.7, 0.3, 20.0]);
    let got = solve(&field, &[1.0], &[0.0, 1.0], &options).unwrap();
    for at in [0.3, 0.7] {
        let near = |end: f64| (end - at).abs() < 1e-14;
        assert!(got.recorded.steps.iter().any(|s| near(s.end)), "{at}");
    }
    let error = SolveOptions::default().breakpoints(vec![f64::NAN]).check();
    assert!(error.unwrap_err().to_string().contains("breakpoints"));
}

/// u' = r [t > s] − u with u(0) = 0: u(T) = r (1 − e^−(T − s)), so ∂u/∂s = −r e^−(T − s).
fn switched_on() -> VectorField {
    system(1, &[("s", 2.0), ("r", 3.0)], |t, u, p| {
        let zero = p.get("r") * 0.0;
        vec![t.gt(&p.get("s")).select(&p.get("r"), &zero) - u.at(0)]
    })
    .unwrap()
    .trainable(&["s", "r"])
    .unwrap()
}

#[test]
fn the_derivative_by_a_switching_time_is_the_jump_times_the_adjoint() {
    let (field, t) = (switched_on(), [0.0, 1.0, 2.5, 4.0]);
    let bars = [0.7, 2.0, -1.5, 0.5];
    let exact = |x: f64| (1.0 - (2.0 - x).exp(), -3.0 * (2.0 - x).exp());
    let late = t.iter().zip(bars).filter(|(t, _)| **t > 2.0);
    let (by_r, by_s) = late.fold((0.0, 0.0), |(r, s), (t, bar)| {
        (r + bar * exact(*t).0, s + bar * exact(*t).1)
    });
    for adjoint in Adjoint::NAMES {
        for solver in solvers::ALL {
            let adjoint = Adjoint::from_name(adjoint).unwrap();
            let mut options = SolveOptions::default().solver(solver.name).unwrap();
            options = options.tolerances(1e-9, 1e-11).adjoint(adjoint);
            if !solver.is_adaptive() {
                options = options.substeps(400);
            }
            if options.check().is_err() || (solver.order < 3 && solver.is_adaptive()) {
                continue;
            }
            let mut engine = NativeEngine::default();
            let problem = Problem {
                u0: &[0.0],
                t: &t,
                sample: 0,
            };
            engine
                .forward(&field, &[problem], &options, None, true)
                .unwrap();
            let got = engine.backward(&[bars.to_vec()]).unwrap().values;
            let bound = if solver.order < 3 { 1e-2 } else { 1e-5 };
            for (got, want) in got.iter().zip([by_s, by_r]) {
                let off = (got - want).abs();
                assert!(
                    off < bound,
                    "{} {}: {got} {want}",
                    solver.name,
                    adjoint.to_name()
                );
            }
        }
    }
}

#[test]
fn it_agrees_with_finite_differences_backwards_too() {
    // A switch whose time depends on two parameters, in a field that depends on the state.
    let field = |a: f64, b: f64| {
        system(2, &[("a", a), ("b", b)], |t, u, p| {
            let on = (t * &p.get("a")).gt(&p.get("b"));
            let left = u.at(0) * u.at(1) - u.at(0);
            let right = u.at(1).sin() - u.at(0) * 0.5;
            vec![on.select(&left, &right), u.at(0) - u.at(1)]
        })
        .unwrap()
        .trainable(&["a", "b"])
        .unwrap()
    };
    let options = SolveOptions::default().tolerances(1e-11, 1e-12);
    for t in [[0.0, 1.1, 3.0], [3.0, 1.1, 0.0]] {
        let loss = |a: f64, b: f64| {
            let got = solve(&field(a, b), &[1.0, 0.5], &t, &options).unwrap();
            got.u.row(1).sum() - 0.5 * got.u[[2, 0]] + 2.0 * got.u[[2, 1]]
        };
        let h = 1e-5;
        let (a, b) = (1.5, 2.4);
        let want = [
            (loss(a + h, b) - loss(a - h, b)) / (2.0 * h),
            (loss(a, b + h) - loss(a, b - h)) / (2.0 * h),
        ];
        let mut engine = NativeEngine::default();
        let problem = Problem {
            u0: &[1.0, 0.5],
            t: &t,
            sample: 0,
        };
        engine
            .forward(&field(a, b), &[problem], &options, None, true)
            .unwrap();
        let bars = vec![0.0, 0.0, 1.0, 1.0, -0.5, 2.0];
        let got = engine.backward(&[bars]).unwrap().values;
        for (got, want) in got.iter().zip(want) {
            assert!(
                (got - want).abs() < 1e-6 * (1.0 + want.abs()),
                "{got} {want}"
            );
        }
    }
}

#[test]
fn what_holds_switching_times_fixed_says_so() {
    let (field, options) = (switched_on(), SolveOptions::default());
    let by_s = Tangent {
        params: vec![1.0, 0.0],
        ..Tangent::default()
    };
    let error = jvp(&field, &[0.0], &[0.0, 4.0], &options, &[by_s]).unwrap_err();
    assert!(error.to_string().contains("\"s\""), "{error}");
    let mut engine = NativeEngine::default();
    let problem = Problem {
        u0: &[0.0],
        t: &[0.0, 4.0],
        sample: 0,
    };
    engine
        .forward(&field, &[problem], &options, None, true)
        .unwrap();
    let error = engine
        .final_state_jacobians(|_, jacobian| jacobian)
        .unwrap_err();
    assert!(error.to_string().contains("switch"), "{error}");
    // Two reasons at one time, of which one moves.
    let both = system(1, &[("s", 2.0)], |t, u, p| {
        let number = |x: f64| t.builder().constant(&[x]);
        let on = |c: Expr| c.select(&number(1.0), &number(0.0));
        vec![on(t.gt(&p.get("s"))) + on(t.gt(&number(2.0))) - u.at(0)]
    })
    .unwrap()
    .trainable(&["s"])
    .unwrap();
    let mut engine = NativeEngine::default();
    engine
        .forward(&both, &[problem], &options, None, true)
        .unwrap();
    let error = engine.backward(&[vec![0.0, 1.0]]).unwrap_err();
    assert!(error.to_string().contains("two reasons"), "{error}");
}

/// u' = w(t) − u from 0, where w holds 1 from t = 0, −2 from t = 1 and 0.5 from t = 2.5 on.
#[test]
fn a_held_input_jumps_at_its_times_by_every_method() {
    let knots = [0.0, 1.0, 2.5];
    let values = ndarray::array![[1.0], [-2.0], [0.5]];
    let w = InputSignal::hold(&knots, values.view()).unwrap();
    let b = FieldBuilder::new(1);
    let field = b.finish(b.input("w", w.clone()) - b.state()).unwrap();
    let exact = |t: f64| {
        let mut u = 0.0;
        for (i, w) in values.iter().enumerate() {
            let to = knots.get(i + 1).map_or(t, |next| next.min(t));
            if to > knots[i] {
                u = w + (u - w) * (knots[i] - to).exp();
            }
        }
        u
    };
    for solver in solvers::ALL {
        let mut options = SolveOptions::default().solver(solver.name).unwrap();
        options = options.tolerances(1e-9, 1e-11);
        options.max_steps = 1_000_000;
        if !solver.is_adaptive() {
            options = options.substeps(500);
        }
        for t in [vec![0.0, 0.5, 1.0, 2.0, 2.5, 4.0], vec![0.0, 4.0]] {
            let got = solve(&field, &[0.0], &t, &options).unwrap();
            let bound = match (solver.is_adaptive(), solver.order) {
                (false, 1) => 2e-2,
                (false, 2) => 1e-4,
                _ => 2e-6,
            };
            for (t, u) in t.iter().zip(got.u.column(0)) {
                let off = (u - exact(*t)).abs();
                assert!(off < bound, "{} at {t}: {off:e}", solver.name);
            }
        }
        if solver.order >= 5 && solver.name != "kvaerno5" {
            let got = solve(&field, &[0.0], &[0.0, 4.0], &options).unwrap();
            assert!(got.stats.rejected < 40, "{}: {:?}", solver.name, got.stats);
        }
    }
    let mut slope = [1.0];
    for t in [-1.0, 0.0, 0.5, 1.0, 2.5, 9.0] {
        w.derivative(0, t, &mut slope);
        assert_eq!(slope, [0.0], "{t}");
    }
    assert_eq!(w.times(0), knots);
    // Far from zero, and saved.
    let far = InputSignal::hold(&[1e9, 1e9 + 1.0], ndarray::array![[1.0], [2.0]].view()).unwrap();
    let text = serde_json::to_string(&far).unwrap();
    let read: InputSignal = serde_json::from_str(&text).unwrap();
    assert_eq!(read, far);
    assert_eq!(read.breakpoints(0).len(), 3);
    let before = read.breakpoints(0)[1];
    assert!(before < 1e9 + 1.0 && far.values_at(0, &[before])[[0, 0]] == 1.0);
}
