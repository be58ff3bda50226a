//! Scalar code against the vector program of the same graph, bit by bit.

use std::sync::Arc;

use proptest::prelude::*;

use crate::field::native::{Evaluator, Program};
use crate::field::{Binary, Expr, FieldBuilder, Isa, Unary, VectorField, system};

/// The numbers by their bits, where every NaN is the same.
fn bits(x: &[f64]) -> Vec<u64> {
    let bits = |x: &f64| match x.is_nan() {
        true => f64::NAN.to_bits(),
        false => x.to_bits(),
    };
    x.iter().map(bits).collect()
}

/// Returns a random system of three equations: each element of `steps` adds an operation on known expressions of one to four
/// components.
fn random_system(steps: &[(u8, u8, u8, u8)], constants: &[f64]) -> VectorField {
    let b = FieldBuilder::new(3);
    let block = b.block("p", &[4], &constants[..4], true).unwrap();
    let p = b.parameter(block);
    let mut known: Vec<Expr> = vec![
        b.state(),
        b.state().at(0),
        b.time(),
        p.at(1),
        b.state().at(2),
        p.slice(0, 3),
        b.constant(&[constants[4], -0.0]),
        p.clone(),
        b.constant(&constants[5..6]),
    ];
    for &(kind, f, i, j) in steps {
        // The newest are taken most.
        let pick = |i: u8| &known[known.len() - 1 - (usize::from(i) % 29) % known.len()];
        let (x, y) = (pick(i).clone(), pick(j).clone());
        let fits = x.len() == y.len() || x.len() == 1 || y.len() == 1;
        let y = if fits { y } else { y.at(0) };
        let basic = [Binary::Add, Binary::Sub, Binary::Mul, Binary::Div];
        let next = match kind % 16 {
            0..=9 => x.binary(basic[usize::from(kind) % 3], &y),
            10 => x.binary(Binary::ALL[usize::from(f) % Binary::ALL.len()], &y),
            11 => x.unary(Unary::ALL[usize::from(f) % Unary::ALL.len()]),
            12 => x.powf([2.0, 3.0, -1.0, 0.5, 0.0][usize::from(f) % 5]),
            13 => x.gt(&y.at(0)).select(&y, &x.at(0)),
            14 if x.len() + y.len() <= 4 => b.concat(&[x, y]),
            14 => x.binary(Binary::Div, &y),
            _ => [-&x, x.square()][usize::from(f) % 2].clone(),
        };
        known.push(next);
    }
    let last: Vec<Expr> = (known.iter().rev().zip(0..3))
        .map(|(x, i)| x.at(x.len() - 1) - b.state().at(i) * p.at(0))
        .collect();
    b.finish(b.concat(&last)).unwrap()
}

/// Returns the evaluator of a field by scalar code, and that by its vector program.
fn both(field: &VectorField) -> (Evaluator, Evaluator) {
    let scalar = Evaluator::new(field);
    assert!(scalar.program.scalar.is_some(), "{}", field.show());
    let mut program = Program::compile(&field.graph_with_values(), field.output());
    program.scalar = None;
    let (dof, values) = (field.dof(), field.values());
    let vector = Evaluator::from_program(Arc::new(program), vec![], dof, values);
    (scalar, vector)
}

/// Compares value, tape, JVPs with 1, 4 and 8 lanes and VJP at (t, u).
fn check(field: &VectorField, isa: Isa, (t, u): (f64, &[f64]), numbers: &[f64]) {
    let (scalar, vector) = both(field);
    let (scalar, vector) = (scalar.with_isa(isa), vector.with_isa(isa));
    let (dof, place) = (u.len(), (0, t));
    let mut slots = [&scalar, &vector].map(|evaluator| vec![0.0; evaluator.slot_len()]);
    let mut values = vec![];
    for (evaluator, slot) in [&scalar, &vector].into_iter().zip(&mut slots) {
        for taped in [false, true] {
            let mut out = vec![f64::NAN; dof];
            slot.fill(0.0);
            match taped {
                false => evaluator.eval(0, t, u, slot, &mut out),
                true => evaluator.eval_taped(0, t, u, slot, &mut out),
            }
            values.push(bits(&out));
        }
    }
    let shown = field.show();
    assert!(
        values.iter().all(|value| *value == values[0]),
        "{values:?} of {shown}"
    );
    let len = vector.slot_len();
    assert_eq!(bits(&slots[0][..len]), bits(&slots[1]), "slots of {shown}");
    for directions in [1, dof + 1, 8] {
        let results = [&scalar, &vector].map(|evaluator| {
            let mut lanes = evaluator.tangent_lanes(directions);
            let w = lanes.width();
            let n = evaluator.n_values();
            let values_dot: Vec<f64> = numbers.iter().copied().cycle().take(n * w).collect();
            evaluator.set_param_tangents(&values_dot, &mut lanes);
            let u_dot: Vec<f64> = numbers
                .iter()
                .rev()
                .copied()
                .cycle()
                .take(dof * w)
                .collect();
            let mut out = vec![f64::NAN; dof * w];
            evaluator.jvp_lanes(
                place,
                &slots[1],
                &u_dot,
                &numbers[..w],
                &mut lanes,
                &mut out,
            );
            // Hessians read the tangents of all values.
            let (mut bar, mut u_bar) = (vec![1.0; dof], vec![0.0; dof]);
            evaluator.vjp(
                place,
                &slots[1],
                &out[..dof],
                &mut u_bar,
                None,
                &mut evaluator.zero_gradient(),
            );
            bar.extend(&u_bar);
            (bits(&out), bits(&bar), format!("{:?}", lanes))
        });
        assert_eq!(results[0], results[1], "JVP of {shown}");
    }
    let mut jacobians = [&scalar, &vector].map(|evaluator| {
        let (mut lanes, mut scratch) = (evaluator.tangent_lanes(dof + 1), vec![]);
        let (mut df_du, mut df_dt) = (vec![f64::NAN; dof * dof], vec![f64::NAN; dof]);
        evaluator.jacobian(
            place,
            &slots[1],
            &mut lanes,
            &mut scratch,
            &mut df_du,
            &mut df_dt,
        );
        [df_du, df_dt].concat()
    });
    let [first, second] = &mut jacobians;
    assert_eq!(bits(first), bits(second), "Jacobian of {shown}");
    let gradients = [&scalar, &vector].map(|evaluator| {
        let mut gradient = evaluator.zero_gradient();
        let (mut u_bar, mut t_bar) = (numbers[..dof].to_vec(), 0.5);
        for bar in [&numbers[1..1 + dof], &vec![0.0; dof]] {
            evaluator.vjp(
                place,
                &slots[1],
                bar,
                &mut u_bar,
                Some(&mut t_bar),
                &mut gradient,
            );
        }
        u_bar.push(t_bar);
        u_bar.extend(evaluator.parameter_gradient(gradient));
        u_bar
    });
    assert_eq!(bits(&gradients[0]), bits(&gradients[1]), "VJP of {shown}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_bits_of_random_systems_are_those_of_the_vector_program(
        steps in prop::collection::vec(any::<(u8, u8, u8, u8)>(), 1..40),
        numbers in prop::collection::vec(-2.0..2.0_f64, 16),
        special in any::<(u8, u8)>(),
    ) {
        let field = random_system(&steps, &numbers);
        let mut u = numbers[10..13].to_vec();
        if special.0 % 4 == 0 {
            let values = [0.0, -0.0, f64::INFINITY, f64::NAN, 1.0];
            u[usize::from(special.0) % 3] = values[usize::from(special.1) % 5];
        }
        for isa in Isa::ALL.into_iter().filter(|isa| isa.available()) {
            check(&field, isa, (numbers[13], &u), &numbers);
        }
    }
}

#[test]
fn known_systems_have_the_bits_of_the_vector_program() {
    let numbers: Vec<f64> = (0..16).map(|i| (1.7 * f64::from(i)).sin()).collect();
    let fields = [
        crate::dynamics::lorenz(),
        crate::dynamics::robertson(),
        crate::dynamics::van_der_pol(),
        crate::dynamics::lotka_volterra(),
        crate::dynamics::double_pendulum(),
    ];
    for field in fields {
        let field = field.unwrap();
        check(
            &field,
            Isa::current(),
            (0.3, &numbers[1..1 + field.dof()]),
            &numbers,
        );
    }
}

#[test]
fn layers_sums_and_long_vectors_stay_with_the_vector_program() {
    let b = FieldBuilder::new(5);
    let long = b.finish(b.state() * 2.0).unwrap();
    let sum = system(2, &[], |_, u, _| vec![u.sum(), u.at(0)]).unwrap();
    for field in [long, sum] {
        assert!(field.program().scalar.is_none());
    }
}
