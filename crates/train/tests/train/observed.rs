//! Test data: samples at different times, an observed part of the state, and a different input for each sample.

use ndarray::{Array1, Axis, array};
use odesync_base::random::Generator;
use odesync_ode::dynamics::lorenz;
use odesync_ode::engines::engine;
use odesync_ode::field::{InputSignal, Unary, VectorField};
use odesync_ode::odesolve::{SolveOptions, solve};
use odesync_train::datasets::Dataset;
use odesync_train::models::driven_graybox;
use odesync_train::smoothing::spline_input;
use odesync_train::training::{Objective, Observation, TrainingMethod};

const NAN: f64 = f64::NAN;

pub fn times(from: f64, n: usize, step: f64) -> Array1<f64> {
    (0..n).map(|i| from + step * i as f64).collect()
}

pub fn objective(
    model: &VectorField,
    data: &Dataset,
    method: &TrainingMethod,
    observation: &Observation,
    engine_name: &str,
) -> Objective {
    let solver = SolveOptions::default();
    let engine = engine(engine_name, "cpu").unwrap();
    Objective::with_observation(model, data, method, observation, &solver, engine).unwrap()
}

/// Returns two samples of Lorenz' first and third variable, at different times, each with a missing value.
pub fn ragged() -> Dataset {
    let sample = |u0: &[f64], t: Array1<f64>, hole: (usize, usize)| {
        let u = solve(
            &lorenz().unwrap(),
            u0,
            &t.to_vec(),
            &SolveOptions::default(),
        )
        .unwrap()
        .u;
        let mut observed = u.select(Axis(1), &[2, 0]);
        observed[hole] = NAN;
        (t, observed)
    };
    let samples = vec![
        sample(&[1.0, 2.0, 20.0], times(0.0, 13, 0.03), (4, 0)),
        sample(&[-3.0, 1.0, 15.0], times(0.1, 10, 0.035), (5, 1)),
    ];
    Dataset::ragged(samples, None).unwrap()
}

/// Returns a gray-box model of three state variables with a different input for each sample.
pub fn driven() -> VectorField {
    let first = InputSignal::linear(
        &[0.0, 0.11, 0.2],
        array![[0.0, 1.0], [2.0, -1.0], [1.0, 0.0]].view(),
    );
    let second = spline_input(
        &[0.05, 0.2, 0.3, 0.5],
        array![[1.0, 0.5], [0.0, 1.0], [2.0, 0.0], [1.0, 1.0]].view(),
        0.0,
    );
    let input = InputSignal::per_sample(&[first.unwrap(), second.unwrap()]).unwrap();
    driven_graybox(
        &[3, 6, 3],
        Unary::Tanh,
        &[("sigma", 9.0)],
        &[("w", input)],
        &mut Generator::manual_seed(3),
        |_, u, nn, p| {
            let w = p.get("w");
            vec![
                p.get("sigma") * (u.at(1) - u.at(0)) + nn.at(0),
                u.at(0) * (25.0 - u.at(2)) - u.at(1) + 3.0 * nn.at(1) * w.at(0),
                u.at(0) * u.at(1) - 2.5 * u.at(2) + 5.0 * w.at(1),
            ]
        },
    )
    .unwrap()
    .trainable(&["sigma"])
    .unwrap()
}
