//! Tests of events in scripts.

use odesync_script::script::{Output, Session, SessionOptions};

fn session() -> Session {
    Session::new(SessionOptions {
        output: Output::captured().0,
        ..SessionOptions::default()
    })
    .unwrap()
}

fn script(code: &str) -> String {
    session().eval(code, None).unwrap().text
}

#[test]
fn events_in_scripts() {
    let ball = "let ball = system(2, |t, u, p| [u[1], -p.g], #{ g: 9.81 });\n";
    let ends = script(&format!(
        "{ball}let sol = solve(ball, [0, 20], [0, 1, 10], #{{ event: |t, u, p| u[0] * p.g, direction: \"down\", terminal: true }});
         let end = 2 * 20 / 9.81;
         [sol.ended_by, sol.t.len(), abs(sol.t[2] - end) < 1e-10, sol.events[0].t[0] == sol.t[2], sol.events[0].u.shape]"
    ));
    assert_eq!(ends, "[0, 3, true, true, [1, 2]]");
    let several = script(&format!(
        "{ball}let sol = solve(ball, [0, 20], [0, 1, 3], #{{ events: [|t, u| u[1], #{{ event: |t, u, p| t - 2.5 }}] }});
         [abs(sol.events[0].t[0] - 20 / 9.81) < 1e-10, abs(sol.events[1].t[0] - 2.5) < 1e-14, sol.ended_by]"
    ));
    assert_eq!(several, "[true, true, ()]");
}

#[test]
fn an_event_of_a_script_knows_the_external_inputs() {
    // u′ = 1 meets the rising input w = 2 + t/2 at t = 4.
    let met = script(
        "let f = system(1, |t, u, p| [1.0 + 0.0 * p.w], #{ w: input([0.0, 10.0], [2.0, 7.0]) });
         let sol = solve(f, [0.0], [0.0, 10.0], #{ event: |t, u, p| u[0] - p.w });
         sol.events[0].t.len() == 1 && abs(sol.events[0].t[0] - 4.0) < 1e-9",
    );
    assert_eq!(met, "true");
    // The event depends on the input only, which has one component; with another input the event's time differs.
    let other_time = script(
        "let f = system(1, |t, u, p| [p.w], #{ w: input([0.0, 2.0], [-1.0, 1.0]) });
         let at = |f| solve(f, [0.0], [0.0, 2.0], #{ event: |t, u, p| p.w[0] }).events[0].t[0];
         let other = f.with_input(input([0.0, 2.0], [-1.0, 3.0]));
         abs(at.call(f) - 1.0) < 1e-9 && abs(at.call(other) - 0.5) < 1e-9",
    );
    assert_eq!(other_time, "true");
}
