use super::*;
use odesync_testing::{golden, numbers};

fn message(result: Result<Schedule>) -> String {
    result.expect_err("should be refused").to_string()
}

fn assert_close(ours: &[f64], theirs: &[f64]) {
    assert_eq!(ours.len(), theirs.len());
    for (a, b) in ours.iter().zip(theirs) {
        assert!((a - b).abs() < 1e-12, "{ours:?} against {theirs:?}");
    }
}

#[test]
fn power_law_follows_the_reference() {
    let cases = golden("schedules");
    let cases = cases.as_array().unwrap();
    assert!(!cases.is_empty());
    for case in cases {
        let count = |key: &str| case[key].as_u64().unwrap() as usize;
        let rate = case["step_decay_rate"].as_f64().unwrap();
        let schedule =
            Schedule::power_law(count("n_steps"), count("epochs_per_step"), rate).unwrap();
        assert_close(schedule.values(), &numbers(&case["values"]));
        assert_eq!(schedule.values().last(), Some(&0.0));
        assert_eq!(schedule.epochs(), count("max_epochs"));
    }
}

#[test]
fn stepwise_ends_at_exactly_zero() {
    let values = |d| Schedule::stepwise(d, 1).unwrap().values().to_vec();
    assert_close(&values(0.2), &[1.0, 0.8, 0.6, 0.4, 0.2, 0.0]);
    assert_close(&values(0.3), &[1.0, 0.7, 0.4, 0.1, 0.0]);
    assert_close(&values(1.0), &[1.0, 0.0]);
    for d in [0.1, 0.05, 1.0 / 3.0, 1.0 / 7.0, 0.01] {
        let v = values(d);
        assert_eq!(v.len(), (1.0 / d).round() as usize + 1);
        assert_eq!(v.last(), Some(&0.0));
    }
}

#[test]
fn cosine_is_half_a_cosine() {
    let schedule = Schedule::cosine(5, 10).unwrap();
    let q = 0.5f64.sqrt() / 2.0;
    assert_close(schedule.values(), &[1.0, 0.5 + q, 0.5, 0.5 - q, 0.0]);
    assert_eq!(schedule.values()[4], 0.0);
    assert_eq!(schedule.epochs(), 50);
}

#[test]
fn a_step_lasts_its_epochs_and_the_last_value_is_held() {
    let schedule = Schedule::cosine(3, 10).unwrap();
    let at = |epoch| schedule.lambda(epoch);
    assert_close(
        &[
            at(0),
            at(9),
            at(10),
            at(19),
            at(20),
            at(29),
            at(30),
            at(usize::MAX),
        ],
        &[1.0, 1.0, 0.5, 0.5, 0.0, 0.0, 0.0, 0.0],
    );
    assert_eq!(schedule.step(15), 1);

    let list = Schedule::list(vec![1.0, 0.7, 2.0]).unwrap();
    assert_eq!(
        (list.epochs(), list.steps(), list.epochs_per_step()),
        (3, 3, 1)
    );
    assert_close(
        &[list.lambda(1), list.lambda(2), list.lambda(9)],
        &[0.7, 2.0, 2.0],
    );
}

#[test]
fn what_does_not_fit_is_refused_with_a_cure() {
    assert!(message(Schedule::power_law(1, 10, 0.6)).contains("at least 2 steps"));
    assert!(message(Schedule::power_law(usize::MAX, 10, 0.6)).contains("at most"));
    for rate in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(message(Schedule::power_law(3, 10, rate)).contains("positive and finite"));
    }
    assert!(message(Schedule::power_law(1000, 10, 1e300)).contains("overflows"));
    assert!(message(Schedule::power_law(3, 0, 0.6)).contains("at least one epoch"));
    assert!(message(Schedule::power_law(3, usize::MAX, 0.6)).contains("too many"));
    for decrement in [0.0, -0.2, 1.5, f64::NAN] {
        assert!(message(Schedule::stepwise(decrement, 1)).contains("more than 0 and at most 1"));
    }
    assert!(message(Schedule::stepwise(1e-300, 1)).contains("at most"));
    assert!(message(Schedule::cosine(0, 1)).contains("at least 2 steps"));
    assert!(message(Schedule::list(vec![])).contains("empty"));
    assert!(message(Schedule::list(vec![1.0, -0.1])).contains("value 1 of the list is -0.1"));
    assert!(message(Schedule::list(vec![f64::NAN])).contains("value 0"));
}

#[test]
fn a_schedule_survives_a_config() {
    for schedule in [
        Schedule::power_law(6, 100, 0.6).unwrap(),
        Schedule::stepwise(0.2, 100).unwrap(),
        Schedule::cosine(4, 7).unwrap(),
        Schedule::list(vec![1.0, 0.0]).unwrap(),
    ] {
        let text = serde_json::to_string(&schedule).unwrap();
        assert_eq!(serde_json::from_str::<Schedule>(&text).unwrap(), schedule);
    }
    let read = |text: &str| serde_json::from_str::<Schedule>(text).map_err(|e| e.to_string());
    let fine = read(r#"{"kind": "power_law", "n_steps": 3, "epochs_per_step": 2, "rate": 1.0}"#);
    assert_eq!(fine.unwrap().values(), [1.0, 0.5, 0.0]);
    let bad = read(r#"{"kind": "power_law", "n_steps": 1, "epochs_per_step": 2, "rate": 1.0}"#);
    assert!(bad.unwrap_err().contains("at least 2 steps"));
    assert!(read(r#"{"kind": "stepwise", "decrement": 0.1, "epochs": 2}"#).is_err());
}
