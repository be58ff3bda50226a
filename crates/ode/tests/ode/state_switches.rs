//! Conditions in the state that are located: against solves in pieces and solutions known piece by piece.

use odesync_ode::field::{Expr, VectorField, system};
use odesync_ode::odesolve::{FailureReason, Solution, SolveOptions, Solver, solve, solvers};

fn adaptive() -> impl Iterator<Item = &'static Solver> {
    let all = solvers::ALL.iter().copied();
    all.filter(|m| m.is_adaptive() && m.order >= 3)
}

fn with(method: &Solver, tolerance: f64, switches: bool) -> SolveOptions {
    let mut options = SolveOptions::default().solver(method.name).unwrap();
    options.max_steps = 1_000_000;
    options.tolerances(tolerance, tolerance).switches(switches)
}

fn run(field: &VectorField, (u0, t): (&[f64], &[f64]), options: &SolveOptions) -> Solution {
    solve(field, u0, t, options).unwrap_or_else(|e| panic!("{}: {e}", options.solver.name))
}

fn number(x: &Expr, value: f64) -> Expr {
    x.builder().constant(&[value])
}

/// A block on a belt of speed 1 by a spring, with friction that acts against the sliding: x″ = −x − F sign(x′ − 1). Where |x| > F it
/// slides through the speed of the belt without sticking.
fn friction() -> VectorField {
    system(2, &[("F", 0.1)], |_, u, p| {
        let v = u.at(1);
        vec![v.clone(), -u.at(0) - p.get("F") * (v - 1.0).sign()]
    })
    .unwrap()
}

/// Solution of x″ = −x − s F from a state: a circle around −s F.
fn circle(force: f64, [x, v]: [f64; 2], t: f64) -> [f64; 2] {
    let x = x + force;
    [x * t.cos() + v * t.sin() - force, v * t.cos() - x * t.sin()]
}

/// The block's state at t, starting at rest from x = −3; the times at which it passes the belt's speed.
fn slides(t: f64) -> ([f64; 2], Vec<f64>) {
    let (mut state, mut now, mut force) = ([-3.0, 0.0], 0.0, -0.1);
    let mut hits = vec![];
    loop {
        // v = 1 next, by bisection between a maximum and a minimum of v.
        let speed = |s: f64| circle(force, state, s)[1] - 1.0;
        let first = (1..4000).map(|i| 0.002 * f64::from(i));
        let step = first
            .clone()
            .find(|s| (speed(*s) > 0.0) != (speed(s + 0.002) > 0.0))
            .unwrap();
        let (mut low, mut high) = (step, step + 0.002);
        for _ in 0..60 {
            let middle = 0.5 * (low + high);
            match (speed(middle) > 0.0) == (speed(low) > 0.0) {
                true => low = middle,
                false => high = middle,
            }
        }
        let hit = 0.5 * (low + high);
        if now + hit > t {
            return (circle(force, state, t - now), hits);
        }
        state = circle(force, state, hit);
        now += hit;
        force = -force;
        hits.push(now);
    }
}

#[test]
fn friction_against_the_solution_in_pieces() {
    let field = friction();
    let t: Vec<f64> = (0..=8).map(|i| 0.875 * f64::from(i)).collect();
    let (_, hits) = slides(7.0);
    assert_eq!(hits.len(), 3, "{hits:?}");
    for method in adaptive() {
        let tolerance = 1e-9;
        let located = run(&field, (&[-3.0, 0.0], &t), &with(method, tolerance, true));
        let plain = run(&field, (&[-3.0, 0.0], &t), &with(method, tolerance, false));
        for (t, u) in t.iter().zip(located.u.outer_iter()) {
            let (want, _) = slides(*t);
            let off = (u[0] - want[0]).abs().max((u[1] - want[1]).abs());
            assert!(off < 1e3 * tolerance, "{} {t}: {off:e}", method.name);
        }
        // Steps end there.
        for hit in &hits {
            let near = |end: f64| (end - hit).abs() < 1e-7;
            let found = located.recorded.steps.iter().any(|s| near(s.end));
            assert!(found, "{} at {hit}", method.name);
        }
        assert!(
            located.stats.rejected < plain.stats.rejected,
            "{}: {:?} {:?}",
            method.name,
            located.stats,
            plain.stats
        );
    }
}

/// A relay with hysteresis by the direction of motion: the force changes at x = 1 on the way up, at x = −1 on the way down.
#[test]
fn a_relay_with_hysteresis() {
    let relay = system(2, &[], |_, u, _| {
        let (x, v) = (u.at(0), u.at(1));
        let (one, minus) = (number(&x, 1.0), number(&x, -1.0));
        let up = x.gt(&one).select(&minus, &one);
        let down = x.lt(&minus).select(&one, &minus);
        vec![v.clone(), v.gt(&number(&x, 0.0)).select(&up, &down)]
    })
    .unwrap();
    // From rest at 0: v² = 2 at x = 1, it turns at x = 2; back with force −1 until x = −1, where v² = 6; it turns at −4.
    let turn_right = 2.0_f64.sqrt() * 2.0;
    let to_left = turn_right + 6.0_f64.sqrt();
    let turn_left = to_left + 6.0_f64.sqrt();
    let t = [0.0, turn_right, to_left, turn_left];
    for method in adaptive() {
        let got = run(&relay, (&[0.0, 1e-300], &t), &with(method, 1e-9, true));
        for (i, want) in [2.0, -1.0, -4.0].into_iter().enumerate() {
            let off = (got.u[[i + 1, 0]] - want).abs();
            assert!(off < 1e-6, "{} {i}: {off:e}", method.name);
        }
    }
}

/// A ball on a spring as stiff as a floor: it bounces with its own speed.
#[test]
fn a_stiff_spring_is_a_floor() {
    let stiffness = 1e6;
    let ball = system(2, &[("k", stiffness)], |_, u, p| {
        let depth = (-u.at(0)).max(&number(&u, 0.0));
        vec![u.at(1), p.get("k") * depth - 10.0]
    })
    .unwrap();
    // Falls 5 m in 1 s; in contact for (π + 2 arctan(g/(ω v)))/ω; up again in 1 s.
    let omega = stiffness.sqrt();
    let contact = (std::f64::consts::PI + 2.0 * (10.0 / (omega * 10.0)).atan()) / omega;
    let t = [0.0, 2.0 + contact, 4.0 + 2.0 * contact];
    for method in adaptive() {
        let tolerance = 1e-9;
        let located = run(&ball, (&[5.0, 0.0], &t), &with(method, tolerance, true));
        let plain = run(&ball, (&[5.0, 0.0], &t), &with(method, tolerance, false));
        for i in [1, 2] {
            let off = (located.u[[i, 0]] - 5.0).abs();
            assert!(off < 1e-4, "{} {i}: {off:e}", method.name);
        }
        let rejected = [located.stats.rejected, plain.stats.rejected];
        assert!(rejected[0] <= rejected[1], "{}: {rejected:?}", method.name);
    }
}

#[test]
fn a_sliding_mode_is_an_error_that_says_so() {
    // Both sides of u = 0 lead back to it.
    let sliding = system(1, &[], |_, u, _| vec![-u.at(0).sign()]).unwrap();
    for method in ["dopri5", "radau", "bdf", "auto"] {
        let options = with(solvers::by_name(method).unwrap(), 1e-8, true);
        let got = solve(&sliding, &[1.0], &[0.0, 2.0], &options).map(|s| s.u);
        let error = got.unwrap_err();
        let odesync_base::Error::Solve(failure) = &error else {
            panic!("{method}: {error}");
        };
        assert_eq!(failure.reason, FailureReason::SlidingMode, "{method}");
        assert!((failure.t - 1.0).abs() < 1e-6, "{method}: {}", failure.t);
        assert!(error.to_string().contains("sliding"), "{error}");
        // It starts there already.
        assert!(solve(&sliding, &[0.0], &[0.0, 2.0], &options).is_err());
    }
}

/// What has no conditions in the state is the same solve to the bit.
#[test]
fn nothing_to_locate_changes_nothing() {
    let smooth = odesync_ode::dynamics::lotka_volterra().unwrap();
    let network = {
        let b = odesync_ode::field::FieldBuilder::new(1);
        let w = b.block("w", &[4, 1], &[0.3, -0.2, 0.5, 0.1], true).unwrap();
        let v = b.block("v", &[1, 4], &[0.3, -0.2, 0.5, 0.1], true).unwrap();
        let hidden = b.affine(w, None, &b.state()).relu();
        b.finish(b.affine(v, None, &hidden)).unwrap()
    };
    assert!(!network.switches_with_state());
    for (field, u0) in [(smooth, vec![1.0, 2.0]), (network, vec![0.5])] {
        let runs = [false, true].map(|located| {
            let options = SolveOptions::default().switches(located);
            solve(&field, &u0, &[0.0, 1.0, 5.0], &options).unwrap().u
        });
        assert_eq!(runs[0], runs[1]);
    }
}

/// Conditions on several components, within one another, and those that time enters.
#[test]
fn several_conditions_at_once() {
    // Each component decays at a rate of 2 above its threshold, of 1 below: the thresholds are 0.5, 0.6 and 0.7.
    let field = system(3, &[], |t, u, _| {
        let level = t.builder().constant(&[0.5, 0.6, 0.7]);
        let rate = u.gt(&level).select(&number(&u, 2.0), &number(&u, 1.0));
        vec![u.clone() * rate * -1.0]
    })
    .unwrap();
    let exact = |level: f64, t: f64| {
        let hit = -0.5 * f64::ln(level);
        match t < hit {
            true => (-2.0 * t).exp(),
            false => level * (hit - t).exp(),
        }
    };
    let t = [0.0, 0.1, 0.3, 0.5, 1.0];
    for method in adaptive() {
        let got = run(&field, (&[1.0, 1.0, 1.0], &t), &with(method, 1e-10, true));
        for (t, u) in t.iter().zip(got.u.outer_iter()) {
            for (u, level) in u.iter().zip([0.5, 0.6, 0.7]) {
                let off = (u - exact(level, *t)).abs();
                assert!(off < 1e-7, "{} {t}: {off:e}", method.name);
            }
        }
    }
    // u' = 1 while u < t/2 + 1 or u² > 9, else 3/4: u meets the line at t = 2, 3 at t = 10/3.
    let nested = system(1, &[], |t, u, _| {
        let u = u.at(0);
        let line = t * 0.5 + 1.0;
        let inner = u
            .square()
            .gt(&number(&u, 9.0))
            .select(&number(&u, 1.0), &number(&u, 0.75));
        vec![u.lt(&line).select(&number(&u, 1.0), &inner)]
    })
    .unwrap();
    let options = with(solvers::by_name("tsit5").unwrap(), 1e-10, true);
    let got = run(&nested, (&[0.0], &[0.0, 1.0, 2.0, 3.0, 5.0]), &options);
    for (i, want) in [1.0, 2.0, 2.75, 3.0 + 5.0 / 3.0].into_iter().enumerate() {
        assert!((got.u[[i + 1, 0]] - want).abs() < 1e-9, "{}", got.u);
    }
}
