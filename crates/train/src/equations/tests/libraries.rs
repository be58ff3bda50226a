//! Libraries of other terms, known parts, fixed terms, and mistakes.

use super::super::SearchProgress;
use super::*;
use crate::models::{blackbox, driven_blackbox, graybox};
use crate::training::{TrainOptions, train};
use crate::weak_constraint::WeakConstraint;
use odesync_ode::dynamics;
use odesync_ode::field::{FieldBuilder, InputSignal, Unary, driven_system, system};

fn lotka_volterra() -> Measured {
    let noise = (0.05, RelativeTo::Mean, 10);
    let u0 = [0.44249296, 4.6280594];
    measured(&dynamics::lotka_volterra().unwrap(), &u0, (0.1, 61), noise)
}

fn blackbox_of(nodes: &[usize]) -> VectorField {
    blackbox(nodes, Unary::Gelu, &mut generator(10)).unwrap()
}

#[test]
fn the_unknown_part_of_a_gray_box_alone() {
    let measured = lotka_volterra();
    let constants = [("rate", 1.3)];
    let model = graybox(
        &[2, 20, 2],
        Unary::Gelu,
        &constants,
        &mut generator(10),
        |_, u, nn, p| vec![p.get("rate") * u.at(0) + nn.at(0), nn.at(1) - 1.8 * u.at(1)],
    );
    let equations = measured.equations(Library::polynomials(2), &model.unwrap());
    let unknown = [(0, "u[0] u[1]", -0.9), (1, "u[0] u[1]", 0.8)];
    assert_terms(&equations, &unknown, 0.025);
    assert!(
        equations.text().starts_with("du[0]/dt = 1.3 u[0] - (0.9"),
        "{}",
        equations.text()
    );
    assert_eq!(equations.system.param("rate").unwrap().sum(), 1.3);
}

#[test]
fn a_known_part_and_a_fixed_term_are_kept() {
    let measured = lotka_volterra();
    let known = system(2, &[("growth", 1.3)], |_, u, p| {
        vec![p.get("growth") * u.at(0), 0.0 * u.at(0)]
    });
    let search =
        EquationSearch::new(Library::polynomials(2).with_known_coefficient(1, "u[0] u[1]", 0.8));
    let search = search.with_known(&known.unwrap());
    let equations = search.search_data(&measured.data, &mut |_| Ok(())).unwrap();
    let expected = [
        (0, "u[0] u[1]", -0.9),
        (1, "u[1]", -1.8),
        (1, "u[0] u[1]", 0.8),
    ];
    assert_terms(&equations, &expected, 0.025);
    let fixed = equations.coefficients.last().unwrap();
    assert_eq!((fixed.value, fixed.error), (0.8, 0.0));
}

#[test]
fn terms_of_ones_own() {
    // Predators that are satiated; the model of Rosenzweig and MacArthur.
    let truth = system(2, &[], |_, u, _| {
        let (x, y) = (u.at(0), u.at(1));
        let eaten = &x * &y / (1.0 + &x);
        vec![1.2 * &x - 1.5 * &eaten - 0.3 * &x * &x, &eaten - 0.5 * y]
    });
    let noise = (0.01, RelativeTo::Std, 10);
    let measured = measured(&truth.unwrap(), &[1.0, 1.5], (0.2, 121), noise);
    let library = Library::polynomials(2)
        .with_term("eaten", |_, u, _| Ok(u.at(0) * u.at(1) / (1.0 + u.at(0))))
        .with_term("root", |_, u, _| Ok(u.at(1).sqrt()));
    let equations = measured.equations(library, &blackbox_of(&[2, 32, 2]));
    let eaten = "u[0] u[1] / (1 + u[0])";
    let expected = [
        (0, "u[0]", 1.2),
        (0, eaten, -1.5),
        (0, "u[0]^2", -0.3),
        (1, eaten, 1.0),
        (1, "u[1]", -0.5),
    ];
    assert_terms(&equations, &expected, 0.1);
}

#[test]
fn repression_of_a_gene() {
    let truth = system(2, &[], |_, u, _| {
        let (x, y) = (u.at(0), u.at(1));
        vec![4.0 / (1.0 + y.square()) - &x, x - y]
    });
    let noise = (0.01, RelativeTo::Std, 10);
    let measured = measured(&truth.unwrap(), &[0.0, 3.0], (0.15, 81), noise);
    let library = Library::polynomials(1).with_rational(1.0, 2);
    let equations = measured.equations(library, &blackbox_of(&[2, 32, 2]));
    let expected = [
        (0, "1 / (1 + u[1]^2)", 4.0),
        (0, "u[0]", -1.0),
        (1, "u[0]", 1.0),
        (1, "u[1]", -1.0),
    ];
    assert_terms(&equations, &expected, 0.05);
}

#[test]
fn time_and_inputs_are_variables() {
    let times: Vec<f64> = (0..81).map(|i| 0.1 * i as f64).collect();
    let force = |t: &f64| (1.7 * t).sin() + 0.5 * (3.1 * t).cos();
    let values = Array2::from_shape_fn((81, 1), |(i, _)| force(&times[i]));
    let input = InputSignal::linear(&times, values.view()).unwrap();
    let inputs = [("input", input.clone())];
    let driven = driven_system(1, &[], &inputs, |t, u, p| {
        vec![2.0 * p.get("input") - 0.8 * u + 0.3 * t]
    });
    let noise = (0.02, RelativeTo::Std, 10);
    let measured = measured(&driven.unwrap(), &[0.5], (0.1, 41), noise);
    let model = driven_blackbox(&[2, 16, 1], Unary::Gelu, input, &mut generator(10)).unwrap();
    let library = Library::polynomials(1).with_time().with_inputs();
    let equations = measured.equations(library, &model);
    let expected = [(0, "u[0]", -0.8), (0, "t", 0.3), (0, "input(t)", 2.0)];
    assert_terms(&equations, &expected, 0.05);
    assert!(
        equations
            .script()
            .unwrap()
            .contains("input: input([0.0, 0.1,")
    );
}

#[test]
fn a_traced_term_is_the_closure_it_was_traced_from() {
    let measured = lotka_volterra();
    let b = FieldBuilder::new(2);
    let traced = b.finish(&b.state() * b.state().at(0)).unwrap();
    let library = Library::polynomials(1).with_traced_term("square", &traced);
    let with_traced = measured.equations(library, &blackbox_of(&[2, 32, 2]));
    let library = Library::polynomials(1).with_term("square", |_, u, _| Ok(u.at(0) * u.at(0)));
    let with_closure = measured.equations(library, &blackbox_of(&[2, 32, 2]));
    assert_eq!(with_traced.text(), with_closure.text());
    assert_eq!(with_traced.log_evidence, with_closure.log_evidence);
}

#[test]
fn a_run_is_not_trained_again() {
    let measured = lotka_volterra();
    let model = blackbox_of(&[2, 32, 2]);
    let method = WeakConstraint::default();
    let run = train(
        &model,
        &measured.data,
        &method.clone().into(),
        &TrainOptions::default(),
        &mut (),
    )
    .unwrap();
    let search = EquationSearch::new(Library::polynomials(2)).with_method(method);
    let mut networks = 0;
    let mut count = |progress| {
        networks += usize::from(progress == SearchProgress::Network);
        Ok(())
    };
    let from_run = search.search_run(&run, &measured.data, &mut count).unwrap();
    assert_eq!(networks, 0);
    let from_model = measured.equations(Library::polynomials(2), &model);
    assert_eq!(from_run.text(), from_model.text());
}

#[test]
fn terms_that_cannot_be_searched_are_named() {
    let measured = lotka_volterra();
    let library = Library::polynomials(2)
        .with_term("twice", |_, u, _| Ok(2.0 * u.at(0)))
        .with_term("infinite", |_, u, _| Ok((-u.at(0)).log()));
    let equations = measured.equations(library, &blackbox_of(&[2, 32, 2]));
    assert_eq!(equations.terms(), 4);
    let notes = equations.notes.join("\n");
    assert!(
        notes.contains("2 u[0] was left out: at the states of the data it is a multiple of u[0]")
    );
    assert!(
        notes.contains("log(-u[0]) was left out: it is not finite"),
        "{notes}"
    );
}

#[test]
fn mistakes_are_errors() {
    let data = lotka_volterra().data;
    let model = blackbox_of(&[2, 8, 2]);
    let message = |library: Library, model: &VectorField| {
        let found = EquationSearch::new(library).search_model(model, &data, &mut |_| Ok(()));
        found.unwrap_err().to_string()
    };
    let known = dynamics::lotka_volterra().unwrap();
    assert!(message(Library::polynomials(2), &known).contains("no trainable network"));
    assert!(message(Library::default(), &model).contains("the library has no terms"));
    let misnamed = Library::polynomials(2).with_known_coefficient(0, "u[0] u[3]", 1.0);
    assert!(message(misnamed, &model).contains("u[0] u[1]"));
    let beyond = Library::polynomials(2).with_known_coefficient(2, "u[0]", 1.0);
    assert!(message(beyond, &model).contains("counted from 0"));
    let vector = Library::polynomials(1).with_term("state", |_, u, _| Ok(u));
    assert!(message(vector, &model).contains("2 components"));
    let unknown = Library::polynomials(1).with_term("drag", |_, _, p| Ok(p.get("drag")));
    assert!(message(unknown, &model).contains("drag"));
    assert!(message(Library::polynomials(90), &model).contains("more than 2000 terms"));
}

#[test]
fn an_observer_ends_the_search() {
    let measured = lotka_volterra();
    let mut steps = 0;
    let search = EquationSearch::new(Library::polynomials(2));
    let ended = search.search_model(&blackbox_of(&[2, 8, 2]), &measured.data, &mut |_| {
        steps += 1;
        match steps < 5 {
            true => Ok(()),
            false => Err(crate::Error::Interrupted),
        }
    });
    assert!(matches!(ended, Err(crate::Error::Interrupted)));
    assert_eq!(steps, 5);
}
