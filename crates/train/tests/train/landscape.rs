//! Second derivatives of losses, compared with reference figures and finite differences of gradients on the same steps; symmetry.

use ndarray::{Array1, Array2, Array3, Axis};
use odesync_base::random::Generator;
use odesync_ode::engines::engine;
use odesync_ode::field::{Unary, VectorField};
use odesync_ode::odesolve::{SolveOptions, solve};
use odesync_testing::{flat_numbers, golden, numbers};
use odesync_train::datasets::Dataset;
use odesync_train::landscape::{Hessian, LossOptions};
use odesync_train::models::{blackbox, graybox, second_order};
use odesync_train::schedules::Schedule;
use odesync_train::training::{Homotopy, MultipleShooting, Objective, Observation, TrainingMethod};

fn times(n: u32) -> Vec<f64> {
    (0..n).map(|i| 0.1 * f64::from(i)).collect()
}

/// Returns noisy Lotka-Volterra data of several samples, with missing values.
fn data(samples: usize) -> Dataset {
    let system = odesync_ode::dynamics::lotka_volterra().unwrap();
    let t = times(12);
    let mut u = Array3::zeros((samples, t.len(), 2));
    let mut u0 = Array2::zeros((samples, 2));
    for (s, mut u) in u.outer_iter_mut().enumerate() {
        let start = [0.5 + 0.2 * s as f64, 1.5];
        u.assign(
            &solve(&system, &start, &t, &SolveOptions::default())
                .unwrap()
                .u,
        );
        u0.row_mut(s).assign(&Array1::from(start.to_vec()));
    }
    for (i, x) in u.iter_mut().enumerate() {
        *x += 0.3 * (1.7 * i as f64).sin();
    }
    u[[0, 4, 1]] = f64::NAN;
    Dataset::new(Array1::from(t), u, Some(u0)).unwrap()
}

fn models() -> Vec<(&'static str, VectorField)> {
    let gray = graybox(
        &[2, 5, 2],
        Unary::Tanh,
        &[("a", 1.3)],
        &mut Generator::manual_seed(1),
        |_, u, nn, p| {
            vec![
                p.get("a") * u.at(0) + nn.at(0),
                u.at(1) * -1.8 + nn.at(1) * u.at(0),
            ]
        },
    )
    .unwrap()
    .trainable(&["a"])
    .unwrap();
    let nodes = [2, 7, 2];
    vec![
        (
            "blackbox",
            blackbox(&nodes, Unary::Gelu, &mut Generator::manual_seed(10)).unwrap(),
        ),
        ("graybox", gray),
        (
            "second_order",
            second_order(&[2, 6, 1], Unary::Silu, &mut Generator::manual_seed(3)).unwrap(),
        ),
    ]
}

fn methods() -> Vec<(TrainingMethod, f64)> {
    vec![
        (TrainingMethod::Vanilla, 0.0),
        (
            Homotopy::new(6.0, Schedule::list(vec![1.0]).unwrap()).into(),
            0.3,
        ),
        (
            MultipleShooting {
                segments: 3,
                continuity_weight: 0.7,
            }
            .into(),
            0.0,
        ),
    ]
}

/// Returns a vector in no special direction.
fn vector(n: usize, seed: usize) -> Vec<f64> {
    (0..n)
        .map(|i| (1.1 * i as f64 + 2.3 * seed as f64 + 0.4).sin())
        .collect()
}

fn norm(v: &[f64]) -> f64 {
    v.iter().map(|x| x * x).sum::<f64>().sqrt()
}

/// Computes H v by fourth-order differences of gradients on the steps chosen at θ.
fn difference(model: &VectorField, data: &Dataset, options: &LossOptions, v: &[f64]) -> Vec<f64> {
    let engine = engine("native", "cpu").unwrap();
    let LossOptions {
        method,
        lambda,
        observation,
        solver,
    } = options;
    let mut objective =
        Objective::with_observation(model, data, method, observation, solver, engine).unwrap();
    let theta = objective.initial_params();
    let recorded = objective
        .evaluate(&theta, *lambda, false, None)
        .unwrap()
        .recorded;
    let h = 1e-3;
    let mut at = |e: f64| {
        let shifted: Vec<f64> = theta.iter().zip(v).map(|(t, v)| t + e * h * v).collect();
        objective
            .evaluate(&shifted, *lambda, true, Some(&recorded))
            .unwrap()
            .gradient
    };
    let (a, b, c, d) = (at(-2.0), at(-1.0), at(1.0), at(2.0));
    (0..v.len())
        .map(|i| (a[i] - 8.0 * b[i] + 8.0 * c[i] - d[i]) / (12.0 * h))
        .collect()
}

#[test]
fn the_reference_hessian() {
    let case = golden("hessian");
    let nodes: Vec<usize> = numbers(&case["nodes"])
        .iter()
        .map(|n| *n as usize)
        .collect();
    let seed = case["seed"].as_u64().unwrap();
    let model = blackbox(&nodes, Unary::Gelu, &mut Generator::manual_seed(seed)).unwrap();
    assert_eq!(model.params(), numbers(&case["params"]));
    let (t, u0) = (numbers(&case["t"]), numbers(&case["u0"]));
    let u = Array2::from_shape_vec((t.len(), u0.len()), flat_numbers(&case["u"])).unwrap();
    let data = Dataset::single(Array1::from(t), u, Some(Array1::from(u0))).unwrap();
    let options = LossOptions {
        solver: SolveOptions::default().tolerances(1e-9, 1e-11),
        ..LossOptions::default()
    };
    let h = Hessian::new(&model, &data, &options).unwrap();
    assert!((h.loss() / case["loss"].as_f64().unwrap() - 1.0).abs() < 1e-7);
    let (want, matrix) = (flat_numbers(&case["hessian"]), h.matrix().unwrap());
    let largest = want.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
    for (got, want) in matrix.iter().zip(&want) {
        assert!((got - want).abs() < 1e-6 * largest, "{got} {want}");
    }
    let values = numbers(&case["eigenvalues"]);
    for (got, want) in h.spectrum().unwrap().iter().zip(&values) {
        assert!((got - want).abs() < 1e-6 * largest, "{got} {want}");
    }
    let trace = h.trace().unwrap();
    assert!((trace.value - case["trace"].as_f64().unwrap()).abs() < 1e-6 * largest);
    assert_eq!(trace.standard_error, 0.0);
    let estimate = h.trace_estimate(400, 1).unwrap();
    assert!((estimate.value - trace.value).abs() < 4.0 * estimate.standard_error);
    assert!(estimate.standard_error > 0.0);

    let pairs = h.eigenpairs(3).unwrap();
    let mut by_magnitude = values.clone();
    by_magnitude.sort_by(|a, b| b.abs().total_cmp(&a.abs()));
    for (i, want) in by_magnitude.iter().take(3).enumerate() {
        assert!((pairs.values[i] - want).abs() < 1e-6 * largest);
        let v = pairs.vectors.row(i).to_vec();
        assert!((norm(&v) - 1.0).abs() < 1e-12);
        let residual: Vec<f64> = h
            .apply(&v)
            .unwrap()
            .iter()
            .zip(&v)
            .map(|(h, v)| h - pairs.values[i] * v)
            .collect();
        assert!(norm(&residual) < 1e-10 * largest);
    }
}

#[test]
fn products_against_finite_differences_of_gradients() {
    for (name, model) in models() {
        for (method, lambda) in methods() {
            for solver in ["dopri5", "bosh3", "radau", "kvaerno5"] {
                let solver = SolveOptions::default()
                    .solver(solver)
                    .unwrap()
                    .tolerances(1e-6, 1e-8);
                let options = LossOptions {
                    method: method.clone(),
                    lambda,
                    solver,
                    ..LossOptions::default()
                };
                let data = data(2);
                let h = Hessian::new(&model, &data, &options).unwrap();
                let v = vector(h.n(), 0);
                let (got, want) = (
                    h.apply(&v).unwrap(),
                    difference(&model, &data, &options, &v),
                );
                let gap: Vec<f64> = got.iter().zip(&want).map(|(a, b)| a - b).collect();
                assert!(
                    norm(&gap) < 1e-8 * norm(&want),
                    "{name} {} λ = {lambda}: {:e} of {:e}",
                    method.name(),
                    norm(&gap),
                    norm(&want)
                );
                assert!(norm(&want) > 1e-3);
            }
        }
    }
}

#[test]
fn a_part_of_the_state_is_measured_and_initial_states_are_trained() {
    let full = data(2);
    let prey = full.u().slice(ndarray::s![.., .., ..1]).to_owned();
    let prey = Dataset::new(full.t().to_owned(), prey, None).unwrap();
    let u0 = full.u0().to_owned();
    for (name, model) in models() {
        for (method, lambda) in methods() {
            let observation = Observation::of_variables([0])
                .with_u0(u0.clone())
                .train_u0();
            let options = LossOptions::default()
                .method(method)
                .lambda(lambda)
                .observation(observation)
                .tolerances(1e-6, 1e-8);
            let h = Hessian::new(&model, &prey, &options).unwrap();
            assert!(h.n() > model.n_params() + 3, "{name}");
            let v = vector(h.n(), 4);
            let (got, want) = (
                h.apply(&v).unwrap(),
                difference(&model, &prey, &options, &v),
            );
            let gap: Vec<f64> = got.iter().zip(&want).map(|(a, b)| a - b).collect();
            assert!(norm(&gap) < 1e-8 * norm(&want), "{name}: {:e}", norm(&gap));
        }
    }
}

#[test]
fn every_method_with_second_derivatives_and_fixed_steps() {
    let (model, data) = (&models()[1].1, data(1));
    let mut without = vec![];
    for method in odesync_ode::odesolve::solvers::ALL {
        let options = LossOptions::default().solver(SolveOptions {
            solver: method,
            ..SolveOptions::default()
        });
        if let Err(error) = Hessian::new(model, &data, &options) {
            let error = error.to_string();
            assert!(error.contains(method.name), "{error}");
            assert!(
                error.contains("radau, kvaerno5") && error.contains("dopri5"),
                "{error}"
            );
            without.push(method.name);
            continue;
        }
        for fixed in [false, true] {
            let mut solver = SolveOptions {
                solver: method,
                ..SolveOptions::default()
            }
            .tolerances(1e-5, 1e-7);
            if fixed {
                solver = solver.substeps(2);
            }
            let options = LossOptions {
                solver,
                ..LossOptions::default()
            };
            let h = Hessian::new(model, &data, &options).unwrap();
            let v = vector(h.n(), 1);
            let (got, want) = (h.apply(&v).unwrap(), difference(model, &data, &options, &v));
            let gap: Vec<f64> = got.iter().zip(&want).map(|(a, b)| a - b).collect();
            assert!(
                norm(&gap) < 1e-8 * norm(&want),
                "{}: {:e}",
                method.name,
                norm(&gap)
            );
        }
    }
    assert_eq!(
        without,
        [
            "rodas5p",
            "bdf",
            "adams2",
            "adams3",
            "adams4",
            "implicit_adams",
            "auto"
        ]
    );
}

/// A stiff model, y' = −k (y − cos θt) with a slow second variable: with k = 2000 an explicit solver would take thousands of
/// steps.
#[test]
fn a_stiff_model_has_a_hessian() {
    let model = odesync_ode::field::system(2, &[("k", 2000.0), ("w", 1.3)], |t, u, p| {
        vec![
            -p.get("k") * (u.at(0) - (p.get("w") * t).cos() * u.at(1)),
            -u.at(1) * u.at(1) + 0.3 * u.at(0),
        ]
    })
    .unwrap()
    .trainable(&["k", "w"])
    .unwrap();
    let data = data(2);
    for name in ["radau", "kvaerno5"] {
        let solver = SolveOptions::default().solver(name).unwrap();
        let options = LossOptions::default().solver(solver.tolerances(1e-7, 1e-9));
        let h = Hessian::new(&model, &data, &options).unwrap();
        for seed in 0..3 {
            // Scaled to the magnitude of the rate, so that a difference changes both parameters.
            let v = vector(2, seed);
            let v = [100.0 * v[0], v[1]];
            let (got, want) = (
                h.apply(&v).unwrap(),
                difference(&model, &data, &options, &v),
            );
            for (got, want) in got.iter().zip(&want) {
                assert!(
                    (got - want).abs() < 1e-7 * want.abs(),
                    "{name}: {got:e}, {want:e}"
                );
            }
        }
        let m = h.matrix().unwrap();
        assert!(
            (m[[0, 1]] - m[[1, 0]]).abs() < 1e-12 * m[[0, 1]].abs(),
            "{m}"
        );
    }
}

#[test]
fn symmetric_and_the_same_bits_alone_in_blocks_and_on_any_number_of_threads() {
    let model = &models()[0].1;
    for (method, lambda) in methods() {
        let options = LossOptions {
            method,
            lambda,
            ..LossOptions::default()
        };
        let h = Hessian::new(model, &data(3), &options).unwrap();
        let n = h.n();
        let units: Vec<Vec<f64>> = (0..n)
            .map(|i| (0..n).map(|j| f64::from(u8::from(i == j))).collect())
            .collect();
        let pool = |threads| {
            rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap()
        };
        let together = pool(1).install(|| h.apply_many(&units).unwrap());
        assert_eq!(together, pool(3).install(|| h.apply_many(&units).unwrap()));
        let largest = together
            .iter()
            .flatten()
            .fold(0.0_f64, |m, x| m.max(x.abs()));
        for i in 0..n {
            assert_eq!(together[i], h.apply(&units[i]).unwrap());
            for (j, column) in together.iter().enumerate().take(i) {
                assert!((together[i][j] - column[i]).abs() < 1e-12 * largest);
            }
        }
        let matrix = h.matrix().unwrap();
        assert_eq!(matrix, matrix.t());
        for (row, column) in matrix.axis_iter(Axis(0)).zip(&together) {
            for (a, b) in row.iter().zip(column) {
                assert!((a - b).abs() < 1e-12 * largest);
            }
        }
        let trace: f64 = (0..n).map(|i| together[i][i]).sum();
        assert!((h.trace().unwrap().value - trace).abs() < 1e-12 * largest * n as f64);
    }
}

#[test]
fn gauss_newton_products_are_the_hessian_without_the_residuals() {
    for (name, model) in models() {
        let noisy = data(2);
        let t = noisy.t().to_vec();
        let mut solutions = noisy.u().to_owned();
        for (u0, mut solution) in noisy.u0().outer_iter().zip(solutions.outer_iter_mut()) {
            let u = solve(&model, &u0.to_vec(), &t, &SolveOptions::default())
                .unwrap()
                .u;
            // Missing values stay missing.
            solution.zip_mut_with(&u, |x, u| *x = *u + 0.0 * *x);
        }
        let exact = Dataset::new(Array1::from(t), solutions, Some(noisy.u0().to_owned())).unwrap();
        let options = LossOptions::default();
        let (with, without) = (
            Hessian::new(&model, &noisy, &options).unwrap(),
            Hessian::new(&model, &exact, &options).unwrap(),
        );
        let vectors: Vec<Vec<f64>> = (0..11).map(|i| vector(with.n(), i)).collect();
        let products = with.gauss_newton_many(&vectors).unwrap();
        assert!(without.loss() < 1e-25);
        for (v, got) in vectors.iter().zip(&products) {
            let want = without.apply(v).unwrap();
            let gap: Vec<f64> = got.iter().zip(&want).map(|(a, b)| a - b).collect();
            assert!(norm(&gap) < 1e-10 * norm(&want), "{name}: {:e}", norm(&gap));
            assert!(v.iter().zip(got).map(|(v, g)| v * g).sum::<f64>() > 0.0);
            assert_eq!(got, &with.gauss_newton(v).unwrap());
        }
        let full = with.apply(&vectors[0]).unwrap();
        assert!(
            (norm(&full) / norm(&products[0]) - 1.0).abs() > 1e-3,
            "{name}: the two differ"
        );
    }
}

#[test]
fn gauss_newton_of_multiple_shooting_holds_the_gaps() {
    let (model, data) = (&models()[0].1, data(1));
    let weights = [0.7, 1.4, 2.8];
    let at = |weight: f64| {
        let method = MultipleShooting {
            segments: 3,
            continuity_weight: weight,
        }
        .into();
        let options = LossOptions {
            method,
            ..LossOptions::default()
        };
        let h = Hessian::new(model, &data, &options).unwrap();
        assert_eq!(h.n(), model.n_params() + 4);
        h.gauss_newton(&vector(h.n(), 2)).unwrap()
    };
    let [a, b, c] = weights.map(at);
    // The Hessian is linear in the weight: data part + weight × gap part.
    for i in 0..a.len() {
        let scale = c[i].abs().max(1.0);
        assert!((c[i] - b[i] - 2.0 * (b[i] - a[i])).abs() < 1e-11 * scale);
    }
    assert!(norm(&c) > norm(&a));
}

#[test]
fn mistakes_are_errors() {
    let (model, data) = (&models()[0].1, data(1));
    let h = Hessian::new(model, &data, &LossOptions::default()).unwrap();
    let message = |e: odesync_base::Error| e.to_string();
    assert!(message(h.apply(&[1.0]).unwrap_err()).contains("has 1 number"));
    let mut v = vector(h.n(), 0);
    v[2] = f64::NAN;
    assert!(message(h.apply(&v).unwrap_err()).contains("number 2 is NaN"));
    assert!(h.eigenpairs(0).is_err() && h.eigenpairs(h.n() + 1).is_err());
    assert!(h.trace_estimate(1, 0).is_err());
    let known = odesync_ode::dynamics::lotka_volterra().unwrap();
    let error = Hessian::new(&known, &data, &LossOptions::default()).unwrap_err();
    assert!(message(error).contains("trainable"));
    let options = LossOptions {
        lambda: 0.5,
        ..LossOptions::default()
    };
    assert!(Hessian::new(model, &data, &options).is_err());
    let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let solver = SolveOptions {
        interrupt: Some(stop.clone()),
        ..SolveOptions::default()
    };
    let options = LossOptions::default().solver(solver);
    let h = Hessian::new(model, &data, &options).unwrap();
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    let repeated = Hessian::new(model, &data, &options);
    assert!(matches!(repeated, Err(odesync_base::Error::Interrupted)));
    assert!(matches!(h.matrix(), Err(odesync_base::Error::Interrupted)));
}

#[test]
fn progress_reaches_the_end() {
    let h = Hessian::new(&models()[0].1, &data(1), &LossOptions::default()).unwrap();
    let most = std::sync::atomic::AtomicUsize::new(0);
    h.matrix_with_progress(&|done, n| {
        assert!(done <= n && n == h.n());
        most.fetch_max(done, std::sync::atomic::Ordering::Relaxed);
    })
    .unwrap();
    assert_eq!(most.into_inner(), h.n());
}
