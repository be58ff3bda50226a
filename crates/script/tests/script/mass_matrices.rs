//! Mass matrices in scripts: solves, data, derivatives, training, notes and messages.

use odesync_script::script::{Output, Session, SessionOptions};

/// y' = −a z with 0 = z − y, that is y' = −a y.
const SCENE: &str = "
    let f = system(2, |t, u, p| [-p.a * u[1], u[1] - u[0]], #{ a: 2.0 });
    let M = [[1, 0], [0, 0]];
    let t = [0.0, 0.5, 1.0];";

/// Returns the value of the last expression as text, or the message of its error, and the notes.
fn script(code: &str) -> (String, String) {
    let (output, notes) = Output::captured();
    let options = SessionOptions {
        output,
        ..SessionOptions::default()
    };
    let mut session = Session::new(options).unwrap();
    let value = match session.eval(&format!("{SCENE} {code}"), None) {
        Ok(value) => value.text,
        Err(error) => error.to_string(),
    };
    let notes = notes.lock().unwrap().clone();
    (value, notes)
}

#[test]
fn solve_and_dataset_take_a_list_of_rows_or_an_array() {
    for method in ["radau", "kvaerno5", "rodas5p", "bdf"] {
        for matrix in ["M", "array(M)", "[[1.0, 0.0], [0.0, 0.0]]"] {
            let options = format!("#{{ solver: \"{method}\", mass_matrix: {matrix} }}");
            let (value, notes) = script(&format!(
                "let u = solve(f, [1.0, 1.0], t, {options}).u;
                 let d = dataset(f, [1.0, 1.0], t, {options}).u;
                 [max(abs(u[2] - exp(-2.0))) < 1e-5, max(abs(d[2] - u[2])) < 1e-9]"
            ));
            assert_eq!(
                (value.as_str(), notes.as_str()),
                ("[true, true]", ""),
                "{method}"
            );
        }
    }
}

#[test]
fn a_start_that_was_moved_is_a_note() {
    let options = "#{ solver: \"radau\", mass_matrix: M }";
    for (call, code) in [
        (
            "solve",
            format!("solve(f, [1.0, 0.25], t, {options}).u[0][1]"),
        ),
        (
            "dataset",
            format!("dataset(f, [1.0, 0.25], t, {options}).u[0][1]"),
        ),
        (
            "solve",
            format!("solve(f, [[1.0, 1.0], [1.0, 0.25]], t, {options}).u[1][0][1]"),
        ),
    ] {
        let (value, notes) = script(&code);
        assert_eq!(value, "1.0", "{code}");
        let said = format!("{call}: the initial state did not satisfy the algebraic equations");
        assert!(notes.contains(&said), "{notes}");
        assert!(notes.contains("u[1] from 0.25 to 1"), "{notes}");
    }
}

#[test]
fn derivatives_and_trainings_are_those_of_the_solution() {
    let (value, _) = script(
        "let m = f.trainable([\"a\"]);
         let o = #{ solver: \"radau\", mass_matrix: M, rtol: 1e-9, atol: 1e-11 };
         let v = jvp(m, [1.0, 1.0], t, o + #{ params: [1.0], u0: [0.5, 9.0] });
         let d = dataset(f, [1.0, 1.0], t, o);
         let at = m.with_param(\"a\", 1.9);
         let l = loss_and_gradient(at, d, vanilla(), o);
         let h = 1e-5;
         let up = loss_and_gradient(m.with_param(\"a\", 1.9 + h), d, vanilla(), o).loss;
         let down = loss_and_gradient(m.with_param(\"a\", 1.9 - h), d, vanilla(), o).loss;
         let second = (up - 2.0 * l.loss + down) / (h * h);
         let e = hessian(at, d, o).matrix()[0][0];
         [abs(v[2][1] - (0.5 - 1.0) * exp(-2.0)) < 1e-6, abs(l.gradient[0] - (up - down) / (2.0 * h)) < 1e-8, abs(e / second - 1.0) < 1e-3]",
    );
    assert_eq!(value, "[true, true, true]");
    for method in ["vanilla()", "multiple_shooting(#{ segments: 2 })"] {
        for options in [
            "solver: \"radau\", lr: 0.05, epochs: 150",
            "solver: \"rodas5p\", optimizer: \"lm\", epochs: 20",
        ] {
            let (value, _) = script(&format!(
                "let t = linspace(0.0, 1.0, 9);
                 let d = dataset(f, [1.0, 1.0], t, #{{ solver: \"radau\", mass_matrix: M }});
                 let m = f.with_param(\"a\", 1.0).trainable([\"a\"]);
                 let run = train(m, d, {method}, #{{ mass_matrix: M, weight_decay: 0.0, {options} }});
                 abs(run.model.param(\"a\") - 2.0) < 0.02"
            ));
            assert_eq!(value, "true", "{method} {options}");
        }
    }
}

#[test]
fn what_does_not_go_together_says_so() {
    let data = "let d = dataset(f, [1.0, 1.0], linspace(0.0, 1.0, 9), #{ solver: \"radau\", mass_matrix: M });
        let m = f.trainable([\"a\"]); let o = #{ solver: \"radau\", mass_matrix: M, epochs: 1 };";
    for (code, part) in [
        (
            "solve(f, [1.0, 1.0], t, #{ mass_matrix: M })",
            "\"radau\", \"kvaerno5\", \"rodas5p\", \"bdf\"",
        ),
        (
            "solve(f, [1.0, 1.0], t, #{ solver: \"auto\", mass_matrix: M })",
            "begins with an explicit one",
        ),
        (
            "solve(f, [1.0, 1.0], t, #{ solver: \"radau\", mass_matrix: 1.0 })",
            "a list of rows",
        ),
        (
            "solve(f, [1.0, 1.0], t, #{ solver: \"radau\", mass_matrix: [[1, 0]] })",
            "row 0 has 2 numbers",
        ),
        (
            "solve(f, [1.0, 1.0], t, #{ solver: \"radau\", mass_matrix: [[1]] })",
            "2 state variables",
        ),
        ("train(m, d, homotopy(#{ coupling: 1.0 }), o)", "vanilla()"),
        (
            "train(m, d, weak_constraint(), #{ mass_matrix: M, solver: \"radau\" })",
            "vanilla()",
        ),
        (
            "export_model(train(m, d, vanilla(), o), \"model.py\")",
            "mass_matrix",
        ),
    ] {
        let (message, _) = script(&format!("{data} {code}"));
        assert!(message.contains(part), "{code}: {message}");
    }
}
