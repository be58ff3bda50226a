//! Tests of implicit and multistep methods: reference trajectories of stiff problems, cost, failures.

use odesync_ode::dynamics::{robertson, van_der_pol};
use odesync_ode::field::{VectorField, system};
use odesync_ode::odesolve::{Engine, NativeEngine, Problem, Solution, SolveOptions, solve};
use odesync_testing::{flat_numbers, golden, numbers, relative_error};

/// A reference solution with its problem.
struct Case {
    name: &'static str,
    field: VectorField,
    u0: Vec<f64>,
    t: Vec<f64>,
    u: Vec<f64>,
}

fn cases() -> [Case; 2] {
    let all = golden("trajectories");
    [
        ("van_der_pol", van_der_pol().unwrap(), vec!["mu"]),
        ("robertson", robertson().unwrap(), vec!["k1", "k2", "k3"]),
    ]
    .map(|(name, field, params)| {
        let case = &all[name];
        let values = numbers(&case["params"]);
        let field = params.iter().zip(values).fold(field, |field, (name, v)| {
            field.with_param(name, &[v]).unwrap()
        });
        Case {
            name,
            field,
            u0: numbers(&case["u0"]),
            t: numbers(&case["t"]),
            u: flat_numbers(&case["u"]),
        }
    })
}

/// Returns the largest error of a component, relative to its largest value.
fn error(case: &Case, solution: &Solution) -> f64 {
    let dof = case.u0.len();
    (0..dof)
        .map(|d| {
            let of = |u: &[f64]| -> Vec<f64> { u.iter().skip(d).step_by(dof).copied().collect() };
            let (want, got) = (of(&case.u), of(solution.u.as_slice().unwrap()));
            let largest = want.iter().fold(0.0, |m: f64, x| m.max(x.abs()));
            let off = want
                .iter()
                .zip(got)
                .fold(0.0, |m: f64, (a, b)| m.max((a - b).abs()));
            off / largest
        })
        .fold(0.0, f64::max)
}

#[test]
fn stiff_references() {
    for case in cases() {
        for method in ["radau", "kvaerno5", "rodas5p", "bdf", "auto"] {
            let options = SolveOptions::default().solver(method).unwrap();
            let solution = solve(&case.field, &case.u0, &case.t, &options).unwrap();
            let error = error(&case, &solution);
            println!("{} {method}: {error:.1e} {:?}", case.name, solution.stats);
            // For radau a bound of its own, for the others three times the errors of SciPy's BDF at the same tolerances
            // (2.9e-2 and 3.4e-7).
            let bound = match (method, case.name) {
                ("radau", "van_der_pol") => 5e-6,
                ("radau", _) => 1e-7,
                (_, "van_der_pol") => 8.7e-2,
                _ => 1e-6,
            };
            assert!(error < bound, "{} {method}: {error:e}", case.name);
        }
    }
}

/// The problem u′ = −p s(t) (u − a cos t), which is stiff only around t = 3.
fn stiff_for_a_while() -> VectorField {
    system(1, &[("p", 1.0), ("a", 1.0)], |t, u, p| {
        let bump = (-((t.clone() - 3.0) / 0.7).square()).exp();
        let rate = 1.0 + 5000.0 * bump;
        vec![-(p.get("p") * rate * (u.at(0) - p.get("a") * t.cos()))]
    })
    .unwrap()
    .trainable(&["p", "a"])
    .unwrap()
}

#[test]
fn auto_changes_to_a_stiff_method_and_back() {
    let field = stiff_for_a_while();
    let t: Vec<f64> = (0..=50).map(|i| 0.2 * f64::from(i)).collect();
    let with = |name: &str| SolveOptions::default().solver(name).unwrap();
    let auto = solve(&field, &[1.0], &t, &with("auto")).unwrap();
    let stats = auto.stats;
    println!("auto: {stats:?}");
    assert!(stats.switches >= 2, "there and back");
    assert_eq!(auto.recorded.variants.first(), Some(&0));
    assert_eq!(auto.recorded.variants.last(), Some(&0));
    let from = stats.stiff_from.unwrap();
    assert!((0.5..2.9).contains(&from), "{from}");
    let explicit = solve(&field, &[1.0], &t, &with("dopri5")).unwrap();
    assert_eq!(explicit.stats.stiff_from, None);
    assert!(2 * stats.evaluations < explicit.stats.evaluations);
    let reference = SolveOptions::default()
        .tolerances(1e-11, 1e-12)
        .solver("radau")
        .unwrap();
    let reference = solve(&field, &[1.0], &t, &reference).unwrap();
    let off = |u: &Solution| {
        (&u.u - &reference.u)
            .iter()
            .fold(0.0, |m: f64, x| m.max(x.abs()))
    };
    assert!(off(&auto) < 1e-5, "{:e}", off(&auto));
    // Backwards in time the same problem grows too fast; for a nonstiff one the solution is that of dopri5.
    let mild = odesync_ode::dynamics::lotka_volterra().unwrap();
    let run = |name: &str| solve(&mild, &[1.0, 1.0], &[3.0, 1.0, 0.0], &with(name)).unwrap();
    assert_eq!(run("auto").u, run("dopri5").u);
    assert_eq!(run("auto").stats.switches, 0);
}

#[test]
fn the_gradient_goes_through_the_changes_of_auto() {
    let field = stiff_for_a_while();
    let t: Vec<f64> = (0..=12).map(|i| 0.8 * f64::from(i)).collect();
    let bars: Vec<f64> = t.iter().map(|t| (3.0 * t).cos()).collect();
    let gradient = |name: &str| {
        let options = SolveOptions::default().solver(name).unwrap();
        let problem = Problem {
            u0: &[1.3],
            t: &t,
            sample: 0,
        };
        let mut engine = NativeEngine::default();
        let solved = engine
            .forward(&field, &[problem], &options, None, true)
            .unwrap()
            .remove(0);
        let backward = engine.backward(std::slice::from_ref(&bars)).unwrap();
        let all = field.gather(&backward.values).into_iter();
        let all: Vec<f64> = all.chain(backward.u0[0].clone()).collect();
        let replayed = engine
            .forward(
                &field,
                &[problem],
                &options,
                Some(std::slice::from_ref(&solved.recorded)),
                true,
            )
            .unwrap()
            .remove(0);
        assert_eq!(
            replayed.recorded, solved.recorded,
            "a replay takes the same steps"
        );
        let replay_gradient = engine.backward(std::slice::from_ref(&bars)).unwrap();
        assert!(relative_error(&replay_gradient.u0[0], &backward.u0[0]) < 1e-9);
        (all, solved.recorded, options)
    };
    let (got, recorded, options) = gradient("auto");
    assert!(recorded.variants.contains(&0) && recorded.variants.contains(&1));
    let objective = |i: usize, e: f64| -> f64 {
        let mut p = field.params();
        let mut u0 = [1.3];
        match i {
            2 => u0[0] += e,
            i => p[i] += e,
        }
        let problem = Problem {
            u0: &u0,
            t: &t,
            sample: 0,
        };
        let solved = NativeEngine::default()
            .forward(
                &field.with_params(&p).unwrap(),
                &[problem],
                &options,
                Some(std::slice::from_ref(&recorded)),
                false,
            )
            .unwrap();
        solved[0].u.iter().zip(&bars).map(|(u, b)| u * b).sum()
    };
    let h = 1e-4;
    let want: Vec<f64> = (0..3)
        .map(|i| {
            let near = objective(i, h) - objective(i, -h);
            let far = objective(i, 2.0 * h) - objective(i, -2.0 * h);
            (8.0 * near - far) / (12.0 * h)
        })
        .collect();
    assert!(relative_error(&got, &want) < 1e-8, "{got:?} {want:?}");
    for name in ["radau", "kvaerno5", "rodas5p", "bdf"] {
        let (other, ..) = gradient(name);
        assert!(
            relative_error(&other, &got) < 1e-4,
            "{name}: {other:?} {got:?}"
        );
    }
}

#[test]
fn large_fixed_steps_are_stable() {
    // u′ = −10⁶ (u − cos t), with an initial value far from the slow solution.
    let field = system(1, &[], |t, u, _| vec![-1e6 * (u.at(0) - t.cos())]).unwrap();
    for method in ["radau", "kvaerno5", "rodas5p"] {
        let options = SolveOptions::default()
            .solver(method)
            .unwrap()
            .step_size(0.1);
        let got = solve(&field, &[3.0], &[0.0, 1.0, 2.0], &options).unwrap();
        assert_eq!(got.stats.steps, 20);
        assert!(
            (got.u[[1, 0]] - 1.0_f64.cos()).abs() < 1e-4,
            "{method}: {}",
            got.u
        );
        assert!(
            (got.u[[2, 0]] - 2.0_f64.cos()).abs() < 1e-4,
            "{method}: {}",
            got.u
        );
    }
}

#[test]
fn what_cannot_be_done_says_what_can() {
    let field = robertson().unwrap();
    for name in ["bdf", "auto"] {
        let options = SolveOptions::default().solver(name).unwrap().substeps(3);
        let text = solve(&field, &[1.0, 0.0, 0.0], &[0.0, 1.0], &options)
            .unwrap_err()
            .to_string();
        assert!(text.contains(name) && text.contains("radau"), "{text}");
    }
    // u = z + h u² has no real solution for a large h.
    let square = system(1, &[], |_, u, _| vec![u.at(0).square() + 1.0]).unwrap();
    for name in ["radau", "kvaerno5"] {
        let options = SolveOptions::default().solver(name).unwrap().step_size(5.0);
        let text = solve(&square, &[1.0], &[0.0, 5.0], &options)
            .unwrap_err()
            .to_string();
        assert!(
            text.contains("step_size") && text.contains("t = 0"),
            "{text}"
        );
    }
    let decay = system(1, &[], |_, u, _| vec![(1.0 / 0.26) * u.at(0)]).unwrap();
    // I − h γ J is exactly zero.
    let options = SolveOptions::default()
        .solver("kvaerno5")
        .unwrap()
        .step_size(1.0);
    match solve(&decay, &[1.0], &[0.0, 1.0], &options) {
        Err(error) => assert!(error.to_string().contains("singular"), "{error}"),
        Ok(solution) => panic!("{}", solution.u),
    }
}
