use ndarray::{Array2, Array3, array};
use proptest::prelude::*;

use super::*;
use odesync_testing::{golden, numbers};

fn column(y: &[f64]) -> Array2<f64> {
    Array2::from_shape_vec((y.len(), 1), y.to_vec()).unwrap()
}

fn fit(t: &[f64], y: &[f64], alpha: f64) -> SmoothingSpline {
    SmoothingSpline::single(t, column(y).view(), alpha).unwrap()
}

fn refusal(t: &[f64], u: Array2<f64>, alpha: f64) -> String {
    SmoothingSpline::single(t, u.view(), alpha)
        .expect_err("should be refused")
        .to_string()
}

fn assert_close(ours: impl IntoIterator<Item = f64>, theirs: &[f64], bound: f64, what: &str) {
    let ours: Vec<f64> = ours.into_iter().collect();
    assert_eq!(ours.len(), theirs.len(), "{what}");
    for (i, (a, b)) in ours.iter().zip(theirs).enumerate() {
        assert!(
            (a - b).abs() <= bound * (1.0 + b.abs()),
            "{what} {i}: {a} against {b}"
        );
    }
}

#[test]
fn follows_the_reference() {
    let cases = golden("smoothing");
    let cases = cases.as_array().unwrap();
    assert!(!cases.is_empty());
    for case in cases {
        let list = |key: &str| numbers(&case[key]);
        let spline = fit(&list("t"), &list("y"), case["alpha"].as_f64().unwrap());
        // The reference solves a dense system in float64, which for gaps of 5e-4 at alpha = 10 (200 points) leaves
        // errors of 1.3e-9: see the next test, which holds that case to the digits.
        let bound = if list("t").len() == 200 { 2e-9 } else { 1e-10 };
        assert_close(spline.g(), &list("g"), bound, "g");
        assert_close(spline.g_ddot(), &list("g_ddot"), bound, "g_ddot");
        assert_close(spline.at(&list("query")), &list("value"), bound, "value");
    }
}

#[test]
fn an_ill_conditioned_case_is_exact() {
    // The same equations solved by mpmath with 60 digits, for the 200 points of the reference with alpha = 10.
    let case = &golden("smoothing")[3];
    let spline = fit(&numbers(&case["t"]), &numbers(&case["y"]), 10.0);
    let (g, g_ddot) = (spline.g(), spline.g_ddot());
    for (i, value, second) in [
        (0, 0.5643187650918898, 0.0),
        (1, 0.5844922296898241, -0.004799374378531317),
        (22, 0.7413630297000716, -0.3423122118579836),
        (23, 0.7413919212611261, -0.34249126554684656),
        (100, -0.6566432383795024, 0.6486618073430118),
        (182, 0.451857888740066, -0.27600654673711905),
        (198, 0.02095768562868718, -0.009277739382564997),
        (199, -0.06500178253213916, 0.0),
    ] {
        assert_close([g[[0, i, 0]]], &[value], 1e-15, "g");
        assert_close([g_ddot[[0, i, 0]]], &[second], 1e-15, "g_ddot");
    }
}

#[test]
fn derivatives_agree_with_finite_differences() {
    let t: Vec<f64> = (0..30)
        .map(|i| f64::from(i) * 0.3 + 0.1 * f64::from(i).sin())
        .collect();
    let y: Vec<f64> = t.iter().map(|t| (1.3 * t).sin() + 0.1 * t * t).collect();
    for alpha in [0.0, 0.01] {
        let spline = fit(&t, &y, alpha);
        let at = |f: &dyn Fn(usize, f64, &mut [f64]), t: f64| {
            let mut out = [0.0];
            f(0, t, &mut out);
            out[0]
        };
        let value = |t| at(&|i, t, o| spline.value_into(i, t, o), t);
        let slope = |t| at(&|i, t, o| spline.derivative_into(i, t, o), t);
        let bend = |t| at(&|i, t, o| spline.second_derivative_into(i, t, o), t);
        // Away from the knots, also outside the data.
        for x in [-1.0, 0.05, 0.5, 2.2, 4.444, 8.1, 8.8, 11.0] {
            let e = 1e-5;
            let difference = |f: &dyn Fn(f64) -> f64| (f(x + e) - f(x - e)) / (2.0 * e);
            assert!((slope(x) - difference(&value)).abs() < 1e-8, "slope at {x}");
            assert!(
                (bend(x) - difference(&slope)).abs() < 1e-8,
                "second derivative at {x}"
            );
        }
    }
}

#[test]
fn is_smooth_at_the_knots_and_linear_outside() {
    let t = [0.0, 0.4, 1.0, 1.1, 2.0];
    let spline = fit(&t, &[1.0, -1.0, 0.5, 2.0, 0.0], 0.0);
    let outside = spline.at(&[-3.0, -2.0, -1.0, 3.0, 4.0, 5.0]);
    let o: Vec<f64> = outside.into_iter().collect();
    assert!((o[0] - 2.0 * o[1] + o[2]).abs() < 1e-12);
    assert!((o[3] - 2.0 * o[4] + o[5]).abs() < 1e-12);
    for knot in t {
        let e = 1e-9;
        let sides = [knot - e, knot + e];
        for table in [
            spline.at(&sides),
            spline.derivative_at(&sides),
            spline.second_derivative_at(&sides),
        ] {
            assert!(
                (table[[0, 0, 0]] - table[[0, 1, 0]]).abs() < 1e-5,
                "jump at {knot}"
            );
        }
    }
    assert_close(
        spline.second_derivative_at(&[0.0, 2.0]),
        &[0.0, 0.0],
        1e-12,
        "natural ends",
    );
    assert_close(
        spline.at(&t),
        &[1.0, -1.0, 0.5, 2.0, 0.0],
        1e-14,
        "interpolation",
    );
}

/// Returns slope and intercept of the least-squares line.
fn line(t: &[f64], y: &[f64]) -> (f64, f64) {
    let n = t.len() as f64;
    let (mt, my) = (t.iter().sum::<f64>() / n, y.iter().sum::<f64>() / n);
    let cross: f64 = t.iter().zip(y).map(|(t, y)| (t - mt) * (y - my)).sum();
    let slope = cross / t.iter().map(|t| (t - mt) * (t - mt)).sum::<f64>();
    (slope, my - slope * mt)
}

proptest! {
    #[test]
    fn a_straight_line_stays_one(
        gaps in prop::collection::vec(0.01..2.0f64, 0..40),
        (a, b) in (-10.0..10.0f64, -10.0..10.0f64),
        exponent in -6.0..6.0f64,
    ) {
        let mut t = vec![-3.0];
        for gap in gaps {
            t.push(t[t.len() - 1] + gap);
        }
        let y: Vec<f64> = t.iter().map(|t| a + b * t).collect();
        let spline = fit(&t, &y, 10f64.powf(exponent));
        assert_close(spline.g(), &y, 1e-9, "g");
        if t.len() > 1 {
            assert_close(spline.at(&[-5.0, 100.0]), &[a - 5.0 * b, a + 100.0 * b], 1e-7, "outside");
            assert_close(spline.derivative_at(&[-5.0, 100.0]), &[b, b], 1e-7, "slope");
        }
    }

    #[test]
    fn much_smoothing_gives_the_least_squares_line(
        points in prop::collection::vec((0.1..1.0f64, -5.0..5.0f64), 3..30),
    ) {
        let mut t = vec![];
        let mut last = 0.0;
        for (gap, _) in &points {
            last += gap;
            t.push(last);
        }
        let y: Vec<f64> = points.iter().map(|p| p.1).collect();
        let (slope, intercept) = line(&t, &y);
        let theirs: Vec<f64> = t.iter().map(|t| slope * t + intercept).collect();
        assert_close(fit(&t, &y, 1e11).g(), &theirs, 1e-5, "g");
    }

    #[test]
    fn no_other_curve_has_a_smaller_objective(
        y in prop::collection::vec(-3.0..3.0f64, 5),
        nudge in prop::collection::vec(-0.1..0.1f64, 5),
        alpha in 0.001..10.0f64,
    ) {
        let t = [0.0, 0.5, 0.9, 2.0, 2.5];
        // The second derivative of a natural cubic spline is piecewise linear, so ∫ û″² is exact.
        let objective = |spline: &SmoothingSpline| {
            let (g, c) = (spline.g(), spline.g_ddot());
            let rough: f64 = (0..4)
                .map(|i| {
                    let (p, q) = (c[[0, i, 0]], c[[0, i + 1, 0]]);
                    (t[i + 1] - t[i]) * (p * p + p * q + q * q) / 3.0
                })
                .sum();
            g.iter().zip(&y).map(|(g, y)| (g - y) * (g - y)).sum::<f64>() + alpha * rough
        };
        let best = fit(&t, &y, alpha);
        let other: Vec<f64> = best.g().iter().zip(&nudge).map(|(g, n)| g + n).collect();
        prop_assert!(objective(&best) <= objective(&fit(&t, &other, 0.0)) + 1e-12);
    }
}

#[test]
fn one_point_is_a_constant_and_two_a_line() {
    let one = fit(&[2.0], &[5.0], 0.1);
    assert_close(one.at(&[-1.0, 2.0, 9.0]), &[5.0; 3], 0.0, "constant");
    assert_close(
        one.derivative_at(&[-1.0, 2.0, 9.0]),
        &[0.0; 3],
        0.0,
        "its slope",
    );
    let two = fit(&[1.0, 3.0], &[5.0, 9.0], 0.1);
    assert_close(
        two.at(&[0.0, 1.0, 2.0, 3.0, 4.0]),
        &[3.0, 5.0, 7.0, 9.0, 11.0],
        1e-14,
        "line",
    );
    assert_close(
        two.second_derivative_at(&[0.0, 2.0]),
        &[0.0; 2],
        0.0,
        "its curvature",
    );
}

#[test]
fn missing_values_are_left_out_for_each_component() {
    let nan = f64::NAN;
    let t = [0.0, 1.0, 2.5, 3.0, 4.0, 6.0];
    let u = array![
        [
            [1.0, nan, nan],
            [2.0, 0.5, nan],
            [nan, 0.1, nan],
            [0.0, nan, nan],
            [1.0, 3.0, nan],
            [2.0, 2.0, 7.0]
        ],
        [
            [nan, nan, nan],
            [2.0, 0.5, 1.0],
            [3.0, 0.1, 2.0],
            [0.0, 1.0, 1.0],
            [1.0, 3.0, 1.0],
            [2.0, 2.0, 7.0]
        ],
    ];
    let spline = SmoothingSpline::new(&t, u.view(), 0.01).unwrap();
    let x = [-1.0, 0.3, 1.0, 2.5, 2.7, 3.5, 6.0, 8.0];
    for sample in 0..2 {
        for component in 0..3 {
            let rows: Vec<usize> = (0..6)
                .filter(|i| !u[[sample, *i, component]].is_nan())
                .collect();
            let times: Vec<f64> = rows.iter().map(|i| t[*i]).collect();
            let values: Vec<f64> = rows.iter().map(|i| u[[sample, *i, component]]).collect();
            let separate: Vec<f64> = fit(&times, &values, 0.01).at(&x).into_iter().collect();
            let ours = spline
                .at(&x)
                .slice(ndarray::s![sample, .., component])
                .to_vec();
            assert_close(ours, &separate, 1e-14, "component");
        }
    }
    assert_eq!(spline.knots(0), t);
    assert_eq!(spline.knots(1), t[1..]);
    assert_eq!(Signal::breakpoints(&spline, 1), &t[1..]);
    assert!(spline.g().iter().all(|g| g.is_finite()));
}

#[test]
fn samples_keep_apart_and_a_single_one_serves_all() {
    let t = [0.0, 1.0, 2.0, 3.0];
    let u = Array3::from_shape_fn((3, 4, 2), |(s, i, j)| (s * 100 + i * i * 10 + j) as f64);
    let spline = SmoothingSpline::new(&t, u.view(), 0.0).unwrap();
    assert_eq!(
        (
            spline.samples(),
            Signal::n_samples(&spline),
            Signal::dof(&spline)
        ),
        (3, 3, 2)
    );
    assert_close(
        spline.g(),
        &u.clone().into_raw_vec_and_offset().0,
        1e-13,
        "g",
    );
    let mut out = [0.0; 2];
    Signal::value(&spline, 2, 1.0, &mut out);
    assert_close(out, &[210.0, 211.0], 1e-13, "sample 2");
    let single = SmoothingSpline::single(&t, u.index_axis(Axis(0), 1), 0.0).unwrap();
    single.value_into(7, 1.0, &mut out);
    assert_close(out, &[110.0, 111.0], 1e-13, "the only sample");
    Signal::derivative(&single, 7, 1.5, &mut out);
    assert!(out[0].is_finite() && (out[0] - out[1]).abs() < 1e-12);
}

#[test]
fn a_million_points_are_no_trouble() {
    let t: Vec<f64> = (0..1_000_000).map(|i| f64::from(i) * 1e-2).collect();
    let y: Vec<f64> = t.iter().map(|t| t.sin()).collect();
    let spline = fit(&t, &y, 0.0);
    let x = 4321.0987;
    assert_close(spline.at(&[x]), &[x.sin()], 1e-9, "value");
    assert_close(spline.derivative_at(&[x]), &[x.cos()], 1e-6, "slope");
}

#[test]
fn what_does_not_fit_is_refused_with_the_place() {
    let u = array![[1.0], [2.0], [3.0]];
    for alpha in [-1.0, f64::NAN, f64::INFINITY] {
        assert!(refusal(&[0.0, 1.0, 2.0], u.clone(), alpha).contains("finite and not negative"));
    }
    let unsorted = refusal(&[0.0, 2.0, 1.0], u.clone(), 0.0);
    assert!(
        unsorted.contains("t[2] = 1 is less") && unsorted.contains("t[1] = 2"),
        "{unsorted}"
    );
    let repeated = refusal(&[0.0, 0.5, 0.5], u.clone(), 0.0);
    assert!(repeated.contains("t[2] = 0.5 repeats"), "{repeated}");
    assert!(refusal(&[0.0, f64::NAN, 1.0], u.clone(), 0.0).contains("t[1] is NaN"));
    assert!(refusal(&[0.0, 1.0], u.clone(), 0.0).contains("2 times but u has 3 rows"));
    assert!(refusal(&[], Array2::zeros((0, 1)), 0.0).contains("empty"));
    let infinite = refusal(&[0.0, 1.0], array![[1.0, 1.0], [1.0, f64::INFINITY]], 0.0);
    assert!(infinite.contains("u[0, 1, 1] is inf"), "{infinite}");
    let none = refusal(&[0.0, 1.0], array![[1.0, f64::NAN], [1.0, f64::NAN]], 0.0);
    assert!(
        none.contains("component 1 of sample 0 has no value"),
        "{none}"
    );
    let close = refusal(&[0.0, 1e-300, 1.0], u.clone(), 1e100);
    assert!(close.contains("cannot be computed in float64"), "{close}");
    let far = refusal(&[-1.7e308, 0.0, 1.7e308], u, 0.0);
    assert!(far.contains("cannot be computed in float64"), "{far}");
}

#[test]
fn samples_with_their_own_times_have_the_splines_they_have_alone() {
    let first = (
        array![0.0, 1.0, 2.0, 4.0],
        array![[1.0, 0.0], [f64::NAN, 1.0], [3.0, f64::NAN], [2.0, 5.0]],
    );
    let second = (
        array![0.5, 1.5, 3.0],
        array![[2.0, 1.0], [1.0, 1.0], [0.0, 4.0]],
    );
    let samples = [&first, &second];
    let all =
        SmoothingSpline::ragged(samples.iter().map(|(t, u)| (t.view(), u.view())), 0.01).unwrap();
    assert_eq!(all.samples(), 2);
    assert_eq!(all.times(), [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0]);
    assert_eq!(all.knots(1), [0.5, 1.5, 3.0]);
    for (i, (t, u)) in samples.iter().enumerate() {
        let separate = SmoothingSpline::single(&t.to_vec(), u.view(), 0.01).unwrap();
        for t in [-1.0, 0.2, 1.0, 2.7, 5.0] {
            let (mut a, mut b) = ([0.0; 2], [0.0; 2]);
            all.value_into(i, t, &mut a);
            separate.value_into(0, t, &mut b);
            assert_eq!(a, b);
        }
    }
    // Each component is fitted to its own measured values: the first one of sample 0 has none at t = 1.
    let measured =
        SmoothingSpline::single(&[0.0, 2.0, 4.0], array![[1.0], [3.0], [2.0]].view(), 0.01)
            .unwrap();
    let (mut a, mut b) = ([0.0; 2], [0.0; 1]);
    for t in [0.0, 1.0, 1.9, 3.3] {
        all.value_into(0, t, &mut a);
        measured.value_into(0, t, &mut b);
        assert_eq!(a[0], b[0]);
    }
    let narrow = (array![0.0, 1.0], array![[1.0], [2.0]]);
    let mixed = [&first, &narrow];
    let refused = SmoothingSpline::ragged(mixed.iter().map(|(t, u)| (t.view(), u.view())), 0.0);
    assert!(
        refused
            .unwrap_err()
            .to_string()
            .contains("sample 1 has 1 component,")
    );
}
