//! Equations of known systems from noisy data.

use std::collections::BTreeSet;

use super::*;
use crate::models::{blackbox, second_order};
use odesync_ode::dynamics;
use odesync_ode::field::{Unary, system};

const LOTKA_VOLTERRA: [(usize, &str, f64); 4] = [
    (0, "u[0]", 1.3),
    (0, "u[0] u[1]", -0.9),
    (1, "u[1]", -1.8),
    (1, "u[0] u[1]", 0.8),
];
/// The coefficients that PySINDy 2.1.0 finds in the data of noise seed 10, with the one threshold of those tried that leaves the right
/// terms: sequentially thresholded least squares on smoothed finite differences. `tools/pysindy_reference.py` makes them from what
/// `dataset(lotka_volterra(), [0.44249296, 4.6280594], arange(0.0, 6.05, 0.1)).add_noise(0.05, #{ relative_to: "mean", seed: 10 })`
/// writes as a table. On the Lorenz data of ten time units no threshold leaves fewer than 18 terms.
const LOTKA_VOLTERRA_BY_PYSINDY: [f64; 4] = [1.1444, -0.7772, -1.6690, 0.7131];
const LORENZ: [(usize, &str, f64); 7] = [
    (0, "u[0]", -10.0),
    (0, "u[1]", 10.0),
    (1, "u[0]", 28.0),
    (1, "u[1]", -1.0),
    (1, "u[0] u[2]", -1.0),
    (2, "u[0] u[1]", 1.0),
    (2, "u[2]", -8.0 / 3.0),
];

fn lorenz(n: usize, seed: u64) -> Measured {
    let noise = (0.25, RelativeTo::Nothing, seed);
    measured(
        &dynamics::lorenz().unwrap(),
        &[1.2, 2.1, 1.7],
        (0.1, n),
        noise,
    )
}

fn lorenz_equations(measured: &Measured) -> Equations {
    let model = blackbox(&[3, 50, 50, 3], Unary::Gelu, &mut generator(10)).unwrap();
    measured.equations(Library::polynomials(2), &model)
}

#[test]
fn lotka_volterra_for_six_noises() {
    let system = dynamics::lotka_volterra().unwrap();
    for seed in 10..16 {
        let noise = (0.05, RelativeTo::Mean, seed);
        let measured = measured(&system, &[0.44249296, 4.6280594], (0.1, 61), noise);
        let model = blackbox(&[2, 32, 2], Unary::Gelu, &mut generator(10)).unwrap();
        let equations = measured.equations(Library::polynomials(2), &model);
        assert_terms(&equations, &LOTKA_VOLTERRA, 0.025);
        assert!(equations.log_evidence > equations.network_log_evidence);
        assert!(equations.notes.is_empty(), "{:?}", equations.notes);
        let known: Vec<f64> = LOTKA_VOLTERRA.iter().map(|(.., value)| *value).collect();
        let within_three = (equations.coefficients.iter().zip(known))
            .filter(|(c, value)| (c.value - value).abs() < 3.0 * c.error)
            .count();
        assert_eq!(within_three, 4, "{}", equations.text());
        if seed == 10 {
            for (i, (.., value)) in LOTKA_VOLTERRA.iter().enumerate() {
                let ours = (equations.coefficients[i].value - value).abs();
                let theirs = (LOTKA_VOLTERRA_BY_PYSINDY[i] - value).abs();
                assert!(ours < theirs / 3.0, "{i}: {}", equations.text());
            }
        }
        let error = measured.extrapolation_error(&equations.system);
        assert!(error < measured.extrapolation_error(&equations.network));
    }
}

#[test]
fn lorenz_from_thirty_one_times() {
    let measured = lorenz(31, 10);
    let equations = lorenz_equations(&measured);
    assert_terms(&equations, &LORENZ, 0.05);
    let error = measured.extrapolation_error(&equations.system);
    assert!(error < measured.extrapolation_error(&equations.network));
}

/// `cargo test --release -p odesync-train --lib equations -- --ignored --nocapture forty_noises`
#[test]
#[ignore = "takes half a minute in a release build"]
fn lorenz_from_thirty_one_times_with_forty_noises() {
    use rayon::prelude::*;
    let found: Vec<(u64, Equations)> = (10..50_u64)
        .into_par_iter()
        .map(|seed| (seed, lorenz_equations(&lorenz(31, seed))))
        .collect();
    let mut silent = vec![];
    for (seed, equations) in &found {
        let terms = |i: usize| {
            let all = equations.coefficients.iter().filter(move |c| c.output == i);
            all.map(|c| c.term.as_str()).collect::<BTreeSet<_>>()
        };
        let right = (0..3).all(|i| {
            let known = LORENZ.iter().filter(|(output, ..)| *output == i);
            terms(i) == known.map(|(_, term, _)| *term).collect()
        });
        println!("noise {seed}: {right}\n{}", equations.text());
        if !right && equations.notes.is_empty() {
            silent.push(*seed);
        }
    }
    // Other terms are likelier by a factor of 20 without a word: in one of 20 data sets at most.
    assert!(silent.len() <= 2, "{silent:?}");
}

/// `cargo test --release -p odesync-train --lib equations -- --ignored lorenz`
#[test]
#[ignore = "takes a minute"]
fn lorenz_from_ten_time_units() {
    for seed in 10..13 {
        let measured = lorenz(101, seed);
        let equations = lorenz_equations(&measured);
        assert_terms(&equations, &LORENZ, 0.01);
        let time = measured.prediction_time(&equations.system);
        assert!(
            time > measured.prediction_time(&equations.network),
            "{time}"
        );
    }
}

/// `cargo test --release -p odesync-train --lib equations -- --ignored lorenz`
#[test]
#[ignore = "takes minutes"]
fn lorenz_from_twenty_time_units() {
    let measured = lorenz(201, 10);
    let equations = lorenz_equations(&measured);
    assert_terms(&equations, &LORENZ, 0.01);
    let time = measured.prediction_time(&equations.system);
    assert!(
        time > measured.prediction_time(&equations.network),
        "{time}"
    );
}

#[test]
fn few_data_are_told_to_be_few() {
    let equations = lorenz_equations(&lorenz(9, 10));
    let notes = equations.notes.join("\n");
    assert!(
        notes.contains("hardly tell"),
        "{notes}\n{}",
        equations.text()
    );
}

#[test]
fn noise_that_hides_a_term_is_told() {
    // With noise of a tenth of the spread, three time units no longer tell the term −u[1] of du[1]/dt.
    let noise = (0.1, RelativeTo::Std, 10);
    let system = dynamics::lorenz().unwrap();
    let equations = lorenz_equations(&measured(&system, &[1.2, 2.1, 1.7], (0.1, 31), noise));
    let notes = equations.notes.join("\n");
    assert!(
        notes.contains("hardly tell"),
        "{notes}\n{}",
        equations.text()
    );
    assert!(notes.contains("together have the probability"), "{notes}");
}

#[test]
fn a_sine_is_outside_of_polynomials_and_inside_of_trigonometric_terms() {
    let pendulum = system(2, &[], |_, u, _| {
        vec![u.at(1), -0.25 * u.at(1) - 4.0 * u.at(0).sin()]
    });
    let noise = (0.05, RelativeTo::Std, 10);
    let measured = measured(&pendulum.unwrap(), &[2.5, 0.0], (0.1, 81), noise);
    let model = second_order(&[2, 32, 1], Unary::Gelu, &mut generator(10)).unwrap();

    let polynomials = measured.equations(Library::polynomials(2), &model);
    assert!(polynomials.network_log_evidence > polynomials.log_evidence);
    assert!(polynomials.notes[0].contains("outside the library"));

    let library = Library::polynomials(2).with_trigonometric(1.0);
    let equations = measured.equations(library, &model);
    assert_terms(
        &equations,
        &[(0, "u[1]", -0.25), (0, "sin(u[0])", -4.0)],
        0.05,
    );
    assert!(equations.log_evidence > equations.network_log_evidence);
    let error = measured.extrapolation_error(&equations.system);
    assert!(error < measured.extrapolation_error(&equations.network));
}

#[test]
fn the_units_of_the_data_do_not_matter() {
    // u₀ in millionths, u₁ in thousands, time in hours of a process that takes seconds.
    let (a, b, hour) = (1e-6, 1e3, 3600.0);
    let scaled = system(2, &[], |_, u, _| {
        let (x, y) = (u.at(0), u.at(1));
        vec![
            hour * 1.3 * &x - hour * 0.9 / b * &x * &y,
            hour * 0.8 / a * &x * &y - hour * 1.8 * &y,
        ]
    });
    let noise = (0.05, RelativeTo::Mean, 10);
    let u0 = [0.44249296 * a, 4.6280594 * b];
    let measured = measured(&scaled.unwrap(), &u0, (0.1 / hour, 61), noise);
    let model = blackbox(&[2, 32, 2], Unary::Gelu, &mut generator(10)).unwrap();
    let equations = measured.equations(Library::polynomials(2), &model);
    let units = [hour, hour / b, hour, hour / a];
    let expected: Vec<_> = (LOTKA_VOLTERRA.iter().zip(units))
        .map(|((output, term, value), unit)| (*output, *term, value * unit))
        .collect();
    assert_terms(&equations, &expected, 0.025);
}

#[test]
fn noise_has_no_equations() {
    let still = system(1, &[], |_, u, _| vec![0.0 * u]).unwrap();
    let measured = measured(&still, &[1.0], (0.1, 41), (0.1, RelativeTo::Nothing, 10));
    let model = blackbox(&[1, 8, 1], Unary::Gelu, &mut generator(10)).unwrap();
    let equations = measured.equations(Library::polynomials(2), &model);
    assert_eq!(equations.terms(), 0, "{}", equations.text());
    assert!(!equations.notes.is_empty());
    assert_eq!(equations.system.derivative(0.0, &[3.0]).unwrap(), [0.0]);
}
