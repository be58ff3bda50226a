//! Tests of what a script says of the steps of a solve: units, tolerances, switches, branches.

use odesync_script::script::{Output, Session, SessionOptions};

/// Returns the value of the last expression as text, and the notes.
fn script(code: &str) -> (String, String) {
    let (output, notes) = Output::captured();
    let options = SessionOptions {
        output,
        ..SessionOptions::default()
    };
    let value = Session::new(options)
        .unwrap()
        .eval(code, None)
        .unwrap()
        .text;
    let notes = notes.lock().unwrap().clone();
    (value, notes)
}

#[test]
fn times_have_any_unit() {
    let (value, _) = script(
        "let u = solve(system(1, |t, u| [-1e15 * u[0]]), [1.0], [0.0, 1e-15, 5e-15]).u;
         [u[0][0] == 1.0, abs(u[1][0] - 0.367879441) < 1e-8, abs(u[2][0] - 0.006737947) < 1e-8]",
    );
    assert_eq!(value, "[true, true, true]");
}

#[test]
fn a_state_below_its_tolerance_is_a_note() {
    let oscillator = "let f = system(2, |t, u| [u[1], -u[0]]);";
    let solve = |options: &str| {
        script(&format!(
            "{oscillator} let u = solve(f, [1e-12, 0.0], [0.0, 10.0], #{{ {options} }}).u; abs(u[1][0] / -8.39071529e-13 - 1.0) < 1e-4"
        ))
    };
    let (value, notes) = solve("");
    assert_eq!(value, "false");
    assert!(notes.contains("u[1] stays below atol (1e-9)"), "{notes}");
    let (value, notes) = solve("atol: [1e-20, 1e-20]");
    assert_eq!((value.as_str(), notes.as_str()), ("true", ""));
    let wrong = script(&format!(
        "{oscillator} let found = false; try {{ solve(f, [1.0, 0.0], [0.0, 1.0], #{{ atol: [1e-9] }}); }} catch (e) {{ found = `${{e}}`.contains(\"atol has 1 number\"); }} found"
    ));
    assert_eq!(wrong.0, "true");
}

#[test]
fn a_pulse_in_time_is_seen_and_its_time_has_a_gradient() {
    let (value, _) = script(
        "let f = system(1, |t, u| [where(t > 5.0, where(t < 6.0, 1.0, 0.0), 0.0) * (1.0 - u[0]) - u[0]]);
         let t = linspace(0, 10, 11);
         let given = solve(f, [0.0], t, #{ breakpoints: [2.5, 7.5] });
         [abs(solve(f, [0.0], t).u[6][0] - 0.43233) < 1e-5, abs(given.u[6][0] - 0.43233) < 1e-5]",
    );
    assert_eq!(value, "[true, true]");
    // u(4) = 1 − e^−(4 − s) at s = 2, and the loss is the mean of the squares at 0 and 4.
    let (value, _) = script(
        "let f = system(1, |t, u, p| [where(t > p.s, 1.0, 0.0) - u[0]], #{ s: 2.0 }).trainable([\"s\"]);
         let got = loss_and_gradient(f, dataset([0.0, 4.0], [[0.0], [0.0]]), vanilla());
         let want = -(1.0 - exp(-2.0)) * exp(-2.0);
         abs(got.gradient[0] - want) < 1e-6",
    );
    assert_eq!(value, "true");
}

#[test]
fn a_branch_that_is_not_taken_has_no_gradient() {
    let (value, _) = script(
        "let f = system(1, |t, u, p| [p.a * sqrt(max(u[0], 0.0)) - u[0]], #{ a: 1.0 }).trainable([\"a\"]);
         loss_and_gradient(f, dataset([0.0, 1.0], [[-1.0], [-0.9]]), vanilla()).gradient[0]",
    );
    assert!(matches!(value.as_str(), "0" | "0.0"), "{value}");
}
