//! What is known of constants and noise, as scripts and configurations say it.

use odesync_script::script::{Output, Session, SessionOptions};

fn session(arguments: &[&str]) -> Session {
    Session::new(SessionOptions {
        quiet: true,
        arguments: arguments.iter().map(|a| (*a).into()).collect(),
        output: Output::captured().0,
        ..SessionOptions::default()
    })
    .unwrap()
}

fn text(session: &mut Session, code: &str) -> String {
    let outcome = session.eval(code, None);
    outcome.unwrap_or_else(|e| panic!("{code}: {e}")).text
}

#[test]
fn constants_are_trained_within_what_is_known_and_saved_with_it() {
    let mut session = session(&[]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().display();
    let setup = format!(
        "let f = lotka_volterra(); seed(3);
         let data = dataset(f, [1, 1], arange(0, 6, 0.1)).add_noise(0.05);
         let known = f.with_param(\"a\", 0.6).trainable(#{{ a: #{{ min: 0, max: 1.2 }}, b: #{{ log: true }}, c: #{{ prior: [0.8, 0.001] }}, d: #{{}} }});
         let run = train(known, data, weak_constraint(), #{{ out: \"{path}\" }});
         let again = load(\"{path}\");"
    );
    text(&mut session, &setup);
    let shown = text(&mut session, "show(again.model); again.model");
    for line in [
        "trainable, between 0 and 1.2",
        "trainable, by its logarithm",
        "trainable, prior 0.8 ± 0.001",
    ] {
        assert!(shown.contains(line), "{shown}");
    }
    // The truth, 1.3, is out of bounds; the prior of c is far narrower than the data.
    let check = "let t = again.trust.constants; t.a.value < 1.2 && t.a.value > 1.15 && abs(t.c.value - 0.8) < 0.003 && t.c.error <= 0.001";
    assert_eq!(text(&mut session, check), "true");
    let profile = text(
        &mut session,
        "let p = run.profile(\"d\", #{ points: 11, width: 4 });
         p.value.len() == 11 && p.chi2.max() > 10 && p.interval[0] < p.estimate && p.estimate < p.interval[1]
             && p.interval[0] < p.interval_68[0] && p.notes.len() == 0",
    );
    assert_eq!(profile, "true");
}

#[test]
fn methods_show_what_is_known_of_the_noise() {
    let mut session = session(&[]);
    for (code, shown) in [
        ("weak_constraint()", "Method: weak constraint"),
        (
            "weak_constraint(#{ loss: \"student_t\", weights: [1, 0.5] })",
            "Method: weak constraint, weights [1.0, 0.5], loss \"student_t\"",
        ),
        ("homotopy()", "Method: homotopy that sets itself"),
        (
            "homotopy(#{ loss: \"huber\", huber_threshold: 2 })",
            "Method: homotopy that sets itself, loss \"huber\"",
        ),
        (
            "weak_constraint(#{ weights: #{ x: 2 } })",
            "Method: weak constraint, weights #{ x: 2.0 }",
        ),
    ] {
        assert_eq!(text(&mut session, code), shown);
    }
}

#[test]
fn configurations_say_it_too() {
    for (method, shown) in [
        ("weak_constraint", "Method: weak constraint"),
        ("adaptive_homotopy", "Method: homotopy that sets itself"),
    ] {
        let method = format!("training={method}");
        let arguments = [
            &method[..],
            "training.loss=student_t",
            "training.degrees_of_freedom=3",
            "training.weights={u1: 2}",
        ];
        let mut session = session(&arguments);
        let code = "experiment(config(\"lotka_volterra\")).method";
        let want = format!("{shown}, weights #{{ u1: 2.0 }}, loss \"student_t\"");
        assert_eq!(text(&mut session, code), want);
    }
}
