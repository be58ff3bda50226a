//! Weights of components and robust losses in weak-constraint training.

use super::systems::mean_square;
use super::weak_constraint_runs::trained;
use std::collections::BTreeMap;

use ndarray::{Array1, Array2, s};
use odesync_base::options::{OptionSet, Value};
use odesync_base::random::Generator;
use odesync_ode::dynamics::lotka_volterra;
use odesync_ode::field::{Unary, VectorField, system};
use odesync_ode::odesolve::{SolveOptions, solve};
use odesync_train::datasets::{Dataset, RelativeTo};
use odesync_train::models::blackbox;
use odesync_train::training::{
    ComponentWeights, DataLoss, Run, StopReason, TrainOptions, TrainingMethod, WeakConstraint,
    train,
};

const U0: [f64; 2] = [0.44249296, 4.6280594];

/// Lotka-Volterra data with 5 % noise, and the truth.
fn data() -> (Dataset, Array2<f64>) {
    let t: Vec<f64> = (0..61).map(|i| f64::from(i) * 0.1).collect();
    let options = SolveOptions::default().tolerances(1e-10, 1e-10);
    let truth = solve(&lotka_volterra().unwrap(), &U0, &t, &options)
        .unwrap()
        .u;
    let clean = Dataset::single(
        Array1::from(t),
        truth.clone(),
        Some(Array1::from(U0.to_vec())),
    )
    .unwrap();
    (
        clean.add_noise_seeded(0.05, RelativeTo::Mean, 10).unwrap(),
        truth,
    )
}

/// Returns the data with one value in twenty replaced by one that is wrong by two to five times the spread of its component.
fn with_outliers(data: &Dataset, seed: u64) -> Dataset {
    let mut u = data.sample(0).unwrap().to_owned();
    let mut generator = Generator::manual_seed(seed);
    let n = u.len() / 20;
    let mut rows = generator.uniform_f64(1.0, u.nrows() as f64, n);
    let sizes = generator.uniform_f64(2.0, 5.0, n);
    let signs = generator.uniform_f64(-1.0, 1.0, n);
    let spread = u.std_axis(ndarray::Axis(0), 0.0);
    for (i, row) in rows.iter_mut().enumerate() {
        let j = i % u.ncols();
        u[[*row as usize, j]] += signs[i].signum() * sizes[i] * spread[j];
    }
    Dataset::single(data.t().to_owned(), u, Some(Array1::from(U0.to_vec()))).unwrap()
}

fn black_box() -> VectorField {
    blackbox(&[2, 32, 2], Unary::Gelu, &mut Generator::manual_seed(10)).unwrap()
}

/// Returns the mean squared error of the free model against the truth.
fn interpolation(run: &Run, data: &Dataset, truth: &Array2<f64>) -> f64 {
    let predicted = run.predict(&data.t().to_vec()).unwrap();
    mean_square(&predicted.slice(s![0, .., ..]).to_owned(), truth)
}

fn evidence(run: &Run) -> f64 {
    run.trust().unwrap().log_evidence
}

#[test]
fn outliers_hardly_matter_to_a_robust_loss() {
    let (data, truth) = data();
    let method = WeakConstraint::default;
    let clean = interpolation(&trained(&black_box(), &data, method()), &data, &truth);
    for seed in [1, 2] {
        let spoiled = with_outliers(&data, seed);
        let gaussian = trained(&black_box(), &spoiled, method());
        let student = trained(&black_box(), &spoiled, method().loss(DataLoss::StudentT));
        let huber = trained(&black_box(), &spoiled, method().loss(DataLoss::Huber));
        let homotopy = TrainingMethod::AdaptiveHomotopy(method().loss(DataLoss::StudentT));
        let homotopy = trained(&black_box(), &spoiled, homotopy);
        let error = |run: &Run| interpolation(run, &data, &truth);
        println!(
            "{seed}: clean {clean:.5}, gaussian {:.5}, student {:.5}, huber {:.5}, homotopy {:.5}; evidence {:.1} {:.1} {:.1}, noise {:?}",
            error(&gaussian),
            error(&student),
            error(&huber),
            error(&homotopy),
            evidence(&gaussian),
            evidence(&student),
            evidence(&huber),
            student.trust().unwrap().noise,
        );
        assert!(
            error(&student) < 1.5 * clean,
            "{seed}: {} {clean}",
            error(&student)
        );
        assert!(
            error(&homotopy) < 1.5 * clean,
            "{seed}: {} {clean}",
            error(&homotopy)
        );
        assert!(
            error(&gaussian) > 5.0 * clean,
            "{seed}: {} {clean}",
            error(&gaussian)
        );
        assert!(
            error(&huber) < 0.5 * error(&gaussian),
            "{seed}: {}",
            error(&huber)
        );
        // The evidence tells which noise the data have.
        assert!(evidence(&student) > evidence(&gaussian) + 20.0);
        // The noise is that of the good data, 5 % of each mean.
        let means = truth.mean_axis(ndarray::Axis(0)).unwrap();
        for (noise, mean) in student.trust().unwrap().noise.iter().zip(means) {
            assert!((noise / (0.05 * mean) - 1.0).abs() < 0.4, "{noise} {mean}");
        }
    }
    // Of normal noise the evidence says so too.
    let student = trained(&black_box(), &data, method().loss(DataLoss::StudentT));
    assert!(evidence(&student) < evidence(&trained(&black_box(), &data, method())));
    assert!(interpolation(&student, &data, &truth) < 1.5 * clean);
}

/// u' = a, u(0) = 0: the least squares of two components with one constant, whose weights decide between them.
#[test]
fn weights_are_the_precisions_of_components_in_their_units() {
    let t: Vec<f64> = (0..40).map(|i| f64::from(i) * 0.1).collect();
    let generator = &mut Generator::manual_seed(3);
    let errors: Vec<f64> = generator
        .normal(0.0, 1.0, 80)
        .into_iter()
        .map(f64::from)
        .collect();
    // The second component rises by 4 t, and the model says twice what the first does.
    let y = Array2::from_shape_fn((40, 2), |(i, j)| {
        [1.0, 4.0][j] * t[i] + 0.1 * errors[2 * i + j]
    });
    let u0 = Some(Array1::zeros(2));
    let data = Dataset::single(Array1::from(t.clone()), y.clone(), u0).unwrap();
    let data = data.with_names(["first", "second"]).unwrap();
    let model = system(2, &[("a", 1.5)], |_, _, p| {
        vec![p.get("a"), 2.0 * p.get("a")]
    })
    .unwrap();
    let model = model.trainable(&["a"]).unwrap();
    let weighted = |weights: [f64; 2]| {
        let (mut above, mut below) = (0.0, 0.0);
        for (i, t) in t.iter().enumerate() {
            for j in 0..2 {
                let slope = [1.0, 2.0][j] * t;
                above += weights[j] * slope * y[[i, j]];
                below += weights[j] * slope * slope;
            }
        }
        above / below
    };
    for weights in [[1.0, 1.0], [1.0, 0.01], [5.0, 500.0]] {
        let run = trained(&model, &data, WeakConstraint::default().weights(&weights));
        let a = run.model.params()[0];
        assert!(
            (a - weighted(weights)).abs() < 0.01,
            "{weights:?}: {a} {}",
            weighted(weights)
        );
        let noise = run.trust().unwrap().noise;
        let ratio = (noise[0] / noise[1]).powi(2) * weights[0] / weights[1];
        assert!((ratio - 1.0).abs() < 1e-9, "{weights:?}: {noise:?}");
    }
    let mut named = WeakConstraint::default();
    let map = Value::Map(vec![("second".into(), Value::Float(0.01))]);
    named.set("weights", &map).unwrap();
    let run = trained(&model, &data, named);
    assert!((run.model.params()[0] - weighted([1.0, 0.01])).abs() < 0.01);
}

#[test]
fn a_robust_run_that_was_stopped_goes_on_to_the_same_bits() {
    let (data, _) = data();
    let spoiled = with_outliers(&data, 1);
    let settings = WeakConstraint::default()
        .loss(DataLoss::StudentT)
        .weights(&[1.0, 0.4]);
    for method in [
        settings.clone().into(),
        TrainingMethod::AdaptiveHomotopy(settings),
    ] {
        let want = trained(&black_box(), &spoiled, method.clone());
        let folder = tempfile::tempdir().unwrap();
        let mut options = TrainOptions::default().out(folder.path()).epochs(10);
        let stopped = train(&black_box(), &spoiled, &method, &options, &mut ()).unwrap();
        assert_eq!(stopped.stop, StopReason::EarlyStop);
        options.resume = true;
        options.epochs = None;
        let resumed = train(&black_box(), &spoiled, &method, &options, &mut ()).unwrap();
        assert_eq!(resumed.model.params(), want.model.params());
        assert_eq!(
            resumed.metric("chi2").unwrap(),
            want.metric("chi2").unwrap()
        );
        let loaded = Run::load(folder.path()).unwrap();
        assert_eq!(loaded.settings, want.settings.clone());
        let bands = |run: &Run| run.predict_with_bands(&[0.0, 3.05, 8.0]).unwrap().sd;
        assert_eq!(bands(&loaded), bands(&want));
    }
}

#[test]
fn what_does_not_fit_the_noise_is_an_error() {
    let (data, _) = data();
    let error = |settings: WeakConstraint| {
        let options = TrainOptions::default();
        let run = train(&black_box(), &data, &settings.into(), &options, &mut ());
        run.unwrap_err().to_string()
    };
    let method = WeakConstraint::default;
    assert!(
        error(method().weights(&[1.0]))
            .contains("weights has 1 number, and the data have 2 components")
    );
    assert!(error(method().weights(&[1.0, 0.0])).contains("numbers above 0"));
    let mut named = method();
    named.noise.weights = Some(ComponentWeights::Named(BTreeMap::from([(
        "x".to_string(),
        1.0,
    )])));
    assert!(error(named).contains("\"x\""));
    let mut freedom = method();
    freedom.noise.degrees_of_freedom = Some(3.0);
    assert!(error(freedom).contains("degrees_of_freedom belongs to loss: \"student_t\""));
}
