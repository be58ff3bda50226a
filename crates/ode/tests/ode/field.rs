//! Tests of vector fields: VJP, JVP and second derivatives of every operation against finite differences, shapes, printing,
//! saving.

use std::sync::Arc;

use odesync_ode::field::native::{DualCotangent, Evaluator, MAX_LANES, interleave};
use odesync_ode::field::{
    Binary, ConstantSpec, Expr, FieldBuilder, Isa, Signal, Unary, VectorField, system,
};
use proptest::prelude::*;

/// The signal s(t) = (sin t, t²).
#[derive(Debug)]
struct Wave;

impl Signal for Wave {
    fn dof(&self) -> usize {
        2
    }
    fn n_samples(&self) -> usize {
        1
    }
    fn value(&self, _sample: usize, t: f64, out: &mut [f64]) {
        out.copy_from_slice(&[t.sin(), t * t]);
    }
    fn derivative(&self, _sample: usize, t: f64, out: &mut [f64]) {
        out.copy_from_slice(&[t.cos(), 2.0 * t]);
    }
    fn second_derivative(&self, _sample: usize, t: f64, out: &mut [f64]) {
        out.copy_from_slice(&[-t.sin(), 2.0]);
    }
    fn breakpoints(&self, _sample: usize) -> &[f64] {
        &[0.5, 1.5]
    }
}

/// Returns the derivative of a vector function along one direction at 0, by a fourth-order central difference.
fn difference(f: impl Fn(f64) -> Vec<f64>) -> Vec<f64> {
    let h = 1e-3;
    let (a, b, c, d) = (f(-2.0 * h), f(-h), f(h), f(2.0 * h));
    (0..a.len())
        .map(|i| (a[i] - 8.0 * b[i] + 8.0 * c[i] - d[i]) / (12.0 * h))
        .collect()
}

/// Compares the JVP of a field (state, time, all parameters) with finite differences, and its VJP with the JVP.
fn check(field: &VectorField, t: f64, u: &[f64]) {
    for isa in [Isa::Portable, Isa::Avx2] {
        let evaluator = Evaluator::new(field).with_isa(isa);
        let n = field.values().len();
        let dof = field.dof();
        let mut slot = vec![0.0; evaluator.slot_len()];
        let mut out = vec![0.0; dof];
        evaluator.eval_taped(0, t, u, &mut slot, &mut out);
        let mut plain = vec![0.0; dof];
        evaluator.eval(0, t, u, &mut vec![0.0; evaluator.slot_len()], &mut plain);
        assert_eq!(out, plain, "a tape changes no value");

        // Directions of one JVP: each state variable, the time, each parameter.
        let n_directions = dof + 1 + n;
        let mut u_dot = vec![0.0; n_directions * dof];
        let mut t_dot = vec![0.0; n_directions];
        let mut values_dot = vec![0.0; n_directions * n];
        let mut want = vec![];
        for p in 0..n_directions {
            let shifted = |e: f64| {
                let (mut u, mut t, mut values) = (u.to_vec(), t, field.values().to_vec());
                if p < dof {
                    u[p] += e;
                } else if p == dof {
                    t += e;
                } else {
                    values[p - dof - 1] += e;
                }
                let mut perturbed = evaluator.clone();
                perturbed.bind(&values);
                let mut out = vec![0.0; dof];
                perturbed.eval(0, t, &u, &mut vec![0.0; perturbed.slot_len()], &mut out);
                out
            };
            want.extend(difference(shifted));
            if p < dof {
                u_dot[p * dof + p] = 1.0;
            } else if p == dof {
                t_dot[p] = 1.0;
            } else {
                values_dot[p * n + p - dof - 1] = 1.0;
            }
        }
        let jvp = evaluator.jvp((0, t), &slot, &u_dot, &t_dot, &values_dot);
        for (i, (got, want)) in jvp.iter().zip(&want).enumerate() {
            assert!(
                (got - want).abs() < 1e-8 * (1.0 + want.abs()),
                "JVP {i}: {got} {want} of {}",
                field.show()
            );
        }
        let bar: Vec<f64> = (0..dof).map(|i| 0.7 - 0.9 * i as f64).collect();
        let (mut u_bar, mut t_bar, mut sums) = (vec![0.0; dof], 0.0, evaluator.zero_gradient());
        evaluator.vjp((0, t), &slot, &bar, &mut u_bar, Some(&mut t_bar), &mut sums);
        let parameters = evaluator.parameter_gradient(sums);
        let vjp: Vec<f64> = u_bar.into_iter().chain([t_bar]).chain(parameters).collect();
        for p in 0..n_directions {
            let from_jvp: f64 = (0..dof).map(|i| bar[i] * jvp[p * dof + i]).sum();
            assert!(
                (vjp[p] - from_jvp).abs() < 1e-12 * (1.0 + from_jvp.abs()),
                "VJP {p}: {} {from_jvp} of {}",
                vjp[p],
                field.show()
            );
        }
    }
    check_second(field, t, u).unwrap();
}

/// Splits one vector of all variables into the state, the time and the parameters: (u, t, θ).
fn split<'a>(field: &VectorField, z: &'a [f64]) -> (&'a [f64], f64, &'a [f64]) {
    let dof = field.dof();
    (&z[..dof], z[dof], &z[dof + 1..])
}

/// Returns the gradient of ⟨bar, f⟩ with respect to the state, the time and all parameters.
fn gradient(evaluator: &Evaluator, field: &VectorField, z: &[f64], bar: &[f64]) -> Vec<f64> {
    let (u, t, values) = split(field, z);
    let mut evaluator = evaluator.clone();
    evaluator.bind(values);
    let mut slot = vec![0.0; evaluator.slot_len()];
    let mut out = vec![0.0; u.len()];
    evaluator.eval_taped(0, t, u, &mut slot, &mut out);
    let (mut u_bar, mut t_bar, mut sums) = (vec![0.0; u.len()], 0.0, evaluator.zero_gradient());
    evaluator.vjp((0, t), &slot, bar, &mut u_bar, Some(&mut t_bar), &mut sums);
    u_bar
        .into_iter()
        .chain([t_bar])
        .chain(evaluator.parameter_gradient(sums))
        .collect()
}

/// Returns the tangents of [`gradient`] along directions of all of its variables and of `bar`, with one tangent lane for each
/// direction.
fn tangents(
    evaluator: &Evaluator,
    field: &VectorField,
    z: &[f64],
    (bar, bar_dot): (&[f64], &[f64]),
    directions: &[Vec<f64>],
) -> Vec<Vec<f64>> {
    let (dof, n) = (field.dof(), field.values().len());
    let (u, t, _) = split(field, z);
    let mut slot = vec![0.0; evaluator.slot_len()];
    let mut out = vec![0.0; dof];
    evaluator.eval_taped(0, t, u, &mut slot, &mut out);
    let mut lanes = evaluator.tangent_lanes(directions.len());
    let w = lanes.width();
    assert!(w >= directions.len());
    let part = |range: std::ops::Range<usize>| -> Vec<f64> {
        let len = range.len();
        let flat: Vec<f64> = directions
            .iter()
            .flat_map(|v| v[range.clone()].to_vec())
            .collect();
        interleave(&flat, len, w)
    };
    evaluator.set_param_tangents(&part(dof + 1..dof + 1 + n), &mut lanes);
    let mut dots = vec![0.0; dof * w];
    evaluator.jvp_lanes(
        (0, t),
        &slot,
        &part(0..dof),
        &part(dof..dof + 1),
        &mut lanes,
        &mut dots,
    );
    let mut sums = evaluator.zero_gradient_tangents(&lanes);
    let (mut u_bar, mut u_bar_dot) = (vec![0.0; dof], vec![0.0; dof * w]);
    let (mut t_bar, mut t_bar_dot) = ([0.0], vec![0.0; w]);
    let bar_dot: Vec<f64> = bar_dot.iter().flat_map(|x| vec![*x; w]).collect();
    evaluator.vjp_with_tangents(
        (0, t),
        &slot,
        &mut lanes,
        (bar, &bar_dot),
        DualCotangent {
            value: &mut u_bar,
            tangents: &mut u_bar_dot,
        },
        Some(DualCotangent {
            value: &mut t_bar,
            tangents: &mut t_bar_dot,
        }),
        &mut sums,
    );
    let values_dot = evaluator.parameter_gradient_tangents(&mut lanes, &mut sums);
    let first = gradient(evaluator, field, z, bar);
    for (got, want) in u_bar.iter().chain(&t_bar).zip(&first) {
        assert!(
            (got - want).abs() <= 1e-13 * (1.0 + want.abs()),
            "the first derivative: {got} {want}"
        );
    }
    let all: Vec<f64> = [u_bar_dot, t_bar_dot, values_dot].concat();
    (0..directions.len())
        .map(|p| all.chunks_exact(w).map(|row| row[p]).collect())
        .collect()
}

/// Compares the tangents of the VJP with finite differences of the VJP, checks that they are symmetric, and compares them
/// with the tangents of a single lane. `None` where finite differences of two step sizes differ (near a kink), or where the
/// field has no finite derivative.
fn check_second(field: &VectorField, t: f64, u: &[f64]) -> Option<()> {
    let z: Vec<f64> = u
        .iter()
        .copied()
        .chain([t])
        .chain(field.values().to_vec())
        .collect();
    let bar: Vec<f64> = (0..u.len()).map(|i| 0.7 - 0.9 * i as f64).collect();
    let bar_dot: Vec<f64> = (0..u.len()).map(|i| 0.2 + 0.3 * i as f64).collect();
    let n = z.len();
    let unit = |i: usize| -> Vec<f64> { (0..n).map(|j| f64::from(u8::from(i == j))).collect() };
    // A logarithm of a negative number, for example, has no derivative to compare.
    let portable = Evaluator::new(field).with_isa(Isa::Portable);
    if [&bar, &bar_dot].iter().any(|bar| {
        !gradient(&portable, field, &z, bar)
            .iter()
            .all(|x| x.is_finite())
    }) {
        return None;
    }
    for isa in [Isa::Portable, Isa::Avx2, Isa::Avx512] {
        let evaluator = Evaluator::new(field).with_isa(isa);
        let from_bar = gradient(&evaluator, field, &z, &bar_dot);
        let mut hessian = vec![];
        for first in (0..n).step_by(MAX_LANES) {
            let directions: Vec<Vec<f64>> = (first..n.min(first + MAX_LANES)).map(unit).collect();
            let block = tangents(&evaluator, field, &z, (&bar, &bar_dot), &directions);
            for (direction, row) in directions.iter().zip(&block) {
                let single = tangents(
                    &evaluator,
                    field,
                    &z,
                    (&bar, &bar_dot),
                    std::slice::from_ref(direction),
                );
                assert_eq!(&single[0], row, "one lane and many give the same bits");
            }
            hessian.extend(block);
        }
        for (row, direction) in hessian.iter_mut().zip(0..) {
            let along = |h: f64| {
                let at = |e: f64| {
                    let perturbed: Vec<f64> = z
                        .iter()
                        .zip(unit(direction))
                        .map(|(z, d)| z + e * h * d)
                        .collect();
                    gradient(&evaluator, field, &perturbed, &bar)
                };
                let (a, b, c, d) = (at(-2.0), at(-1.0), at(1.0), at(2.0));
                (0..n)
                    .map(|i| (a[i] - 8.0 * b[i] + 8.0 * c[i] - d[i]) / (12.0 * h))
                    .collect::<Vec<f64>>()
            };
            let (want, finer) = (along(1e-3), along(0.5e-3));
            let scale = 1.0 + want.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
            if want
                .iter()
                .zip(&finer)
                .any(|(a, b)| a.is_nan() || b.is_nan() || (a - b).abs() > 1e-8 * scale)
            {
                return None;
            }
            for i in 0..n {
                row[i] -= from_bar[i];
                assert!(
                    (row[i] - want[i]).abs() < 1e-7 * scale,
                    "{direction}, {i}: {} {} of {}",
                    row[i],
                    want[i],
                    field.show()
                );
            }
        }
        let largest = hessian
            .iter()
            .flatten()
            .fold(1.0_f64, |m, x| m.max(x.abs()));
        for (i, row) in hessian.iter().enumerate() {
            for (j, column) in hessian.iter().enumerate().take(i) {
                let asymmetry = (row[j] - column[i]).abs();
                assert!(asymmetry < 1e-12 * largest, "of {}", field.show());
            }
        }
    }
    Some(())
}

/// Returns a random field: each element of `steps` adds an operation on known expressions.
pub fn random_field(steps: &[(u8, u8, u8, u8)], numbers: &[f64]) -> VectorField {
    let b = FieldBuilder::new(3);
    let weight = b.block("w", &[3, 3], &numbers[..9], true).unwrap();
    let bias = b.block("b", &[3], &numbers[9..12], true).unwrap();
    let wide = b.block("v", &[5, 3], &numbers[..15], true).unwrap();
    let back = b.block("r", &[3, 5], &numbers[3..18], true).unwrap();
    let p = b.parameter(b.block("p", &[3], &numbers[12..15], true).unwrap());
    let c = b.constant_parameter("c", numbers[15]);
    let wave = b.signal(Arc::new(Wave));
    let mut known: Vec<Expr> = vec![
        b.state(),
        b.time(),
        p,
        c,
        b.concat(&[wave, b.time()]),
        b.state() * 0.5 + 1.0,
    ];
    for &(kind, f, i, j) in steps {
        let x = known[usize::from(i) % known.len()].clone();
        let y = known[usize::from(j) % known.len()].clone();
        // Restricts values to (0.1, 0.9), which is in the domain of every function except acosh.
        let tame = |x: &Expr| x.tanh() * 0.4 + 0.5;
        let three = |x: &Expr| x + &(b.state() * 0.0);
        known.push(match kind % 6 {
            0 => {
                let f = Unary::ALL[usize::from(f) % Unary::ALL.len()];
                let shift = if f == Unary::Acosh { 1.5 } else { 0.0 };
                (tame(&x) + shift).unary(f)
            }
            1 | 2 => tame(&x).binary(Binary::ALL[usize::from(f) % Binary::ALL.len()], &tame(&y)),
            3 => b.affine(weight, (f % 2 == 0).then_some(bias), &three(&x)),
            4 => match f % 4 {
                0 => x.gt(&y).select(&y.sin(), &x),
                1 => x.sum(),
                2 => b.concat(&[x.at(0), three(&y).slice(1, 3)]),
                _ => three(&x).powf(f64::from(j % 5) - 1.0),
            },
            _ => b.affine(back, None, &b.affine(wide, None, &three(&x)).gelu()),
        });
    }
    let out = known
        .iter()
        .skip(4)
        .fold(b.state(), |sum, x| sum + x.tanh());
    b.finish(out).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn second_derivatives_of_random_graphs(
        steps in prop::collection::vec(any::<(u8, u8, u8, u8)>(), 1..8),
        numbers in prop::collection::vec(-1.0..1.0_f64, 18),
        u in prop::collection::vec(0.2..1.5_f64, 3),
    ) {
        prop_assume!(check_second(&random_field(&steps, &numbers), 0.3, &u).is_some());
    }
}

#[test]
fn the_jacobian_by_state_and_time_at_every_width() {
    let field = system(3, &[("a", 0.7)], |t, u, p| {
        vec![
            u.at(1) * t.sin(),
            p.get("a") * u.at(0) * u.at(2),
            (u.at(2) * &t).exp(),
        ]
    })
    .unwrap();
    let evaluator = Evaluator::new(&field);
    let (t, u) = (0.4, [0.9, -0.3, 1.2]);
    let mut slot = vec![0.0; evaluator.slot_len()];
    evaluator.eval_taped(0, t, &u, &mut slot, &mut [0.0; 3]);
    let e = (u[2] * t).exp();
    let want = [
        0.0,
        t.sin(),
        0.0,
        0.7 * u[2],
        0.0,
        0.7 * u[0],
        0.0,
        0.0,
        t * e,
    ];
    let df_dt_want = [u[1] * t.cos(), 0.0, u[2] * e];
    for directions in [1, 3, 8] {
        let (mut jacobian, mut df_dt) = ([0.0; 9], [0.0; 3]);
        let mut lanes = evaluator.tangent_lanes(directions);
        evaluator.jacobian(
            (0, t),
            &slot,
            &mut lanes,
            &mut vec![],
            &mut jacobian,
            &mut df_dt,
        );
        for (got, want) in jacobian
            .iter()
            .chain(&df_dt)
            .zip(want.iter().chain(&df_dt_want))
        {
            assert!((got - want).abs() < 1e-14, "{jacobian:?} {df_dt:?}");
        }
    }
}

/// The slope of √x at 0 is infinite, which must not affect tangent lanes in which the tangent of x is zero.
#[test]
fn planes_that_do_not_move_stay_finite_where_others_are_not() {
    let field = system(2, &[("a", 0.5)], |_, u, p| {
        vec![u.at(0).binary(Binary::Pow, &p.get("a")), u.at(1)]
    })
    .unwrap();
    let evaluator = Evaluator::new(&field);
    let mut slot = vec![0.0; evaluator.slot_len()];
    evaluator.eval_taped(0, 0.0, &[0.0, 1.0], &mut slot, &mut [0.0; 2]);
    let jvp = evaluator.jvp((0, 0.0), &slot, &[1.0, 0.0, 0.0, 1.0], &[0.0, 0.0], &[]);
    assert_eq!(jvp, [f64::INFINITY, 0.0, 0.0, 1.0]);
}

#[test]
fn every_unary_function() {
    for &f in Unary::ALL {
        let b = FieldBuilder::new(2);
        let p = b.parameter(b.block("p", &[2], &[0.31, 0.43], true).unwrap());
        // Inside the domain of every function: (0, 1), or above 1 for acosh.
        let shift = if f == Unary::Acosh { 1.5 } else { 0.0 };
        let x = b.state() * p + shift;
        let field = b.finish(x.unary(f) * b.state()).unwrap();
        check(&field, 0.2, &[0.9, 1.3]);
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
            .finish((vector_scalar + scalar_vector * u.at(0) + both) * &u)
            .unwrap();
        check(&field, 0.0, &[0.9, 0.4, 1.7]);
    }
}

#[test]
fn constant_powers_of_negative_numbers() {
    let b = FieldBuilder::new(2);
    let u = b.state();
    let field = b.finish(u.powf(3.0) + u.powf(-2.0) + u.powf(0.0)).unwrap();
    check(&field, 0.0, &[-0.8, 1.2]);
}

#[test]
fn affine_layers_of_both_layouts_signals_and_selection() {
    let b = FieldBuilder::new(2);
    let (t, u) = (b.time(), b.state());
    let numbers = |n: usize| -> Vec<f64> { (0..n).map(|i| (1.3 * i as f64 + 0.4).sin()).collect() };
    let w1 = b.block("w1", &[11, 2], &numbers(22), true).unwrap();
    let b1 = b.block("b1", &[11], &numbers(11), true).unwrap();
    let w2 = b.block("w2", &[2, 11], &numbers(22), true).unwrap();
    let hidden = b.affine(w1, Some(b1), &u).gelu();
    let network = b.affine(w2, None, &hidden);
    let signal = b.signal(Arc::new(Wave));
    let lambda = b.constant_parameter("lambda", 0.3);
    let scaled = &lambda * 2.0 + 1.0;
    let chosen = u.gt(&signal).select(&(&u * &t), &signal);
    let out = network + scaled * (signal - &u) + chosen + (hidden.sum() * lambda).tanh();
    let field = b.finish(out).unwrap();
    check(&field, 0.7, &[0.9, 0.1]);
    assert_eq!(field.breakpoints(0), [0.5, 1.5]);
}

#[test]
fn hidden_values_with_one_reader_with_several_and_read_in_part() {
    let numbers = |n: usize| -> Vec<f64> { (0..n).map(|i| 0.4 * (1.7 * i as f64).cos()).collect() };
    // Widths below, at and above those of registers and of strips of registers.
    for width in [3, 8, 13, 30] {
        let b = FieldBuilder::new(3);
        let u = b.state();
        let mut blocks = 0;
        let mut layer = |out: usize, x: &Expr, inputs: usize, bias: bool| {
            blocks += 1;
            let w = b.block(
                &format!("w{blocks}"),
                &[out, inputs],
                &numbers(out * inputs),
                true,
            );
            let bias = bias.then(|| {
                b.block(&format!("b{blocks}"), &[out], &numbers(out), true)
                    .unwrap()
            });
            b.affine(w.unwrap(), bias, x)
        };
        let first = layer(width, &u, 3, true).gelu();
        let second = layer(width, &first, width, true).tanh();
        let once = layer(3, &second, width, false);
        // An activation of an activation, an activation that is used twice, and an activation of which parts are used.
        let third = layer(width, &u, 3, false).gelu().sin();
        let twice = layer(3, &third, width, true) + layer(3, &third, width, false);
        let fourth = layer(width, &once, 3, true);
        let parts = fourth.slice(0, 3).gelu() + layer(3, &fourth.gelu(), width, true).square();
        let field = b.finish(once + twice + parts).unwrap();
        check(&field, 0.2, &[0.9, 0.1, -0.6]);
    }
}

#[test]
fn a_field_of_parameters_alone() {
    let field = system(2, &[("a", 2.0), ("b", 3.0)], |_, _, p| {
        vec![p.get("a") * p.get("b"), p.get("a").sin()]
    })
    .unwrap();
    check(&field, 0.0, &[1.0, 1.0]);
}

#[test]
fn mistakes_name_the_expression() {
    let message = |build: &dyn Fn(&FieldBuilder) -> odesync_ode::field::Expr| {
        let b = FieldBuilder::new(3);
        b.finish(build(&b)).unwrap_err().to_string()
    };
    let text = message(&|b| b.state() + b.state().slice(0, 2));
    assert!(
        text.contains("u + u[0..2]") && text.contains("has 3") && text.contains("has 2"),
        "{text}"
    );
    let text = message(&|b| b.state().at(3));
    assert!(
        text.contains("u[3]") && text.contains("3 components"),
        "{text}"
    );
    let text = message(&|b| b.state().at(0));
    assert!(text.contains("must give 3 derivatives"), "{text}");
    let error = system(1, &[("gravity", 9.81)], |_, u, p| {
        vec![p.get("gravty") * u.at(0)]
    })
    .unwrap_err();
    assert!(
        error.to_string().contains("did you mean \"gravity\"?"),
        "{error}"
    );
    let other = FieldBuilder::new(3).state();
    let text = message(&|b| b.state() + &other);
    assert!(text.contains("another vector field"), "{text}");
}

#[test]
fn equations_are_printed_as_they_were_written() {
    let field = system(2, &[("g", 9.81), ("k", 0.1)], |_, u, p| {
        vec![
            u.at(1),
            -(p.get("g") * u.at(0).sin()) - p.get("k") * (u.at(1) + 1.0) * u.at(0).powf(2.0),
        ]
    })
    .unwrap();
    let text = field.show();
    assert!(text.contains("du[0]/dt = u[1]"), "{text}");
    assert!(
        text.contains("du[1]/dt = -(g * sin(u[0])) - k * (u[1] + 1) * u[0] ** 2"),
        "{text}"
    );
    assert!(text.contains("g = 9.81"), "{text}");
}

#[test]
fn parameters_are_gathered_and_replaced() {
    let field = system(1, &[("a", 2.0), ("b", 3.0)], |_, u, p| {
        vec![p.get("a") * u.at(0) + p.get("b")]
    })
    .unwrap();
    assert_eq!(field.n_params(), 0);
    let field = field.trainable(&["b"]).unwrap();
    assert_eq!(field.params(), [3.0]);
    let field = field.with_params(&[5.0]).unwrap();
    assert_eq!(field.derivative(0.0, &[1.0]).unwrap(), [7.0]);
    assert!(field.with_params(&[1.0, 2.0]).is_err());
    assert!(field.trainable(&["c"]).is_err());
    assert!(field.derivative(0.0, &[1.0, 2.0]).is_err());
    assert_eq!(field.frozen(&["b"]).unwrap().n_params(), 0);
}

#[test]
fn a_saved_field_is_the_same_field_and_damage_is_an_error() {
    let field = system(2, &[("g", 9.81)], |t, u, p| {
        vec![u.at(1) * t.cos(), -p.get("g") * u.at(0).sin() + 1e-300]
    })
    .unwrap()
    .trainable(&["g"])
    .unwrap();
    let text = field.to_json().unwrap();
    let back = VectorField::from_json(&text).unwrap();
    assert_eq!(back.show(), field.show());
    assert_eq!(
        back.derivative(0.3, &[0.4, 0.5]).unwrap(),
        field.derivative(0.3, &[0.4, 0.5]).unwrap()
    );
    for (from, to) in [
        ("9.81", ""),
        ("\"x\":1", "\"x\":999"),
        ("\"dof\":2", "\"dof\":7"),
        ("\"output\":", "\"output\":5"),
    ] {
        let damaged = text.replace(from, to);
        assert!(
            damaged == text || VectorField::from_json(&damaged).is_err(),
            "{damaged}"
        );
    }
    for cut in 0..text.len() {
        assert!(VectorField::from_json(&text[..cut]).is_err());
    }
}

#[test]
fn what_is_known_of_a_constant_is_part_of_the_field() {
    let known = ConstantSpec::default;
    let field = system(1, &[("k", 1.0), ("a", 2.0)], |_, u, p| {
        vec![-p.get("k") * u.at(0) + p.get("a")]
    })
    .unwrap();
    let spec = known().min(0.0).max(5.0).prior(1.0, 0.1 + 0.2);
    let bounded = field.trainable_with("k", spec).unwrap();
    let bounded = bounded.trainable_with("a", known()).unwrap();
    assert_eq!(bounded.params(), [1.0, 2.0]);
    assert!(
        bounded
            .show()
            .contains("k = 1, trainable, between 0 and 5, prior 1 ± 0.3")
    );
    assert!(bounded.show().ends_with("a = 2, trainable"));
    let back = VectorField::from_json(&bounded.to_json().unwrap()).unwrap();
    let specs = |field: &VectorField| field.specs().map(|(_, _, spec)| spec).collect::<Vec<_>>();
    assert_eq!(specs(&back), [spec]);
    // A field without has no word of it in its file.
    assert!(
        !field
            .trainable(&["k"])
            .unwrap()
            .to_json()
            .unwrap()
            .contains("spec")
    );
    // What is said last holds.
    assert!(specs(&bounded.trainable(&["k"]).unwrap()).is_empty());
    assert!(specs(&bounded.frozen(&["k"]).unwrap()).is_empty());
    for (spec, words) in [
        (known().min(2.0).max(1.0), "give a min below max"),
        (known().min(f64::NAN), "NaN is no bound"),
        (known().max(f64::INFINITY), "leave it out"),
        (known().max(0.5), "with_param(\"k\", -0.5)"),
        (known().min(1.0), "not above 1"),
        (known().min(-1.0).log(), "leave out min or log"),
        (known().prior(1.0, 0.0), "standard deviation above 0"),
        (
            known().min(0.0).prior(-1.0, 1.0),
            "move the bound or the mean",
        ),
    ] {
        let error = field.trainable_with("k", spec).unwrap_err().to_string();
        assert!(error.contains("\"k\"") && error.contains(words), "{error}");
    }
    let unknown = field.trainable_with("q", known().min(0.0)).unwrap_err();
    assert!(
        unknown.to_string().contains("\"k\"") || unknown.to_string().contains("known: k, a"),
        "{unknown}"
    );
    // A layer's weight is no constant, even where it is a single number.
    let b = FieldBuilder::new(1);
    let weight = b.block("weight", &[1, 1], &[0.5], true).unwrap();
    let network = b.finish(b.affine(weight, None, &b.state())).unwrap();
    let error = network
        .trainable_with("weight", known().min(0.0))
        .unwrap_err();
    assert!(
        error.to_string().contains("trainable([\"weight\"])"),
        "{error}"
    );
}

#[test]
fn numbers_that_json_lacks_are_saved_too() {
    let field = system(1, &[("a", f64::NAN)], |_, u, p| {
        let bounded = u.at(0).min(&(u.at(0) * 0.0 + f64::INFINITY));
        vec![bounded + p.get("a") * f64::NEG_INFINITY]
    })
    .unwrap();
    let back = VectorField::from_json(&field.to_json().unwrap()).unwrap();
    assert_eq!(back.show(), field.show());
    let back = back.with_param("a", &[-0.0]).unwrap();
    assert!(back.derivative(0.0, &[2.0]).unwrap()[0].is_nan());
    assert!(back.values()[0].is_sign_negative());
    let text = field.to_json().unwrap().replace("\"inf\"", "\"2.5\"");
    assert!(VectorField::from_json(&text).is_err());
}

#[test]
fn a_very_deep_expression_is_printed_in_part() {
    let b = FieldBuilder::new(1);
    let mut x = b.state();
    for i in 0..90_000 {
        x = x + f64::from(i);
    }
    let text = b.finish(x).unwrap().show();
    assert!(text.contains('…') && text.len() < 10_000, "{text}");
}

#[test]
fn growth_without_end_is_an_error() {
    let b = FieldBuilder::new(1);
    let mut x = b.state();
    for _ in 0..odesync_ode::field::MAX_NODES + 5 {
        x = x.sin();
    }
    assert!(
        b.finish(x)
            .unwrap_err()
            .to_string()
            .contains("does not end")
    );
}

/// Tests layers that are wide enough for deferred, combined accumulation of their contributions, with sizes that are no
/// multiples of the block size.
#[test]
fn gradients_of_wide_layers_are_the_sum_of_their_parts() {
    let numbers = |n: usize| -> Vec<f64> { (0..n).map(|i| (1.3 * i as f64).sin()).collect() };
    let b = FieldBuilder::new(3);
    let block = |name, out: usize, inputs: usize| {
        b.block(name, &[out, inputs], &numbers(out * inputs), true)
            .unwrap()
    };
    let (w1, w2, w3, w4) = (
        block("w1", 37, 3),
        block("w2", 21, 37),
        block("w3", 22, 21),
        block("w4", 3, 22),
    );
    let bias = b.block("b2", &[21], &numbers(21), true).unwrap();
    let hidden = b.affine(w1, None, &b.state()).tanh();
    let hidden = b.affine(w2, Some(bias), &hidden).tanh();
    let hidden = b.affine(w3, None, &hidden).tanh();
    let field = b.finish(b.affine(w4, None, &hidden)).unwrap();
    for isa in Isa::ALL {
        let evaluator = Evaluator::new(&field).with_isa(isa);
        // Each part is one VJP, so that no contributions are combined.
        let part = |k: usize, sums: &mut odesync_ode::field::native::ParamGradient| {
            let at = |i: usize| (0.7 * k as f64 + i as f64).sin();
            let (u, bar) = ([at(0), at(1), at(2)], [at(3), at(4), at(5)]);
            let mut slot = vec![0.0; evaluator.slot_len()];
            evaluator.eval_taped(0, 0.0, &u, &mut slot, &mut [0.0; 3]);
            evaluator.vjp((0, 0.0), &slot, &bar, &mut [0.0; 3], None, sums);
        };
        let (mut together, mut other, mut all) =
            (evaluator.zero_gradient(), evaluator.zero_gradient(), vec![]);
        for k in 0..75 {
            part(k, if k < 40 { &mut together } else { &mut other });
            let mut single = evaluator.zero_gradient();
            part(k, &mut single);
            all.push(evaluator.parameter_gradient(single));
        }
        together.add(&other);
        let copy = together.clone();
        let got = evaluator.parameter_gradient(together);
        assert_eq!(got, evaluator.parameter_gradient(copy));
        for (i, got) in got.iter().enumerate() {
            let want: f64 = all.iter().map(|g| g[i]).sum();
            assert!((got - want).abs() < 1e-12, "{i}: {got} {want}");
        }
        other.clear();
        assert!(
            evaluator
                .parameter_gradient(other)
                .iter()
                .all(|g| *g == 0.0)
        );
    }
}
