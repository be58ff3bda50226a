//! Vector fields: every operation's VJP and JVP against finite differences, shapes, printing, saving.

use std::sync::Arc;

use odesync::field::native::Evaluator;
use odesync::field::{Binary, FieldBuilder, Isa, Signal, Unary, VectorField, system};

/// s(t) = (sin t, t²).
#[derive(Debug)]
struct Wave;

impl Signal for Wave {
    fn dof(&self) -> usize {
        2
    }
    fn samples(&self) -> usize {
        1
    }
    fn value(&self, _sample: usize, t: f64, out: &mut [f64]) {
        out.copy_from_slice(&[t.sin(), t * t]);
    }
    fn derivative(&self, _sample: usize, t: f64, out: &mut [f64]) {
        out.copy_from_slice(&[t.cos(), 2.0 * t]);
    }
    fn breakpoints(&self, _sample: usize) -> &[f64] {
        &[0.5, 1.5]
    }
}

/// Fourth-order central difference of a vector function along one direction.
fn difference(f: impl Fn(f64) -> Vec<f64>) -> Vec<f64> {
    let h = 1e-3;
    let (a, b, c, d) = (f(-2.0 * h), f(-h), f(h), f(2.0 * h));
    (0..a.len())
        .map(|i| (a[i] - 8.0 * b[i] + 8.0 * c[i] - d[i]) / (12.0 * h))
        .collect()
}

/// Holds VJP and JVP (state, time, all parameters) of a field to finite differences and to each other.
fn check(field: &VectorField, t: f64, u: &[f64]) {
    for isa in [Isa::Portable, Isa::Avx2] {
        let evaluator = Evaluator::new(field).with_isa(isa);
        let n = field.values().len();
        let dof = field.dof();
        let mut slot = vec![0.0; evaluator.slot_len()];
        let mut out = vec![0.0; dof];
        evaluator.taped(0, t, u, &mut slot, &mut out);
        let mut plain = vec![0.0; dof];
        evaluator.value(0, t, u, &mut vec![0.0; evaluator.slot_len()], &mut plain);
        assert_eq!(out, plain, "a tape changes no value");

        // Directions: each state variable, the time, each parameter, as planes of one JVP.
        let planes = dof + 1 + n;
        let mut u_dot = vec![0.0; planes * dof];
        let mut t_dot = vec![0.0; planes];
        let mut values_dot = vec![0.0; planes * n];
        let mut want = vec![];
        for p in 0..planes {
            let shifted = |e: f64| {
                let (mut u, mut t, mut values) = (u.to_vec(), t, field.values().to_vec());
                if p < dof {
                    u[p] += e;
                } else if p == dof {
                    t += e;
                } else {
                    values[p - dof - 1] += e;
                }
                let mut moved = evaluator.clone();
                moved.bind(&values);
                let mut out = vec![0.0; dof];
                moved.value(0, t, &u, &mut vec![0.0; moved.slot_len()], &mut out);
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
        let (mut u_bar, mut t_bar, mut sums) = (vec![0.0; dof], 0.0, evaluator.gradient());
        evaluator.vjp((0, t), &slot, &bar, &mut u_bar, Some(&mut t_bar), &mut sums);
        let parameters = evaluator.parameter_gradient(sums);
        let vjp: Vec<f64> = u_bar.into_iter().chain([t_bar]).chain(parameters).collect();
        for p in 0..planes {
            let from_jvp: f64 = (0..dof).map(|i| bar[i] * jvp[p * dof + i]).sum();
            assert!(
                (vjp[p] - from_jvp).abs() < 1e-12 * (1.0 + from_jvp.abs()),
                "VJP {p}: {} {from_jvp} of {}",
                vjp[p],
                field.show()
            );
        }
    }
}

#[test]
fn every_unary_function() {
    for &f in Unary::ALL {
        let b = FieldBuilder::new(2);
        let p = b.parameter(b.block("p", &[2], &[0.31, 0.43], true).unwrap());
        // Inside the domain of each: (0, 1), or above 1 for acosh.
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
fn a_field_of_parameters_alone() {
    let field = system(2, &[("a", 2.0), ("b", 3.0)], |_, _, p| {
        vec![p.get("a") * p.get("b"), p.get("a").sin()]
    })
    .unwrap();
    check(&field, 0.0, &[1.0, 1.0]);
}

#[test]
fn mistakes_name_the_expression() {
    let message = |build: &dyn Fn(&FieldBuilder) -> odesync::field::Expr| {
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
    for _ in 0..odesync::field::MAX_NODES + 5 {
        x = x.sin();
    }
    assert!(b.finish(x).unwrap_err().to_string().contains("without end"));
}
