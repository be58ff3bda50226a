//! Values and slopes of random formulas lie in their enclosures.

use super::super::super::{Binary, Expr, FieldBuilder, InputSignal, Unary};
use super::super::formula::Formula;
use super::Enclosure;
use ndarray::array;
use proptest::prelude::*;

/// Compares enclosures of a function of t between two times with its values and slopes there.
fn check(f: impl Fn(&Expr) -> Expr, (from, to): (f64, f64), what: &str) {
    let b = FieldBuilder::new(1);
    let out = f(&b.time());
    let field = b.finish(out).unwrap();
    let formula = Formula::new(field.graph(), field.output(), None);
    let signals = field.signals();
    let (value, slope) = formula
        .bind(field.values(), (signals, 0))
        .enclose(0, from, to);
    let at = |t: f64| field.derivative_of_sample(0, t, &[0.0]).unwrap()[0];
    let holds = |range: Enclosure, x: f64, off: f64| {
        !x.is_finite() || (range.low - off <= x && x <= range.high + off)
    };
    let h = 1e-5 * (to - from);
    for i in 0..=40 {
        let t = from + (to - from) * f64::from(i) / 40.0;
        let y = at(t);
        assert!(
            holds(value, y, 1e-12 * (1.0 + y.abs())),
            "{what} at {t}: {y} {value:?}"
        );
        let (low, high) = ((t - h).max(from), (t + h).min(to));
        let (a, b) = (at(low), at(high));
        let chord = (b - a) / (high - low);
        let off = 1e-12 * (1.0 + a.abs() + b.abs()) / (high - low);
        assert!(
            holds(slope, chord, off),
            "{what} at {t}: slope {chord} {slope:?}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn of_every_function(from in -4.0..4.0_f64, width in 1e-3..3.0_f64, a in -3.0..3.0_f64, n in -3..4_i32) {
        let span = (from, from + width);
        for f in Unary::ALL {
            check(|t| t.unary(*f), span, f.name());
            check(|t| (t.sin() * a + 0.3).unary(*f), span, f.name());
        }
        for f in Binary::ALL {
            let number = |t: &Expr, x: f64| t.builder().constant(&[x]);
            check(|t| t.try_binary(*f, &number(t, a)).unwrap(), span, f.name());
            check(|t| t.try_binary(*f, &number(t, f64::from(n))).unwrap(), span, f.name());
            check(|t| number(t, a).try_binary(*f, t).unwrap(), span, f.name());
            check(|t| (t * a).cos().try_binary(*f, &(t - 0.5).square()).unwrap(), span, f.name());
        }
    }
}

#[test]
fn of_an_input_between_its_knots() {
    let times = [0.0, 4.0, 8.0];
    let values = array![[0.0], [2.0], [-1.0]];
    let second = array![[0.5], [-1.0], [0.3]];
    let inputs = [
        InputSignal::linear(&times, values.view()),
        InputSignal::cubic(&times, values.view(), Some(second.view())),
        InputSignal::hold(&times, values.view()),
    ];
    for input in inputs {
        let input = input.unwrap();
        let b = FieldBuilder::new(1);
        let w = b.input("w", input.clone());
        let field = b.finish(w.square() * b.time()).unwrap();
        let formula = Formula::new(field.graph(), field.output(), None);
        let mut bound = formula.bind(field.values(), (field.signals(), 0));
        for (from, to) in [(0.1, 3.9), (4.2, 4.3), (5.0, 8.5)] {
            let (value, _) = bound.enclose(0, from, to);
            for i in 0..=40 {
                let t = from + (to - from) * f64::from(i) / 40.0;
                let x = input.values_at(0, &[t])[[0, 0]];
                let y = x * x * t;
                let holds = value.low - 1e-12 <= y && y <= value.high + 1e-12;
                assert!(holds, "{t}: {y} {value:?}");
            }
        }
    }
}
