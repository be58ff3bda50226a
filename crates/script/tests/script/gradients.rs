//! Tests of the choice of the adjoint, in scripts and configurations.

use odesync_base::options::Named;
use odesync_ode::odesolve::Adjoint;
use odesync_script::experiments::RunDir;
use odesync_script::script::{Output, RunPlan, Session, SessionOptions};

/// Returns the adjoints that compute the gradient of the discrete solution.
fn exact() -> impl Iterator<Item = Adjoint> {
    Adjoint::ALL.into_iter().filter(|choice| choice.is_exact())
}

#[test]
fn scripts_and_configurations_name_the_choice() {
    let folder = tempfile::tempdir().unwrap();
    let session = |run: &str| {
        Session::new(SessionOptions {
            output: Output::captured().0,
            quiet: true,
            runs: RunPlan {
                run_dir: RunDir::At(folder.path().join(run)),
                ..RunPlan::default()
            },
            ..SessionOptions::default()
        })
        .unwrap()
    };
    let config = |value: &str| {
        let code = format!(
            "let c = config(\"lotka_volterra\"); c.set(\"training.schedule.epochs_per_step\", 1); \
             c.set(\"odesolve.adjoint\", \"{value}\"); experiment(c).run().best_mse"
        );
        let best = session(value).eval(&code, None).unwrap().text;
        best.parse::<f64>().unwrap()
    };
    let (one, other) = (config("backprop"), config("symplectic"));
    assert!((one / other - 1.0).abs() < 1e-6, "{one} {other}");
    let mut session = session("none");
    let prepare = "
        seed(10);
        let d = dataset(lotka_volterra(), [1, 1], arange(0, 1, 0.1));
        let f = blackbox([2, 4, 2]);
        let m = homotopy(#{ coupling: 4.0, schedule: [1.0, 0.0] });
        let g = loss_and_gradient(f, d, m).gradient;
        let off = |o| norm(loss_and_gradient(f, d, m, o).gradient - g) / norm(g);";
    session.eval(prepare, None).unwrap();
    let mut number =
        |code: &str| -> f64 { session.eval(code, None).unwrap().text.parse().unwrap() };
    for choice in exact() {
        let off = number(&format!(
            "off.call(#{{ adjoint: \"{}\" }})",
            choice.to_name()
        ));
        assert!(off < 1e-12, "{}: {off:e}", choice.to_name());
    }
    let loose = "off.call(#{ adjoint: \"adjoint\", adjoint_rtol: 1e-4, adjoint_atol: 1e-5 })";
    let (loose, tight) = (number(loose), number("off.call(#{ adjoint: \"adjoint\" })"));
    assert!(
        loose > tight && loose < 1e-2 && tight < 1e-6,
        "{loose:e} {tight:e}"
    );
    let bdf =
        "loss_and_gradient(f, d, m, #{ adjoint: \"adaptive_ckpt\", solver: \"bdf\" }).gradient";
    assert!(number(&format!("norm({bdf} - g) / norm(g)")) < 1e-2);
    let best = "train(f, d, m, #{ epochs: 2, adjoint: \"adaptive_ckpt\" }).best_mse";
    let same = number("train(f, d, m, #{ epochs: 2 }).best_mse");
    assert!((number(best) / same - 1.0).abs() < 1e-10);
}
