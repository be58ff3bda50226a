//! Tests of the torch engine against the native engine: values, gradients, steps, costs, failures; and of our generator against
//! libtorch's.

use std::sync::Arc;

use ndarray::Array2;
use odesync_base::Error;
use odesync_base::random::Generator;
use odesync_ode::devices::CudaStatus;
use odesync_ode::dynamics::{lorenz, lotka_volterra, van_der_pol};
use odesync_ode::field::{Binary, FieldBuilder, Signal, Unary, VectorField, system};
use odesync_ode::odesolve::{
    Engine, NativeEngine, OutputPosition, Problem, RecordedSteps, SolveFailure, SolveOptions, Step,
    solvers,
};
use odesync_torch::TorchEngine;
use odesync_train::smoothing::SmoothingSpline;
use odesync_train::synchronization::{Coupling, synchronize};

fn torch() -> TorchEngine {
    TorchEngine::new("cpu").unwrap()
}

/// Returns the largest difference over the largest value.
fn error(got: &[f64], want: &[f64]) -> f64 {
    assert_eq!(got.len(), want.len());
    let largest = want.iter().fold(0.0, |m: f64, x| m.max(x.abs()));
    let difference = got
        .iter()
        .zip(want)
        .fold(0.0, |m: f64, (a, b)| m.max((a - b).abs()));
    assert!(!got.iter().any(|x| x.is_nan()), "{got:?} {want:?}");
    if difference == 0.0 {
        0.0
    } else {
        difference / largest
    }
}

/// Returns weights of a gradient that are all different.
fn weights(problems: &[Problem], dof: usize) -> Vec<Vec<f64>> {
    let row = |(i, p): (usize, &Problem)| {
        (0..p.t.len() * dof)
            .map(|j| (0.7 * j as f64 + i as f64).cos())
            .collect()
    };
    problems.iter().enumerate().map(row).collect()
}

/// Checks that the torch engine agrees with the native one: on the native engine's steps to `tolerance`, and choosing its own
/// steps.
fn compare(name: &str, field: &VectorField, problems: &[Problem], options: &SolveOptions) {
    let (mut native, mut torch) = (NativeEngine::default(), torch());
    let bars = weights(problems, field.dof());
    let want = native
        .forward(field, problems, options, None, true)
        .unwrap_or_else(|e| panic!("{name}: {e}"));
    let want_gradient = native.backward(&bars).unwrap();
    let recorded: Vec<RecordedSteps> = want.iter().map(|t| t.recorded.clone()).collect();
    let replayed = native
        .forward(field, problems, options, Some(&recorded), false)
        .unwrap();

    let got = torch
        .forward(field, problems, options, Some(&recorded), true)
        .unwrap_or_else(|e| panic!("{name}: {e}"));
    for (i, (got, want)) in got.iter().zip(&replayed).enumerate() {
        assert!(
            error(&got.u, &want.u) < 1e-11,
            "{name}: u of {i} {:e}",
            error(&got.u, &want.u)
        );
        assert_eq!(
            (&got.recorded, got.stats),
            (&want.recorded, want.stats),
            "{name}"
        );
    }
    for _ in 0..2 {
        let gradient = torch.backward(&bars).unwrap();
        let e = error(&gradient.values, &want_gradient.values);
        assert!(e < 1e-11, "{name}: parameters {e:e}");
        for (got, want) in gradient.u0.iter().zip(&want_gradient.u0) {
            assert!(
                error(got, want) < 1e-11,
                "{name}: u0 {:e}",
                error(got, want)
            );
        }
    }

    for keep in [false, true] {
        let chosen = torch
            .forward(field, problems, options, None, keep)
            .unwrap_or_else(|e| panic!("{name}: {e}"));
        for (got, want) in chosen.iter().zip(&want) {
            assert_eq!(got.stats, want.stats, "{name}: costs");
            assert!(error(&got.u, &want.u) < 1e-7, "{name}: own steps");
        }
    }
}

const TIMES: [f64; 5] = [0.0, 0.05, 0.11, 0.13, 0.3];

/// Returns a problem for each initial state: some start later, some are shorter, one runs backwards.
fn problems<'a>(starts: &'a [&'a [f64]], times: &'a [Vec<f64>]) -> Vec<Problem<'a>> {
    let of = |(i, u0): (usize, &&'a [f64])| Problem {
        u0,
        t: &times[i % times.len()],
        sample: 0,
    };
    starts.iter().enumerate().map(of).collect()
}

fn different_times() -> Vec<Vec<f64>> {
    vec![
        TIMES.to_vec(),
        vec![0.2, 0.7],
        TIMES.iter().rev().copied().collect(),
        vec![1.5],
        (0..30).map(|i| 0.4 + 0.01 * f64::from(i)).collect(),
    ]
}

fn loose() -> SolveOptions {
    SolveOptions::default().tolerances(1e-5, 1e-7)
}

#[test]
fn every_unary_function() {
    for &f in Unary::ALL {
        let b = FieldBuilder::new(2);
        let p = b.parameter(b.block("p", &[2], &[0.31, 0.43], true).unwrap());
        // Arguments inside the domain of each function: (0, 1), or above 1 for acosh.
        let shift = if f == Unary::Acosh { 1.5 } else { 0.0 };
        let x = b.state() * p + shift;
        let field = b.finish(x.unary(f) * b.state().sin()).unwrap();
        let times = different_times();
        let starts: [&[f64]; 4] = [&[0.9, 1.3], &[0.4, 0.7], &[1.5, 0.9], &[1.0, 1.0]];
        compare(f.name(), &field, &problems(&starts, &times), &loose());
    }
}

#[test]
fn every_binary_function_and_repetition() {
    for &f in Binary::ALL {
        let b = FieldBuilder::new(3);
        let u = b.state();
        let p = b.constant_parameter("p", 0.6);
        let (vector_scalar, scalar_vector) = (u.binary(f, &p), p.binary(f, &u));
        let both = u.binary(f, &(u.square() * 0.5 + 0.3));
        let field = b
            .finish((vector_scalar + scalar_vector * u.at(0) + both).sin())
            .unwrap();
        let times = different_times();
        let starts: [&[f64]; 3] = [&[0.9, 0.4, 1.7], &[0.7, 0.3, 1.2], &[0.8, 0.45, 1.1]];
        compare(f.name(), &field, &problems(&starts, &times), &loose());
    }
}

/// Compares the engines on one Euler step from `u`, so that the field and its derivatives are evaluated at this point only.
fn one_step(name: &str, field: &VectorField, u: &[f64]) {
    let options = SolveOptions::default().solver("euler").unwrap().substeps(1);
    let problem = Problem {
        u0: u,
        t: &[0.0, 0.5],
        sample: 0,
    };
    compare(name, field, &[problem], &options);
}

#[test]
fn derivatives_at_kinks_and_ties() {
    for f in [
        Unary::Abs,
        Unary::Relu,
        Unary::Sign,
        Unary::Softplus,
        Unary::Floor,
        Unary::Ceil,
    ] {
        let b = FieldBuilder::new(3);
        let field = b.finish(b.state().unary(f)).unwrap();
        one_step(f.name(), &field, &[0.0, -0.0, 1.0]);
        one_step(f.name(), &field, &[20.5, -20.5, 3.0]);
    }
    for f in [Binary::Min, Binary::Max, Binary::Le, Binary::Eq] {
        let b = FieldBuilder::new(2);
        let p = b.constant_parameter("p", 0.5);
        let field = b.finish(b.state().binary(f, &p)).unwrap();
        one_step(f.name(), &field, &[0.5, 0.5]);
    }
    let b = FieldBuilder::new(2);
    let u = b.state();
    let whole = u.powf(3.0) + u.powf(-2.0) + u.powf(0.0) + u.powf(1.0);
    one_step("whole powers", &b.finish(whole).unwrap(), &[-0.8, 1.2]);
    let b = FieldBuilder::new(3);
    let field = b.finish(b.state().powf(2.0)).unwrap();
    one_step("square at 0", &field, &[0.0, -1.0, 2.0]);
    // d(xʸ)/dy has the limit 0 at x = 0, y > 0.
    let b = FieldBuilder::new(2);
    let p = b.constant_parameter("p", 1.5);
    let field = b.finish(b.state().pow(&p)).unwrap();
    one_step("power at 0", &field, &[0.0, 0.3]);
    let b = FieldBuilder::new(2);
    let zero = b.constant_parameter("p", 0.0);
    let field = b.finish(b.state().pow(&zero)).unwrap();
    one_step("to the power 0", &field, &[0.7, 0.3]);
}

#[test]
fn nan_shows_as_in_the_native_engine() {
    let b = FieldBuilder::new(1);
    let nan = b.state().sqrt();
    let chosen = |f: Binary| {
        (
            nan.binary(f, &b.constant(&[1.0])),
            b.constant(&[1.0]).binary(f, &nan),
        )
    };
    let expressions = [
        chosen(Binary::Min).0,
        chosen(Binary::Min).1,
        chosen(Binary::Max).0,
        chosen(Binary::Max).1,
        chosen(Binary::Lt).0,
        chosen(Binary::Ne).1,
        nan.sign(),
        nan.relu(),
        nan.softplus(),
        nan.select(&b.constant(&[2.0]), &b.constant(&[3.0])),
    ];
    for x in expressions {
        let shown = x.show();
        let field = b.finish(x).unwrap();
        let want = field.derivative(0.0, &[-1.0]).unwrap()[0];
        let options = SolveOptions::default().solver("euler").unwrap();
        let problem = Problem {
            u0: &[-1.0],
            t: &[0.0, 1.0],
            sample: 0,
        };
        match torch().forward(&field, &[problem], &options, None, false) {
            Ok(got) => assert_eq!(got[0].u[1], want - 1.0, "{shown}"),
            Err(Error::Solve(_)) => assert!(want.is_nan(), "{shown}: {want}"),
            Err(e) => panic!("{e}"),
        }
    }
}

/// A signal s(t) of two samples: (sin t, |t − ½|) and (cos t, |t − ½|), with a kink at ½.
#[derive(Debug)]
struct Wave;

impl Signal for Wave {
    fn dof(&self) -> usize {
        2
    }
    fn n_samples(&self) -> usize {
        2
    }
    fn value(&self, sample: usize, t: f64, out: &mut [f64]) {
        let wave = if sample == 0 { t.sin() } else { t.cos() };
        out.copy_from_slice(&[wave, (t - 0.5).abs()]);
    }
    fn derivative(&self, sample: usize, t: f64, out: &mut [f64]) {
        let wave = if sample == 0 { t.cos() } else { -t.sin() };
        out.copy_from_slice(&[wave, if t < 0.5 { -1.0 } else { 1.0 }]);
    }
    fn second_derivative(&self, sample: usize, t: f64, out: &mut [f64]) {
        let wave = if sample == 0 { -t.sin() } else { -t.cos() };
        out.copy_from_slice(&[wave, 0.0]);
    }
    fn breakpoints(&self, _sample: usize) -> &[f64] {
        &[0.5]
    }
}

fn sines(n: usize, scale: f64) -> Vec<f64> {
    (0..n)
        .map(|i| scale * (1.3 * i as f64 + 0.4).sin())
        .collect()
}

#[test]
fn affine_layers_signals_selection_concatenation_and_fixed_parts() {
    let b = FieldBuilder::new(2);
    let (t, u) = (b.time(), b.state());
    let w1 = b.block("w1", &[11, 2], &sines(22, 1.0), true).unwrap();
    let b1 = b.block("b1", &[11], &sines(11, 1.0), true).unwrap();
    let w2 = b.block("w2", &[2, 11], &sines(22, 0.5), true).unwrap();
    let hidden = b.affine(w1, Some(b1), &u).gelu();
    let network = b.affine(w2, None, &hidden);
    let signal = b.signal(Arc::new(Wave));
    let lambda = b.constant_parameter("lambda", 0.3);
    let scaled = &lambda * 2.0 + 1.0;
    let chosen = u.gt(&signal).select(&(&u * &t), &signal);
    let mixed = b.concat(&[lambda.exp(), u.at(1)]) * b.concat(&[t.cos(), lambda.square()]);
    let fixed_layer = b.affine(w2, None, &b.parameter(b1)).tanh();
    let _unused = u.log() + lambda.log();
    let out = network
        + scaled * (signal - &u)
        + chosen
        + (hidden.sum() * lambda).tanh()
        + mixed
        + fixed_layer;
    let field = b.finish(out).unwrap();
    let times = [
        (0..9).map(|i| 0.13 * f64::from(i)).collect::<Vec<_>>(),
        vec![0.9, 0.5, 0.3, 0.0],
        vec![0.1, 0.4],
    ];
    let starts = [[0.9, 0.1], [0.2, -0.4], [0.5, 0.6]];
    let problems: Vec<Problem> = (0..3)
        .map(|i| Problem {
            u0: &starts[i],
            t: &times[i],
            sample: i % 2,
        })
        .collect();
    compare("mixed", &field, &problems, &SolveOptions::default());
    let free = SolveOptions {
        breakpoints: false.into(),
        ..loose()
    };
    compare("no breakpoints", &field, &problems, &free);
    compare("fixed", &field, &problems, &loose().substeps(2));
}

#[test]
fn a_field_of_parameters_alone_and_one_without() {
    let field = system(2, &[("a", 2.0), ("b", 3.0)], |_, _, p| {
        vec![p.get("a") * p.get("b"), p.get("a").sin()]
    })
    .unwrap();
    let times = different_times();
    let starts: [&[f64]; 2] = [&[1.0, 1.0], &[0.0, 2.0]];
    compare("parameters", &field, &problems(&starts, &times), &loose());
    let field = system(2, &[], |t, u, _| vec![u.at(1) * t, u.at(0)]).unwrap();
    compare("none", &field, &problems(&starts, &times), &loose());
    let field = system(2, &[], |_, u, _| vec![u.at(1) * 0.0 + 1.0, u.at(0)]).unwrap();
    compare(
        "one problem",
        &field,
        &problems(&starts[..1], &times),
        &loose(),
    );
    assert!(
        torch()
            .forward(&field, &[], &loose(), None, true)
            .unwrap()
            .is_empty()
    );
}

#[test]
fn every_method_on_lorenz_with_different_times() {
    let field = lorenz().unwrap();
    let dense: Vec<f64> = (0..12).map(|i| f64::from(i * i) * 0.004).collect();
    let times = [
        dense.clone(),
        vec![0.0, 0.3, 0.31],
        // Backwards in time Lorenz' system expands fast.
        dense.iter().rev().map(|t| 0.25 * t).collect(),
        vec![2.0, 2.05],
    ];
    let starts: [&[f64]; 4] = [
        &[1.2, 2.1, 1.7],
        &[-3.0, 1.0, 20.0],
        &[1.0, 1.0, 1.0],
        &[5.0, 5.0, 15.0],
    ];
    for method in solvers::ALL.iter().filter(|m| m.tableau().is_some()) {
        let mut options = loose().solver(method.name).unwrap();
        if !method.is_adaptive() {
            options = options.step_size(0.01);
        }
        compare(method.name, &field, &problems(&starts, &times), &options);
        let fixed = loose().solver(method.name).unwrap().substeps(3);
        compare(method.name, &field, &problems(&starts, &times), &fixed);
    }
}

/// 2-32-2 with GELU, synchronised to a spline of two samples.
fn synchronised() -> VectorField {
    let b = FieldBuilder::new(2);
    let w1 = b.block("w1", &[32, 2], &sines(64, 0.6), true).unwrap();
    let b1 = b.block("b1", &[32], &sines(32, 0.5), true).unwrap();
    let w2 = b.block("w2", &[2, 32], &sines(64, 0.2), true).unwrap();
    let b2 = b.block("b2", &[2], &[0.1, -0.2], true).unwrap();
    let hidden = b.affine(w1, Some(b1), &b.state()).gelu();
    let network = b.finish(b.affine(w2, Some(b2), &hidden)).unwrap();
    let t: Vec<f64> = (0..31).map(|i| 0.1 * f64::from(i)).collect();
    let u = Array2::from_shape_fn((31, 2), |(i, d)| (t[i] * (1.0 + d as f64)).sin() + 1.0);
    let spline = SmoothingSpline::single(&t, u.view(), 0.001).unwrap();
    synchronize(&network, Arc::new(spline), &Coupling::Scalar(6.0)).unwrap()
}

#[test]
fn a_synchronised_network() {
    let field = synchronised();
    let t: Vec<f64> = (0..31).map(|i| 0.1 * f64::from(i)).collect();
    let times = [t.clone(), t[4..20].to_vec(), vec![0.0, 1.234]];
    let starts: [&[f64]; 3] = [&[1.0, 1.0], &[1.5, 0.8], &[0.7, 1.3]];
    let problems = problems(&starts, &times);
    compare("dopri5", &field, &problems, &SolveOptions::default());
    let rk4 = SolveOptions::default().solver("rk4").unwrap().substeps(4);
    compare("rk4", &field, &problems, &rk4);
}

#[test]
fn lotka_volterra_costs_the_same() {
    let field = lotka_volterra().unwrap();
    let t: Vec<f64> = (0..61).map(|i| 0.1 * f64::from(i)).collect();
    let starts = [[0.44249296, 4.6280594], [1.0, 1.0], [3.0, 0.2]];
    let problems: Vec<Problem> = starts
        .iter()
        .map(|u0| Problem {
            u0,
            t: &t,
            sample: 0,
        })
        .collect();
    for options in [
        SolveOptions::default(),
        SolveOptions::default().solver("tsit5").unwrap(),
        loose().solver("bosh3").unwrap(),
        SolveOptions {
            first_step: Some(0.5),
            ..SolveOptions::default()
        },
    ] {
        let want = NativeEngine::default()
            .forward(&field, &problems, &options, None, false)
            .unwrap();
        let got = torch()
            .forward(&field, &problems, &options, None, true)
            .unwrap();
        for (got, want) in got.iter().zip(&want) {
            assert_eq!(got.stats, want.stats);
            assert!(want.stats.steps > 20);
            assert_eq!(got.recorded.steps.len(), want.recorded.steps.len());
            assert!(error(&got.u, &want.u) < 1e-10);
        }
        if options.first_step.is_some() {
            assert!(want[0].stats.rejected > 0, "rejections are tried");
        }
    }
}

fn failures(
    field: &VectorField,
    problems: &[Problem],
    options: &SolveOptions,
) -> (SolveFailure, SolveFailure) {
    let failure =
        |engine: &mut dyn Engine| match engine.forward(field, problems, options, None, true) {
            Err(Error::Solve(failure)) => failure,
            other => panic!("{other:?}"),
        };
    (failure(&mut NativeEngine::default()), failure(&mut torch()))
}

#[test]
fn failures_are_the_same() {
    let check = |field: &VectorField, starts: &[&[f64]], options: &SolveOptions| {
        let problems: Vec<Problem> = starts
            .iter()
            .enumerate()
            .map(|(sample, u0)| Problem {
                u0,
                t: &[0.0, 2.0],
                sample,
            })
            .collect();
        let (want, got) = failures(field, &problems, options);
        assert_eq!((got.reason, got.sample), (want.reason, want.sample));
        assert!(
            (got.t - want.t).abs() < 1e-12 * (1.0 + want.t.abs()),
            "{got} {want}"
        );
        assert_eq!(got.state.len(), want.state.len());
    };
    let o = SolveOptions::default();
    let blow_up = system(1, &[], |_, u, _| vec![u.at(0).square()]).unwrap();
    // The second problem fails long before the first; the failure of the first is reported.
    check(&blow_up, &[&[1.0], &[100.0], &[0.1]], &o);
    check(&blow_up, &[&[0.1], &[100.0], &[1.0]], &o);
    check(&blow_up, &[&[0.1], &[f64::NAN], &[1.0]], &o);
    check(&blow_up, &[&[0.1], &[1.0], &[f64::INFINITY]], &o);
    check(&blow_up, &[&[0.1], &[1e200]], &o.clone().substeps(3));
    check(&blow_up, &[&[1e200], &[0.1]], &o.clone().substeps(3));
    let root = system(1, &[], |_, u, _| vec![u.at(0).sqrt()]).unwrap();
    check(&root, &[&[1.0], &[-1.0]], &o);
    let falling = system(1, &[], |t, u, _| vec![u.at(0).sqrt() - 2.0 + t * 0.0]).unwrap();
    check(&falling, &[&[0.5]], &o);
    let few = SolveOptions {
        max_steps: 10,
        ..o.clone()
    };
    check(&van_der_pol().unwrap(), &[&[2.0, 0.0], &[1.0, 1.0]], &few);
    check(&blow_up, &[&[0.1]], &few.substeps(20));
}

#[test]
fn a_field_that_ends_with_the_last_time_can_be_solved() {
    let edge = system(1, &[], |t, _, _| vec![(-t + 1.0).sqrt()]).unwrap();
    let problem = Problem {
        u0: &[0.0],
        t: &[0.0, 1.0],
        sample: 0,
    };
    let options = SolveOptions::default().tolerances(1e-5, 1e-5);
    let got = torch()
        .forward(&edge, &[problem], &options, None, false)
        .unwrap();
    assert!((got[0].u[1] - 2.0 / 3.0).abs() < 1e-3);
}

/// The gradient is finite for two problems of which the first has fewer steps and ends where the field's derivative is infinite.
/// The scaled error of an infinite state is zero, so that the error test alone would accept the step.
#[test]
fn a_step_that_overflows_is_rejected() {
    let field = system(1, &[], |t, _, _| vec![t * 0.0 + 1e308]).unwrap();
    let problem = Problem {
        u0: &[1e308],
        t: &[0.0, 0.5],
        sample: 0,
    };
    let options = SolveOptions {
        first_step: Some(10.0),
        ..SolveOptions::default()
    };
    let steps = |engine: &mut dyn Engine| {
        let solved = engine.forward(&field, &[problem], &options, None, false);
        let trajectory = solved.unwrap().remove(0);
        assert!((trajectory.u[1] / 1.5e308 - 1.0).abs() < 1e-12);
        (trajectory.recorded, trajectory.stats.rejected)
    };
    let (recorded, rejected) = steps(&mut torch());
    assert_eq!(rejected, 1);
    assert_eq!(recorded.steps, [Step { t: 0.0, end: 0.5 }]);
    assert_eq!((recorded, rejected), steps(&mut NativeEngine::default()));
}

#[test]
fn samples_that_are_done_do_not_spoil_the_gradient() {
    let field = system(1, &[("p", 1.0)], |_, u, p| {
        vec![-(p.get("p")) * 1.0 + 0.0 * u.at(0).abs().sqrt()]
    })
    .unwrap();
    let step = |t: f64| Step { t, end: t + 0.5 };
    let recorded = |n: u32| RecordedSteps {
        steps: (0..n).map(|i| step(0.5 * f64::from(i))).collect(),
        outputs: vec![OutputPosition::Start, OutputPosition::End(n as usize - 1)],
        ..RecordedSteps::default()
    };
    let problems = [
        Problem {
            u0: &[0.5],
            t: &[0.0, 0.5],
            sample: 0,
        },
        Problem {
            u0: &[3.0],
            t: &[0.0, 1.5],
            sample: 0,
        },
    ];
    let options = SolveOptions::default().solver("euler").unwrap();
    let mut engine = torch();
    let u = engine
        .forward(
            &field,
            &problems,
            &options,
            Some(&[recorded(1), recorded(3)]),
            true,
        )
        .unwrap();
    assert_eq!((u[0].u[1], u[1].u[1]), (0.0, 1.5));
    let gradient = engine.backward(&[vec![0.0, 1.0], vec![0.0, 1.0]]).unwrap();
    assert_eq!(gradient.values, [-2.0]);
}

#[test]
fn what_does_not_fit_is_an_error() {
    let field = lotka_volterra().unwrap();
    let t = [0.0, 0.5, 1.0];
    let problems = [Problem {
        u0: &[1.0, 1.0],
        t: &t,
        sample: 0,
    }];
    let engines: [Box<dyn Engine>; 2] = [Box::new(NativeEngine::default()), Box::new(torch())];
    for mut engine in engines {
        let o = loose();
        assert!(engine.backward(&[vec![0.0; 6]]).is_err());
        let good = engine.forward(&field, &problems, &o, None, true).unwrap();
        assert!(engine.backward(&[vec![0.0; 5]]).is_err());
        assert!(engine.backward(&[]).is_err());
        assert!(engine.backward(&[vec![0.0; 6]]).is_ok());
        let good = good[0].recorded.clone();
        let mut bad = vec![RecordedSteps::default()];
        for outputs in [
            vec![OutputPosition::Start, OutputPosition::End(0)],
            vec![
                OutputPosition::Start,
                OutputPosition::End(0),
                OutputPosition::Inside(9999, 0.5),
            ],
            vec![
                OutputPosition::Start,
                OutputPosition::End(1),
                OutputPosition::End(0),
            ],
            vec![
                OutputPosition::End(0),
                OutputPosition::End(1),
                OutputPosition::End(2),
            ],
        ] {
            bad.push(RecordedSteps {
                outputs,
                ..good.clone()
            });
        }
        for recorded in bad {
            let text = engine
                .forward(&field, &problems, &o, Some(&[recorded]), false)
                .unwrap_err()
                .to_string();
            assert!(
                text.contains("recorded steps 0 are not of problem 0"),
                "{text}"
            );
        }
        assert!(
            engine
                .forward(&field, &problems, &o, Some(&[]), false)
                .is_err()
        );
        let short = [Problem {
            u0: &[1.0],
            t: &t,
            sample: 0,
        }];
        assert!(engine.forward(&field, &short, &o, None, false).is_err());
        // After an error the torch engine has no gradient of an earlier solve, and both engines work as before.
        assert!(
            engine
                .forward(&field, &problems, &o, Some(&[good]), true)
                .is_ok()
        );
        assert!(engine.backward(&[vec![1.0; 6]]).is_ok());
    }
}

#[test]
fn stiff_methods_are_the_native_engines() {
    let field = lorenz().unwrap();
    let problem = Problem {
        u0: &[1.0, 1.0, 1.0],
        t: &[0.0, 0.1],
        sample: 0,
    };
    for method in solvers::ALL.iter().filter(|m| m.tableau().is_none()) {
        let options = loose().solver(method.name).unwrap();
        let error = torch()
            .forward(&field, &[problem], &options, None, false)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains(method.name) && error.contains("native"),
            "{error}"
        );
    }
}

#[test]
fn devices_are_found_by_name() {
    let text = |name: &str| TorchEngine::new(name).unwrap_err().to_string();
    assert_eq!(torch().name(), "torch");
    assert!(
        text("cuad").contains("did you mean \"cuda\"?"),
        "{}",
        text("cuad")
    );
    assert!(text("cuda:x").contains("unknown device"));
    match odesync_ode::engines::cuda_status() {
        CudaStatus::Ready { .. } => {
            assert!(TorchEngine::new("cuda").is_ok());
            assert!(text("cuda:99").contains("no device"));
        }
        status => {
            assert!(text("cuda").contains(&status.to_string()));
            assert!(text("cuda:1").contains("the device \"cuda:1\" can't be used"));
            assert!(text("cuda:1").contains("use the device \"cpu\""));
        }
    }
}

/// The weights and noise that are drawn after a seed are PyTorch's.
#[test]
fn our_generator_against_that_of_libtorch() {
    let sizes = [1, 5, 15, 16, 17, 40, 1000, 4099];
    for seed in [0, 1, 10, 20, 123_456_789, (1 << 40) + 7] {
        let mut ours = Generator::manual_seed(seed);
        tch::manual_seed(seed as i64);
        let options = (tch::Kind::Float, tch::Device::Cpu);
        // All draws are from one generator, so that its state after each draw is tested as well.
        for n in sizes {
            let want = tch::Tensor::zeros([n], options).uniform_(-0.3, 0.7);
            let want = Vec::<f32>::try_from(&want).unwrap();
            assert_eq!(ours.uniform(-0.3, 0.7, n as usize), want, "{seed} {n}");
            let want = Vec::<f32>::try_from(&tch::Tensor::randn([n], options)).unwrap();
            for (a, b) in ours.normal(0.0, 1.0, n as usize).iter().zip(&want) {
                assert!(
                    (a - b).abs() <= 4e-7 * (1.0 + b.abs()),
                    "{seed} {n}: {a} {b}"
                );
            }
        }
    }
}

#[test]
fn auto_takes_this_engine_for_wide_layers_and_many_problems_where_it_can() {
    let b = odesync_ode::field::FieldBuilder::new(2);
    let mut x = b.state();
    for (name, shape) in [("in", [800, 2]), ("mid", [800, 800]), ("out", [2, 800])] {
        let n = shape[0] * shape[1];
        let weight = b.block(name, &shape, &sines(n, 0.02), true).unwrap();
        x = b.affine(weight, None, &x).tanh();
    }
    let field = b.finish(x).unwrap();
    let starts: Vec<[f64; 2]> = (0..8).map(|i| [0.1 * f64::from(i), 0.3]).collect();
    let times = [0.0, 0.2, 0.4];
    let problem = |sample: usize| Problem {
        u0: &starts[sample],
        t: &times,
        sample: 0,
    };
    let many: Vec<Problem> = (0..8).map(problem).collect();
    let gradient = |engine: &mut dyn Engine, problems: &[Problem], options: &SolveOptions| {
        let cotangent = |_: usize, u: &[f64]| u.to_vec();
        let solved = engine.forward_backward(&field, problems, options, None, &cotangent);
        solved.unwrap().1.values
    };
    let mut auto = odesync_ode::engines::engine("auto", "cpu").unwrap();
    let symplectic = SolveOptions::default().adjoint(odesync_ode::odesolve::Adjoint::Symplectic);
    for (problems, options, is_torch) in [
        (&many[..], SolveOptions::default(), true),
        (&many[..3], SolveOptions::default(), false),
        (&many[..], symplectic, false),
    ] {
        let chosen = gradient(auto.as_mut(), problems, &options);
        let native = gradient(&mut NativeEngine::default(), problems, &options);
        // The same engine gives the same bits, and the other one others, to rounding.
        assert_eq!(chosen == native, !is_torch);
        assert!(error(&chosen, &native) < 1e-9);
        if is_torch {
            assert_eq!(chosen, gradient(&mut torch(), problems, &options));
        }
    }
    // What is kept is gone back over by the engine that solved it.
    let solved = auto.forward(&field, &many, &SolveOptions::default(), None, true);
    let bars: Vec<Vec<f64>> = solved.unwrap().into_iter().map(|s| s.u).collect();
    let kept = auto.backward(&bars).unwrap().values;
    assert_eq!(
        kept,
        gradient(auto.as_mut(), &many, &SolveOptions::default())
    );
}
