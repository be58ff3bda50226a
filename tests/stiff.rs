//! Implicit and multistep methods: reference trajectories of stiff problems, what they cost, failures.

mod common;

use common::{flat, golden, numbers};
use odesync::dynamics::{robertson, van_der_pol};
use odesync::field::VectorField;
use odesync::odesolve::{Solution, SolveOptions, solve};

/// A reference solution: its problem and values.
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
            u: flat(&case["u"]),
        }
    })
}

/// The largest error of a component over its largest value.
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
            let options = SolveOptions::default().method(method).unwrap();
            let solution = solve(&case.field, &case.u0, &case.t, &options).unwrap();
            let error = error(&case, &solution);
            println!("{} {method}: {error:.1e} {:?}", case.name, solution.stats);
            // SciPy's BDF with the same tolerances is off by 2.9e-2 and 3.4e-7.
            let bound = match (method, case.name) {
                ("radau", _) => 1e-5,
                (_, "van_der_pol") => 8.7e-2,
                _ => 1e-6,
            };
            assert!(error < bound, "{} {method}: {error:e}", case.name);
        }
    }
}
