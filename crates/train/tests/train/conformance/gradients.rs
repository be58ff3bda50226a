//! Exact discrete gradients, compared with finite differences on recorded steps, and with those of a fine explicit solve.

use super::problems::{distance, with};
use crate::oscillator::oscillator;
use odesync_ode::field::VectorField;
use odesync_ode::odesolve::{
    Engine, NativeEngine, Problem, RecordedSteps, SolveOptions, Solver, solvers,
};

const U0: [f64; 2] = [1.7, 0.3];

fn times() -> Vec<f64> {
    (0..9).map(|i| 0.04 * f64::from(i * i)).collect()
}

fn bars(n: usize) -> Vec<f64> {
    (0..n).map(|i| (0.7 * i as f64).cos()).collect()
}

/// Returns ∂/∂θ and ∂/∂u₀ of Σ ⟨bars, u⟩, and the recorded steps.
fn gradient(field: &VectorField, options: &SolveOptions) -> (Vec<f64>, RecordedSteps) {
    let t = times();
    let problem = Problem {
        u0: &U0,
        t: &t,
        sample: 0,
    };
    let mut engine = NativeEngine::default();
    let solved = engine
        .forward(field, &[problem], options, None, true)
        .unwrap();
    let found = engine.backward(&[bars(2 * t.len())]).unwrap();
    let all = field.gather(&found.values).into_iter();
    (
        all.chain(found.u0[0].clone()).collect(),
        solved[0].recorded.clone(),
    )
}

fn objective(
    field: &VectorField,
    u0: &[f64],
    options: &SolveOptions,
    recorded: &RecordedSteps,
) -> f64 {
    let t = times();
    let problem = Problem {
        u0,
        t: &t,
        sample: 0,
    };
    let solved = NativeEngine::default()
        .forward(
            field,
            &[problem],
            options,
            Some(std::slice::from_ref(recorded)),
            false,
        )
        .unwrap();
    let bars = bars(2 * t.len());
    solved[0].u.iter().zip(bars).map(|(u, b)| u * b).sum()
}

/// Computes the fourth-order central difference at 0.
fn difference(f: &mut dyn FnMut(f64) -> f64) -> f64 {
    let h = 3e-4;
    (8.0 * (f(h) - f(-h)) - (f(2.0 * h) - f(-2.0 * h))) / (12.0 * h)
}

fn by_differences(
    field: &VectorField,
    options: &SolveOptions,
    recorded: &RecordedSteps,
) -> Vec<f64> {
    let params = field.params();
    (0..4)
        .map(|i| {
            difference(&mut |e| {
                let (mut p, mut u0) = (params.clone(), U0);
                match i {
                    0 | 1 => p[i] += e,
                    _ => u0[i - 2] += e,
                }
                objective(&field.with_params(&p).unwrap(), &u0, options, recorded)
            })
        })
        .collect()
}

fn options(method: &Solver, tolerance: f64) -> SolveOptions {
    let options = with(method).tolerances(tolerance, 0.1 * tolerance);
    match method.is_adaptive() {
        true => options,
        false => options.step_size(if tolerance < 1e-8 { 2e-4 } else { 0.01 }),
    }
}

#[test]
fn finite_differences_on_the_same_steps() {
    let field = oscillator();
    for method in solvers::ALL {
        let options = options(method, 1e-5);
        let (got, recorded) = gradient(&field, &options);
        let want = by_differences(&field, &options, &recorded);
        let largest = want.iter().fold(0.0, |m: f64, x| m.max(x.abs()));
        let off = distance(&got, &want) / largest;
        println!(
            "{}: {off:.1e} in {} steps",
            method.name,
            recorded.steps.len()
        );
        assert!(off < 2e-8, "{}: {got:?} {want:?}", method.name);
    }
}

#[test]
fn gradients_of_fine_solves_agree() {
    let field = oscillator();
    let reference = SolveOptions::default().tolerances(1e-12, 1e-13);
    let (want, _) = gradient(&field, &reference);
    let largest = want.iter().fold(0.0, |m: f64, x| m.max(x.abs()));
    for method in solvers::ALL.iter().filter(|m| m.order > 2) {
        let (got, _) = gradient(&field, &options(method, 1e-9));
        let off = distance(&got, &want) / largest;
        println!("{}: {off:.1e}", method.name);
        assert!(off < 1e-5, "{}: {got:?} {want:?}", method.name);
    }
}
