//! A branch that is not taken contributes exactly 0 to value, VJP, JVP and second derivatives, whatever its own derivative is.

use odesync_ode::field::native::{DualCotangent, Evaluator};
use odesync_ode::field::{Expr, FieldBuilder, Isa, VectorField, system};
use odesync_ode::odesolve::{Engine, NativeEngine, Problem, SolveOptions};
use proptest::prelude::*;

use super::singular_functions::{SINGULAR_FUNCTIONS, singular};

/// All first derivatives at (t, u): by reverse sweeps, and by tangents, both `[dof][dof + 1 + n]`.
fn first_derivatives(field: &VectorField, isa: Isa, t: f64, u: &[f64]) -> [Vec<Vec<f64>>; 2] {
    let evaluator = Evaluator::new(field).with_isa(isa);
    let (dof, n) = (field.dof(), field.values().len());
    let (mut slot, mut out) = (vec![0.0; evaluator.slot_len()], vec![0.0; dof]);
    evaluator.eval_taped(0, t, u, &mut slot, &mut out);
    let reverse = (0..dof).map(|row| {
        let mut bar = vec![0.0; dof];
        bar[row] = 1.0;
        let (mut u_bar, mut t_bar, mut sums) = (vec![0.0; dof], 0.0, evaluator.zero_gradient());
        evaluator.vjp((0, t), &slot, &bar, &mut u_bar, Some(&mut t_bar), &mut sums);
        u_bar.push(t_bar);
        u_bar.extend(evaluator.parameter_gradient(sums));
        u_bar
    });
    let reverse = reverse.collect();
    let directions = dof + 1 + n;
    let (mut u_dot, mut t_dot) = (vec![0.0; directions * dof], vec![0.0; directions]);
    let mut values_dot = vec![0.0; directions * n];
    for p in 0..directions {
        match p {
            p if p < dof => u_dot[p * dof + p] = 1.0,
            p if p == dof => t_dot[p] = 1.0,
            p => values_dot[p * n + p - dof - 1] = 1.0,
        }
    }
    let jvp = evaluator.jvp((0, t), &slot, &u_dot, &t_dot, &values_dot);
    let row = |row: usize| (0..directions).map(|p| jvp[p * dof + row]).collect();
    [reverse, (0..dof).map(row).collect()]
}

/// The second derivatives of the sum of all components along one direction of state and parameters, `[dof + n]`.
fn second_derivatives(field: &VectorField, isa: Isa, t: f64, u: &[f64], along: &[f64]) -> Vec<f64> {
    let evaluator = Evaluator::new(field).with_isa(isa);
    let dof = field.dof();
    let (mut slot, mut out) = (vec![0.0; evaluator.slot_len()], vec![0.0; dof]);
    evaluator.eval_taped(0, t, u, &mut slot, &mut out);
    let mut lanes = evaluator.tangent_lanes(1);
    evaluator.set_param_tangents(&along[dof..], &mut lanes);
    let mut tangents = vec![0.0; dof];
    evaluator.jvp_lanes(
        (0, t),
        &slot,
        &along[..dof],
        &[0.0],
        &mut lanes,
        &mut tangents,
    );
    let (bar, bar_dot) = (vec![1.0; dof], vec![0.0; dof]);
    let (mut value, mut value_dot) = (vec![0.0; dof], vec![0.0; dof]);
    let mut sums = evaluator.zero_gradient_tangents(&lanes);
    evaluator.vjp_with_tangents(
        (0, t),
        &slot,
        &mut lanes,
        (&bar, &bar_dot),
        DualCotangent {
            value: &mut value,
            tangents: &mut value_dot,
        },
        None,
        &mut sums,
    );
    value_dot.extend(evaluator.parameter_gradient_tangents(&mut lanes, &mut sums));
    value_dot
}

/// Asserts that a guarded field has the derivatives of the side that is taken, in every mode.
fn assert_alike(guarded: &VectorField, taken: &VectorField, t: f64, u: &[f64]) {
    let along: Vec<f64> = (0..guarded.dof() + guarded.values().len())
        .map(|i| 0.4 - 0.3 * i as f64)
        .collect();
    for isa in [Isa::Portable, Isa::Avx2] {
        let want = first_derivatives(taken, isa, t, u);
        for (mode, got) in first_derivatives(guarded, isa, t, u).iter().enumerate() {
            for (got, want) in got.iter().flatten().zip(want[0].iter().flatten()) {
                let off = (got - want).abs();
                assert!(
                    off <= 1e-12 * (1.0 + want.abs()),
                    "{mode}: {got} {want} {}",
                    guarded.show()
                );
            }
        }
        let got = second_derivatives(guarded, isa, t, u, &along);
        let want = second_derivatives(taken, isa, t, u, &along);
        for (got, want) in got.iter().zip(&want) {
            let off = (got - want).abs();
            assert!(
                off <= 1e-11 * (1.0 + want.abs()),
                "second: {got} {want} {}",
                guarded.show()
            );
        }
    }
}

#[test]
fn a_root_under_a_guard_has_a_finite_gradient() {
    let field = system(1, &[("a", 1.0)], |_, u, p| {
        let zero = u.builder().constant(&[0.0]);
        vec![p.get("a") * u.at(0).max(&zero).sqrt() - u.at(0)]
    })
    .unwrap()
    .trainable(&["a"])
    .unwrap();
    let mut engine = NativeEngine::default();
    let problem = Problem {
        u0: &[-1.0],
        t: &[0.0, 1.0],
        sample: 0,
    };
    let options = SolveOptions::default();
    engine
        .forward(&field, &[problem], &options, None, true)
        .unwrap();
    let got = engine.backward(&[vec![0.0, 1.0]]).unwrap();
    assert_eq!(got.values, [0.0]);
    assert!((got.u0[0][0] - (-1.0_f64).exp()).abs() < 1e-7);
}

fn guarded(which: usize, guard: usize, weights: &[f64]) -> [VectorField; 2] {
    let build = |guarded: bool| {
        let b = FieldBuilder::new(2);
        let p = b.constant_parameter("p", 0.7);
        let w = b.block("w", &[3, 1], &weights[..3], true).unwrap();
        let v = b.block("v", &[1, 3], &weights[3..6], true).unwrap();
        let (x, y) = (b.state().at(0), b.state().at(1));
        let safe = (&y * &p).sin() + &x * 0.3;
        // x is at or below 0, so the singular side is never the one taken.
        let bad = singular(&x, &p, which);
        // The singular side through a network, too.
        let network = |x: &Expr| b.affine(v, None, &b.affine(w, None, x).tanh());
        let on = x.gt(&b.constant(&[0.0]));
        let first = match (guard, guarded) {
            (0, true) => on.select(&bad, &safe),
            (1, true) => on.select(&(network(&bad) * &y), &safe),
            (2, true) => on.select(&b.concat(&[bad.clone(), bad]).sum(), &safe),
            _ => safe,
        };
        b.finish(b.concat(&[first, network(&y) * &p])).unwrap()
    };
    [build(true), build(false)]
}

proptest! {
    #[test]
    fn the_side_not_taken_contributes_nothing(
        which in 0..SINGULAR_FUNCTIONS,
        guard in 0_usize..3,
        x in prop_oneof![Just(0.0), -2.0..0.0],
        y in -2.0..2.0,
        weights in prop::collection::vec(-1.5..1.5, 6),
    ) {
        let [guarded, taken] = guarded(which, guard, &weights);
        assert_alike(&guarded, &taken, 0.3, &[x, y]);
    }

    #[test]
    fn a_guard_inside_a_function_holds_it_constant(
        which in prop::sample::select(vec![0_usize, 1, 2, 4, 8]),
        x in -2.0..-0.01,
        y in 0.1..2.0,
    ) {
        // max(x, 0) is the constant 0 for x < 0: whatever the slope of the function there, it does not move with x.
        let build = |guarded: bool| {
            let b = FieldBuilder::new(2);
            let p = b.constant_parameter("p", 0.7);
            let (x, y) = (b.state().at(0), b.state().at(1));
            let zero = b.constant(&[0.0]);
            let inner = if guarded { x.max(&zero) } else { zero };
            let root = match which {
                0 => inner.sqrt() * &p,
                1 => (inner + &y).log() * &p,
                2 => (&inner * &p).sqrt() + inner.relu().powf(0.5),
                4 => inner.powf(0.3) * &y,
                _ => inner.abs().sqrt() * &y * &p,
            };
            b.finish(b.concat(&[root + &x, y * &p])).unwrap()
        };
        assert_alike(&build(true), &build(false), 0.0, &[x, y]);
    }
}

#[test]
fn a_layer_that_is_not_taken_may_have_infinite_weights() {
    let build = |guarded: bool| {
        let b = FieldBuilder::new(2);
        let infinite = [f64::INFINITY, 0.5, -1.0, f64::NAN, 2.0, f64::NEG_INFINITY];
        let w = b.block("w", &[3, 2], &infinite, true).unwrap();
        let v = b.block("v", &[1, 3], &infinite[..3], true).unwrap();
        let bad = b.affine(v, None, &b.affine(w, None, &b.state()).tanh());
        let (x, y) = (b.state().at(0), b.state().at(1));
        let safe = (&x * &y).sin();
        let below = x.lt(&b.constant(&[0.0]));
        let first = if guarded {
            below.select(&bad, &safe)
        } else {
            safe
        };
        b.finish(b.concat(&[first, y])).unwrap()
    };
    assert_alike(&build(true), &build(false), 0.0, &[0.7, -1.2]);
}

#[test]
fn an_infinite_slope_that_counts_stays_infinite() {
    // At u = 0 the root is taken, and its slope is what it is: a zero that is no branch hides nothing.
    let field = system(1, &[("p", 2.0)], |_, u, p| {
        vec![u.at(0).sqrt() * p.get("p")]
    })
    .unwrap();
    let [reverse, forward] = first_derivatives(&field, Isa::Portable, 0.0, &[0.0]);
    assert_eq!(
        (reverse[0][0], forward[0][0]),
        (f64::INFINITY, f64::INFINITY)
    );
    assert_eq!((reverse[0][2], forward[0][2]), (0.0, 0.0));
}
