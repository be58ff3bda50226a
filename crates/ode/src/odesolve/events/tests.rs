use super::super::recorded_steps::Step;
use super::*;
use odesync_base::options::Named;

#[test]
fn roots_to_rounding_with_few_evaluations() {
    type Case = (fn(f64) -> f64, f64, f64, f64);
    let cases: [Case; 5] = [
        (|x| x * x - 0.5, 0.0, 1.0, std::f64::consts::FRAC_1_SQRT_2),
        (|x| x.exp() - 2.0, 0.0, 1.0, std::f64::consts::LN_2),
        (|x| (x - 0.3).powi(9), 0.0, 1.0, 0.3),
        (|x| 1.0 / 3.0 - x, 0.0, 1.0, 1.0 / 3.0),
        (|x| if x < 0.7 { -1e-9 } else { 1e9 }, 0.0, 1.0, 0.7),
    ];
    for (f, a, b, want) in cases {
        let mut n = 0;
        let mut counted = |x: f64| {
            n += 1;
            f(x)
        };
        let got = root::itp(&mut counted, (a, f(a)), (b, f(b)), 1e-15);
        // The ninth power is zero to rounding near its root.
        assert!((got - want).abs() < 4e-15 || f(got) == 0.0, "{got} {want}");
        assert!(n <= 54, "{n}");
    }
}

/// Event times on a piecewise linear solution, one step from each point to the next: u(θ) = start + θ (end − start).
fn event_times_on_line(event: &Event, points: &[f64]) -> Vec<f64> {
    let events = [event.clone()];
    let mut detector = EventDetector::new(
        EventFunctions::new(&events, None),
        &[],
        0,
        0.0,
        &points[..1],
    );
    let mut found = vec![];
    for (i, pair) in points.windows(2).enumerate() {
        let step = Step {
            t: i as f64,
            end: i as f64 + 1.0,
        };
        let mut u = |theta: f64, _, u: &mut [f64]| u[0] = pair[0] + theta * (pair[1] - pair[0]);
        detector.detect(step, 1.0, InterpolationOrder::Full, &mut u, &mut found);
    }
    found.into_iter().map(|hit| hit.t).collect()
}

#[test]
fn zeros_are_counted_once_and_not_at_the_start() {
    let event = Event::new(1, &[], |_, u, _| u.at(0)).unwrap();
    assert_eq!(event_times_on_line(&event, &[0.0, 1.0, -1.0]), [1.5]);
    // Zero at the end of a step; then g crosses it, returns, or stays at zero.
    assert_eq!(event_times_on_line(&event, &[-1.0, 0.0, 1.0]), [1.0]);
    assert_eq!(event_times_on_line(&event, &[-1.0, 0.0, -1.0]), [1.0]);
    assert_eq!(
        event_times_on_line(&event, &[-1.0, 0.0, 0.0, 1.0, -1.0]),
        [1.0, 3.5]
    );
    assert_eq!(event_times_on_line(&event, &[0.0, 0.0, 0.0]), [0.0; 0]);
    let up = event.clone().direction(Direction::Up);
    assert_eq!(
        event_times_on_line(&up, &[-1.0, 1.0, -1.0, 1.0]),
        [0.5, 2.5]
    );
    let down = event.direction(Direction::Down);
    assert_eq!(event_times_on_line(&down, &[-1.0, 1.0, -1.0, 1.0]), [1.5]);
}

#[test]
fn two_crossings_inside_one_step_are_both_found() {
    for (low, high) in [(0.41, 0.53), (0.3, 0.31), (0.62, 0.6201)] {
        let event = Event::new(1, &[("a", low), ("b", high)], |_, u, p| {
            (u.at(0) - p.get("a")) * (u.at(0) - p.get("b"))
        });
        let found = event_times_on_line(&event.unwrap(), &[0.0, 1.0]);
        assert_eq!(found.len(), 2, "{low} {high}: {found:?}");
        assert!((found[0] - low).abs() < 1e-14 && (found[1] - high).abs() < 1e-14);
    }
}

#[test]
fn a_function_of_several_numbers_is_an_error() {
    let error = Event::new(2, &[], |_, u, _| u).unwrap_err().to_string();
    assert!(error.contains("one number"), "{error}");
    assert!(
        Direction::from_name("upp")
            .unwrap_err()
            .to_string()
            .contains("\"up\"")
    );
}
