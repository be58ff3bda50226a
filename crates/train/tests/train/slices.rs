//! Slices of losses, spectral densities, the parameter path of a run, and losses that are not training losses.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ndarray::{Array1, Array2};
use odesync_base::random::Generator;
use odesync_ode::field::{Unary, VectorField};
use odesync_ode::odesolve::{SolveOptions, solve};
use odesync_train::datasets::Dataset;
use odesync_train::landscape::{
    DensityOptions, DerivativeKind, DirectionOptions, FnLoss, Hessian, LossFunction, LossOptions,
    Pca, SliceSpec, SymbolicLoss, TrainingLoss, random_directions,
};
use odesync_train::models::blackbox;
use odesync_train::schedules::Schedule;
use odesync_train::training::{
    Homotopy, MultipleShooting, Run, TrainOptions, TrainingMethod, train,
};

fn data() -> Dataset {
    let system = odesync_ode::dynamics::lotka_volterra().unwrap();
    let t: Vec<f64> = (0..16).map(|i| 0.1 * f64::from(i)).collect();
    let mut u = solve(&system, &[0.44, 4.6], &t, &SolveOptions::default())
        .unwrap()
        .u;
    for (i, x) in u.iter_mut().enumerate() {
        *x += 0.05 * (1.7 * i as f64).sin();
    }
    Dataset::single(Array1::from(t), u, Some(Array1::from(vec![0.44, 4.6]))).unwrap()
}

fn model() -> VectorField {
    blackbox(&[2, 6, 2], Unary::Gelu, &mut Generator::manual_seed(10)).unwrap()
}

fn coupled(lambda: f64) -> LossOptions {
    let method = Homotopy::new(6.0, Schedule::list(vec![1.0]).unwrap());
    LossOptions::default().method(method).lambda(lambda)
}

fn shooting() -> LossOptions {
    LossOptions::default().method(MultipleShooting {
        segments: 3,
        continuity_weight: 0.7,
    })
}

fn norm(v: &[f64]) -> f64 {
    v.iter().map(|x| x * x).sum::<f64>().sqrt()
}

/// Points whose solves go side by side, and points of a wide network, whose weights are too many for that; one of them blows up.
#[test]
fn points_side_by_side_have_the_bits_of_each_alone() {
    let data = data();
    let wide = blackbox(&[2, 70, 70, 2], Unary::Tanh, &mut Generator::manual_seed(3)).unwrap();
    for (model, options) in [
        (&model(), LossOptions::default()),
        (&model(), coupled(0.3)),
        (&model(), shooting()),
        (&wide, LossOptions::default()),
    ] {
        // The point that blows up ends soon.
        let solver = SolveOptions {
            max_steps: 300,
            ..SolveOptions::default()
        };
        let loss = TrainingLoss::new(model, &data, &options.solver(solver)).unwrap();
        let point = |i: usize| -> Vec<f64> {
            let moved = loss.params().iter().enumerate();
            let scale = if i == 5 { 1e6 } else { 0.02 * i as f64 };
            moved.map(|(j, p)| p + scale * (j as f64).sin()).collect()
        };
        let points: Vec<Vec<f64>> = (0..13).map(point).collect();
        let alone: Vec<Option<u64>> = points
            .iter()
            .map(|point| loss.value(point).ok().map(f64::to_bits))
            .collect();
        for threads in [1, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            let pool = pool.build().unwrap();
            let done = AtomicUsize::new(0);
            let count = || {
                done.fetch_add(1, Ordering::Relaxed);
            };
            let values = pool.install(|| loss.values(&points, &count)).unwrap();
            assert_eq!(done.into_inner(), points.len());
            for (value, alone) in values.iter().zip(&alone) {
                assert_eq!((!value.is_nan()).then_some(value.to_bits()), *alone);
            }
        }
    }
}

/// Compares the Hessian along a direction with a second difference of the losses on a slice along that line.
#[test]
fn slices_are_the_losses_at_their_places() {
    let (model, data) = (model(), data());
    let directions = random_directions(&model, 2, &DirectionOptions::default()).unwrap();
    let (a, b) = (vec![-0.4, 0.0, 0.3], vec![-0.2, 0.5]);
    for options in [LossOptions::default(), coupled(0.3), shooting()] {
        let spec = SliceSpec::directions(&directions, &[a.clone(), b.clone()]);
        let got = spec.evaluate(&model, &data, &options, &|_, _| {}).unwrap();
        assert_eq!(got.loss.shape(), [3, 2]);
        let theta = model.params();
        for (i, a) in a.iter().enumerate() {
            for (j, b) in b.iter().enumerate() {
                let shifted: Vec<f64> = (0..theta.len())
                    .map(|k| theta[k] + a * directions[[0, k]] + b * directions[[1, k]])
                    .collect();
                let shifted = model.with_params(&shifted).unwrap();
                let loss = TrainingLoss::new(&shifted, &data, &options).unwrap();
                let want = loss.value(loss.params()).unwrap();
                let got = got.loss[[i, j]];
                assert!((got / want - 1.0).abs() < 1e-9, "{got} {want}");
            }
        }
        let bits = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            let run = || spec.evaluate(&model, &data, &options, &|_, _| {}).unwrap();
            pool.unwrap().install(run)
        };
        assert_eq!(bits(1), bits(3));
    }
}

#[test]
fn a_coupled_hessian_is_not_the_free_one_and_both_are_differences_of_gradients() {
    let (model, data) = (model(), data());
    let options = TrainOptions::default().lr(0.05).epochs(5);
    let method: TrainingMethod = Homotopy::new(6.0, Schedule::list(vec![1.0]).unwrap()).into();
    let run = train(&model, &data, &method, &options, &mut ()).unwrap();
    let v: Vec<f64> = (0..model.n_params())
        .map(|i| (1.1 * i as f64 + 0.4).sin())
        .collect();
    let products = [LossOptions::default(), coupled(0.8)].map(|options| {
        // Fixed steps, so that gradients at other parameters are computed on the same steps.
        let options = options.solver(SolveOptions::default().substeps(4));
        let loss = Arc::new(TrainingLoss::new(&run.last, &data, &options).unwrap());
        let theta = loss.params().to_vec();
        let h = 1e-4;
        let at = |h: f64| {
            let shifted: Vec<f64> = theta.iter().zip(&v).map(|(t, v)| t + h * v).collect();
            loss.gradient(&shifted).unwrap().unwrap()
        };
        let (after, before) = (at(h), at(-h));
        let want: Vec<f64> = after
            .iter()
            .zip(&before)
            .map(|(a, b)| (a - b) / (2.0 * h))
            .collect();
        let hessian = Hessian::from_loss(loss, &theta).unwrap();
        assert_eq!(hessian.derivative_kind(), DerivativeKind::Exact);
        let got = hessian.apply(&v).unwrap();
        let gap: Vec<f64> = got.iter().zip(&want).map(|(a, b)| a - b).collect();
        assert!(
            norm(&gap) < 1e-6 * norm(&want),
            "{:e}",
            norm(&gap) / norm(&want)
        );
        got
    });
    let gap: Vec<f64> = products[0]
        .iter()
        .zip(&products[1])
        .map(|(a, b)| a - b)
        .collect();
    assert!(norm(&gap) > 0.1 * norm(&products[0]));
}

/// Loss without some of the derivatives of another.
struct Hidden {
    loss: SymbolicLoss,
    gradient: bool,
}

impl LossFunction for Hidden {
    fn n(&self) -> usize {
        self.loss.n()
    }

    fn value(&self, params: &[f64]) -> odesync_base::Result<f64> {
        self.loss.value(params)
    }

    fn gradient(&self, params: &[f64]) -> odesync_base::Result<Option<Vec<f64>>> {
        match self.gradient {
            true => self.loss.gradient(params),
            false => Ok(None),
        }
    }
}

/// Computes the second derivatives of one loss in three ways.
#[test]
fn expressions_and_differences_agree() {
    let expression = || {
        SymbolicLoss::new(11, |p| {
            let x = p.slice(0, 5) * p.slice(5, 10).sin();
            x.square().sum() * p.at(10).exp() + (p.at(0) - p.at(7)).cos()
        })
        .unwrap()
    };
    let theta: Vec<f64> = (0..11).map(|i| (0.7 * f64::from(i) + 0.2).sin()).collect();
    let of = |loss: Arc<dyn LossFunction>| Hessian::from_loss(loss, &theta).unwrap();
    let exact = of(Arc::new(expression()));
    let by_gradient = of(Arc::new(Hidden {
        loss: expression(),
        gradient: true,
    }));
    let by_value = of(Arc::new(Hidden {
        loss: expression(),
        gradient: false,
    }));
    assert_eq!(exact.derivative_kind(), DerivativeKind::Exact);
    assert_eq!(
        by_gradient.derivative_kind(),
        DerivativeKind::GradientDifferences
    );
    assert_eq!(by_value.derivative_kind(), DerivativeKind::ValueDifferences);
    let matrix = exact.matrix().unwrap();
    let largest = matrix.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
    for (other, tolerance) in [(&by_gradient, 1e-8), (&by_value, 1e-6)] {
        for (a, b) in matrix.iter().zip(&other.matrix().unwrap()) {
            assert!((a - b).abs() < tolerance * largest, "{a} {b}");
        }
        assert_eq!(exact.loss(), other.loss());
    }
    // ∂²/∂p10² of x² eᵖ is x² eᵖ itself.
    let gap = matrix[[10, 10]] - (exact.loss() - (theta[0] - theta[7]).cos());
    assert!(gap.abs() < 1e-12);
    let message = exact.gauss_newton(&theta).unwrap_err().to_string();
    assert!(message.contains("residuals"), "{message}");
}

#[test]
fn a_training_loss_as_a_rust_function_has_the_same_hessian() {
    let (model, data) = (odesync_ode::dynamics::lotka_volterra().unwrap(), data());
    let model = model.trainable(&["a", "b", "d"]).unwrap();
    let options = LossOptions::default().tolerances(1e-12, 1e-13);
    let want = Hessian::new(&model, &data, &options)
        .unwrap()
        .matrix()
        .unwrap();
    let loss = TrainingLoss::new(&model, &data, &options).unwrap();
    let theta = loss.params().to_vec();
    let function = FnLoss::new(3, move |p: &[f64]| loss.value(p));
    let got = Hessian::from_loss(Arc::new(function), &theta).unwrap();
    for (a, b) in got.matrix().unwrap().iter().zip(&want) {
        assert!((a / b - 1.0).abs() < 1e-4, "{a} {b}");
    }
}

#[test]
fn the_estimated_density_of_a_model_is_near_that_of_its_eigenvalues() {
    let h = Hessian::new(&model(), &data(), &LossOptions::default()).unwrap();
    let exact = h.density(&DensityOptions::default()).unwrap();
    let values = h.spectrum().unwrap();
    assert_eq!(exact.nodes, values);
    assert!(
        (exact.moment(1) * h.n() as f64 - h.trace().unwrap().value).abs()
            < 1e-9 * values[h.n() - 1]
    );
    let options = DensityOptions {
        probes: 60,
        grid: Some(exact.grid.clone()),
        sigma: Some(exact.sigma),
        ..DensityOptions::default()
    };
    let estimate = h.density_estimate(&options).unwrap();
    // With as many steps as parameters, the outermost nodes are the outermost eigenvalues.
    let last = |x: &[f64]| x[x.len() - 1];
    assert!((estimate.nodes[0] - values[0]).abs() < 1e-6 * last(&values));
    assert!((last(&estimate.nodes) / last(&values) - 1.0).abs() < 1e-6);
    let step = exact.grid[1] - exact.grid[0];
    let gaps = exact
        .density
        .iter()
        .zip(&estimate.density)
        .map(|(a, b)| (a - b).abs() * step);
    assert!(gaps.sum::<f64>() < 0.25);
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .build()
        .unwrap();
    assert_eq!(
        pool.install(|| h.density_estimate(&options).unwrap()),
        estimate
    );
}

#[test]
fn a_solve_that_fails_is_a_cell() {
    // The solution of u' = a u² with u(0) = 1 blows up at t = 1/a.
    let field = odesync_ode::field::system(1, &[("a", 0.2)], |_, u, p| {
        vec![p.get("a") * u.at(0).square()]
    })
    .unwrap();
    let t = Array1::linspace(0.0, 1.5, 16);
    let u = Array2::from_shape_fn((16, 1), |(i, _)| 1.0 / (1.0 - 0.2 * t[i]));
    let data = Dataset::single(t, u, None).unwrap();
    let spec = SliceSpec::parameters(&[("a", vec![0.1, 0.2, 0.3, 1.0])]);
    let got = spec
        .evaluate(&field, &data, &LossOptions::default(), &|_, _| {})
        .unwrap();
    assert!(got.loss[[3]].is_nan());
    assert_eq!(got.failures(), 1);
    assert!(got.loss[[1]] < 1e-12 && got.loss[[0]] > 1e-4);
    assert_eq!(got.slice.path()[[0, 0]], 0.2);
    // With the coupling the solution does not blow up.
    let coupled = spec
        .evaluate(&field, &data, &coupled(1.0), &|_, _| {})
        .unwrap();
    assert_eq!(coupled.failures(), 0);
    let stop = Arc::new(std::sync::atomic::AtomicBool::new(true));
    let solver = SolveOptions {
        interrupt: Some(stop),
        ..SolveOptions::default()
    };
    let options = LossOptions::default().solver(solver);
    let stopped = spec.evaluate(&field, &data, &options, &|_, _| {});
    assert!(matches!(stopped, Err(odesync_base::Error::Interrupted)));
    for (values, text) in [
        (vec![("b", vec![1.0])], "unknown parameter"),
        (vec![("a", vec![])], "no coefficients"),
    ] {
        let error = SliceSpec::parameters(&values)
            .evaluate(&field, &data, &LossOptions::default(), &|_, _| {})
            .unwrap_err()
            .to_string();
        assert!(error.contains(text), "{error}");
    }
}

fn train_with_path(out: Option<std::path::PathBuf>, epochs: usize, resume: bool) -> Run {
    let options = TrainOptions {
        out,
        resume,
        ..TrainOptions::default()
            .lr(0.05)
            .epochs(epochs)
            .trajectory_every(3)
    };
    train(
        &model(),
        &data(),
        &TrainingMethod::Vanilla,
        &options,
        &mut (),
    )
    .unwrap()
}

#[test]
fn a_run_keeps_its_way_and_trains_the_same() {
    let run = train_with_path(None, 10, false);
    let path = run.path().unwrap();
    assert_eq!(path.epochs, [0, 3, 6, 9, 10]);
    assert_eq!(path.params.row(0).to_vec(), model().params());
    assert_eq!(path.params.row(4).to_vec(), run.last.params());
    assert_eq!(
        run.model_at(3).unwrap().params(),
        path.params.row(1).to_vec()
    );
    assert!(run.model_at(4).is_err());
    // A run of 6 epochs has the parameters of this point.
    assert_eq!(
        train_with_path(None, 6, false).last.params(),
        path.params.row(2).to_vec()
    );
    let options = TrainOptions::default().lr(0.05).epochs(10);
    let without = train(
        &model(),
        &data(),
        &TrainingMethod::Vanilla,
        &options,
        &mut (),
    )
    .unwrap();
    assert_eq!(without.last.params(), run.last.params());
    assert!(
        without
            .path()
            .unwrap_err()
            .to_string()
            .contains("trajectory_every")
    );

    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_path_buf();
    train_with_path(Some(out.clone()), 5, false);
    assert_eq!(Run::load(&out).unwrap().path().unwrap().epochs, [0, 3, 5]);
    let resumed = train_with_path(Some(out.clone()), 10, true);
    assert_eq!(resumed.path().unwrap(), path);
    assert_eq!(Run::load(&out).unwrap().path().unwrap(), path);
}

#[test]
fn principal_components_of_a_run_and_the_landscape_on_their_plane() {
    let run = train_with_path(None, 12, false);
    let pca = Pca::from_run(&run, 2).unwrap();
    let path = run.path().unwrap();
    assert_eq!(pca.epochs, path.epochs);
    let ratio = &pca.explained_variance_ratio;
    assert!(ratio[0] >= ratio[1] && ratio.iter().sum::<f64>() <= 1.0 + 1e-12);
    for (i, point) in path.params.outer_iter().enumerate() {
        let away: Vec<f64> = point
            .iter()
            .zip(run.last.params())
            .map(|(a, b)| a - b)
            .collect();
        for (k, d) in pca.directions.outer_iter().enumerate() {
            let want: f64 = away.iter().zip(d).map(|(a, b)| a * b).sum();
            assert!((pca.path[[i, k]] - want).abs() < 1e-12);
        }
    }
    let spec = SliceSpec::Pca {
        pca: Box::new(pca.clone()),
        points: 5,
        margin: 0.5,
    };
    for options in [LossOptions::default(), shooting()] {
        let got = spec
            .evaluate(&run.last, &data(), &options, &|_, _| {})
            .unwrap();
        assert_eq!(got.loss.shape(), [5, 5]);
        assert_eq!(got.slice.path(), &pca.path);
        for (axis, column) in got.slice.axes().iter().zip(pca.path.columns()) {
            let c = &axis.coefficients;
            let (low, high) = column
                .iter()
                .fold((0.0_f64, 0.0_f64), |(l, h), x| (l.min(*x), h.max(*x)));
            assert!((c[0] - (low - 0.5 * (high - low))).abs() < 1e-12);
            assert!((c[4] - (high + 0.5 * (high - low))).abs() < 1e-12);
        }
    }
}

/// Longer data make the landscape of a known system's parameter narrower and more irregular; the coupling makes it smoother.
#[test]
fn the_landscape_of_a_parameter_by_the_length_of_the_data() {
    let system = odesync_ode::dynamics::lotka_volterra().unwrap();
    let t: Vec<f64> = (0..401).map(|i| 0.1 * f64::from(i)).collect();
    let u = solve(&system, &[1.0, 1.0], &t, &SolveOptions::default())
        .unwrap()
        .u;
    let data = Dataset::single(Array1::from(t), u, None).unwrap();
    let values: Vec<f64> = (0..101).map(|i| 0.5 + 0.02 * f64::from(i)).collect();
    let spec = SliceSpec::parameters(&[("a", values)]);
    let evaluate = |t_end: f64, options: &LossOptions| {
        let data = data.up_to(t_end).unwrap();
        spec.evaluate(&system, &data, options, &|_, _| {}).unwrap()
    };
    let uncoupled = LossOptions::default();
    let (short, long) = (evaluate(3.0, &uncoupled), evaluate(40.0, &uncoupled));
    let with_coupling = evaluate(40.0, &coupled(1.0));
    assert_eq!(short.n_minima(), 1);
    assert!(long.n_minima() > 2 && long.roughness() > 1.2 * short.roughness());
    assert_eq!(with_coupling.n_minima(), 1);
    for l in [short, long, with_coupling] {
        // The true value is a = 1.3.
        let best = l
            .loss
            .iter()
            .enumerate()
            .min_by(|a, b| a.1.total_cmp(b.1))
            .unwrap();
        assert_eq!(best.0, 40);
    }
}

/// The paper's observation, for an untrained model: with longer data, the landscape along the leading eigenvectors goes up and
/// down by more powers of ten, and the spectrum is wider; the coupling removes most of both.
#[test]
fn longer_data_make_the_landscape_of_a_black_box_more_irregular_and_its_spectrum_wider() {
    let system = odesync_ode::dynamics::lotka_volterra().unwrap();
    let t: Vec<f64> = (0..92).map(|i| 0.1 * f64::from(i)).collect();
    let u0 = [0.442_492_96, 4.628_059_4];
    let u = solve(&system, &u0, &t, &SolveOptions::default()).unwrap().u;
    let data = Dataset::single(Array1::from(t), u, Some(Array1::from(u0.to_vec()))).unwrap();
    let model = blackbox(&[2, 32, 2], Unary::Gelu, &mut Generator::manual_seed(10)).unwrap();
    let c = Array1::linspace(-1.0, 1.0, 10).to_vec();
    let evaluate = |t_end: f64, options: &LossOptions| {
        let data = data.up_to(t_end).unwrap();
        let h = Hessian::new(&model, &data, options).unwrap();
        let spec =
            SliceSpec::directions(&h.eigenpairs(2).unwrap().vectors, &[c.clone(), c.clone()]);
        let l = spec.evaluate(&model, &data, options, &|_, _| {}).unwrap();
        let width = h
            .density(&DensityOptions::default())
            .unwrap()
            .spectral_range();
        (l.log_variation(), width)
    };
    let uncoupled: Vec<(f64, f64)> = [3.1, 5.1, 7.1, 9.1]
        .iter()
        .map(|t_end| evaluate(*t_end, &LossOptions::default()))
        .collect();
    for pair in uncoupled.windows(2) {
        assert!(
            pair[1].0 > pair[0].0 && pair[1].1 > pair[0].1,
            "{uncoupled:?}"
        );
    }
    assert!(
        uncoupled[3].0 > 2.0 * uncoupled[0].0 && uncoupled[3].1 > 8.0 * uncoupled[0].1,
        "{uncoupled:?}"
    );
    let with_coupling = evaluate(9.1, &coupled(1.0));
    assert!(
        with_coupling.0 < 0.5 * uncoupled[3].0 && with_coupling.1 < 0.01 * uncoupled[3].1,
        "{with_coupling:?}"
    );
}
