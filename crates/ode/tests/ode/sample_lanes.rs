//! Samples side by side have the bits of each alone: values, slots, derivatives by state and parameters.

use ndarray::Array2;
use odesync_base::options::Named;
use odesync_ode::field::native::{Evaluator, LaneEvaluator, LaneGradient};
use odesync_ode::field::{FieldBuilder, InputSignal, Isa, Unary, VectorField};
use odesync_ode::odesolve::{
    Adjoint, Controller, Engine, NativeEngine, Problem, SolveOptions, Solver, SolverFamily, solvers,
};
use proptest::prelude::*;

use crate::field::random_field;

/// A reproducible sequence of numbers between −1 and 1.
pub struct Numbers(pub u64);

impl Numbers {
    pub fn next(&mut self) -> f64 {
        // Knuth's multiplier; the high bits are the random ones.
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }

    pub fn many(&mut self, n: usize) -> Vec<f64> {
        (0..n).map(|_| self.next()).collect()
    }
}

/// Returns a network with these widths of its layers.
pub fn network(widths: &[usize], activation: Unary, seed: u64) -> VectorField {
    let mut numbers = Numbers(seed);
    let b = FieldBuilder::new(widths[0]);
    let mut x = b.state();
    for (i, pair) in widths.windows(2).enumerate() {
        let (inputs, out) = (pair[0], pair[1]);
        let scale = 1.0 / (inputs as f64).sqrt();
        let weights: Vec<f64> = numbers
            .many(out * inputs)
            .iter()
            .map(|w| w * scale)
            .collect();
        let weight = b
            .block(&format!("w{i}"), &[out, inputs], &weights, true)
            .unwrap();
        let bias = b
            .block(&format!("b{i}"), &[out], &numbers.many(out), true)
            .unwrap();
        // A layer without a bias now and then.
        x = b.affine(weight, (i % 3 != 2).then_some(bias), &x);
        if i + 2 < widths.len() {
            x = x.unary(activation);
        }
    }
    b.finish(x).unwrap()
}

/// The numbers by their bits, where every NaN is the same.
fn bits(x: &[f64]) -> Vec<u64> {
    let bits = |x: &f64| {
        if x.is_nan() {
            f64::NAN.to_bits()
        } else {
            x.to_bits()
        }
    };
    x.iter().map(bits).collect()
}

/// Returns lane `p` of numbers laid out `[component][lane]`.
fn lane(all: &[f64], p: usize, width: usize) -> Vec<f64> {
    all.iter().skip(p).step_by(width).copied().collect()
}

/// Compares evaluations and `rounds` VJPs of `P` samples, each with random states, times and cotangents, with those of each
/// alone; now and then a lane does not take part, or its cotangent is zero.
fn check<const P: usize>(field: &VectorField, isa: Isa, rounds: usize, numbers: &mut Numbers) {
    let evaluator = Evaluator::new(field).with_isa(isa);
    let lanes = evaluator.sample_lanes::<P>();
    let (dof, len) = (field.dof(), evaluator.slot_len());
    let mut gradient: LaneGradient<P> = lanes.zero_gradient();
    let mut alone: Vec<_> = (0..P).map(|_| evaluator.zero_gradient()).collect();
    for round in 0..rounds {
        let samples: [usize; P] = std::array::from_fn(|p| p);
        let t: [f64; P] = std::array::from_fn(|_| numbers.next());
        let mut u = numbers.many(dof * P);
        if round % 5 == 4 {
            u[round % (dof * P)] = [f64::INFINITY, f64::NAN, 0.0][round % 3];
        }
        let (mut slot, mut out) = (vec![0.0; lanes.slot_len()], vec![0.0; dof * P]);
        lanes.eval::<true>((&samples, &t), &u, &mut slot, &mut out);
        assert_plain_is(&lanes, (&samples, &t), &u, &out);
        let live: [bool; P] = std::array::from_fn(|_| numbers.next() > -0.6);
        let mut bar = numbers.many(dof * P);
        if round % 4 == 1 {
            bar.iter_mut()
                .skip(round % P)
                .step_by(P)
                .for_each(|bar| *bar = 0.0);
        }
        let mut u_bar = vec![f64::NAN; dof * P];
        lanes.vjp(&slot, (&bar, live), &mut u_bar, &mut gradient);
        for p in 0..P {
            let (mut one_slot, mut one_out) = (vec![0.0; len], vec![0.0; dof]);
            let place = (samples[p], t[p]);
            evaluator.eval_taped(
                place.0,
                place.1,
                &lane(&u, p, P),
                &mut one_slot,
                &mut one_out,
            );
            assert_eq!(
                bits(&lane(&out, p, P)),
                bits(&one_out),
                "of {}",
                field.show()
            );
            assert_eq!(
                bits(&lane(&slot, p, P)),
                bits(&one_slot),
                "of {}",
                field.show()
            );
            let mut one_bar = vec![0.0; dof];
            if live[p] {
                let bar = lane(&bar, p, P);
                evaluator.vjp(place, &one_slot, &bar, &mut one_bar, None, &mut alone[p]);
            }
            assert_eq!(
                bits(&lane(&u_bar, p, P)),
                bits(&one_bar),
                "of {}",
                field.show()
            );
        }
    }
    // Parameters are summed over samples in their order, with batches of outer products that are not full.
    let (mut total, mut total_alone) = (evaluator.zero_gradient(), evaluator.zero_gradient());
    for (p, alone) in alone.iter().enumerate() {
        let mut one = evaluator.zero_gradient();
        gradient.take_lane(&evaluator, p, &mut one);
        total.add(&one);
        total_alone.add(alone);
        let (got, want) = (
            evaluator.parameter_gradient(one),
            evaluator.parameter_gradient(alone.clone()),
        );
        assert_eq!(bits(&got), bits(&want), "of {}", field.show());
    }
    let (got, want) = (
        evaluator.parameter_gradient(total),
        evaluator.parameter_gradient(total_alone),
    );
    assert_eq!(bits(&got), bits(&want));
}

/// Compares values of `P` samples, each with weights and other parameters of its own, with those of each alone.
fn check_own_weights<const P: usize>(field: &VectorField, isa: Isa, numbers: &mut Numbers) {
    let evaluator = |numbers: &mut Numbers| {
        let params = numbers.many(field.n_params());
        let field = field.with_params(&params).unwrap();
        Evaluator::new(&field).with_isa(isa)
    };
    let shared = evaluator(numbers);
    let mut lanes = shared.sample_lanes::<P>().with_own_weights();
    let mut alone: Vec<Evaluator> = (0..P).map(|_| evaluator(numbers)).collect();
    for (p, alone) in alone.iter().enumerate() {
        lanes.set_lane(p, alone);
    }
    // A lane takes other parameters while the others keep theirs.
    alone[P / 2] = evaluator(numbers);
    lanes.set_lane(P / 2, &alone[P / 2]);
    let (dof, len) = (field.dof(), shared.slot_len());
    let (samples, t) = (std::array::from_fn(|p| p), [0.3; P]);
    let u = numbers.many(dof * P);
    let (mut slot, mut out) = (vec![0.0; lanes.slot_len()], vec![0.0; dof * P]);
    lanes.eval::<true>((&samples, &t), &u, &mut slot, &mut out);
    assert_plain_is(&lanes, (&samples, &t), &u, &out);
    for (p, alone) in alone.iter().enumerate() {
        let (mut one_slot, mut one_out) = (vec![0.0; len], vec![0.0; dof]);
        alone.eval_taped(p, t[p], &lane(&u, p, P), &mut one_slot, &mut one_out);
        for (got, want) in [(&out, &one_out), (&slot, &one_slot)] {
            assert_eq!(bits(&lane(got, p, P)), bits(want), "of {}", field.show());
        }
    }
}

/// Asserts that an evaluation without a tape has the bits of one with it.
fn assert_plain_is<const P: usize>(
    lanes: &LaneEvaluator<P>,
    places: (&[usize; P], &[f64; P]),
    u: &[f64],
    want: &[f64],
) {
    let mut plain = vec![0.0; want.len()];
    lanes.eval::<false>(places, u, &mut vec![0.0; lanes.slot_len()], &mut plain);
    assert_eq!(bits(&plain), bits(want), "{P} lanes");
}

fn check_all(field: &VectorField, rounds: usize, seed: u64) {
    for isa in Isa::ALL.into_iter().filter(|isa| isa.available()) {
        check::<1>(field, isa, rounds, &mut Numbers(seed));
        check::<4>(field, isa, rounds, &mut Numbers(seed));
        check::<8>(field, isa, rounds, &mut Numbers(seed));
        check_own_weights::<4>(field, isa, &mut Numbers(seed));
        check_own_weights::<8>(field, isa, &mut Numbers(seed));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_graphs_side_by_side_have_the_bits_of_each_alone(
        steps in prop::collection::vec(any::<(u8, u8, u8, u8)>(), 1..8),
        numbers in prop::collection::vec(-1.0..1.0_f64, 18),
        seed in any::<u64>(),
    ) {
        check_all(&random_field(&steps, &numbers), 6, seed);
    }

    #[test]
    fn random_networks_side_by_side_have_the_bits_of_each_alone(
        hidden in prop::collection::vec(1..40_usize, 0..3),
        dof in 1..9_usize,
        activation in 0..Unary::ALL.len(),
        seed in any::<u64>(),
    ) {
        let widths = [&[dof], &hidden[..], &[dof]].concat();
        check_all(&network(&widths, Unary::ALL[activation], seed), 6, seed);
    }
}

/// Layers of 256 weights or more have their outer products added in batches of 32.
#[test]
fn full_batches_of_outer_products_are_added_in_each_lane() {
    for widths in [
        &[3, 50, 50, 3][..],
        &[2, 130, 2],
        &[20, 20],
        &[9, 64, 17, 9],
    ] {
        check_all(&network(widths, Unary::Gelu, 7), 70, 11);
    }
}

/// A batch of problems with random states and times, some backwards in time, one with its initial time alone.
struct RandomBatch {
    u0: Vec<Vec<f64>>,
    t: Vec<Vec<f64>>,
}

impl RandomBatch {
    fn new(n: usize, dof: usize, numbers: &mut Numbers) -> Self {
        let mut times = |i: usize| {
            let (count, mut t) = ((i * 7) % 12 + usize::from(i != 2), numbers.next());
            let sign = if i % 5 == 3 { -1.0 } else { 1.0 };
            let next = |_| {
                t += sign * (0.02 + 0.2 * numbers.next().abs());
                t
            };
            std::iter::once(())
                .chain((0..count).map(|_| ()))
                .map(next)
                .collect()
        };
        RandomBatch {
            t: (0..n).map(&mut times).collect(),
            u0: (0..n).map(|_| numbers.many(dof)).collect(),
        }
    }

    fn problems(&self) -> Vec<Problem<'_>> {
        let both = self.u0.iter().zip(&self.t).enumerate();
        both.map(|(sample, (u0, t))| Problem { u0, t, sample })
            .collect()
    }
}

/// The cotangent of problem `i`: any function of its solution, with zeros at some times.
fn cotangent(i: usize, u: &[f64]) -> Vec<f64> {
    let bar = |(j, u): (usize, &f64)| {
        if (i + j) % 7 < 4 {
            u.sin() + 0.1 * j as f64
        } else {
            0.0
        }
    };
    match i % 6 {
        5 => vec![0.0; u.len()],
        _ => u.iter().enumerate().map(bar).collect(),
    }
}

/// Compares what a batch gives with what its problems give alone, with and without gradients, on one thread and on several.
fn check_batch(field: &VectorField, batch: &RandomBatch, options: &SolveOptions) {
    let problems = batch.problems();
    let mut engine = NativeEngine::default();
    let one_by_one = engine
        .forward(field, &problems, options, None, true)
        .and_then(|solved| {
            let bars: Vec<_> = solved
                .iter()
                .enumerate()
                .map(|(i, s)| cotangent(i, &s.u))
                .collect();
            Ok((solved, engine.backward(&bars)?))
        });
    for threads in [1, 3] {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        let (plain, both) = pool.install(|| {
            let mut engine = NativeEngine::default();
            (
                engine.forward(field, &problems, options, None, false),
                engine.forward_backward(field, &problems, options, None, &cotangent),
            )
        });
        let (solved, gradient) = match (&one_by_one, both) {
            (Ok(want), Ok(both)) => {
                let plain = plain.unwrap();
                for ((one, beside), plain) in want.0.iter().zip(&both.0).zip(&plain) {
                    let name = options.solver.name;
                    assert_eq!(bits(&one.u), bits(&beside.u), "{name}");
                    assert_eq!(one.recorded, beside.recorded, "{name}");
                    assert_eq!(one.stats, beside.stats, "{name}");
                    assert_eq!(bits(&one.u), bits(&plain.u), "{name}");
                    assert_eq!(one.recorded, plain.recorded, "{name}");
                    assert_eq!(one.stats, plain.stats, "{name}");
                }
                (&want.1, both.1)
            }
            (Err(want), Err(got)) => {
                assert_eq!(format!("{want:?}"), format!("{got:?}"));
                continue;
            }
            (want, got) => panic!("{:?} {:?}", want.as_ref().err(), got.err()),
        };
        assert_eq!(
            bits(&solved.values),
            bits(&gradient.values),
            "{}",
            options.solver.name
        );
        for (one, beside) in solved.u0.iter().zip(&gradient.u0) {
            assert_eq!(bits(one), bits(beside), "{}", options.solver.name);
        }
    }
    // The same problem alone.
    let last = problems.len() - 1;
    if let Ok((want, gradient)) = &one_by_one {
        let mut alone = NativeEngine::default();
        let of_last = |_: usize, u: &[f64]| cotangent(last, u);
        let (solved, one) = alone
            .forward_backward(field, &problems[last..], options, None, &of_last)
            .unwrap();
        assert_eq!(bits(&solved[0].u), bits(&want[last].u));
        assert_eq!(bits(&one.u0[0]), bits(&gradient.u0[last]));
    }
}

/// The explicit Runge-Kutta methods.
fn explicit_methods() -> Vec<&'static Solver> {
    let all = solvers::ALL.iter().copied();
    all.filter(|method| matches!(method.family, SolverFamily::ExplicitRungeKutta(_)))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn solves_side_by_side_have_the_bits_of_each_alone(
        n in 3..30_usize,
        dof in 1..6_usize,
        hidden in 1..40_usize,
        method in 0..explicit_methods().len(),
        kind in 0..6_usize,
        seed in any::<u64>(),
    ) {
        let field = network(&[dof, hidden, dof], Unary::Tanh, seed);
        let mut batch = RandomBatch::new(n, dof, &mut Numbers(seed));
        let mut options = SolveOptions { solver: explicit_methods()[method], ..SolveOptions::default() };
        match kind {
            0 => options.substeps = Some(2),
            1 => options.controller = Some(Controller::ProportionalIntegral),
            2 => options = options.tolerances(1e-4, vec![1e-6; dof]),
            // A solve fails: at its start, or for its number of steps.
            3 => batch.u0[n / 2][0] = f64::NAN,
            4 => options.max_steps = 7,
            _ => options.max_step = Some(0.05),
        }
        check_batch(&field, &batch, &options);
    }
}

/// An external input of each sample, breakpoints, and equations whose solutions leave every bound.
#[test]
fn driven_and_unstable_systems_side_by_side_have_the_bits_of_each_alone() {
    let mut numbers = Numbers(5);
    let batch = RandomBatch::new(19, 1, &mut numbers);
    let input = |i: usize| {
        let t: Vec<f64> = (0..5).map(|k| -1.5 + 0.9 * f64::from(k)).collect();
        let values = numbers.many(5).into_iter().map(|x| x * (1.0 + i as f64));
        InputSignal::linear(
            &t,
            Array2::from_shape_vec((5, 1), values.collect())
                .unwrap()
                .view(),
        )
        .unwrap()
    };
    let inputs: Vec<InputSignal> = (0..19).map(input).collect();
    let b = FieldBuilder::new(1);
    let rate = b.parameter(b.block("rate", &[1], &[0.8], true).unwrap());
    let push = b.input("w", InputSignal::per_sample(&inputs).unwrap());
    let x = b.state();
    let driven = b.finish(push - rate * (&x * &x).sin() - x.tanh()).unwrap();
    let squared = odesync_ode::field::system(1, &[("k", 3.0)], |_, u, p| {
        vec![p.get("k") * u.at(0).square()]
    })
    .unwrap()
    .trainable(&["k"])
    .unwrap();
    for method in explicit_methods() {
        let options = SolveOptions {
            solver: method,
            substeps: (!method.is_adaptive()).then_some(3),
            ..SolveOptions::default()
        };
        check_batch(&driven, &batch, &options);
        check_batch(&squared, &batch, &options);
    }
}

/// There and back at once is what forward and backward are one after the other, with every method and gradient, also where the
/// workspaces are those of earlier solves of another kind.
#[test]
fn there_and_back_at_once_has_the_bits_of_there_and_then_back() {
    let field = network(&[2, 4, 2], Unary::Tanh, 5);
    let t: Vec<f64> = (0..6).map(|i| 0.3 * f64::from(i)).collect();
    let u0: Vec<Vec<f64>> = (0..5).map(|i| vec![0.1 * f64::from(i), -0.4]).collect();
    let problems: Vec<Problem> = (u0.iter())
        .map(|u0| Problem {
            u0,
            t: &t,
            sample: 0,
        })
        .collect();
    let mut reused = NativeEngine::default();
    for round in 0..2 {
        for solver in solvers::ALL {
            for adjoint in Adjoint::ALL.iter().copied() {
                let options = SolveOptions {
                    solver,
                    adjoint,
                    step_size: (!solver.is_adaptive()).then_some(0.07),
                    ..SolveOptions::default().tolerances(1e-5, 1e-7)
                };
                let once = reused.forward_backward(&field, &problems, &options, None, &cotangent);
                let mut fresh = NativeEngine::default();
                let solved = match fresh.forward(&field, &problems, &options, None, true) {
                    Ok(solved) => solved,
                    // A combination that there is not.
                    Err(error) => {
                        assert_eq!(once.unwrap_err().to_string(), error.to_string());
                        continue;
                    }
                };
                let bars: Vec<Vec<f64>> = (solved.iter().enumerate())
                    .map(|(i, solved)| cotangent(i, &solved.u))
                    .collect();
                let gradient = fresh.backward(&bars).unwrap();
                let (trajectories, got) = once.unwrap();
                let what = format!("{}, {}, round {round}", solver.name, adjoint.to_name());
                for (one, other) in trajectories.iter().zip(&solved) {
                    assert_eq!(bits(&one.u), bits(&other.u), "{what}");
                }
                assert_eq!(bits(&got.values), bits(&gradient.values), "{what}");
                for (one, other) in got.u0.iter().zip(&gradient.u0) {
                    assert_eq!(bits(one), bits(other), "{what}");
                }
            }
        }
    }
}
