//! Trainings whose solves have doses and events that change the state: against closed solutions, differences and saved runs.

use ndarray::{Array1, Array2};
use odesync_base::options::Named;
use odesync_ode::engines::engine;
use odesync_ode::field::{VectorField, system};
use odesync_ode::odesolve::{Direction, Dose, Event, Jump, SolveOptions};
use odesync_train::datasets::Dataset;
use odesync_train::schedules::Schedule;
use odesync_train::training::{
    Homotopy, MultipleShooting, Objective, Optimizer, Run, TrainOptions, TrainingMethod,
    WeakConstraint, train,
};

/// Times of the doses.
const DOSES: [f64; 3] = [0.0, 1.0, 2.5];

/// A drug that is eliminated at the rate k; the size d of a dose is a constant that only the doses know.
fn drug(k: f64, d: f64) -> VectorField {
    let constants = [("k", k), ("d", d)];
    let field = system(1, &constants, |_, u, p| {
        vec![-(u.at(0) * p.get("k")) + p.get("d") * 0.0]
    });
    field.unwrap().trainable(&["k", "d"]).unwrap()
}

fn doses() -> SolveOptions {
    let jump = Jump::new(1, &[("d", 0.0)], |_, u, p| vec![u.at(0) + p.get("d")]);
    let dose = Dose::new(&DOSES, jump.unwrap().with_field_parameters()).unwrap();
    SolveOptions::default().dose(dose)
}

/// The sum of what is left of each dose by then.
fn left(t: f64, k: f64, d: f64) -> f64 {
    let given = DOSES.iter().filter(|at| **at <= t);
    given.map(|at| d * (-k * (t - at)).exp()).sum()
}

/// The exact amounts at times beside those of the doses, from nothing.
fn data(k: f64, d: f64) -> Dataset {
    let t = Array1::from_shape_fn(21, |i| i as f64 * 0.2);
    let u = t.mapv(|t| left(t, k, d)).insert_axis(ndarray::Axis(1));
    Dataset::single(t, u, Some(Array1::zeros(1))).unwrap()
}

fn options(epochs: usize) -> TrainOptions {
    TrainOptions {
        solver: doses(),
        ..TrainOptions::default().epochs(epochs).lr(0.05)
    }
}

#[test]
fn a_rate_and_the_size_of_doses_are_found() {
    let data = data(0.8, 1.5);
    let simulated = Dataset::simulated(
        &drug(0.8, 1.5),
        &Array2::zeros((1, 1)),
        &data.t().to_vec(),
        &doses().tolerances(1e-10, 1e-12),
    );
    let simulated = simulated.unwrap();
    for (a, b) in simulated.u().iter().zip(data.u()) {
        assert!((a - b).abs() < 1e-9, "{a} {b}");
    }
    let homotopy = Homotopy::new(2.0, Schedule::power_law(4, 100, 0.6).unwrap());
    for method in [TrainingMethod::Vanilla, TrainingMethod::Homotopy(homotopy)] {
        let run = train(&drug(0.3, 0.5), &data, &method, &options(800), &mut ()).unwrap();
        let found = run.model.params();
        assert!((found[0] - 0.8).abs() < 5e-3, "{method:?}: {found:?}");
        assert!((found[1] - 1.5).abs() < 5e-3, "{method:?}: {found:?}");
        // Between the data too, and after them.
        let t = [0.0, 0.99, 1.01, 5.0];
        let predicted = run.predict(&t).unwrap();
        for (u, t) in predicted.iter().zip(t) {
            assert!(
                (u - left(t, 0.8, 1.5)).abs() < 0.01,
                "{method:?}: {u} at {t}"
            );
        }
    }
}

/// A ball in the height h with the speed v, which keeps a share `e` of its speed when it meets the ground.
fn ball(e: f64) -> VectorField {
    let field = system(2, &[("e", e)], |_, u, p| {
        vec![u.at(1), u.at(0) * 0.0 + p.get("e") * 0.0 - 10.0]
    });
    field.unwrap().trainable(&["e"]).unwrap()
}

fn bounces() -> SolveOptions {
    let jump = Jump::new(2, &[("e", 0.0)], |_, u, p| {
        vec![u.at(0) * 0.0, -(u.at(1) * p.get("e"))]
    });
    let ground = Event::new(2, &[], |_, u, _| u.at(0)).unwrap();
    let ground = ground.direction(Direction::Down);
    let bounce = ground.jump(jump.unwrap().with_field_parameters()).unwrap();
    SolveOptions::default().event(bounce)
}

/// Heights and speeds of a ball that falls from 5 m; it meets the ground after 1 s and after 2.6 s.
fn fall() -> Dataset {
    let t = Array1::from_shape_fn(16, |i| i as f64 * 0.15);
    let u0 = ndarray::array![[5.0, 0.0]];
    Dataset::simulated(&ball(0.8), &u0, &t.to_vec(), &bounces()).unwrap()
}

#[test]
fn the_gradient_goes_through_doses_and_bounces() {
    let homotopy: TrainingMethod =
        Homotopy::new(2.0, Schedule::power_law(4, 100, 0.6).unwrap()).into();
    for (model, data, solver, method) in [
        (
            drug(0.3, 0.5),
            data(0.8, 1.5),
            doses(),
            TrainingMethod::Vanilla,
        ),
        (drug(0.3, 0.5), data(0.8, 1.5), doses(), homotopy),
        (ball(0.7), fall(), bounces(), TrainingMethod::Vanilla),
    ] {
        let lambda = f64::from(matches!(method, TrainingMethod::Homotopy(_)));
        let engine = engine("native", "cpu").unwrap();
        let solver = solver.tolerances(1e-11, 1e-12);
        let mut objective = Objective::new(&model, &data, &method, &solver, engine).unwrap();
        let params = objective.initial_params();
        let at = objective.evaluate(&params, lambda, true, None).unwrap();
        for (i, gradient) in at.gradient.iter().enumerate() {
            let mut value = |h: f64| {
                let mut moved = params.clone();
                moved[i] += h;
                objective
                    .evaluate(&moved, lambda, false, None)
                    .unwrap()
                    .loss
            };
            let difference = (value(1e-4) - value(-1e-4)) / 2e-4;
            let off = (gradient - difference).abs();
            assert!(
                off < 1e-5 * (1.0 + difference.abs()),
                "{i}: {gradient} {difference}"
            );
        }
    }
    let options = TrainOptions {
        solver: bounces(),
        ..TrainOptions::default().epochs(200).lr(0.02)
    };
    let run = train(
        &ball(0.7),
        &fall(),
        &TrainingMethod::Vanilla,
        &options,
        &mut (),
    )
    .unwrap();
    assert!(
        (run.model.params()[0] - 0.8).abs() < 1e-3,
        "{:?}",
        run.model.params()
    );
}

#[test]
fn a_saved_run_has_its_doses() {
    let folder = tempfile::tempdir().unwrap();
    let (model, data, vanilla) = (drug(0.3, 0.5), data(0.8, 1.5), TrainingMethod::Vanilla);
    let whole = train(&model, &data, &vanilla, &options(40), &mut ()).unwrap();
    let out = folder.path().join("run");
    let first = options(15).out(&out);
    train(&model, &data, &vanilla, &first, &mut ()).unwrap();
    let again = TrainOptions {
        resume: true,
        ..options(40).out(&out)
    };
    let resumed = train(&model, &data, &vanilla, &again, &mut ()).unwrap();
    assert_eq!(resumed.model.params(), whole.model.params());
    let loaded = Run::load(&out).unwrap();
    let t = [0.0, 0.3, 1.0, 1.7, 3.0];
    assert_eq!(loaded.predict(&t).unwrap(), whole.predict(&t).unwrap());
    // Other doses are another run.
    let jump = Jump::new(1, &[], |_, u, _| vec![u.at(0) + 1.0]).unwrap();
    let other = SolveOptions::default().dose(Dose::new(&DOSES, jump).unwrap());
    for solver in [other, SolveOptions::default()] {
        let options = TrainOptions {
            solver,
            ..again.clone()
        };
        let error = train(&model, &data, &vanilla, &options, &mut ()).unwrap_err();
        assert!(error.to_string().contains("doses"), "{error}");
    }
    let out = folder.path().join("bounces");
    let options = TrainOptions {
        solver: bounces(),
        ..TrainOptions::default().epochs(3).out(&out)
    };
    let run = train(&ball(0.7), &fall(), &vanilla, &options, &mut ()).unwrap();
    let loaded = Run::load(&out).unwrap();
    assert_eq!(
        loaded.predict(&[0.5, 2.0]).unwrap(),
        run.predict(&[0.5, 2.0]).unwrap()
    );
}

#[test]
fn what_cannot_be_trained_with_doses_and_events_says_what_can() {
    let shooting = TrainingMethod::MultipleShooting(MultipleShooting::default());
    let base = options(3);
    let least_squares = TrainOptions {
        optimizer: Optimizer::from_name("lm").unwrap(),
        solver: doses(),
        ..TrainOptions::default()
    };
    for (method, options, part) in [
        (shooting, &base, "vanilla() or homotopy()"),
        (
            WeakConstraint::default().into(),
            &base,
            "homotopy() with a coupling",
        ),
        (
            TrainingMethod::Vanilla,
            &least_squares,
            "leave optimizer out",
        ),
    ] {
        let error = train(&drug(0.3, 0.5), &data(0.8, 1.5), &method, options, &mut ()).unwrap_err();
        assert!(error.to_string().contains(part), "{method:?}: {error}");
    }
    let ground = || Event::new(2, &[], |_, u, _| u.at(0)).unwrap();
    let to_zero = Jump::new(2, &[], |_, u, _| vec![u.at(0), u.at(1) * 0.0]).unwrap();
    for event in [ground(), ground().jump(to_zero).unwrap().terminal()] {
        let is_terminal = event.terminal_hit().is_some();
        let options = TrainOptions {
            solver: SolveOptions::default().event(event),
            ..TrainOptions::default().epochs(3)
        };
        let error = train(
            &ball(0.7),
            &fall(),
            &TrainingMethod::Vanilla,
            &options,
            &mut (),
        );
        let error = error.unwrap_err().to_string();
        assert!(
            error.contains("give each a jump, and leave terminal out"),
            "{error}"
        );
        if is_terminal {
            let u0 = ndarray::array![[5.0, 0.0]];
            let error = Dataset::simulated(&ball(0.7), &u0, &[0.0, 3.0], &options.solver);
            assert!(
                error
                    .unwrap_err()
                    .to_string()
                    .contains("leave terminal out")
            );
        }
    }
}
