//! How good a run is: the normalised mse.

use ndarray::{Array1, Array2, Axis, array, s};

use odesync_base::random::Generator;
use odesync_ode::dynamics::lotka_volterra;
use odesync_ode::field::{Unary, VectorField};
use odesync_ode::odesolve::{SolveOptions, solve};
use odesync_train::datasets::Dataset;
use odesync_train::models::blackbox;
use odesync_train::training::{Run, TrainOptions, TrainingMethod, WeakConstraint, nmse, train};

/// Trajectories of the Lotka-Volterra system at 21 times.
fn trajectories(starts: &[[f64; 2]]) -> Dataset {
    let t: Vec<f64> = (0..21).map(|i| f64::from(i) * 0.1).collect();
    let system = lotka_volterra().unwrap();
    let parts = starts.iter().map(|u0| {
        let solved = solve(&system, u0, &t, &SolveOptions::default()).unwrap();
        Dataset::single(Array1::from(t.clone()), solved.u, None).unwrap()
    });
    Dataset::join(&parts.collect::<Vec<_>>()).unwrap()
}

fn model() -> VectorField {
    blackbox(&[2, 6, 2], Unary::Tanh, &mut Generator::manual_seed(3)).unwrap()
}

/// Predictions and data of a run with one sample, `[time, dof]`.
fn compared(run: &Run, data: &Dataset) -> (Array2<f64>, Array2<f64>) {
    let predicted = run.predict(&data.t().to_vec()).unwrap();
    let predicted = predicted.index_axis(Axis(0), 0).to_owned();
    (predicted, data.sample(0).unwrap().to_owned())
}

#[test]
fn nmse_is_one_for_the_mean_of_the_data_in_any_units() {
    let y = array![[1.0, 1e6, 5.0], [2.0, -3e6, 5.0], [f64::NAN, 5e6, 5.0]];
    let mean = array![[1.5, 1e6, 0.0], [1.5, 1e6, 0.0], [1.5, 1e6, 0.0]];
    // The third component is constant: it has no variance to compare an error with.
    assert_eq!(nmse(mean.view(), y.view()).unwrap(), 1.0);
    assert!(nmse(y.view(), y.slice(s![..2, ..])).is_err());
    // The errors 1 and 2e6 of the components have 4 and 4e12/(32e12/3) = 3/8 times their variances.
    let off = array![[0.0, 3e6, 5.0], [1.0, -1e6, 5.0], [7.0, 7e6, 5.0]];
    let expected = (4.0 + 3.0 / 8.0) / 2.0;
    assert!((nmse(off.view(), y.view()).unwrap() - expected).abs() < 1e-14);
    let constant = array![[0.1], [0.1], [0.1]];
    let error = nmse(constant.view(), constant.view()).unwrap_err();
    assert!(error.to_string().contains("take mse"), "{error}");
}

#[test]
fn the_nmse_of_a_run_is_that_of_its_best_model() {
    let data = trajectories(&[[0.44, 4.6]]);
    let folder = tempfile::tempdir().unwrap();
    for (method, epochs) in [
        (TrainingMethod::Vanilla, 5),
        (WeakConstraint::default().into(), 3),
    ] {
        let out = folder.path().join(method.name());
        let options = TrainOptions::default().epochs(epochs).out(&out);
        let run = train(&model(), &data, &method, &options, &mut ()).unwrap();
        let (x, y) = compared(&run, &data);
        let mse = (&x - &y).mapv(|e| e * e).mean().unwrap();
        assert!(
            (mse / run.best_mse - 1.0).abs() < 1e-12,
            "{}",
            method.name()
        );
        let expected = nmse(x.view(), y.view()).unwrap();
        assert!((run.best_nmse.unwrap() / expected - 1.0).abs() < 1e-12);
        // The data are needed for it, and a folder holds none.
        assert_eq!(Run::load(&out).unwrap().best_nmse, None);
        let again = train(&model(), &data, &method, &options.resume(), &mut ()).unwrap();
        assert_eq!(again.best_nmse, run.best_nmse);
    }
}

#[test]
fn a_training_that_epochs_ended_is_read_back_and_goes_on_to_the_same_end() {
    let data = trajectories(&[[0.44, 4.6]]);
    let folder = tempfile::tempdir().unwrap();
    let method = WeakConstraint::default().into();
    let options = TrainOptions::default();
    let whole = train(&model(), &data, &method, &options, &mut ()).unwrap();
    let kept = options.clone().out(folder.path());
    let ended = train(&model(), &data, &method, &kept.clone().epochs(3), &mut ()).unwrap();
    let read = Run::load(folder.path()).unwrap();
    let evidence = |run: &Run| run.trust().unwrap().log_evidence.to_bits();
    assert_eq!(evidence(&read), evidence(&ended));
    let resumed = train(&model(), &data, &method, &kept.resume(), &mut ()).unwrap();
    assert_eq!(resumed.model.params(), whole.model.params());
    assert_eq!(evidence(&resumed), evidence(&whole));
}
