//! Tests for every engine: reference losses, gradients and training curve; agreement between engines on recorded steps. The torch
//! engine's tests include this file.

use ndarray::{Axis, array, concatenate};
use odesync_ode::engines::engine;
use odesync_ode::odesolve::SolveOptions;
use odesync_testing::{golden, relative_error};
use odesync_train::datasets::Dataset;
use odesync_train::schedules::Schedule;
use odesync_train::synchronization::Coupling;
use odesync_train::training::{MultipleShooting, Objective, Observation, TrainingMethod};

use super::ENGINES;
use super::differences::held_to_differences;
use super::observed::{driven, objective, ragged};
use super::reference::{dataset, homotopy, losses_and_gradients, model, training_curve};

#[test]
fn reference_losses_and_gradients_on_every_engine() {
    for engine in ENGINES.iter().copied() {
        losses_and_gradients(engine, "cpu");
    }
}

/// Checks every method's gradient, including that of corrections, on recorded steps by finite differences, and that engines agree.
#[test]
fn gradients_on_recorded_steps_and_engines_agree() {
    let all = golden("losses_and_gradients");
    let case = &all["lv_graybox"];
    let (model, clean) = (model(case), dataset(case).head(31).unwrap());
    // The second sample has other values than the first, so that a wrong index shows. There are missing values, one of them at
    // the start of a segment.
    let one = clean.u().to_owned();
    let other = one.mapv(|x| 0.8 * x + 0.3);
    let mut u = concatenate(Axis(0), &[one.view(), other.view()]).unwrap();
    for (sample, time, d) in [(0, 3, 0), (0, 8, 1), (1, 16, 0), (1, 30, 1)] {
        u[[sample, time, d]] = f64::NAN;
    }
    let start = clean.u0().to_owned();
    let starts = concatenate(
        Axis(0),
        &[start.view(), start.mapv(|x| 0.8 * x + 0.3).view()],
    )
    .unwrap();
    let data = Dataset::new(clean.t().to_owned(), u, Some(starts)).unwrap();
    let matrix = Coupling::Matrix(ndarray::arr2(&[[6.0, 0.5], [-0.7, 4.0]]));
    let shooting = MultipleShooting {
        segments: 4,
        continuity_weight: 0.3,
    };
    for (method, lambda) in [
        (TrainingMethod::Vanilla, 0.0),
        (homotopy(6.0, Schedule::list(vec![1.0]).unwrap()), 0.7),
        (homotopy(matrix, Schedule::list(vec![1.0]).unwrap()), 0.4),
        (TrainingMethod::MultipleShooting(shooting), 0.0),
    ] {
        let make = |name: &str| {
            Objective::new(
                &model,
                &data,
                &method,
                &SolveOptions::default(),
                engine(name, "cpu").unwrap(),
            )
            .unwrap()
        };
        let mut native = make("native");
        let mut params = native.initial_params();
        let n_model = native.n_model_params();
        for (i, p) in params[n_model..].iter_mut().enumerate() {
            *p = 0.05 * (i as f64 + 1.0).sin();
        }
        let which = (0..n_model).step_by(37).chain(n_model..params.len());
        let (at, recorded) = held_to_differences(&mut native, (&params, lambda), which, 1e-8);
        for name in ENGINES.iter().copied() {
            let other = make(name)
                .evaluate(&params, lambda, true, Some(&recorded))
                .unwrap();
            assert!(
                (other.loss / at.loss - 1.0).abs() < 1e-11,
                "{name} {}",
                method.name()
            );
            assert!(
                relative_error(&other.gradient, &at.gradient) < 1e-11,
                "{name} {}",
                method.name()
            );
        }
    }
}

#[test]
fn reference_training_curve_on_every_engine() {
    for engine in ENGINES.iter().copied() {
        training_curve(engine, "cpu");
    }
}

fn coupled(coupling: impl Into<Coupling>) -> TrainingMethod {
    homotopy(coupling, Schedule::list(vec![1.0]).unwrap())
}

#[test]
fn gradients_of_everything_at_once_on_recorded_steps_and_engines_agree() {
    let (model, data) = (driven(), ragged());
    let matrix = Coupling::Matrix(array![[6.0, 0.5], [-0.7, 4.0]]);
    let shooting = TrainingMethod::MultipleShooting(MultipleShooting {
        segments: 3,
        continuity_weight: 0.3,
    });
    let hidden = array![[f64::NAN, 0.5, f64::NAN], [-2.0, 1.5, 14.0]];
    for train_u0 in [false, true] {
        let mut observation = Observation::of_variables([2, 0]).with_u0(hidden.clone());
        observation.train_u0 = train_u0;
        for (method, lambda) in [
            (TrainingMethod::Vanilla, 0.0),
            (coupled(5.0), 0.6),
            (coupled(matrix.clone()), 0.4),
            (shooting.clone(), 0.0),
        ] {
            let mut native = objective(&model, &data, &method, &observation, "native");
            let mut params = native.initial_params();
            let n_model = native.n_model_params();
            let expected = match (&method, train_u0) {
                (TrainingMethod::MultipleShooting(_), true) => 2 * 2 * 3 + 6,
                (TrainingMethod::MultipleShooting(_), false) => 2 * 2 * 3,
                (_, true) => 6,
                (_, false) => 0,
            };
            assert_eq!(params.len() - n_model, expected);
            if train_u0 {
                // The initial states come last, sample after sample.
                let u0 = &params[params.len() - 6..];
                assert_eq!(u0[..3], [1.0, 0.5, 20.0]);
                assert_eq!(u0[3..], [-2.0, 1.5, 14.0]);
            }
            for (i, p) in params[n_model..].iter_mut().enumerate() {
                *p += 0.05 * (i as f64 + 1.0).sin();
            }
            let which = (0..n_model).step_by(11).chain(n_model..params.len());
            let (at, recorded) = held_to_differences(&mut native, (&params, lambda), which, 1e-7);
            for name in ENGINES.iter().copied() {
                let mut other = objective(&model, &data, &method, &observation, name);
                let other = other
                    .evaluate(&params, lambda, true, Some(&recorded))
                    .unwrap();
                assert!((other.loss / at.loss - 1.0).abs() < 1e-11, "{name}");
                assert!(
                    relative_error(&other.gradient, &at.gradient) < 1e-10,
                    "{name}"
                );
            }
        }
    }
}
