//! Equations as text, LaTeX and script.

use super::super::notation::{Notation, Printer};
use super::super::number::{number, with_error};
use odesync_ode::field::{VectorField, system};

fn field() -> VectorField {
    system(2, &[("k", -0.5)], |t, u, p| {
        let (x, y) = (u.at(0), u.at(1));
        vec![
            p.get("k") * &x * &x * &y - (2.0 * &x - &y) / (1.0 + y.square()),
            -(&x + 3.0 * t.sin()) * y.powf(3.0) + x.sqrt(),
        ]
    })
    .unwrap()
}

fn lines(notation: Notation) -> Vec<String> {
    let names = ["x".to_string(), "wolves".to_string()];
    let errors = [("k".to_string(), 0.0213)];
    let field = field();
    let printer = Printer::new(&field, &names, notation).with_errors(&errors);
    (0..2).map(|i| printer.component(i)).collect()
}

#[test]
fn text() {
    assert_eq!(
        lines(Notation::Text),
        [
            "-(0.500 ± 0.021) x^2 wolves - (2 x - wolves) / (1 + wolves^2)",
            "(-x - 3 sin(t)) wolves^3 + sqrt(x)"
        ]
    );
}

#[test]
fn latex() {
    assert_eq!(
        lines(Notation::Latex),
        [
            "-\\left(0.500 \\pm 0.021\\right) \\, x^{2} \\, \\mathrm{wolves} - \\frac{2 \\, x - \\mathrm{wolves}}{1 + \\mathrm{wolves}^{2}}",
            "\\left(-x - 3 \\, \\sin\\left(t\\right)\\right) \\, \\mathrm{wolves}^{3} + \\sqrt{x}"
        ]
    );
}

#[test]
fn script() {
    assert_eq!(
        lines(Notation::Script),
        [
            "p.k * u[0] * u[0] * u[1] - (2.0 * u[0] - u[1]) / (1.0 + square(u[1]))",
            "(-u[0] - 3.0 * sin(t)) * u[1] ** 3.0 + sqrt(u[0])"
        ]
    );
}

#[test]
fn a_power_with_a_minus_is_enclosed_in_scripts() {
    let cube = system(1, &[], |_, u, _| vec![-u.powf(3.0) - u]).unwrap();
    let script = Printer::new(&cube, &[], Notation::Script).component(0);
    assert_eq!(script, "-(u[0] ** 3.0) - u[0]");
}

#[test]
fn numbers() {
    assert_eq!(number(3.0, false), "3");
    assert_eq!(number(3.0, true), "3.0");
    assert_eq!(number(-2e-9, true), "-2.0e-9");
    assert_eq!(number(6.02e23, true), "6.02e23");
    assert_eq!(with_error(1.28724, 0.0082), "1.2872 ± 0.0082");
    assert_eq!(with_error(-1234.5, 98.0), "-1234 ± 98");
    assert_eq!(with_error(2.5e-7, 1e-9), "2.500e-7 ± 0.010e-7");
    assert_eq!(with_error(0.0, 0.3), "0.00 ± 0.30");
    assert_eq!(with_error(1.5, f64::INFINITY), "1.5");
}

#[test]
fn an_expression_of_exponential_length_ends() {
    let doubled = system(1, &[], |_, u, _| {
        let mut x = u;
        for _ in 0..80 {
            x = (&x + 1.0).sin() * &x;
        }
        vec![x]
    });
    let doubled = doubled.unwrap();
    let text = Printer::new(&doubled, &[], Notation::Text).component(0);
    assert!(text.contains('…'));
    assert!(text.len() < 10_000_000);
}
