use super::super::{Expr, FieldBuilder, InputSignal, VectorField, system};
use ndarray::array;

/// Comparisons with a number.
trait Compared {
    fn above(&self, x: f64) -> Expr;
    fn at_least(&self, x: f64) -> Expr;
    fn below(&self, x: f64) -> Expr;
}

impl Compared for Expr {
    fn above(&self, x: f64) -> Expr {
        self.gt(&self.builder().constant(&[x]))
    }
    fn at_least(&self, x: f64) -> Expr {
        self.ge(&self.builder().constant(&[x]))
    }
    fn below(&self, x: f64) -> Expr {
        self.lt(&self.builder().constant(&[x]))
    }
}

/// Returns 1 where a condition holds, else 0.
fn on(c: &Expr) -> Expr {
    c.select(&c.builder().constant(&[1.0]), &c.builder().constant(&[0.0]))
}

fn field(f: impl Fn(&FieldBuilder, &Expr, &Expr) -> Expr) -> VectorField {
    let b = FieldBuilder::new(1);
    let s = b.constant_parameter("s", 0.25);
    let out = f(&b, &b.time(), &s);
    b.finish(out - b.state()).unwrap()
}

/// Returns the times at which the field switches within the span, and whether it jumps there.
fn found(field: &VectorField, low: f64, high: f64) -> Vec<(f64, bool)> {
    let switches = field.switches_within(0, &[low, high]);
    let of = |s: &super::Switch| (0.5 * (s.before + s.after), s.before < s.after);
    switches.iter().map(of).collect()
}

fn assert_found(field: &VectorField, (low, high): (f64, f64), want: &[(f64, bool)]) {
    let got = found(field, low, high);
    assert_eq!(got.len(), want.len(), "{got:?} {}", field.show());
    for (got, want) in got.iter().zip(want) {
        let near = (got.0 - want.0).abs() <= 1e-13 * low.abs().max(high.abs()).max(high - low);
        assert!(near && got.1 == want.1, "{got:?} {want:?} {}", field.show());
    }
    // A solve backwards meets the same ones.
    let back = field.switches_within(0, &[high, low]);
    assert_eq!(back, field.switches_within(0, &[low, high]));
}

#[test]
fn conditions_in_time_alone_are_found() {
    let ten = (0.0, 10.0);
    let after = field(|_, t, _| on(&t.above(5.0)));
    assert_found(&after, ten, &[(5.0, true)]);
    let switch = &after.switches_within(0, &[0.0, 10.0])[0];
    // At t = 5 the condition does not hold yet.
    assert_eq!(switch.before, 5.0);
    assert!(switch.after > 5.0 && switch.after < 5.0 + 1e-13);
    let from = field(|_, t, _| on(&t.at_least(5.0)));
    let switch = &from.switches_within(0, &[0.0, 10.0])[0];
    assert!(switch.before < 5.0 && switch.after == 5.0);
    // Arithmetic, a parameter at its present value, and a short pulse by `abs`.
    let shifted = field(|_, t, s| on(&(t * 2.0 - 1.0).lt(&(s * 8.0))));
    assert_found(&shifted, ten, &[(1.5, true)]);
    let pulse = field(|_, t, _| on(&(t - 7.003).abs().below(1e-6)));
    let edges = [(7.003 - 1e-6, true), (7.003, false), (7.003 + 1e-6, true)];
    assert_found(&pulse, ten, &edges);
    // Nested, and a condition that `max` hides.
    let nested = field(|b, t, _| {
        let inner = on(&t.above(6.0));
        t.above(5.0).select(&inner, &b.constant(&[3.0]))
    });
    assert_found(&nested, ten, &[(5.0, true), (6.0, true)]);
    let hidden = field(|_, t, _| on(&(t - 4.0).max(&(t * 0.5 - 1.0)).above(1.5)));
    assert_found(&hidden, ten, &[(5.0, true), (6.0, false)]);
}

#[test]
fn roots_that_are_not_linear_are_found() {
    let wave = field(|_, t, _| on(&t.sin().above(0.5)));
    let pi = std::f64::consts::PI;
    let times: Vec<(f64, bool)> = (0..6)
        .flat_map(|n| [pi / 6.0, 5.0 * pi / 6.0].map(|t| (t + 2.0 * pi * f64::from(n), true)))
        .collect();
    assert_found(&wave, (0.0, 12.0 * pi), &times);
    // A wave whose places of a coarse look are all zero.
    let wave = field(|_, t, _| on(&(t * (2.0 * pi)).sin().above(0.0)));
    let got = found(&wave, 0.25, 4.25);
    assert_eq!(got.len(), 8, "{got:?}");
    // A pulse train: floor, and a comparison that jumps with it.
    let train = field(|_, t, _| {
        let phase = t - (t / 3.0).floor() * 3.0;
        on(&phase.below(0.5))
    });
    let times: Vec<(f64, bool)> = (0..4)
        .flat_map(|n| [0.0, 0.5].map(|s| (3.0 * f64::from(n) + s, true)))
        .skip(1)
        .collect();
    let got: Vec<(f64, bool)> = found(&train, 0.0, 10.0)
        .into_iter()
        .filter(|s| s.0 > 0.1)
        .collect();
    assert_eq!(got.len(), times.len(), "{got:?}");
    for (got, want) in got.iter().zip(&times) {
        assert!(
            (got.0 - want.0).abs() < 1e-12 && got.1 == want.1,
            "{got:?} {want:?}"
        );
    }
}

#[test]
fn a_kink_is_no_jump_and_the_state_is_no_time() {
    let ramp = field(|b, t, _| (t - 2.0).max(&b.constant(&[0.0])));
    assert_found(&ramp, (0.0, 5.0), &[(2.0, false)]);
    let by_state = field(|b, t, _| (&b.state() - t).above(0.0).select(t, &b.state()));
    assert!(found(&by_state, 0.0, 5.0).is_empty());
    assert!(by_state.breakpoints_within(0, &[0.0, 5.0]).is_empty());
    // The sides of a condition that time does not enter.
    let constant = field(|_, t, s| s.above(0.0).select(t, s));
    assert!(found(&constant, 0.0, 5.0).is_empty());
    // A node that the output does not use.
    let unused = field(|_, t, s| {
        let _ = t.above(1.0);
        s.clone()
    });
    assert!(found(&unused, 0.0, 5.0).is_empty());
}

#[test]
fn a_switch_at_the_start_and_far_from_zero() {
    let at_start = field(|_, t, _| on(&t.above(0.0)));
    let got = at_start.switches_within(0, &[0.0, 1.0]);
    assert_eq!(got.len(), 1);
    assert!(got[0].before == 0.0 && got[0].after > 0.0 && got[0].after < 1e-14);
    // Nanoseconds since 1970, numbers that are 256 apart.
    let origin = 1.7e18;
    let far = field(|_, t, _| on(&t.above(origin + 1e9)));
    let got = far.switches_within(0, &[origin, origin + 2e9]);
    assert_eq!(got.len(), 1);
    assert_eq!(got[0].before, origin + 1e9);
    assert!(got[0].after - got[0].before < 1e4);
}

#[test]
fn a_condition_on_an_input_switches_between_its_knots() {
    let input = InputSignal::linear(&[0.0, 4.0, 8.0], array![[0.0], [2.0], [0.0]].view()).unwrap();
    let b = FieldBuilder::new(1);
    let w = b.input("w", input);
    let on = w
        .above(1.5)
        .select(&b.constant(&[1.0]), &b.constant(&[0.0]));
    let field = b.finish(on - b.state()).unwrap();
    assert_found(&field, (0.0, 8.0), &[(3.0, true), (5.0, true)]);
    let times = field.breakpoints_within(0, &[0.0, 8.0]);
    assert!([0.0, 3.0, 4.0, 5.0, 8.0].iter().all(|t| times.contains(t)));
}

#[test]
fn too_many_switches_are_none() {
    let fast = field(|_, t, _| (t * 1e9).floor());
    // None but those at the ends.
    let switches = found(&fast, 0.0, 1.0);
    assert!(
        switches.iter().all(|s| (s.0 - s.0.round()).abs() < 1e-14),
        "{switches:?}"
    );
}

#[test]
fn the_parameters_of_a_switch_are_known() {
    let pulse = system(1, &[("s", 2.0), ("r", 1.0)], |t, u, p| {
        let on = t.gt(&p.get("s"));
        vec![on.select(&p.get("r"), &(p.get("r") * 0.0)) - u.at(0)]
    })
    .unwrap();
    assert!(pulse.switch_parameters().is_empty());
    assert!(
        pulse
            .trainable(&["r"])
            .unwrap()
            .switch_parameters()
            .is_empty()
    );
    let trained = pulse.trainable(&["s", "r"]).unwrap();
    assert_eq!(trained.switch_parameters(), ["s"]);
    let error = trained
        .check_fixed_switches("tangents")
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("\"s\"") && error.contains("frozen"),
        "{error}"
    );
    let switch = &trained.switches_within(0, &[0.0, 5.0])[0];
    assert_eq!(trained.switch_time_gradients(switch, 0), [[1.0, 0.0]]);
}

/// A pulse that no look at some places sees: its times follow from the inverse of the function.
#[test]
fn a_narrow_pulse_is_found_whatever_the_function() {
    let hundred = (0.0, 100.0);
    let around = |at: f64, half: f64| [(at - half, true), (at + half, true)];
    let square = field(|_, t, _| on(&(t - 37.3).square().below(1e-4)));
    assert_found(&square, hundred, &around(37.3, 0.01));
    let bell = field(|_, t, _| on(&(-((t - 37.3) / 0.01).square()).exp().above(0.5)));
    assert_found(&bell, hundred, &around(37.3, 0.01 * 2_f64.ln().sqrt()));
    let peaks = field(|_, t, _| on(&t.sin().above(0.99999)));
    let pi = std::f64::consts::PI;
    let half = 0.99999_f64.acos();
    let times: Vec<(f64, bool)> = (0..16)
        .flat_map(|n| around((0.5 + 2.0 * f64::from(n)) * pi, half))
        .collect();
    let got = found(&peaks, 0.0, 100.0);
    assert_eq!(got.len(), times.len(), "{got:?}");
    for (got, want) in got.iter().zip(&times) {
        // The root is as uncertain as the sine is flat there.
        assert!((got.0 - want.0).abs() < 1e-11 && got.1, "{got:?} {want:?}");
    }
    // By more than 256 places, by a signal, by arithmetic that takes a place of rest away.
    let fast = field(|_, t, _| on(&(t * (20.0 * pi)).cos().above(0.999)));
    let got = found(&fast, 0.0, 100.0);
    assert_eq!(got.len(), 2 * 1000, "{}", got.len());
    let times = [0.0, 30.0, 40.0, 100.0];
    let input = InputSignal::linear(&times, array![[0.0], [1.0], [0.2], [0.0]].view()).unwrap();
    let b = FieldBuilder::new(1);
    let w = b.input("w", input);
    let on_input = on(&(-((&w - 0.5) * 1e3).square()).exp().above(0.5));
    let field_of_input = b.finish(on_input - b.state()).unwrap();
    let got = found(&field_of_input, 0.0, 100.0);
    let jumps = got.iter().filter(|s| s.1).count();
    assert_eq!(jumps, 4, "{got:?}");
}

/// Roots that a function has twice are none where it only touches; a place where it is flat costs no pulse elsewhere.
#[test]
fn places_where_a_function_touches_zero() {
    let touching = field(|_, t, _| on(&(t - 5.0).square().above(0.0)));
    assert!(found(&touching, 0.0, 10.0).iter().all(|s| !s.1));
    let flat = field(|_, t, _| on(&(t.sin() - 1.0).square().below(1e-30)));
    assert!(found(&flat, 0.0, 1000.0).len() < 700);
    let cube = field(|_, t, _| on(&((t - 5.0) * (t - 5.0).square()).above(0.0)));
    let got = found(&cube, 0.0, 10.0);
    assert!(got.len() == 1 && (got[0].0 - 5.0).abs() < 1e-14, "{got:?}");
    let root = field(|_, t, _| on(&(t.sqrt() - 2.0).abs().below(1e-7)));
    assert_eq!(found(&root, 0.0, 100.0).iter().filter(|s| s.1).count(), 2);
}
