//! The second training from a smaller noise: where it is made, which of the two remains, and that it is resumed to the bit.

use std::sync::Arc;

use super::systems::{System, mean_square, systems};
use super::weak_constraint::StopAfter;
use ndarray::s;
use odesync_train::datasets::RelativeTo::Std;
use odesync_train::training::{
    Run, StopReason, TrainOptions, TrainingMethod, WeakConstraint, train,
};

fn system(name: &str) -> System {
    let found = systems().into_iter().find(|system| system.name == name);
    found.unwrap()
}

/// Trains the system's model of seed 10 on its data with this draw of the noise.
fn trained(
    system: &System,
    noise_seed: u64,
    method: &TrainingMethod,
    options: &TrainOptions,
) -> Run {
    let data = system.data(&system.truth(), noise_seed);
    let model = (system.model)(10).unwrap();
    train(&model, &data, method, options, &mut ()).unwrap()
}

/// Returns at which steps the model error q was larger than before: where a training began again.
fn begins_again(run: &Run) -> Vec<usize> {
    let q = run.metric("q").unwrap();
    (1..q.len()).filter(|i| q[*i] > q[*i - 1]).collect()
}

fn log_evidence(run: &Run) -> f64 {
    run.weak_constraint
        .as_ref()
        .unwrap()
        .log_evidence()
        .unwrap()
}

#[test]
fn data_too_sparse_for_splines_do_not_lead_to_a_model_that_explains_little() {
    let lorenz = system("Lorenz, t <= 3");
    let truth = lorenz.truth();
    let n = lorenz.times.1;
    let method = WeakConstraint::default().into();
    let run = trained(&lorenz, 11, &method, &TrainOptions::default());
    let [second] = begins_again(&run)[..] else {
        panic!("{:?}", run.metric("q"));
    };
    // The first training ends with a residual of a third of the spread.
    assert!(run.metric("mse").unwrap()[second - 1] > 1.0);
    let predicted = run.predict(&lorenz.times()[..n]).unwrap();
    let inside = mean_square(
        &predicted.slice(s![0, .., ..]).to_owned(),
        &truth.slice(s![..n, ..]).to_owned(),
    );
    let [mse, interpolation] = lorenz.limits.map(|limit| 1.5 * limit);
    assert!(run.best_mse <= mse, "{}", run.best_mse);
    assert!(inside <= interpolation, "{inside}");
}

#[test]
fn much_noise_is_tried_twice_and_the_larger_evidence_remains() {
    let mut noisy = system("Lotka-Volterra, black box");
    noisy.noise = (0.3, Std);
    let method: TrainingMethod = WeakConstraint::default().into();
    let run = trained(&noisy, 10, &method, &TrainOptions::default());
    let [second] = begins_again(&run)[..] else {
        panic!("{:?}", run.metric("q"));
    };
    // A run that ends with its first training.
    let options = TrainOptions {
        epochs: Some(second),
        ..TrainOptions::default()
    };
    let first = trained(&noisy, 10, &method, &options);
    assert_eq!(first.stop, StopReason::EarlyStop);
    // Splines see the noise of 61 times well: the first training has the larger evidence, and remains.
    assert_eq!(log_evidence(&run), log_evidence(&first));
    assert_eq!(run.model.params(), first.model.params());
    assert_eq!(run.best_mse, first.best_mse);
    // Little noise is not tried twice.
    noisy.noise = (0.05, Std);
    let run = trained(&noisy, 10, &method, &TrainOptions::default());
    assert_eq!(begins_again(&run), Vec::<usize>::new());
}

#[test]
fn both_trainings_are_resumed_to_the_bit() {
    let mut noisy = system("Lotka-Volterra, black box");
    noisy.noise = (0.3, Std);
    let data = noisy.data(&noisy.truth(), 10);
    let model = (noisy.model)(10).unwrap();
    let content = |run: &Run| {
        let bits = |x: Vec<f64>| x.into_iter().map(f64::to_bits).collect::<Vec<_>>();
        let metrics = ["lambda", "q", "chi2", "log_evidence", "mse", "evaluations"];
        (
            bits(run.model.params()),
            metrics.map(|name| bits(run.metric(name).unwrap())),
            log_evidence(run).to_bits(),
        )
    };
    let homotopy = TrainingMethod::AdaptiveHomotopy(WeakConstraint::default());
    for method in [WeakConstraint::default().into(), homotopy] {
        let want = train(&model, &data, &method, &TrainOptions::default(), &mut ()).unwrap();
        let n = want.history.len();
        for stop_after in [2, n / 2, n - 3, n - 1] {
            let folder = tempfile::tempdir().unwrap();
            let mut options = TrainOptions::default().out(folder.path());
            let mut stop = StopAfter(stop_after, options.interrupt.clone());
            train(&model, &data, &method, &options, &mut stop).unwrap();
            options.interrupt = Arc::default();
            options.resume = true;
            let resumed = train(&model, &data, &method, &options, &mut ()).unwrap();
            let loaded = Run::load(folder.path()).unwrap();
            for run in [resumed, loaded] {
                assert!(
                    content(&run) == content(&want),
                    "{} after {stop_after}",
                    method.name()
                );
            }
        }
    }
}
