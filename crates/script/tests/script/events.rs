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

#[test]
fn the_number_of_a_hit_ends_a_solve() {
    let swing = "let swing = system(2, |t, u| [u[1], -u[0]]);\n";
    for (terminal, hits) in [("true", "1"), ("1", "1"), ("3", "3"), ("false", "6")] {
        let got = script(&format!(
            "{swing}let sol = solve(swing, [0, 1], [0, 20], #{{ event: |t, u| u[0], terminal: {terminal} }});
             sol.events[0].t.len()"
        ));
        assert_eq!(got, hits, "{terminal}");
    }
    for wrong in ["0", "-1", "1.5", "\"all\""] {
        let code = format!(
            "{swing}solve(swing, [0, 1], [0, 20], #{{ event: |t, u| u[0], terminal: {wrong} }})"
        );
        let error = session().eval(&code, None).unwrap_err().to_string();
        assert!(error.contains("counted from 1"), "{error}");
    }
}

#[test]
fn an_input_may_hold_its_values() {
    let held = script(
        "let w = input([0, 1, 2], [1.0, -1.0, 3.0], \"hold\");
         [w.at([-1, 0, 0.999, 1, 1.5, 2, 5]).col(0).to_list(), input([0, 1], [1, 2], #{ kind: \"hold\" }).at(0.5)[0]]",
    );
    assert_eq!(held, "[[1.0, 1.0, 1.0, -1.0, -1.0, 3.0, 3.0], 1.0]");
    let shown = script("input([0, 1, 2], [1.0, -1.0, 3.0], \"hold\")");
    assert!(shown.contains("3 times from 0 to 2"), "{shown}");
}

#[test]
fn events_and_doses_change_the_state() {
    let bounces = script(
        "let ball = system(2, |t, u, p| [u[1], -p.g], #{ g: 10.0, e: 0.8 });
         let sol = solve(ball, [5, 0], [0, 1, 2], #{ event: |t, u, p| u[0], direction: \"down\", jump: |t, u, p| [0.0, -p.e * u[1]] });
         [abs(sol.u[1][1] - 8.0) < 1e-6, abs(sol.u[2][0] - 3.0) < 1e-6, abs(sol.events[0].u[0][1] + 10.0) < 1e-6]",
    );
    assert_eq!(bounces, "[true, true, true]");
    let several = script(
        "let ball = system(2, |t, u, p| [u[1], -p.g], #{ g: 10.0 });
         let sol = solve(ball, [5, 0], [0, 50], #{ events: [|t, u| u[1], #{ event: |t, u| u[0], direction: \"down\", terminal: 3, jump: |t, u| [0.0, -0.8 * u[1]] }] });
         [sol.events[0].t.len(), sol.events[1].t.len(), sol.ended_by, abs(sol.t[1] - 3.88) < 1e-6]",
    );
    assert_eq!(several, "[2, 3, 1, true]");
    let doses = script(
        "let drug = system(1, |t, u, p| [-p.k * u[0]], #{ k: 1.0, amount: 2.0 });
         let one = solve(drug, [0], [0, 1, 2], #{ doses: #{ at: [0, 1], jump: |t, u, p| [u[0] + p.amount] } });
         let two = solve(drug, [0], [0, 2], #{ doses: [#{ at: 0, jump: |t, u, p| [u[0] + p.amount] }, #{ at: 1.0, jump: |t, u, p| [0.5 * u[0]] }] });
         [one.u[0][0], abs(one.u[1][0] - 2.0 * (1.0 + exp(-1.0))) < 1e-6, abs(two.u[1][0] - exp(-2.0)) < 1e-6]",
    );
    assert_eq!(doses, "[2.0, true, true]");
}

#[test]
fn conditions_in_the_state_are_located_where_asked() {
    let made = "let f = system(1, |t, u, p| [-where(u[0] > p.c, 2.0, 1.0) * u[0]], #{ c: 0.5 }).trainable([\"c\"]);
        let d = dataset([0.0, 1.0], [[1.0], [0.0]]);\n";
    let off = script(&format!(
        "{made}let sol = solve(f, [1.0], [0.0, 1.0], #{{ switches: true }});
         abs(sol.u[1][0] - sqrt(0.5) * exp(-1.0)) < 1e-7"
    ));
    assert_eq!(off, "true");
    // The loss is u²/2 (two times, of which the first is met): its derivative is u du/dc, u = √c/e and du/dc = 1/(2 √c e).
    let gradient = script(&format!(
        "{made}let l = loss_and_gradient(f, d, vanilla(), #{{ switches: true }});
         abs(l.gradient[0] - 0.5 * exp(-2.0)) < 1e-6"
    ));
    assert_eq!(gradient, "true");
    let (output, captured) = Output::captured();
    let mut session = Session::new(SessionOptions {
        output,
        ..SessionOptions::default()
    })
    .unwrap();
    let code = format!("{made}loss_and_gradient(f, d, vanilla()).gradient[0]");
    assert_eq!(session.eval(&code, None).unwrap().text, "0.0");
    let noted = captured.lock().unwrap().clone();
    assert!(noted.contains("switches: true"), "{noted}");
}

/// What a condition, a floor or a remainder of the state hides from a derivative is noted, whatever else the parameter does.
#[test]
fn a_derivative_that_lacks_a_part_is_noted() {
    let noted = |equation: &str, options: &str| {
        let (output, captured) = Output::captured();
        let mut session = Session::new(SessionOptions {
            output,
            ..SessionOptions::default()
        })
        .unwrap();
        let code = format!(
            "let f = system(1, |t, u, p| [{equation}], #{{ c: 0.5 }}).trainable([\"c\"]);
             let d = dataset([0.0, 1.0], [[1.0], [0.0]]);
             loss_and_gradient(f, d, vanilla(), {options}).loss"
        );
        session.eval(&code, None).unwrap();
        captured.lock().unwrap().clone()
    };
    let both = "-where(u[0] > p.c, 2.0, 1.0) * p.c";
    let note = noted(both, "#{}");
    assert!(
        note.contains("by \"c\" lacks a part") && note.contains("switches: true"),
        "{note}"
    );
    let none = noted(both, "#{ switches: true }");
    assert!(!none.contains("lacks"), "{none}");
    for equation in ["-floor(p.c * u[0])", "-(u[0] % p.c)"] {
        for options in ["#{}", "#{ switches: true }"] {
            let note = noted(equation, options);
            assert!(note.contains("\"c\" lacks the part"), "{equation} {note}");
        }
    }
    let smooth = noted("-p.c * u[0]", "#{}");
    assert!(!smooth.contains("lacks"), "{smooth}");
}

#[test]
fn mistakes_in_jumps_say_what_would_be_right() {
    for (options, part) in [
        ("#{ jump: |t, u, p| u }", "belong to an event"),
        (
            "#{ event: |t, u| u[0], jump: |t, u| [0.0] }",
            "the state after it, 2 numbers",
        ),
        ("#{ doses: 3 }", "#{ at: [0, 6]"),
        ("#{ doses: #{ at: [0.5] } }", "its times and its jump"),
        (
            "#{ doses: #{ at: [], jump: |t, u| u } }",
            "at least one time",
        ),
        (
            "#{ event: |t, u| u[0], direction: \"down\", jump: |t, u| [0.0, -0.5 * u[1]] }",
            "its hits accumulate",
        ),
    ] {
        let code = format!("solve(system(2, |t, u| [u[1], -9.81]), [0, 20], [0, 50], {options})");
        let error = session().eval(&code, None).unwrap_err().to_string();
        assert!(error.contains(part), "{options}: {error}");
    }
}

#[test]
fn a_training_has_doses_and_bounces() {
    // A drug at the rate k after doses of the size d, from nothing.
    let drug = "let drug = |k, d| system(1, |t, u, p| [-p.k * u[0] + 0.0 * p.d], #{ k: k, d: d }).trainable([\"k\", \"d\"]);
         let doses = #{ at: [0, 1, 2.5], jump: |t, u, p| [u[0] + p.d] };
         let data = dataset(drug.call(0.8, 1.5), [0.0], arange(0.0, 4.0, 0.2), #{ doses: doses });\n";
    let found = script(&format!(
        "{drug}let run = train(drug.call(0.3, 0.5), data, vanilla(), #{{ epochs: 500, lr: 0.05, doses: doses }});
         let p = run.model.params;
         [abs(data.u[0][0] - 1.5) < 1e-12, abs(p[0] - 1.5) < 2e-3, abs(p[1] - 0.8) < 2e-3, abs(run.predict([1.0])[0][0] - 1.5 * (1 + exp(-0.8))) < 0.01]"
    ));
    assert_eq!(found, "[true, true, true, true]");
    let by_differences = script(&format!(
        "{drug}let at = |k, d| loss_and_gradient(drug.call(k, d), data, vanilla(), #{{ doses: doses, rtol: 1e-11, atol: 1e-12 }});
         let g = at.call(0.3, 0.5).gradient;
         let h = 1e-4;
         [abs((at.call(0.3 + h, 0.5).loss - at.call(0.3 - h, 0.5).loss) / (2 * h) - g[1]) < 1e-6,
          abs((at.call(0.3, 0.5 + h).loss - at.call(0.3, 0.5 - h).loss) / (2 * h) - g[0]) < 1e-6]"
    ));
    assert_eq!(by_differences, "[true, true]");
    let bounces = script(
        "let ball = |e| system(2, |t, u, p| [u[1], -10.0 + 0.0 * p.e], #{ e: e }).trainable([\"e\"]);
         let bounce = #{ event: |t, u| u[0], direction: \"down\", jump: |t, u, p| [0.0, -p.e * u[1]] };
         let data = dataset(ball.call(0.8), [5, 0], arange(0.0, 2.4, 0.15), bounce);
         let run = train(ball.call(0.7), data, vanilla(), #{ epochs: 200, lr: 0.02 } + bounce);
         let seeds = train(|| ball.call(0.7), data, vanilla(), #{ epochs: 2, seeds: [1, 2], events: [bounce] });
         [abs(run.model.params[0] - 0.8) < 1e-3, seeds.failed.len()]",
    );
    assert_eq!(bounces, "[true, 0]");
    for (call, message) in [
        (
            "train(drug.call(0.3, 0.5), data, multiple_shooting(), #{ doses: doses })",
            "would act twice",
        ),
        (
            "train(drug.call(0.3, 0.5), data, #{ doses: doses })",
            "smooth solutions",
        ),
        (
            "train(drug.call(0.3, 0.5), data, vanilla(), #{ doses: [doses, #{ at: 3.0 }] })",
            "train: a dose needs its times and its jump",
        ),
        (
            "train(drug.call(0.3, 0.5), data, vanilla(), #{ direction: \"up\" })",
            "train: direction, terminal and jump belong to an event",
        ),
        (
            "train(drug.call(0.3, 0.5), data, vanilla(), #{ event: |t, u| u[0] - 1.0 })",
            "give each a jump",
        ),
        (
            "dataset(drug.call(0.3, 0.5), [1.0], [0.0, 1.0], #{ event: |t, u| u[0] - 0.9, terminal: true })",
            "leave terminal out",
        ),
        (
            "let run = train(drug.call(0.3, 0.5), data, vanilla(), #{ epochs: 1, doses: doses }); export_model(run, \"drug.py\")",
            "was trained with doses",
        ),
    ] {
        let error = session()
            .eval(&format!("{drug}{call}"), None)
            .unwrap_err()
            .to_string();
        assert!(error.contains(message), "{call}: {error}");
    }
}
