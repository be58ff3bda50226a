//! Choosing a model by data that are held out, and scaled variables, as scripts and configurations ask for them.

use std::path::Path;

use odesync_script::experiments::RunDir;
use odesync_script::script::{Output, RunPlan, Session, SessionOptions};

fn session(folder: &Path, arguments: &[&str]) -> Session {
    Session::new(SessionOptions {
        quiet: true,
        arguments: arguments.iter().map(|a| (*a).into()).collect(),
        output: Output::captured().0,
        runs: RunPlan {
            run_dir: RunDir::At(folder.join("run")),
            ..RunPlan::default()
        },
        ..SessionOptions::default()
    })
    .unwrap()
}

fn text(session: &mut Session, code: &str) -> String {
    let outcome = session.eval(code, None);
    outcome.unwrap_or_else(|e| panic!("{code}: {e}")).text
}

const DATA: &str = "
    let data = dataset(lotka_volterra(), [1, 1], arange(0, 3, 0.1)).add_noise(0.02, #{ seed: 1 });
    let other = dataset(lotka_volterra(), [2, 1], arange(0, 1, 0.1));
    seed(2); let model = blackbox([2, 4, 2]);";

#[test]
fn what_is_held_out_is_the_end_and_chooses_the_model() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = session(folder.path(), &[]);
    text(&mut session, DATA);
    for (options, expected) in [
        ("holdout: 0.2", "[\"validation\", true]"),
        ("validate: other", "[\"validation\", true]"),
        ("holdout: 0.2, best_by: \"mse\"", "[\"mse\", false]"),
        ("holdout: 0.2, best_by: \"last\"", "[\"last\", false]"),
    ] {
        let code = format!(
            "let run = train(model, data, vanilla(), #{{ epochs: 40, lr: 0.1, {options} }});
             let v = run.history(\"validation\");
             [run.best_by, run.best_validation <= min(v)]"
        );
        assert_eq!(text(&mut session, &code), expected, "{options}");
    }
    let tail = "let run = train(model, data, vanilla(), #{ epochs: 3, holdout: 0.2 });
        abs(mse(run.predict(data.t).slice(0, 24, 30), data.u.slice(0, 24, 30)) / run.best_validation - 1.0) < 1e-9";
    assert_eq!(text(&mut session, tail), "true");
    let shown = text(
        &mut session,
        "cross_validate(model, data, #{ method: vanilla(), epochs: 3, folds: 3 })",
    );
    for part in ["held out", "t 0.1 to 1", "t 2.1 to 2.9", "standard error"] {
        assert!(shown.contains(part), "{shown}");
    }
}

#[test]
fn configurations_hold_data_out() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = [
        "training.holdout=0.25",
        "training.best_by=mse",
        "training.scale=auto",
        "training.schedule.epochs_per_step=1",
    ];
    let mut session = session(folder.path(), &arguments);
    let code = "let e = experiment(config(\"lotka_volterra\")); let run = e.run();
        [run.best_by, run.history(\"validation\").len() == run.epochs, run.best_validation > 0.0,
         e.results(run).best_validation == run.best_validation]";
    assert_eq!(text(&mut session, code), "[\"mse\", true, true, true]");
}

#[test]
fn a_constant_of_tiny_data_is_found_in_scaled_variables() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = session(folder.path(), &[]);
    let code = "let t = linspace(0.0, 5.0, 21);
        let f = system(1, |t, u, p| [-p.k * u[0]], #{ k: 0.5 }).trainable([\"k\"]);
        let data = dataset(t, 1e-6 * exp(-1.0 * t));
        let run = train(f, data, vanilla(), #{ epochs: 200, scale: \"auto\" });
        abs(run.model.param(\"k\") - 1.0) < 0.01";
    assert_eq!(text(&mut session, code), "true");
}
