//! Derivatives of the end states of intervals, against central differences on the same steps.

use ndarray::{Array2, array};
use odesync_ode::field::{FieldBuilder, InputSignal, Unary, VectorField};
use odesync_ode::odesolve::{
    Engine, FinalStateJacobian, NativeEngine, Problem, RecordedSteps, SolveOptions, Solver, solvers,
};

/// Output times and samples of the intervals; the driven field's input has breakpoints in all of them.
const INTERVALS: [(&[f64], usize); 4] = [
    (&[0.0, 0.8], 0),
    (&[0.5, 0.55], 1),
    (&[1.4, 0.1], 0),
    (&[0.2, 0.6, 1.3], 1),
];

/// Returns an oscillator with a network of two layers and a piecewise linear force that differs between two samples. One of its
/// two constants is trainable.
fn driven() -> VectorField {
    let b = FieldBuilder::new(2);
    let force = |values: Array2<f64>| {
        InputSignal::linear(&[0.0, 0.33, 0.52, 0.97, 1.5], values.view()).unwrap()
    };
    let both = [
        force(array![[0.0], [1.0], [-0.5], [0.7], [0.1]]),
        force(array![[0.6], [-0.2], [0.9], [0.0], [-1.0]]),
    ];
    b.input("force", InputSignal::per_sample(&both).unwrap());
    let numbers = |n: usize, phase: f64| -> Vec<f64> {
        (0..n).map(|i| (1.7 * i as f64 + phase).sin()).collect()
    };
    let block = |name: &str, shape: &[usize], phase| {
        let n = shape.iter().product();
        b.block(name, shape, &numbers(n, phase), true).unwrap()
    };
    let (w0, b0) = (block("w0", &[3, 2], 0.3), block("b0", &[3], 1.1));
    let w1 = block("w1", &[2, 3], 2.2);
    let hidden = b.affine(w0, Some(b0), &b.state()).unary(Unary::Tanh);
    let network = b.affine(w1, None, &hidden);
    let mu = b.constant_parameter("mu", 0.8);
    let gain = b.constant_parameter("gain", 1.3);
    let (x, v) = (b.state().at(0), b.state().at(1));
    let acceleration = mu * (1.0 - x.square()) * &v - &x + gain * b.named_parameter("force");
    let known = b.concat(&[v, acceleration]);
    b.finish(known + network)
        .unwrap()
        .trainable(&["mu"])
        .unwrap()
}

/// Returns a ring of twelve reacting cells with one trainable constant: many state variables, few parameters.
fn ring() -> VectorField {
    let b = FieldBuilder::new(12);
    let u = b.state();
    let exchange = b.constant_parameter("exchange", 0.2);
    let rate = b.constant_parameter("rate", 0.9);
    let cells: Vec<_> = (0..12)
        .map(|i| {
            let (left, here, right) = (u.at((i + 11) % 12), u.at(i), u.at((i + 1) % 12));
            let flow = exchange.clone() * (left - 2.0 * &here + right.unary(Unary::Sin));
            flow + rate.clone() * (2.0 * here).unary(Unary::Cos)
        })
        .collect();
    b.finish(b.concat(&cells))
        .unwrap()
        .trainable(&["exchange"])
        .unwrap()
}

/// Returns an initial state of each interval.
fn starts(dof: usize) -> Vec<Vec<f64>> {
    let number = |i: usize, j: usize| (1.3 * i as f64 + 0.9 * j as f64).sin();
    (0..INTERVALS.len())
        .map(|i| (0..dof).map(|j| number(i, j)).collect())
        .collect()
}

fn problems(u0: &[Vec<f64>]) -> Vec<Problem<'_>> {
    let intervals = INTERVALS.iter().zip(u0);
    intervals
        .map(|((t, sample), u0)| Problem {
            u0,
            t,
            sample: *sample,
        })
        .collect()
}

/// Returns the derivatives of all intervals, and the steps that were taken.
fn jacobians(
    field: &VectorField,
    options: &SolveOptions,
) -> (Vec<FinalStateJacobian>, Vec<RecordedSteps>) {
    let starts = starts(field.dof());
    let mut engine = NativeEngine::default();
    let solved = engine
        .forward(field, &problems(&starts), options, None, true)
        .unwrap();
    let jacobians = engine
        .final_state_jacobians(|_, jacobian| jacobian)
        .unwrap();
    (jacobians, solved.into_iter().map(|s| s.recorded).collect())
}

/// Returns the ends of all intervals, one after the other.
fn ends(
    field: &VectorField,
    starts: &[Vec<f64>],
    options: &SolveOptions,
    recorded: &[RecordedSteps],
) -> Vec<f64> {
    let mut engine = NativeEngine::default();
    let solved = engine
        .forward(field, &problems(starts), options, Some(recorded), false)
        .unwrap();
    let end = |u: &[f64]| u[u.len() - field.dof()..].to_vec();
    solved.iter().flat_map(|s| end(&s.u)).collect()
}

/// Returns the fourth-order central difference at 0.
fn difference(ends: impl Fn(f64) -> Vec<f64>) -> Vec<f64> {
    const H: f64 = 3e-4;
    let [a, b, c, d] = [-2.0, -1.0, 1.0, 2.0].map(|n| ends(n * H));
    (0..a.len())
        .map(|i| (8.0 * (c[i] - b[i]) - (d[i] - a[i])) / (12.0 * H))
        .collect()
}

/// Compares each column of the derivatives of all intervals with a difference; returns the largest deviation.
fn largest_deviation(field: &VectorField, options: &SolveOptions) -> f64 {
    let (got, recorded) = jacobians(field, options);
    let (dof, params) = (field.dof(), field.params());
    let mut largest = 0.0_f64;
    let mut compare = |want: &[f64], column: &dyn Fn(&FinalStateJacobian, usize) -> f64| {
        for (jacobian, want) in got.iter().zip(want.chunks_exact(dof)) {
            for (row, want) in want.iter().enumerate() {
                let off = (column(jacobian, row) - want).abs() / (1.0 + want.abs());
                largest = if off.is_nan() { off } else { largest.max(off) };
            }
        }
    };
    for j in 0..dof {
        let want = difference(|h| {
            let mut moved = starts(dof);
            moved.iter_mut().for_each(|u0| u0[j] += h);
            ends(field, &moved, options, &recorded)
        });
        compare(&want, &|jacobian, row| jacobian.du_du0[row * dof + j]);
    }
    for i in 0..params.len() {
        let want = difference(|h| {
            let mut moved = params.clone();
            moved[i] += h;
            let field = field.with_params(&moved).unwrap();
            ends(&field, &starts(dof), options, &recorded)
        });
        let n = params.len();
        compare(&want, &|jacobian, row| jacobian.du_dparams[row * n + i]);
    }
    largest
}

fn with(method: &Solver) -> SolveOptions {
    SolveOptions::default().solver(method.name).unwrap()
}

fn fields_and_methods() -> impl Iterator<Item = (VectorField, &'static Solver)> {
    let fields = [driven(), ring()];
    fields
        .into_iter()
        .flat_map(|field| solvers::ALL.iter().map(move |m| (field.clone(), *m)))
}

#[test]
fn fixed_steps() {
    for (field, method) in fields_and_methods() {
        let options = with(method);
        for options in [options.clone().substeps(3), options.step_size(0.07)] {
            if options.check().is_err() {
                assert!(method.is_adaptive(), "{}", method.name);
                continue;
            }
            let off = largest_deviation(&field, &options);
            assert!(off < 1e-8, "{}: {off:e}", method.name);
        }
    }
}

#[test]
fn adaptive_steps() {
    for (field, method) in fields_and_methods().filter(|(_, m)| m.is_adaptive()) {
        let off = largest_deviation(&field, &with(method).tolerances(1e-5, 1e-6));
        assert!(off < 1e-8, "{}: {off:e}", method.name);
    }
}

/// Rows of whole solutions, by tangents where there are many of them, against one gradient each.
#[test]
fn rows_of_a_solution_are_the_gradients_of_its_values() {
    let t: Vec<f64> = (0..21).map(|i| 0.07 * f64::from(i)).collect();
    for (field, solver) in [(driven(), "dopri5"), (ring(), "tsit5"), (driven(), "radau")] {
        let (dof, n_params) = (field.dof(), field.n_params());
        let u0 = starts(dof);
        let problems: Vec<Problem> = u0[..2]
            .iter()
            .enumerate()
            .map(|(sample, u0)| Problem { u0, t: &t, sample })
            .collect();
        let options = SolveOptions::default().solver(solver).unwrap();
        let mut engine = NativeEngine::default();
        let solved = engine.forward(&field, &problems, &options, None, true);
        let n = solved.unwrap()[0].u.len();
        let few = vec![vec![n - 1], vec![3, dof]];
        let many = vec![(dof..n).collect(), (0..n).step_by(2).collect()];
        for rows in [few, many] {
            let found = engine.solution_jacobians(&rows, |_, jacobian| jacobian);
            for (i, found) in found.unwrap().iter().enumerate() {
                for (at, row) in rows[i].iter().enumerate().step_by(3) {
                    let mut bars = vec![vec![0.0; n]; 2];
                    bars[i][*row] = 1.0;
                    let wanted = engine.backward(&bars).unwrap();
                    let params = field.gather(&wanted.values);
                    let pairs = wanted.u0[i].iter().chain(&params);
                    let of_row = found.du_du0[at * dof..(at + 1) * dof]
                        .iter()
                        .chain(&found.du_dparams[at * n_params..(at + 1) * n_params]);
                    for (x, y) in of_row.zip(pairs) {
                        assert!((x - y).abs() < 1e-10 * y.abs().max(1.0), "{solver} {x} {y}");
                    }
                }
            }
        }
        let beyond = engine.solution_jacobians(&[vec![n], vec![]], |_, jacobian| jacobian);
        assert!(beyond.is_err());
    }
}
