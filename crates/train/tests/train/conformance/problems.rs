//! Problems with known solutions, and helpers.

use odesync_ode::field::{VectorField, system};
use odesync_ode::odesolve::{Engine, NativeEngine, Problem, RecordedSteps, SolveOptions, Solver};

/// Problem with a known solution.
pub struct Known {
    pub name: &'static str,
    pub field: VectorField,
    pub span: (f64, f64),
    pub exact: fn(f64) -> Vec<f64>,
}

/// Returns three problems: u″ = −u with a forcing in time, growth with a rate that depends on time, and a nonlinear problem with
/// a stiff component.
pub fn known() -> [Known; 3] {
    [
        Known {
            name: "forced oscillator",
            field: system(2, &[], |t, u, _| {
                vec![u.at(1), -(u.at(0) - t.square()) + 2.0]
            })
            .unwrap(),
            span: (0.0, 6.0),
            exact: |t| vec![t.sin() + t * t, t.cos() + 2.0 * t],
        },
        Known {
            name: "growth",
            field: system(1, &[], |t, u, _| vec![t.cos() * u.at(0)]).unwrap(),
            span: (0.0, 7.0),
            exact: |t| vec![t.sin().exp()],
        },
        // Kaps' problem with ε = 0.05.
        Known {
            name: "Kaps",
            field: system(2, &[("rate", 20.0)], |_, u, p| {
                let (x, y) = (u.at(0), u.at(1));
                let rate = p.get("rate");
                vec![
                    -(2.0 + rate.clone()) * &x + rate * y.square(),
                    &x - &y * (1.0 + &y),
                ]
            })
            .unwrap(),
            span: (0.0, 3.0),
            exact: |t| vec![(-2.0 * t).exp(), (-t).exp()],
        },
    ]
}

/// Returns a nonlinear problem and one whose rate depends on time. Their errors show the order already where they are well above
/// rounding: the leading error terms of the best solvers are so small that in most problems the following terms show.
pub fn of_plain_order() -> [Known; 2] {
    [
        Known {
            name: "rotation by the squared distance",
            field: system(2, &[], |_, u, _| {
                let (x, y) = (u.at(0), u.at(1));
                let rate = x.square() + y.square();
                vec![-(&y * &rate), &x * &rate]
            })
            .unwrap(),
            span: (0.0, 4.0),
            exact: |t| vec![t.cos(), t.sin()],
        },
        Known {
            name: "threefold growth",
            field: system(1, &[], |t, u, _| vec![3.0 * t.cos() * u.at(0)]).unwrap(),
            span: (0.0, 7.0),
            exact: |t| vec![(3.0 * t.sin()).exp()],
        },
    ]
}

/// Returns the default options with this solver.
pub fn with(method: &Solver) -> SolveOptions {
    SolveOptions::default().solver(method.name).unwrap()
}

/// Solves a problem on recorded steps.
pub fn replayed(
    field: &VectorField,
    u0: &[f64],
    t: &[f64],
    options: &SolveOptions,
    recorded: RecordedSteps,
) -> Vec<f64> {
    let problem = Problem { u0, t, sample: 0 };
    let mut engine = NativeEngine::default();
    let mut solved = engine
        .forward(field, &[problem], options, Some(&[recorded]), false)
        .unwrap();
    solved.remove(0).u
}

/// Returns the largest absolute difference.
pub fn distance(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    let off = a.iter().zip(b).map(|(a, b)| (a - b).abs());
    off.fold(0.0, |m, x| if x.is_nan() { x } else { m.max(x) })
}
