//! Bounds, priors and scales of constants of known equations in weak-constraint training.

use super::weak_constraint_runs::trained_with;
use nalgebra::{DMatrix, DVector};
use ndarray::{Array1, Array2, array};
use odesync_base::random::Generator;
use odesync_ode::dynamics::lotka_volterra;
use odesync_ode::field::{ConstantSpec, VectorField, system};
use odesync_ode::odesolve::{SolveOptions, solve};
use odesync_train::datasets::{Dataset, RelativeTo};
use odesync_train::schedules::Schedule;
use odesync_train::training::{
    Homotopy, MultipleShooting, Run, StopReason, TrainOptions, TrainingMethod, WeakConstraint,
    train,
};

fn known() -> ConstantSpec {
    ConstantSpec::default()
}

fn trained(model: &VectorField, data: &Dataset, options: &TrainOptions) -> Run {
    trained_with(model, data, WeakConstraint::default(), options)
}

/// Data of u = a t + b t²/2 with u(0) = 0 known, which is linear in the constants of u' = a + b t.
fn parabola(noise: f64) -> (Array1<f64>, Array1<f64>, Dataset) {
    let n = 30;
    let t = Array1::from_iter((0..n).map(|i| f64::from(i) * 0.05));
    let errors = Generator::manual_seed(4).normal(0.0, 1.0, n as usize);
    let y = Array1::from_iter(
        (t.iter().zip(errors)).map(|(t, e)| 2.0 * t - 0.5 * t * t + noise * f64::from(e)),
    );
    let column = y.clone().insert_axis(ndarray::Axis(1));
    let data = Dataset::single(t.clone(), column, Some(array![0.0])).unwrap();
    (t, y, data)
}

/// Where the data say little the constants follow their priors, where they say much the data: mean, errors and correlation are those
/// of the linear problem with normal priors.
#[test]
fn the_posterior_of_a_linear_problem_is_the_analytic_one() {
    let priors = [(1.0, 0.3), (0.5, 0.4)];
    let model = system(1, &[("a", 0.7), ("b", 0.9)], |t, _, p| {
        vec![p.get("a") + p.get("b") * t]
    })
    .unwrap();
    let model = model
        .trainable_with("a", known().prior(priors[0].0, priors[0].1))
        .unwrap()
        .trainable_with("b", known().prior(priors[1].0, priors[1].1))
        .unwrap();
    for noise in [0.8, 0.02] {
        let (t, y, data) = parabola(noise);
        let run = trained(&model, &data, &TrainOptions::default());
        let trust = run.trust().unwrap();
        let sigma = trust.noise[0];
        let design = DMatrix::from_fn(t.len(), 2, |i, j| [t[i], 0.5 * t[i] * t[i]][j] / sigma);
        let right = DVector::from_iterator(t.len(), y.iter().map(|y| y / sigma));
        let precision =
            DMatrix::from_fn(2, 2, |i, j| if i == j { priors[i].1.powi(-2) } else { 0.0 });
        let means = DVector::from_vec(vec![priors[0].0, priors[1].0]);
        let covariance = (design.transpose() * &design + &precision)
            .try_inverse()
            .unwrap();
        let mean = &covariance * (design.transpose() * right + precision * means);
        for i in 0..2 {
            let sd = covariance[(i, i)].sqrt();
            let (value, error) = (trust.constants.values[i], trust.constants.errors[i]);
            assert!(
                (value - mean[i]).abs() < 0.05 * sd,
                "{noise}: {value} {} ± {sd}",
                mean[i]
            );
            assert!((error / sd - 1.0).abs() < 1e-3, "{noise}: {error} {sd}");
        }
        let correlation = covariance[(0, 1)] / (covariance[(0, 0)] * covariance[(1, 1)]).sqrt();
        assert!((trust.constants.correlations[[0, 1]] - correlation).abs() < 1e-3);
        // The evidence is the normal density of the data.
        let whole = &design
            * DMatrix::from_fn(2, 2, |i, j| if i == j { priors[i].1.powi(2) } else { 0.0 })
            * design.transpose()
            + DMatrix::<f64>::identity(t.len(), t.len());
        let residual = DVector::from_fn(t.len(), |i, _| {
            (y[i] - priors[0].0 * t[i] - priors[1].0 * 0.5 * t[i] * t[i]) / sigma
        });
        let quadratic = residual.dot(&whole.clone().lu().solve(&residual).unwrap());
        // In units of the data's spread, as evidence is.
        let spread = (y.mapv(|y| y * y).mean().unwrap() - y.mean().unwrap().powi(2)).sqrt();
        let log_density = -0.5
            * (quadratic
                + whole.determinant().ln()
                + t.len() as f64 * (2.0 * std::f64::consts::PI * (sigma / spread).powi(2)).ln());
        assert!(
            (trust.log_evidence - log_density).abs() < 0.01,
            "{} {log_density}",
            trust.log_evidence
        );
    }
}

const U0: [f64; 2] = [0.44249296, 4.6280594];

/// Lotka-Volterra data with noise of this share of the mean.
fn prey_and_predators(noise: f64) -> Dataset {
    let t: Vec<f64> = (0..61).map(|i| f64::from(i) * 0.1).collect();
    let options = SolveOptions::default().tolerances(1e-10, 1e-10);
    let truth = solve(&lotka_volterra().unwrap(), &U0, &t, &options)
        .unwrap()
        .u;
    let clean = Dataset::single(Array1::from(t), truth, Some(Array1::from(U0.to_vec()))).unwrap();
    clean.add_noise_seeded(noise, RelativeTo::Mean, 10).unwrap()
}

/// Returns the equations with these starts of a, b, c, d and this known of them.
fn predators(starts: [f64; 4], specs: [ConstantSpec; 4]) -> VectorField {
    let mut field = lotka_volterra().unwrap();
    for ((name, start), spec) in ["a", "b", "c", "d"].iter().zip(starts).zip(specs) {
        field = field
            .with_param(name, &[start])
            .unwrap()
            .trainable_with(name, spec)
            .unwrap();
    }
    field
}

#[test]
fn a_bound_is_never_crossed() {
    let data = prey_and_predators(0.05);
    // The truth, 1.3, 0.9, 0.8 and 1.8, lies outside of the first two bounds.
    let specs = [
        known().min(0.0).max(1.0),
        known().min(1.1),
        known().log(),
        known().min(0.5).max(10.0).log(),
    ];
    let model = predators([0.9, 2.0, 0.3, 5.0], specs);
    let options = TrainOptions {
        trajectory_every: Some(1),
        ..TrainOptions::default()
    };
    let run = trained(&model, &data, &options);
    let inside = |theta: &[f64]| {
        0.0 < theta[0]
            && theta[0] < 1.0
            && 1.1 < theta[1]
            && 0.0 < theta[2]
            && 0.5 < theta[3]
            && theta[3] < 10.0
    };
    let path = run.path().unwrap().params;
    assert!(path.nrows() > 10);
    for theta in path.outer_iter() {
        assert!(inside(&theta.to_vec()), "{theta}");
    }
    let end = run.model.params();
    assert!(inside(&end) && end[0] > 0.97, "{end:?}");
    let warnings = run.trust().unwrap().warnings.join("\n");
    assert!(
        warnings.contains("near 1") && warnings.contains("profile"),
        "{warnings}"
    );
    // The model goes on from where it is.
    trained(&run.model, &data, &TrainOptions::default().epochs(2));
}

/// With bounds that do not matter the result is that without, and the errors are those of the curvature of the cost.
#[test]
fn errors_are_those_of_finite_differences_of_the_cost() {
    let data = prey_and_predators(0.01);
    let prior = (1.25, 0.01);
    let specs = [
        known().min(0.0).max(5.0).prior(prior.0, prior.1),
        known().log(),
        known().min(0.1),
        known(),
    ];
    let run = trained(
        &predators([2.0, 0.5, 0.4, 3.0], specs),
        &data,
        &TrainOptions::default(),
    );
    let trust = run.trust().unwrap();
    let t = data.t().to_vec();
    let y = data.sample(0).unwrap().to_owned();
    let options = SolveOptions::default().tolerances(1e-11, 1e-11);
    let cost = |theta: &[f64]| {
        let u = solve(&run.model.with_params(theta).unwrap(), &U0, &t, &options)
            .unwrap()
            .u;
        let residuals =
            Array2::from_shape_fn(u.dim(), |(i, j)| (u[[i, j]] - y[[i, j]]) / trust.noise[j]);
        residuals.mapv(|r| r * r).sum() + ((theta[0] - prior.0) / prior.1).powi(2)
    };
    let at = run.model.params();
    let h: Vec<f64> = at.iter().map(|x| 1e-3 * x).collect();
    let moved = |i: usize, si: f64, j: usize, sj: f64| {
        let mut theta = at.clone();
        theta[i] += si * h[i];
        theta[j] += sj * h[j];
        cost(&theta)
    };
    let curvature = DMatrix::from_fn(4, 4, |i, j| {
        (moved(i, 1.0, j, 1.0) - moved(i, 1.0, j, -1.0) - moved(i, -1.0, j, 1.0)
            + moved(i, -1.0, j, -1.0))
            / (4.0 * h[i] * h[j])
    });
    let covariance = (curvature / 2.0).try_inverse().unwrap();
    for i in 0..4 {
        let want = covariance[(i, i)].sqrt();
        let got = trust.constants.errors[i];
        assert!((got / want - 1.0).abs() < 0.03, "{i}: {got} {want}");
        // The minimum of the cost: a gradient that is small against the errors.
        let gradient = (moved(i, 0.5, i, 0.5) - moved(i, -0.5, i, -0.5)) / (2.0 * h[i]);
        assert!(
            (0.5 * gradient * want).abs() < 0.3,
            "{i}: {gradient} {want}"
        );
    }
}

#[test]
fn a_run_is_saved_with_what_was_known_and_goes_on_to_the_same_bits() {
    let data = prey_and_predators(0.05);
    let specs = [
        known().min(0.0).max(5.0).prior(1.0, 0.5),
        known().log(),
        known().prior(0.7, 0.1),
        known(),
    ];
    let model = predators([3.9, 0.3, 2.4, 0.6], specs);
    let whole = trained(&model, &data, &TrainOptions::default());
    let folder = tempfile::tempdir().unwrap();
    let mut options = TrainOptions::default().out(folder.path()).epochs(9);
    let stopped = trained(&model, &data, &options);
    assert_eq!(stopped.stop, StopReason::EarlyStop);
    options.resume = true;
    options.epochs = None;
    let resumed = trained(&model, &data, &options);
    assert_eq!(resumed.model.params(), whole.model.params());
    let loaded = Run::load(folder.path()).unwrap();
    let specs = |run: &Run| {
        run.model
            .specs()
            .map(|(name, _, spec)| (name.to_string(), spec))
            .collect::<Vec<_>>()
    };
    assert_eq!(specs(&loaded), specs(&whole));
    assert_eq!(
        loaded.trust().unwrap().constants.errors,
        whole.trust().unwrap().constants.errors
    );
    // Another prior is another training.
    let other = model.trainable_with("c", known().prior(0.7, 0.2)).unwrap();
    let error = train(
        &other,
        &data,
        &WeakConstraint::default().into(),
        &options,
        &mut (),
    )
    .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("what is known of the constant \"c\" was \"prior 0.7 ± 0.1\""),
        "{error}"
    );
}

#[test]
fn what_does_not_honour_it_says_so_and_names_what_does() {
    let data = prey_and_predators(0.05);
    let model = lotka_volterra()
        .unwrap()
        .trainable_with("a", known().min(0.0))
        .unwrap();
    let methods: [TrainingMethod; 3] = [
        TrainingMethod::Vanilla,
        MultipleShooting::default().into(),
        Homotopy::new(6.0, Schedule::default()).into(),
    ];
    for method in methods {
        let error = train(
            &model,
            &data,
            &method,
            &TrainOptions::default().epochs(1),
            &mut (),
        )
        .unwrap_err()
        .to_string();
        assert!(
            error.contains("\"a\" (above 0)") && error.contains("weak_constraint()"),
            "{error}"
        );
    }
    // Plainly trainable it is as any other.
    let plain = model.trainable(&["a"]).unwrap();
    train(
        &plain,
        &data,
        &TrainingMethod::Vanilla,
        &TrainOptions::default().epochs(1),
        &mut (),
    )
    .unwrap();
    // Values may be set after the bounds: the start is looked at again.
    let outside = model.with_param("a", &[-1.0]).unwrap();
    let error = train(
        &outside,
        &data,
        &WeakConstraint::default().into(),
        &TrainOptions::default(),
        &mut (),
    );
    let error = error.unwrap_err().to_string();
    assert!(
        error.contains("begins at -1, which is not above 0")
            && error.contains("with_param(\"a\", 1)"),
        "{error}"
    );
}
