//! Profile likelihoods against linear problems and problems that data do not determine.

use super::weak_constraint_runs::trained;
use ndarray::{Array1, Array2, array};
use odesync_base::random::Generator;
use odesync_ode::dynamics::lotka_volterra;
use odesync_ode::field::{ConstantSpec, system};
use odesync_ode::odesolve::{SolveOptions, solve};
use odesync_train::datasets::{Dataset, RelativeTo};
use odesync_train::training::{
    DataLoss, ProfileOptions, TrainOptions, TrainingMethod, WeakConstraint, train,
};

fn line() -> Dataset {
    let t = Array1::from_iter((0..40).map(|i| f64::from(i) * 0.1));
    let errors = Generator::manual_seed(4).normal(0.0, 1.0, 40);
    let y = Array2::from_shape_fn((40, 1), |(i, _)| {
        1.5 * t[i] - 0.2 * t[i] * t[i] + 0.05 * f64::from(errors[i])
    });
    Dataset::single(t, y, Some(array![0.0])).unwrap()
}

/// u' = a + b t is linear in its constants: the profile is a parabola with the curvature of the standard error, the intervals are one
/// and 1.96 standard errors to both sides.
#[test]
fn of_a_linear_problem_it_is_the_parabola_of_the_standard_error() {
    let model = system(1, &[("a", 1.0), ("b", -0.3)], |t, _, p| {
        vec![p.get("a") + p.get("b") * t]
    })
    .unwrap();
    let model = model.trainable(&["a", "b"]).unwrap();
    let run = trained(&model, &line(), WeakConstraint::default());
    let constants = run.trust().unwrap().constants;
    for (i, name) in ["a", "b"].into_iter().enumerate() {
        let profile = run.profile(name, &ProfileOptions::default()).unwrap();
        assert_eq!((profile.values.len(), profile.chi2.len()), (21, 21));
        let error = constants.errors[i];
        assert!((profile.estimate - constants.values[i]).abs() < 0.2 * error);
        for (value, chi2) in profile.values.iter().zip(&profile.chi2) {
            let want = ((value - profile.estimate) / error).powi(2);
            assert!(
                (chi2 - want).abs() < 0.01 * (want + 0.1),
                "{name} = {value}: {chi2} {want}"
            );
        }
        for (interval, sds) in [(profile.interval_68, 1.0), (profile.interval_95, 1.959_964)] {
            let [low, high] = interval.map(Option::unwrap);
            assert!((low - (profile.estimate - sds * error)).abs() < 0.01 * error);
            assert!((high - (profile.estimate + sds * error)).abs() < 0.01 * error);
        }
        assert!(profile.notes.is_empty(), "{:?}", profile.notes);
    }
}

/// Only the product of a and b acts: either may be anything, and a third constant is known as well as ever.
#[test]
fn a_constant_that_the_data_do_not_tell_has_an_open_interval() {
    let model = system(1, &[("a", 1.1), ("b", 1.2), ("c", -0.3)], |t, _, p| {
        vec![p.get("a") * p.get("b") + p.get("c") * t]
    })
    .unwrap();
    let model = model.trainable(&["a", "b", "c"]).unwrap();
    let run = trained(&model, &line(), WeakConstraint::default());
    let options = ProfileOptions {
        points: 11,
        width: 0.5,
        ..ProfileOptions::default()
    };
    let profile = run.profile("a", &options).unwrap();
    assert_eq!(
        (profile.interval_95, profile.interval_68),
        ([None; 2], [None; 2]),
        "{profile:?}"
    );
    assert_eq!(profile.notes.len(), 2);
    assert!(
        profile.notes[0].contains("open below") && profile.notes[1].contains("open above"),
        "{:?}",
        profile.notes
    );
    assert!(
        profile.chi2.iter().all(|rise| *rise < 0.01),
        "{:?}",
        profile.chi2
    );
    let known = run.profile("c", &ProfileOptions::default()).unwrap();
    assert!(known.interval_95.iter().all(Option::is_some) && known.notes.is_empty());
    // A prior closes it.
    let prior = ConstantSpec::default().prior(1.0, 0.1);
    let run = trained(
        &model.trainable_with("b", prior).unwrap(),
        &line(),
        WeakConstraint::default(),
    );
    let profile = run.profile("b", &ProfileOptions::default()).unwrap();
    for (end, sds) in profile.interval_95.iter().zip([-1.96, 1.96]) {
        assert!(
            (end.unwrap() - (1.0 + 0.1 * sds)).abs() < 0.01,
            "{profile:?}"
        );
    }
    // With a bound inside of it the interval ends there.
    let bounded = ConstantSpec::default().min(1.05);
    let run = trained(
        &model.trainable_with("a", bounded).unwrap(),
        &line(),
        WeakConstraint::default(),
    );
    let wide = ProfileOptions {
        points: 11,
        width: 30.0,
        ..ProfileOptions::default()
    };
    let profile = run.profile("a", &wide).unwrap();
    assert_eq!(profile.interval_95[0], Some(1.05));
    assert!(
        profile.notes[0].contains("up to its bound 1.05"),
        "{:?}",
        profile.notes
    );
}

/// Against a minimisation of the cost by itself, at values of a constant of Lotka-Volterra: every other constant by Newton's method on
/// finite differences of accurate solves.
#[test]
fn of_lotka_volterra_it_is_the_least_cost_of_accurate_solves() {
    let t: Vec<f64> = (0..61).map(|i| f64::from(i) * 0.1).collect();
    let u0 = [0.44249296, 4.6280594];
    let options = SolveOptions::default().tolerances(1e-10, 1e-10);
    let truth = solve(&lotka_volterra().unwrap(), &u0, &t, &options)
        .unwrap()
        .u;
    let clean = Dataset::single(
        Array1::from(t.clone()),
        truth,
        Some(Array1::from(u0.to_vec())),
    )
    .unwrap();
    let data = clean.add_noise_seeded(0.05, RelativeTo::Mean, 10).unwrap();
    let model = lotka_volterra().unwrap().trainable(&["a", "d"]).unwrap();
    let run = trained(&model, &data, WeakConstraint::default());
    let profile = run
        .profile(
            "a",
            &ProfileOptions {
                points: 7,
                ..ProfileOptions::default()
            },
        )
        .unwrap();
    let noise = run.trust().unwrap().noise;
    let y = data.sample(0).unwrap();
    let cost = |a: f64, d: f64| {
        let u = solve(&model.with_params(&[a, d]).unwrap(), &u0, &t, &options)
            .unwrap()
            .u;
        let residuals = Array2::from_shape_fn(u.dim(), |(i, j)| (u[[i, j]] - y[[i, j]]) / noise[j]);
        residuals.mapv(|r| r * r).sum()
    };
    let least = |a: f64| {
        let mut d = run.model.params()[1];
        for _ in 0..8 {
            let h = 1e-3;
            let (low, here, high) = (cost(a, d - h), cost(a, d), cost(a, d + h));
            d -= h * (high - low) / 2.0 / (high - 2.0 * here + low);
        }
        cost(a, d)
    };
    let bottom = least(profile.estimate);
    for (value, chi2) in profile.values.iter().zip(&profile.chi2) {
        let want = least(*value) - bottom;
        assert!(
            (chi2 - want).abs() < 0.02 * (1.0 + want),
            "{value}: {chi2} {want}"
        );
    }
    // A robust loss has a profile as well.
    let robust = trained(
        &model,
        &data,
        WeakConstraint::default().loss(DataLoss::StudentT),
    );
    let profile = robust.profile("a", &ProfileOptions::default()).unwrap();
    let [low, high] = profile.interval_95.map(Option::unwrap);
    assert!(low < 1.3 && 1.3 < high && high - low < 0.1, "{profile:?}");
}

#[test]
fn what_has_no_profile_says_why() {
    let model = system(1, &[("a", 1.0)], |_, _, p| vec![p.get("a")]).unwrap();
    let model = model.trainable(&["a"]).unwrap();
    let run = trained(&model, &line(), WeakConstraint::default());
    let few = ProfileOptions {
        points: 2,
        ..ProfileOptions::default()
    };
    assert!(
        run.profile("a", &few)
            .unwrap_err()
            .to_string()
            .contains("points: 5")
    );
    let unknown = run
        .profile("b", &ProfileOptions::default())
        .unwrap_err()
        .to_string();
    assert!(
        unknown.contains("\"b\"") && unknown.contains("a"),
        "{unknown}"
    );
    let options = TrainOptions::default().epochs(2);
    let vanilla = train(&model, &line(), &TrainingMethod::Vanilla, &options, &mut ()).unwrap();
    let error = vanilla
        .profile("a", &ProfileOptions::default())
        .unwrap_err()
        .to_string();
    assert!(error.contains("weak_constraint()"), "{error}");
}
