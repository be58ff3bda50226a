//! Reference losses, gradients and training curve, compared with an engine on a device.
#![allow(dead_code)]

use ndarray::{Array1, Array2};
use odesync_base::random::Generator;
use odesync_ode::engines::engine;
use odesync_ode::field::{Unary, VectorField};
use odesync_ode::odesolve::SolveOptions;
use odesync_train::datasets::Dataset;
use odesync_train::models::{blackbox, graybox, second_order};
use odesync_train::schedules::Schedule;
use odesync_train::synchronization::Coupling;
use odesync_train::training::{
    Homotopy, MultipleShooting, Objective, TrainOptions, TrainingMethod, train,
};
use serde_json::Value;

use odesync_testing::{flat_numbers, golden, numbers, relative_error};

/// Returns the data of a case.
pub fn dataset(case: &Value) -> Dataset {
    let t = numbers(&case["t"]);
    let u0 = numbers(&case["u0"]);
    let u = Array2::from_shape_vec((t.len(), u0.len()), flat_numbers(&case["u"])).unwrap();
    Dataset::single(Array1::from(t), u, Some(Array1::from(u0))).unwrap()
}

/// Returns the model of a case, with the weights of its seed.
pub fn model(case: &Value) -> VectorField {
    let nodes: Vec<usize> = numbers(&case["nodes"])
        .iter()
        .map(|n| *n as usize)
        .collect();
    let mut generator = Generator::manual_seed(case["seed"].as_u64().unwrap());
    match case["kind"].as_str().unwrap_or("blackbox") {
        "blackbox" => blackbox(&nodes, Unary::Gelu, &mut generator),
        "second_order" => second_order(&nodes, Unary::Gelu, &mut generator),
        _ => graybox(&nodes, Unary::Gelu, &[], &mut generator, |_, u, nn, _| {
            vec![u.at(0) * 1.3 + nn.at(0), u.at(1) * -1.8 + nn.at(1)]
        }),
    }
    .unwrap()
}

/// Returns homotopy training without smoothing.
pub fn homotopy(coupling: impl Into<Coupling>, schedule: Schedule) -> TrainingMethod {
    TrainingMethod::Homotopy(Homotopy::new(coupling, schedule))
}

fn method_of(case: &Value, reference: &Value) -> TrainingMethod {
    match reference["method"].as_str().unwrap() {
        "vanilla" => TrainingMethod::Vanilla,
        "homotopy" => homotopy(
            case["coupling"].as_f64().unwrap(),
            Schedule::list(vec![1.0]).unwrap(),
        ),
        _ => TrainingMethod::MultipleShooting(MultipleShooting {
            segments: reference["n_segments"].as_u64().unwrap() as usize,
            continuity_weight: reference["continuity_weight"].as_f64().unwrap(),
        }),
    }
}

/// Largest relative errors.
#[derive(Debug, Clone, Copy, Default)]
pub struct Errors {
    pub loss: f64,
    pub gradient: f64,
}

/// Computes loss and gradient of every case, and the number of evaluations of the uncoupled model; returns the largest errors.
pub fn losses_and_gradients(engine_name: &str, device: &str) -> Errors {
    let mut worst = Errors::default();
    for (name, case) in golden("losses_and_gradients").as_object().unwrap() {
        let (model, data) = (model(case), dataset(case));
        assert_eq!(
            model.params(),
            numbers(&case["params"]),
            "{name}: initial parameters for the seed"
        );
        for reference in case["cases"].as_array().unwrap() {
            let method = method_of(case, reference);
            let lambda = reference["homotopy"].as_f64().unwrap_or(0.0);
            let solver = SolveOptions::default().tolerances(1e-10, 1e-12);
            let engine = engine(engine_name, device).unwrap();
            let mut objective = Objective::new(&model, &data, &method, &solver, engine).unwrap();
            let got = objective
                .evaluate(&objective.initial_params(), lambda, true, None)
                .unwrap();
            let what = format!("{name} {engine_name} {} lambda {lambda}", method.name());
            let want = reference["loss"].as_f64().unwrap();
            let loss = (got.loss / want - 1.0).abs();
            assert!(loss < 1e-7, "{what}: loss {} {want}", got.loss);
            let gradient = relative_error(
                &got.gradient[..model.n_params()],
                &numbers(&reference["grad"]),
            );
            assert!(gradient < 1e-6, "{what}: gradient {gradient:e}");
            if let Some(data) = reference["data_loss"].as_f64() {
                assert!((got.data_loss / data - 1.0).abs() < 1e-7, "{what}");
                let continuity = reference["continuity"].as_f64().unwrap();
                assert!((got.continuity / continuity - 1.0).abs() < 1e-7, "{what}");
            }
            worst.loss = worst.loss.max(loss);
            worst.gradient = worst.gradient.max(gradient);
        }
        let mut objective = Objective::new(
            &model,
            &data,
            &TrainingMethod::Vanilla,
            &SolveOptions::default(),
            engine(engine_name, device).unwrap(),
        )
        .unwrap();
        let uncoupled = objective
            .evaluate(&model.params(), 0.0, false, None)
            .unwrap();
        assert_eq!(
            uncoupled.stats.evaluations as u64,
            case["evaluations_free"].as_u64().unwrap(),
            "{name} {engine_name}"
        );
    }
    worst
}

/// Runs thirty epochs of homotopy training; returns the largest relative error of a loss, and that of the final parameters.
pub fn training_curve(engine: &str, device: &str) -> (f64, f64) {
    let case = golden("training_curve");
    let options = TrainOptions {
        lr: 0.05,
        solver: SolveOptions::default().solver("rk4").unwrap().substeps(4),
        engine: engine.into(),
        device: device.into(),
        ..TrainOptions::default()
    };
    let run = train(
        &model(&case),
        &dataset(&case),
        &homotopy(6.0, Schedule::power_law(6, 5, 0.6).unwrap()),
        &options,
        &mut (),
    )
    .unwrap();
    let rows = case["rows"].as_array().unwrap();
    assert_eq!(run.history.len(), rows.len());
    let mut worst: f64 = 0.0;
    for (record, row) in run.history.iter().zip(rows) {
        let row = numbers(row);
        assert!((record.lambda - row[0]).abs() < 1e-12);
        let error = (record.train_loss / row[1] - 1.0).abs();
        assert!(error < 1e-9, "{engine} {record:?} {row:?}");
        worst = worst.max(error);
    }
    let parameters = relative_error(&run.last.params(), &numbers(&case["final_params"]));
    assert!(parameters < 1e-8, "{engine} {parameters:e}");
    (worst, parameters)
}
