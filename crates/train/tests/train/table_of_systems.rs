//! The table of systems: weak-constraint training with nothing set, three seeds each, against the limits that it is held to.

use super::systems::{double_pendulum_model, mean_square, systems};
use ndarray::s;
use odesync_testing::measured_data;
use odesync_train::datasets::read_schmidt_lipson;
use odesync_train::training::{TrainOptions, WeakConstraint, train};

fn check(what: &str, mut values: Vec<f64>, limit: f64) {
    values.sort_by(f64::total_cmp);
    assert!(
        values[1] <= limit && values[2] <= 1.5 * limit,
        "{what}: {values:?}, at most {limit}"
    );
}

#[test]
#[ignore = "takes minutes in the test profile: cargo test -p odesync-train --test train table_of_systems -- --ignored --nocapture"]
fn every_system_is_within_its_limits() {
    for case in systems() {
        let truth = case.truth();
        let data = case.data(&truth, 10);
        let n = data.len();
        let (t, truth) = (&case.times()[..n], truth.slice(s![..n, ..]).to_owned());
        let (mut fitted, mut inside) = (vec![], vec![]);
        for seed in [10, 20, 30] {
            let model = (case.model)(seed).unwrap();
            let method = WeakConstraint::default().into();
            let run = train(&model, &data, &method, &TrainOptions::default(), &mut ()).unwrap();
            let predicted = run.predict(t).unwrap().slice(s![0, .., ..]).to_owned();
            fitted.push(run.best_mse);
            inside.push(mean_square(&predicted, &truth));
        }
        println!(
            "{}: mse {fitted:.5?} against the truth {inside:.5?}",
            case.name
        );
        check(&format!("{}, mse", case.name), fitted, case.limits[0]);
        check(
            &format!("{}, against the truth", case.name),
            inside,
            case.limits[1],
        );
    }
}

#[test]
#[ignore = "takes half a minute in the test profile: cargo test -p odesync-train --test train table_of_systems -- --ignored --nocapture"]
fn the_measured_double_pendulum_is_within_its_limit() {
    let Some(path) = measured_data("real_double_pend_h_1.txt") else {
        return;
    };
    let data = read_schmidt_lipson(path, 0).unwrap().head(100).unwrap();
    let fitted = [10, 20, 30].map(|seed| {
        let model = double_pendulum_model(seed).unwrap();
        let method = WeakConstraint::default().into();
        train(&model, &data, &method, &TrainOptions::default(), &mut ())
            .unwrap()
            .best_mse
    });
    println!("measured double pendulum: mse {fitted:.5?}");
    check("measured double pendulum", fitted.to_vec(), 0.0011);
}
