//! Discovery with nothing set, on data as people bring them.

use ndarray::{Array1, Array2, Array3, s};
use odesync_ode::field::{Expr, Parameters, VectorField, system};
use odesync_ode::odesolve::{SolveOptions, solve};
use odesync_train::datasets::{Dataset, RelativeTo};
use odesync_train::discovery::{DiscoverOptions, Discovery, discover};

fn solved(field: &VectorField, u0: &[f64], t: &[f64]) -> Array2<f64> {
    let options = SolveOptions::default().tolerances(1e-10, 1e-10);
    solve(field, u0, t, &options).unwrap().u
}

fn found(data: &Dataset) -> Discovery {
    let found = discover(data, &DiscoverOptions::default(), &mut ()).unwrap();
    println!("{}", found.report().unwrap());
    found
}

/// A damped Duffing oscillator in mm and mm/s, with noise of 0.5 mm and 5 mm/s.
#[test]
fn an_oscillator_in_millimetres_is_predicted_beyond_the_data() {
    let duffing = system(2, &[], |_, u: Expr, _: Parameters| {
        let x = u.at(0);
        vec![
            u.at(1),
            -2.0 * x.clone() - 0.01 * x.clone() * x.clone() * x - 0.3 * u.at(1),
        ]
    })
    .unwrap();
    let t: Vec<f64> = (0..400).map(|i| f64::from(i) * 0.05).collect();
    let truth = solved(&duffing, &[20.0, 0.0], &t);
    let head = truth.slice(s![..200, ..]).to_owned();
    let scales = [0.5, 5.0];
    let clean = Dataset::single(Array1::from(t[..200].to_vec()), head.clone(), None).unwrap();
    let unit = clean
        .add_noise_seeded(1.0, RelativeTo::Nothing, 10)
        .unwrap();
    let noise = &unit.sample(0).unwrap() - &head;
    let noisy = &head + &Array2::from_shape_fn(noise.dim(), |(i, j)| noise[[i, j]] * scales[j]);
    let data = Dataset::single(Array1::from(t[..200].to_vec()), noisy, None).unwrap();
    let found = found(&data);
    assert!(found.form.is_second_order());
    // The equations are found, -2 x - 0.3 v - 0.01 x³, and predict to twice the span within 0.02 mm².
    let equations = found.preferred_equations().unwrap();
    assert_eq!(equations.terms(), 3, "{}", equations.text());
    let error = |ahead: &Array3<f64>| {
        let error = &ahead.slice(s![0, 200.., 0]) - &truth.slice(s![200.., 0]);
        error.mapv(|x| x * x).mean().unwrap()
    };
    let by_equations = error(&found.predict(&t).unwrap().u);
    assert!(by_equations < 0.02, "{by_equations}");
    // The bands of the networks hold: the truth beyond the data is within two standard deviations nearly everywhere, and their error
    // is far below the spread of the data, 8.5 mm.
    let ahead = found.predict_with_networks(&t).unwrap();
    let inside = (200..400)
        .filter(|i| (ahead.u[[0, *i, 0]] - truth[[*i, 0]]).abs() < 2.0 * ahead.sd[[0, *i, 0]]);
    let inside = inside.count();
    assert!(inside >= 170, "{inside} of 200");
    let by_networks = error(&ahead.u);
    assert!(by_networks.sqrt() < 0.1 * 8.5, "{by_networks}");
}

#[test]
fn what_does_not_fit_is_an_error() {
    let t = Array1::linspace(0.0, 3.0, 31);
    let u = Array2::from_shape_fn((31, 2), |(i, j)| (t[i] + j as f64).sin());
    let data = Dataset::single(t, u, None).unwrap();
    let text = |change: fn(&mut DiscoverOptions)| {
        let mut options = DiscoverOptions::default();
        change(&mut options);
        discover(&data, &options, &mut ()).unwrap_err().to_string()
    };
    assert!(text(|o| o.seeds = vec![]).contains("at least one seed"));
    assert!(text(|o| (o.seeds, o.hidden) = (vec![10, 10], Some(vec![4]))).contains("seed 10"));
    let observe = text(|o| o.train.observation.observe = Some(vec![1, 0]));
    assert!(observe.contains("own columns"), "{observe}");
}

/// A single component has no derivative among the data, and its form with one would need an initial slope too.
#[test]
fn a_given_initial_state_is_that_of_the_columns() {
    let t = Array1::linspace(0.0, 3.0, 31);
    let u = Array2::from_shape_fn((31, 1), |(i, _)| f64::exp(-t[i]));
    let data = Dataset::single(t, u, None).unwrap();
    let mut options = DiscoverOptions {
        hidden: Some(vec![4]),
        seeds: vec![10],
        equations: false,
        ..DiscoverOptions::default()
    };
    options.train.observation.u0 = Some(Array2::from_elem((1, 1), 1.0));
    let found = discover(&data, &options, &mut ()).unwrap();
    assert_eq!(found.form.derivative_of, [None]);
    let ahead = found.predict(&[0.0, 4.0]).unwrap();
    assert!((ahead.u[[0, 1, 0]] - f64::exp(-4.0)).abs() < 0.02);
}
