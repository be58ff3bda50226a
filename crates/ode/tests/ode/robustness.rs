//! Robustness tests with random fields, tolerances, times and options: every solve ends, after no more work than its options
//! allow, with a finite solution or an error that states the reason; and so does its gradient. Some of the fields are stiff,
//! some blow up, some are defined only in a part of the state space (logarithms, roots, divisions), and some have jumps in
//! time or in the state.
//!
//! The default is 10,000 solves and 2,000 gradients; PROPTEST_CASES sets the number for each of the three tests.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ndarray::Array2;
use odesync_base::Error;
use odesync_ode::field::{Binary, Expr, FieldBuilder, InputSignal, Signal, Unary, VectorField};
use odesync_ode::odesolve::{
    Adjoint, Controller, Direction, Engine, Event, FailureReason, NativeEngine, Problem,
    SolveOptions, solve, solvers,
};
use proptest::prelude::*;

/// A signal of constant value 1 that counts its evaluations, one in every evaluation of the field.
#[derive(Debug, Default)]
struct Counter {
    calls: AtomicUsize,
    limit: AtomicUsize,
}

impl Signal for Counter {
    fn dof(&self) -> usize {
        1
    }
    fn n_samples(&self) -> usize {
        1
    }
    fn value(&self, _sample: usize, _t: f64, out: &mut [f64]) {
        let calls = self.calls.fetch_add(1, Ordering::Relaxed);
        assert!(
            calls < self.limit.load(Ordering::Relaxed),
            "{calls} evaluations are more than the options allow"
        );
        out[0] = 1.0;
    }
    fn derivative(&self, _sample: usize, _t: f64, out: &mut [f64]) {
        out[0] = 0.0;
    }
    fn second_derivative(&self, _sample: usize, _t: f64, out: &mut [f64]) {
        out[0] = 0.0;
    }
    fn breakpoints(&self, _sample: usize) -> &[f64] {
        &[]
    }
}

/// Random number generator of a test case (SplitMix64), started from a seed.
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 32) as u32
    }
    fn below(&mut self, n: usize) -> usize {
        self.next() as usize % n
    }
    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
    /// Returns a number that is uniformly distributed between `low` and `high`.
    fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * f64::from(self.next()) / f64::from(u32::MAX)
    }
    /// Returns a power of ten whose exponent is uniformly distributed between `low` and `high`.
    fn scale(&mut self, low: f64, high: f64) -> f64 {
        10.0_f64.powf(self.between(low, high))
    }
    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

/// Returns a random operation on known expressions, which have one component or as many as the state.
fn operation(draw: &mut Draw, b: &FieldBuilder, known: &[Expr]) -> Expr {
    let x = known[draw.below(known.len())].clone();
    let y = known[draw.below(known.len())].clone();
    match draw.below(10) {
        0 | 1 => x.unary(draw.pick(Unary::ALL)),
        2 | 3 => x.binary(draw.pick(Binary::ALL), &y),
        4 => x.binary(draw.pick(&[Binary::Add, Binary::Mul, Binary::Div]), &y),
        5 => x.gt(&y).select(&(&x * 2.0), &y),
        6 => x.powf(draw.pick(&[-2.0, -1.0, -0.5, 0.5, 1.5, 2.0, 3.0])),
        7 => &x * draw.scale(-3.0, 8.0) * draw.pick(&[1.0, -1.0, -1.0]),
        8 => x.sum() + b.constant(&[draw.between(-2.0, 2.0)]),
        _ => x.tanh() - y.sin(),
    }
}

fn random_field(draw: &mut Draw, span: (f64, f64), counter: Arc<Counter>) -> Option<VectorField> {
    let dof = 1 + draw.below(3);
    let b = FieldBuilder::new(dof);
    let weights: Vec<f64> = (0..dof * dof).map(|_| draw.between(-1.5, 1.5)).collect();
    let weight = b.block("w", &[dof, dof], &weights, true).ok()?;
    let bias = b.block("b", &[dof], &weights[..dof], true).ok()?;
    let mut known = vec![
        b.state(),
        b.state(),
        b.time(),
        b.parameter(bias),
        b.affine(weight, Some(bias), &b.state()),
    ];
    if draw.one_in(3) {
        // The times of the input signal are breakpoints, some of them close together.
        let mut t: Vec<f64> = (0..2 + draw.below(6))
            .map(|_| span.0 + (span.1 - span.0) * draw.between(-0.2, 1.2))
            .collect();
        if draw.one_in(4) {
            t.push(t[0] + 1e-13);
        }
        t.sort_by(f64::total_cmp);
        t.dedup();
        let values = (0..t.len()).map(|_| draw.between(-3.0, 3.0)).collect();
        let values = Array2::from_shape_vec((t.len(), 1), values).ok()?;
        if let Ok(input) = InputSignal::linear(&t, values.view()) {
            known.push(b.input("w", input));
        }
    }
    for _ in 0..1 + draw.below(6) {
        known.push(operation(draw, &b, &known));
    }
    let last = known[known.len() - 1].clone();
    let wide = |x: &Expr| x + &(b.state() * 0.0);
    let mut out = wide(&last);
    match draw.below(6) {
        // Stiff fields.
        0 => out = out - b.state() * draw.scale(0.0, 7.0),
        1 => out = out.tanh() - b.affine(weight, None, &b.state()) * draw.scale(0.0, 5.0),
        // Fields that may blow up.
        2 => out = out + b.state().powf(3.0) * draw.between(-0.5, 1.5),
        // A field with jumps in the state.
        3 => out = out.tanh() - b.state().sign() * 2.0,
        4 => out = out + wide(&known[draw.below(known.len())]),
        _ => {}
    }
    b.finish(out * b.signal(counter)).ok()
}

/// Returns the start and end of a time span and output times in it, sometimes invalid ones.
fn random_times(draw: &mut Draw) -> (f64, f64, Vec<f64>) {
    let start = draw.pick(&[0.0, 0.0, 0.0, 1.0, -30.0, 1e8]);
    let length = match draw.below(8) {
        0 => draw.scale(-13.0, -3.0),
        1 => draw.scale(1.0, 9.0),
        _ => draw.scale(-2.0, 1.5),
    };
    let end = start + length * draw.pick(&[1.0, 1.0, -1.0]);
    let mut places: Vec<f64> = (0..draw.below(7)).map(|_| draw.between(0.0, 1.0)).collect();
    places.extend([0.0, 1.0]);
    places.sort_by(f64::total_cmp);
    let mut t: Vec<f64> = places.iter().map(|x| start + (end - start) * x).collect();
    match draw.below(30) {
        0 => t.truncate(1),
        1 => t.push(t[0]),
        2 => t.insert(0, t[0]),
        3 => t.push(f64::NAN),
        4 => t.clear(),
        5 => {
            let close = t[0] + (end - start).signum() * (1e-15 + t[0].abs() * f64::EPSILON);
            t.insert(1, close);
        }
        _ => {}
    }
    (start, end, t)
}

fn random_options(draw: &mut Draw, dof: usize) -> SolveOptions {
    let method = draw.pick(solvers::ALL);
    let mut options = SolveOptions {
        solver: method,
        rtol: draw.scale(-13.0, -1.0),
        atol: draw.scale(-13.0, -1.0).into(),
        max_steps: 1 + draw.below(150),
        ..SolveOptions::default()
    };
    if draw.one_in(20) {
        options.rtol = draw.pick(&[0.0, 1.0, 1e-300]);
    }
    if draw.one_in(20) {
        options.atol = draw.pick(&[1e-300, 1e300]).into();
    }
    if draw.one_in(5) {
        options.first_step = Some(draw.scale(-20.0, 6.0));
    }
    if draw.one_in(5) {
        options.max_step = Some(draw.scale(-10.0, 4.0));
    }
    if draw.one_in(3) {
        options.controller = Some(Controller::ProportionalIntegral);
    }
    options.breakpoints = (!draw.one_in(4)).into();
    if !method.is_adaptive() || draw.one_in(8) {
        match draw.below(3) {
            0 => options.step_size = Some(draw.scale(-6.0, 3.0)),
            _ => options.substeps = Some(1 + draw.below(12)),
        }
    }
    for _ in 0..[0, 0, 0, 1, 2][draw.below(5)] {
        let b = FieldBuilder::new(dof);
        let mut known = vec![b.state(), b.time(), b.state() - 0.5];
        for _ in 0..draw.below(3) {
            known.push(operation(draw, &b, &known));
        }
        let event = Event::build(&b, known[draw.below(known.len())].sum());
        if let Ok(mut event) = event {
            if draw.one_in(2) {
                event = event.terminal();
            }
            options = options.event(event.direction(draw.pick(&[
                Direction::Up,
                Direction::Down,
                Direction::Both,
            ])));
        }
    }
    options
}

struct Case {
    field: VectorField,
    u0: Vec<f64>,
    t: Vec<f64>,
    options: SolveOptions,
    counter: Arc<Counter>,
}

fn random_case(seed: u64) -> Option<Case> {
    let mut draw = Draw(seed);
    let counter = Arc::new(Counter::default());
    let (start, end, t) = random_times(&mut draw);
    let field = random_field(&mut draw, (start, end), counter.clone())?;
    let mut u0: Vec<f64> = (0..field.dof()).map(|_| draw.between(-2.0, 2.0)).collect();
    if draw.one_in(6) {
        u0[0] = draw.pick(&[0.0, -0.0, 1e-300, 1e8, -1e150, f64::MAX]);
    }
    if draw.one_in(60) {
        u0[0] = draw.pick(&[f64::NAN, f64::INFINITY]);
    }
    let options = random_options(&mut draw, field.dof());
    // A step that fails twice and is then solved to rounding takes a few hundred evaluations, and so does an output step.
    let max_evaluations = 600 * (options.max_steps + t.len() + 2);
    counter.limit.store(max_evaluations, Ordering::Relaxed);
    Some(Case {
        field,
        u0,
        t,
        options,
        counter,
    })
}

/// Asserts that this is an error that a solve may end with.
fn typed(error: &Error, case: &Case) {
    match error {
        Error::Solve(failure) => {
            assert!(failure.t.is_finite(), "{failure}");
            let known = case.u0.iter().all(|u| u.is_finite());
            assert!(!known || failure.state.iter().all(|u| u.is_finite()));
            if let FailureReason::TooManySteps(n) = failure.reason {
                assert_eq!(n, case.options.max_steps);
            }
        }
        Error::Invalid(_) => {}
        other => panic!("{other}"),
    }
    assert!(!error.to_string().is_empty());
}

fn solves(seed: u64) -> Option<()> {
    let case = random_case(seed)?;
    match solve(&case.field, &case.u0, &case.t, &case.options) {
        Ok(found) => {
            assert!(found.u.iter().all(|u| u.is_finite()), "{}", found.u);
            assert_eq!(found.u.nrows(), found.t.len());
            assert!(found.terminated_by.is_some() || found.t.as_slice() == Some(&case.t));
            let (stats, recorded) = (found.stats, &found.recorded);
            assert!(stats.steps + stats.rejected <= case.options.max_steps);
            assert_eq!(recorded.steps.len(), stats.steps);
            assert_eq!(recorded.outputs.len(), found.t.len());
            let (first, last) = (case.t[0], case.t[case.t.len() - 1]);
            let (low, high) = (first.min(last), first.max(last));
            for event in &found.events {
                assert!(event.u.iter().all(|u| u.is_finite()));
                assert!(event.t.iter().all(|t| (low..=high).contains(t)));
            }
        }
        Err(error) => typed(&error, &case),
    }
    Some(())
}

fn gradients(seed: u64) -> Option<()> {
    let mut case = random_case(seed)?;
    case.options.events.clear();
    case.counter.limit.store(usize::MAX, Ordering::Relaxed);
    let mut draw = Draw(!seed);
    case.options.adjoint = draw.pick(&Adjoint::ALL);
    if draw.one_in(3) {
        case.options.adjoint_rtol = Some(draw.scale(-13.0, -1.0));
        case.options.adjoint_atol = Some(draw.scale(-13.0, -1.0));
    }
    let mut engine = NativeEngine::default();
    let problem = Problem {
        u0: &case.u0,
        t: &case.t,
        sample: 0,
    };
    let solved = engine.forward(&case.field, &[problem], &case.options, None, true);
    match solved {
        Ok(trajectories) => {
            assert!(trajectories[0].u.iter().all(|u| u.is_finite()));
            let bars = (0..trajectories[0].u.len()).map(|i| (0.7 * i as f64).cos());
            match engine.backward(&[bars.collect()]) {
                Ok(found) => {
                    assert!(found.values.iter().all(|x| x.is_finite()));
                    assert!(found.u0[0].iter().all(|x| x.is_finite()));
                }
                Err(Error::Solve(failure)) if case.options.adjoint.is_exact() => {
                    // Where a parameter moves a switching time, the derivative needs a solve from there on, which can fail too.
                    let reasons = [FailureReason::GradientNotFinite, FailureReason::NotFinite];
                    assert!(reasons.contains(&failure.reason), "{:?}", failure.reason);
                }
                Err(error) => typed(&error, &case),
            }
        }
        Err(error) => typed(&error, &case),
    }
    Some(())
}

fn cases(default: u32) -> ProptestConfig {
    let number = std::env::var("PROPTEST_CASES");
    ProptestConfig {
        cases: number.map_or(default, |n| n.parse().expect("PROPTEST_CASES is a number")),
        failure_persistence: None,
        // Seeds cannot be shrunk to simpler cases.
        max_shrink_iters: 0,
        max_global_rejects: 1_000_000,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(cases(5_000))]

    #[test]
    fn solves_end_one_way_or_the_other(seed in any::<u64>()) {
        prop_assume!(solves(seed).is_some());
    }

    #[test]
    fn more_solves_end_one_way_or_the_other(seed in any::<u64>()) {
        prop_assume!(solves(seed).is_some());
    }
}

proptest! {
    #![proptest_config(cases(2_000))]

    #[test]
    fn gradients_end_one_way_or_the_other(seed in any::<u64>()) {
        prop_assume!(gradients(seed).is_some());
    }
}
