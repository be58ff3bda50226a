//! Training in scaled variables: the units of the data do not matter, the model stays in them, and notes say where they would.

use std::sync::{Arc, Mutex};

use ndarray::{Array1, Array2, Axis, array};

use odesync_base::random::Generator;
use odesync_ode::dynamics::lotka_volterra;
use odesync_ode::field::{Unary, VectorField, system};
use odesync_ode::odesolve::{SolveOptions, solve};
use odesync_train::datasets::Dataset;
use odesync_train::models::{blackbox, second_order};
use odesync_train::schedules::Schedule;
use odesync_train::training::{
    Callback, Homotopy, MultipleShooting, Observation, Run, ScaleFactors, Scaling, TrainOptions,
    TrainingMethod, WeakConstraint, train,
};

/// A trajectory of the Lotka-Volterra system with time and state variables in other units.
fn data(time: f64, state: [f64; 2]) -> Dataset {
    let t: Vec<f64> = (0..31).map(|i| f64::from(i) * 0.1).collect();
    let system = lotka_volterra().unwrap();
    let mut u = solve(
        &system,
        &[0.44, 4.6],
        &t,
        &SolveOptions::default().tolerances(1e-10, 1e-12),
    )
    .unwrap()
    .u;
    for (j, unit) in state.iter().enumerate() {
        u.column_mut(j).mapv_inplace(|x| x * unit);
    }
    let t: Array1<f64> = t.iter().map(|t| t * time).collect();
    Dataset::single(t, u, None).unwrap()
}

fn model() -> VectorField {
    blackbox(&[2, 8, 2], Unary::Tanh, &mut Generator::manual_seed(3)).unwrap()
}

fn methods(time: f64) -> [TrainingMethod; 3] {
    let schedule = Schedule::power_law(4, 10, 0.6).unwrap();
    [
        TrainingMethod::Vanilla,
        MultipleShooting::default().into(),
        TrainingMethod::Homotopy(Homotopy::new(6.0 / time, schedule)),
    ]
}

fn options() -> TrainOptions {
    TrainOptions {
        scale: Scaling::Auto,
        ..TrainOptions::default().epochs(40).lr(0.03)
    }
}

/// Callback that keeps the notes.
#[derive(Clone, Default)]
struct Notes(Arc<Mutex<Vec<String>>>);

impl Callback for Notes {
    fn on_note(&mut self, text: &str) {
        self.0.lock().unwrap().push(text.into());
    }
}

fn notes_of(
    model: &VectorField,
    data: &Dataset,
    method: &TrainingMethod,
    options: &TrainOptions,
) -> (Run, Vec<String>) {
    let mut notes = Notes::default();
    let run = train(model, data, method, options, &mut notes).unwrap();
    let all = notes.0.lock().unwrap().clone();
    (run, all)
}

#[test]
fn a_training_in_scaled_variables_is_the_same_in_all_units() {
    let units = (2f64.powi(-20), [2f64.powi(12), 2f64.powi(-9)]);
    let (plain, other) = (data(1.0, [1.0; 2]), data(units.0, units.1));
    for (a, b) in methods(1.0).into_iter().zip(methods(units.0)) {
        let a = train(&model(), &plain, &a, &options(), &mut ()).unwrap();
        let b = train(&model(), &other, &b, &options(), &mut ()).unwrap();
        for (x, y) in a.history.iter().zip(&b.history) {
            let off = x.train_loss / y.train_loss - 1.0;
            assert!(off.abs() < 1e-3, "{} {}: {off}", a.method, x.epoch);
        }
        // The states of the models are those of the data, in their units.
        let (x, y) = (
            a.predict(&plain.t().to_vec()).unwrap(),
            b.predict(&other.t().to_vec()).unwrap(),
        );
        for j in 0..2 {
            let off = |i: usize| x[[0, i, j]] - y[[0, i, j]] / units.1[j];
            assert!((0..31).all(|i| off(i).abs() < 1e-2), "{}", a.method);
        }
    }
}

#[test]
fn the_loss_is_relative_to_the_variance_and_the_mse_is_not() {
    let data = data(1.0, [100.0, 0.01]);
    let options = TrainOptions {
        trajectory_every: Some(1),
        ..options().epochs(3)
    };
    let run = train(&model(), &data, &TrainingMethod::Vanilla, &options, &mut ()).unwrap();
    let y = data.sample(0).unwrap();
    for record in &run.history {
        // The run's solver has a tolerance in units of the smallest spread.
        let model = run.model_at(record.epoch).unwrap();
        let u0 = data.u0().row(0).to_vec();
        let x = solve(&model, &u0, &data.t().to_vec(), &run.solver)
            .unwrap()
            .u;
        let squares = (&x - &y).mapv(|e| e * e);
        let mse = squares.mean().unwrap();
        let of = |j: usize| squares.column(j).mean().unwrap() / y.column(j).var(0.0);
        let relative = (of(0) + of(1)) / 2.0;
        assert!((record.mse / mse - 1.0).abs() < 1e-9, "{record:?}");
        assert!(
            (record.train_loss / relative - 1.0).abs() < 1e-9,
            "{record:?}"
        );
    }
}

#[test]
fn columns_of_very_different_sizes_are_both_fitted() {
    // Millimetres and millimetres a second: x = cos 100 t.
    let t = Array1::linspace(0.0, 0.1, 41);
    let u = Array2::from_shape_fn((41, 2), |(i, j)| match j {
        0 => f64::cos(100.0 * t[i]),
        _ => -100.0 * f64::sin(100.0 * t[i]),
    });
    let data = Dataset::single(t, u, None).unwrap();
    let make = || blackbox(&[2, 16, 2], Unary::Tanh, &mut Generator::manual_seed(1)).unwrap();
    let base = TrainOptions::default().epochs(300).lr(0.02);
    let vanilla = TrainingMethod::Vanilla;
    let (plain, notes) = notes_of(&make(), &data, &vanilla, &base);
    assert!(
        notes.iter().any(|n| n.contains("scale: \"auto\"")),
        "{notes:?}"
    );
    let (scaled, notes) = notes_of(
        &make(),
        &data,
        &vanilla,
        &TrainOptions {
            scale: Scaling::Auto,
            ..base
        },
    );
    assert!(notes.is_empty(), "{notes:?}");
    assert!(scaled.best_nmse.unwrap() < 0.05, "{:?}", scaled.best_nmse);
    assert!(
        scaled.best_nmse.unwrap() < 0.1 * plain.best_nmse.unwrap(),
        "{:?}",
        plain.best_nmse
    );
}

fn decay(k: f64) -> VectorField {
    let model = system(1, &[("k", k)], |_, u, p| vec![-(p.get("k") * u.at(0))]);
    model.unwrap().trainable(&["k"]).unwrap()
}

#[test]
fn a_constant_is_found_whatever_the_size_of_the_data() {
    let t = Array1::linspace(0.0, 5.0, 21);
    let u = t.mapv(|t| 1e-6 * f64::exp(-t)).insert_axis(Axis(1));
    let data = Dataset::single(t, u, None).unwrap();
    let base = TrainOptions::default().epochs(200);
    let (run, notes) = notes_of(&decay(0.5), &data, &TrainingMethod::Vanilla, &base);
    assert!((run.model.params()[0] - 0.5).abs() < 0.05);
    assert!(
        notes.iter().any(|n| n.contains("scale: \"auto\"")),
        "{notes:?}"
    );
    assert!(notes.iter().any(|n| n.contains("stayed at")), "{notes:?}");
    let scaled = TrainOptions {
        scale: Scaling::Auto,
        ..base
    };
    let (run, _) = notes_of(&decay(0.5), &data, &TrainingMethod::Vanilla, &scaled);
    assert!(
        (run.model.params()[0] - 1.0).abs() < 0.01,
        "{:?}",
        run.model.params()
    );
}

#[test]
fn sizes_may_be_given() {
    let data = data(1e-3, [1000.0, 1.0]);
    let sizes = |state: Option<Vec<f64>>, time| Scaling::Given(ScaleFactors { state, time });
    for scale in [
        sizes(Some(vec![1000.0, 2.0]), Some(1e-3)),
        sizes(Some(vec![1000.0, 2.0]), None),
        sizes(None, Some(1e-3)),
    ] {
        let options = TrainOptions {
            scale: scale.clone(),
            ..options().epochs(200)
        };
        let run = train(&model(), &data, &TrainingMethod::Vanilla, &options, &mut ()).unwrap();
        assert!(
            run.best_nmse.unwrap() < 0.5,
            "{scale:?}: {:?}",
            run.best_nmse
        );
    }
    let wrong = TrainOptions {
        scale: sizes(Some(vec![1.0]), None),
        ..options()
    };
    let error = train(&model(), &data, &TrainingMethod::Vanilla, &wrong, &mut ()).unwrap_err();
    assert!(error.to_string().contains("give one for each"), "{error}");
}

#[test]
fn corrections_and_initial_states_are_scaled_too_and_a_run_goes_on_to_the_same_bits() {
    let data = data(1e-3, [1000.0, 1.0]);
    let folder = tempfile::tempdir().unwrap();
    for method in methods(1e-3) {
        let out = folder.path().join(method.name());
        let base = TrainOptions {
            observation: Observation::default().train_u0(),
            ..options().epochs(20)
        };
        let whole = train(&model(), &data, &method, &base, &mut ()).unwrap();
        let kept = base.out(&out);
        train(&model(), &data, &method, &kept.clone().epochs(7), &mut ()).unwrap();
        let resumed = train(&model(), &data, &method, &kept.resume(), &mut ()).unwrap();
        assert_eq!(resumed.last.params(), whole.last.params());
        assert_eq!(resumed.aux_params, whole.aux_params);
        assert_eq!(resumed.u0, whole.u0);
        let read = Run::load(&out).unwrap();
        assert_eq!(read.model.params(), whole.model.params());
        // Initial states have moved by a share of their size.
        let moved = (&whole.u0 - &data.u0()).mapv(f64::abs);
        assert!(moved[[0, 0]] > 0.1 && moved[[0, 0]] < 1000.0, "{moved}");
    }
}

#[test]
fn a_model_with_velocities_is_scaled_through_its_known_part() {
    let t = Array1::linspace(0.0, 0.05, 41);
    let u = Array2::from_shape_fn((41, 2), |(i, j)| match j {
        0 => 1e-3 * f64::cos(200.0 * t[i]),
        _ => -0.2 * f64::sin(200.0 * t[i]),
    });
    let data = Dataset::single(t, u, None).unwrap();
    let model = second_order(&[2, 12, 1], Unary::Tanh, &mut Generator::manual_seed(5)).unwrap();
    let options = options().epochs(300).lr(0.02);
    let run = train(&model, &data, &TrainingMethod::Vanilla, &options, &mut ()).unwrap();
    assert!(run.best_nmse.unwrap() < 0.1, "{:?}", run.best_nmse);
}

#[test]
fn what_nothing_depends_on_is_a_note() {
    let t = Array1::linspace(0.0, 2.0, 11);
    let u = t.mapv(|t| f64::exp(-t)).insert_axis(Axis(1));
    let data = Dataset::single(t.clone(), u, None).unwrap();
    // u₁ is neither measured nor does it act on u₀.
    let model = system(2, &[("a", 0.7), ("c", 0.3)], |_, u, p| {
        vec![-(p.get("a") * u.at(0)), p.get("c") * u.at(1)]
    });
    let model = model.unwrap().trainable(&["a", "c"]).unwrap();
    let observation = Observation::of_variables([0]).with_u0(array![[1.0, 1.0]]);
    let options = TrainOptions {
        observation,
        ..TrainOptions::default().epochs(3)
    };
    let (_, notes) = notes_of(&model, &data, &TrainingMethod::Vanilla, &options);
    assert!(
        matches!(&notes[..], [one] if one.contains("\"c\"") && !one.contains("\"a\"")),
        "{notes:?}"
    );
    let weak = TrainOptions {
        epochs: None,
        ..options
    };
    let (_, notes) = notes_of(&model, &data, &WeakConstraint::default().into(), &weak);
    let of_constants: Vec<&String> = notes
        .iter()
        .filter(|n| n.contains("stayed where"))
        .collect();
    assert!(
        matches!(&of_constants[..], [one] if one.contains("\"c\"")),
        "{notes:?}"
    );
    // At rest nothing moves.
    let still = Dataset::single(t, Array2::zeros((11, 1)), None).unwrap();
    let (_, notes) = notes_of(
        &decay(0.5),
        &still,
        &TrainingMethod::Vanilla,
        &TrainOptions::default().epochs(3),
    );
    assert!(
        matches!(&notes[..], [one] if one.contains("the gradient is 0")),
        "{notes:?}"
    );
}

#[test]
fn units_that_a_training_has_trouble_with_are_noted() {
    let options = TrainOptions::default().epochs(1);
    let notes = |model: &VectorField, data: &Dataset| {
        let (_, notes) = notes_of(model, data, &TrainingMethod::Vanilla, &options);
        notes
            .into_iter()
            .filter(|n| n.contains("scale: \"auto\""))
            .collect::<Vec<_>>()
    };
    for (time, state, part) in [
        (1.0, [1e3, 1.0], "sees the larger alone"),
        (1.0, [1e-4, 1e-4], "varies by"),
        (1.0, [1e3, 1e3], "varies by"),
        (1e3, [1.0, 1.0], "change by their spread in"),
        (1e-3, [1.0, 1.0], "lie within 0.003 of time"),
    ] {
        let notes = notes(&model(), &data(time, state));
        assert_eq!(notes.len(), 1, "{notes:?}");
        assert!(notes[0].contains(part), "{time} {state:?}: {notes:?}");
    }
    for unit in [0.1, 1.0, 5.0] {
        assert!(
            notes(&model(), &data(unit, [unit, unit])).is_empty(),
            "{unit}"
        );
    }
    // 300 kelvin and a little, which a network sees as one and the same; a constant of known equations is no input.
    let t = Array1::linspace(0.0, 5.0, 51);
    let u = t.mapv(|t| 300.0 + f64::exp(-t)).insert_axis(Axis(1));
    let data = Dataset::single(t, u, None).unwrap();
    let network = blackbox(&[1, 4, 1], Unary::Tanh, &mut Generator::manual_seed(1)).unwrap();
    let noted = notes(&network, &data);
    assert!(noted[0].contains("lies around 300"), "{noted:?}");
    assert!(notes(&decay(0.01), &data).is_empty());
}
