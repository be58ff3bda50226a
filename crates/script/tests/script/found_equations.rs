//! Equations that were found from data, as scripts.

use ndarray::{Array1, Array2};

use odesync_base::random::Generator;
use odesync_ode::dynamics;
use odesync_ode::field::{InputSignal, Unary, VectorField, driven_system};
use odesync_ode::odesolve::{SolveOptions, solve};
use odesync_script::script::{Output, Session, SessionOptions};
use odesync_train::datasets::{Dataset, RelativeTo};
use odesync_train::equations::{EquationSearch, Equations, Library};
use odesync_train::models::{blackbox, driven_blackbox};

fn equations(truth: &VectorField, u0: &[f64], model: &VectorField, library: Library) -> Equations {
    let t: Vec<f64> = (0..61).map(|i| 0.1 * i as f64).collect();
    let solution = solve(truth, u0, &t, &SolveOptions::default()).unwrap();
    let data = Dataset::single(Array1::from(t), solution.u, Some(Array1::from(u0.to_vec())));
    let noisy = data
        .unwrap()
        .add_noise_seeded(0.02, RelativeTo::Std, 10)
        .unwrap();
    let search = EquationSearch::new(library);
    search.search_model(model, &noisy, &mut |_| Ok(())).unwrap()
}

/// Asserts that the script has the derivative of the field.
fn assert_script(equations: &Equations, t: f64, u: &[f64]) {
    let mut session = Session::new(SessionOptions {
        output: Output::captured().0,
        ..SessionOptions::default()
    })
    .unwrap();
    let script = equations.script().unwrap();
    let code = format!(
        "let f = {script};
         let text = \"\";
         for x in f.derivative({t:?}, {u:?}).to_list() {{ text += `${{x}} `; }}
         text"
    );
    let outcome = session.eval(&code, None);
    let outcome = outcome.unwrap_or_else(|e| panic!("{script}: {e}"));
    let numbers = outcome.text.trim_matches('"').split_whitespace();
    let numbers: Vec<f64> = numbers.map(|x| x.parse().unwrap()).collect();
    let expected = equations.system.derivative(t, u).unwrap();
    assert_eq!(numbers.len(), expected.len());
    for (number, expected) in numbers.iter().zip(expected) {
        assert!(
            (number - expected).abs() < 1e-12 * expected.abs(),
            "{script}"
        );
    }
}

#[test]
fn a_script_of_found_equations_runs() {
    let model = blackbox(&[2, 16, 2], Unary::Gelu, &mut Generator::manual_seed(10)).unwrap();
    let library = Library::polynomials(2).with_trigonometric(2.0);
    let truth = dynamics::lotka_volterra().unwrap();
    let found = equations(&truth, &[0.44, 4.6], &model, library);
    assert_eq!(found.terms(), 4);
    assert_script(&found, 0.0, &[0.7, 1.9]);
}

#[test]
fn a_script_of_found_equations_has_their_inputs() {
    let times: Vec<f64> = (0..25).map(|i| 0.3 * i as f64).collect();
    let values = Array2::from_shape_fn((25, 1), |(i, _)| (1.7 * times[i]).sin());
    let input = InputSignal::linear(&times, values.view()).unwrap();
    let inputs = [("input", input.clone())];
    let truth = driven_system(1, &[], &inputs, |_, u, p| {
        vec![2.0 * p.get("input") - 0.8 * &u * &u * &u]
    });
    let mut generator = Generator::manual_seed(10);
    let model = driven_blackbox(&[2, 16, 1], Unary::Gelu, input, &mut generator).unwrap();
    let library = Library::polynomials(3).with_inputs();
    let found = equations(&truth.unwrap(), &[0.5], &model, library);
    assert!(found.text().contains("input(t)"), "{}", found.text());
    assert_script(&found, 1.0, &[0.7]);
}
