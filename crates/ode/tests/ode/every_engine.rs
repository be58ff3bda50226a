//! Tests common to all engines: reference trajectories and orders of convergence. The torch engine's tests include this file.

use odesync_ode::dynamics::{lorenz, lotka_volterra};
use odesync_ode::engines::engine;
use odesync_ode::field::{Expr, VectorField, system};
use odesync_ode::odesolve::{Problem, SolveOptions, solve_on, solvers};
use odesync_testing::{flat_numbers, golden, numbers};

use super::ENGINES;
use super::singular_functions::{SINGULAR_FUNCTIONS, singular};

pub fn tight() -> SolveOptions {
    SolveOptions::default().tolerances(1e-11, 1e-11)
}

/// The forced oscillator u″ = −u + t² + 2, with the exact solution (sin t + t², cos t + 2t).
pub fn forced() -> VectorField {
    system(2, &[], |t, u, _| {
        vec![u.at(1), -(u.at(0) - t.square()) + 2.0]
    })
    .unwrap()
}

pub fn exact(t: f64) -> [f64; 2] {
    [t.sin() + t * t, t.cos() + 2.0 * t]
}

/// Returns every pair of a method and an engine.
fn pairs<'a>(methods: &[&'a str], engines: &[&'a str]) -> Vec<(&'a str, &'a str)> {
    methods
        .iter()
        .flat_map(|method| engines.iter().map(|engine| (*method, *engine)))
        .collect()
}

#[test]
fn reference_trajectories() {
    let all = golden("trajectories");
    for (name, field, names, until) in [
        (
            "lotka_volterra",
            lotka_volterra().unwrap(),
            &["a", "b", "c", "d"][..],
            f64::INFINITY,
        ),
        (
            "lorenz3d",
            lorenz().unwrap(),
            &["sigma", "rho", "beta"][..],
            3.0,
        ),
    ] {
        let case = &all[name];
        let mut field = field;
        for (name, value) in names.iter().zip(numbers(&case["params"])) {
            field = field.with_param(name, &[value]).unwrap();
        }
        let t: Vec<f64> = numbers(&case["t"])
            .into_iter()
            .filter(|t| *t <= until)
            .collect();
        let dof = field.dof();
        let want = &flat_numbers(&case["u"])[..t.len() * dof];
        for (method, engine_name) in pairs(&["dopri5", "tsit5"], ENGINES) {
            let options = tight().solver(method).unwrap();
            let mut engine = engine(engine_name, "cpu").unwrap();
            let u0 = numbers(&case["u0"]);
            let got = solve_on(engine.as_mut(), &field, &u0, &t, &options).unwrap();
            let largest = want.iter().fold(0.0, |m: f64, x| m.max(x.abs()));
            let error = got
                .u
                .iter()
                .zip(want)
                .fold(0.0, |m: f64, (a, b)| m.max((a - b).abs()));
            assert!(
                error / largest < 1e-9,
                "{name} {method} {engine_name}: {:e}",
                error / largest
            );
        }
    }
}

#[test]
fn orders_of_convergence() {
    // A second problem: u′ = u cos t, u = e^{sin t}. Its errors are summed over several times, because the leading term may
    // vanish at a single one.
    let growth = system(1, &[], |t, u, _| vec![t.cos() * u.at(0)]).unwrap();
    let times: Vec<f64> = (0..=8).map(|i| f64::from(i) * 0.75).collect();
    // The other families exist only on the native engine, and are tested there.
    let explicit = solvers::ALL.iter().filter(|m| m.tableau().is_some());
    let names: Vec<&str> = explicit.map(|m| m.name).collect();
    for (name, engine_name) in pairs(&names, ENGINES) {
        let method = solvers::by_name(name).unwrap();
        let mut engine = engine(engine_name, "cpu").unwrap();
        let mut error = |n: usize| -> [f64; 2] {
            let options = SolveOptions::default().solver(method.name).unwrap();
            let (all, each) = (options.clone().substeps(4 * n), options.substeps(n));
            let engine = engine.as_mut();
            let a = solve_on(engine, &forced(), &exact(0.0), &[0.0, 6.0], &all).unwrap();
            let b = solve_on(engine, &growth, &[1.0], &times, &each).unwrap();
            assert_eq!(a.stats.steps, 4 * n);
            let end = exact(6.0);
            let first = (a.u[[1, 0]] - end[0]).hypot(a.u[[1, 1]] - end[1]);
            let squares = b.u.iter().zip(&times);
            let second: f64 = squares.map(|(u, t)| (u - t.sin().exp()).powi(2)).sum();
            [first, second.sqrt()]
        };
        // So many steps that the leading term dominates, and so few that rounding does not matter.
        let n = [80, 40, 32, 20, 20, 8, 6, 4][method.order - 1];
        let (coarse, fine) = (error(n), error(2 * n));
        for i in 0..2 {
            let order = (coarse[i] / fine[i]).log2();
            let wanted = method.order as f64;
            assert!(
                (order - wanted).abs() < 0.2,
                "{name} {engine_name} problem {i}: {order}"
            );
        }
    }
}

/// What keeps a function from being evaluated where it is singular.
#[derive(Debug, Clone, Copy)]
enum Guard {
    None,
    Where,
    WhereOfVectors,
    MinMax,
}

#[test]
fn a_branch_that_is_not_taken_contributes_nothing_to_a_gradient() {
    // x stays at or below 0, where the guarded side is never taken; y sees x and the constant.
    let build = |guard: Guard, which: usize| {
        let field = system(2, &[("p", 0.7)], |_, u, p| {
            let (x, y, p) = (u.at(0), u.at(1), p.get("p"));
            let zero = u.builder().constant(&[0.0]);
            let (first, safe) = (&x * &p * -0.5, (&y * &p).sin() + &x * 0.3);
            let second = match guard {
                Guard::None => safe,
                Guard::Where => x.gt(&zero).select(&singular(&x, &p, which), &safe),
                Guard::MinMax => (&y * &p).sin() + x.min(&zero) * 0.3 + x.max(&zero).sqrt() * &p,
                Guard::WhereOfVectors => {
                    let concat = |parts: &[Expr]| u.builder().concat(parts);
                    let bad = singular(&x, &p, which);
                    let untaken = concat(&[bad.clone(), y.clone(), bad]);
                    let taken = concat(&[y.clone(), first.clone(), safe]);
                    let both = x.gt(&zero).select(&untaken, &taken);
                    return vec![both.at(1), both.at(2)];
                }
            };
            vec![first, second]
        });
        field.unwrap().trainable(&["p"]).unwrap()
    };
    let options = SolveOptions::default()
        .solver("rk4")
        .unwrap()
        .step_size(0.1);
    for name in ENGINES {
        for x in [0.0, -0.8] {
            let gradient = |field: &VectorField| {
                let (u0, t) = ([x, 0.4], [0.0, 0.5, 1.3]);
                let (u0, t) = (&u0, &t);
                let mut engine = engine(name, "cpu").unwrap();
                engine
                    .forward(field, &[Problem { u0, t, sample: 0 }], &options, None, true)
                    .unwrap();
                let got = engine
                    .backward(&[vec![0.0, 0.0, 0.3, -1.0, 0.2, 0.6]])
                    .unwrap();
                [got.values, got.u0.concat()].concat()
            };
            let want = gradient(&build(Guard::None, 0));
            assert!(
                want.iter().all(|g| g.is_finite() && *g != 0.0) || x == 0.0,
                "{want:?}"
            );
            let all = (0..SINGULAR_FUNCTIONS)
                .flat_map(|which| [(Guard::Where, which), (Guard::WhereOfVectors, which)]);
            // The slope of max and min at the corner itself is a choice.
            let at_corner = (x != 0.0).then_some((Guard::MinMax, 0));
            for (guard, which) in all.chain(at_corner) {
                let got = gradient(&build(guard, which));
                for (got, want) in got.iter().zip(&want) {
                    assert!(
                        (got - want).abs() < 1e-13,
                        "{name} {guard:?} {which} {x}: {got} {want}"
                    );
                }
            }
        }
    }
}
