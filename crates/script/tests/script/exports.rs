//! Exports: scripts that are fields again, the format by the ending, weights of PyTorch; reports.

use std::path::Path;

use odesync_ode::field::VectorField;
use odesync_script::script::Session;
use tempfile::TempDir;

use super::support::{self, check_errors};

/// Fields that are written as a script, by their code.
const FIELDS: [&str; 9] = [
    "lotka_volterra()",
    "double_pendulum(#{ k1: 0.1 })",
    "blackbox([2, 5, 4, 2])",
    "blackbox([1, 1, 1], \"tanh\")",
    "second_order([4, 6, 2], \"silu\")",
    "graybox([2, 5, 2], |t, u, nn, p| [p.a * u[0] + nn[0], -1.8 * u[1] + sin(nn[1])], #{ a: 1.3 })",
    "blackbox([3, 4, 2], #{ input: input([0.0, 0.5, 2.0], [1.0, -1.0, 0.3], \"spline\") })",
    "system(3, |t, u, p| [where(u[0] > u[1], max(u[1], t), -(u[2] ** 2)), (u * u)[1] + p.w[1], sum(u) / 3.0 * p.w[0]], #{ w: input([0.0, 1.0], [[1.0, 2.0], [3.0, 4.0]]) })",
    "system(2, |t, u, p| [atan2(u[1], u[0]) + p[\"odd name\"], erf(u[0]) * 1e-9], #{ \"odd name\": -2.5e-7 })",
];

/// Returns the field that a script is, read in a session of its own.
fn field_of(script: &str) -> VectorField {
    let mut session = support::session();
    session
        .eval(&format!("let field = {{ {script} }};"), None)
        .unwrap_or_else(|e| panic!("{e}\n{script}"));
    session.get("field").unwrap()
}

/// Returns a session whose variable `folder` is the path of a new folder.
fn session_with_folder() -> (TempDir, Session) {
    let folder = tempfile::tempdir().unwrap();
    let mut session = support::session();
    session
        .set("folder", folder.path().display().to_string())
        .unwrap();
    (folder, session)
}

#[test]
fn a_script_gives_the_same_field() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("field.rhai");
    for code in FIELDS {
        let mut session = support::session();
        session.set("path", path.display().to_string()).unwrap();
        session
            .eval(
                &format!("let field = {code}; export_model(field, path);"),
                None,
            )
            .unwrap();
        let written = std::fs::read_to_string(&path).unwrap();
        let before: VectorField = session.get("field").unwrap();
        let after = field_of(&written);
        for (i, t) in [-0.3, 0.2, 0.7, 1.4].into_iter().enumerate() {
            let u: Vec<f64> = (0..before.dof())
                .map(|k| 0.9 - 0.4 * (i + 2 * k) as f64)
                .collect();
            let (x, y) = (
                before.derivative(t, &u).unwrap(),
                after.derivative(t, &u).unwrap(),
            );
            for (x, y) in x.iter().zip(&y) {
                assert!(
                    (x - y).abs() <= 1e-13 * x.abs().max(1.0),
                    "{code}: {x} and {y}\n{written}"
                );
            }
        }
    }
}

#[test]
fn runs_and_equations_are_exported() {
    let (folder, mut session) = session_with_folder();
    session
        .eval(
            "let data = dataset(lotka_volterra(), [1, 1], arange(0, 6, 0.1)).add_noise(0.02, #{ seed: 1 });
             let run = train(blackbox([2, 4, 2]), data, vanilla(), #{ epochs: 2 });
             export_model(run, folder + \"/run.py\", #{ target: \"torch\" });
             let found = equations(data);
             export_model(found, folder + \"/found.tex\");
             export_model(found, folder + \"/found.rhai\");
             export_model(found, folder + \"/found.c\");
             let system = found.system;",
            None,
        )
        .unwrap();
    let text = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    assert!(text("run.py").contains("import torch\n"));
    assert!(text("found.tex").contains("\\pm"), "{}", text("found.tex"));
    assert!(text("found.rhai").starts_with("system(2, |t, u, p| ["));
    let found: VectorField = session.get("system").unwrap();
    let read = field_of(&text("found.rhai"));
    let (x, y) = (
        found.derivative(0.0, &[0.7, 1.3]).unwrap(),
        read.derivative(0.0, &[0.7, 1.3]).unwrap(),
    );
    assert!(
        x.iter().zip(&y).all(|(x, y)| (x - y).abs() <= 1e-13),
        "{x:?} and {y:?}"
    );
    assert!(text("found.c").contains("void f(double t, const double *u, double *du)"));
}

#[test]
fn an_ensemble_is_one_field_with_its_members_side_by_side() {
    let (folder, mut session) = session_with_folder();
    session
        .eval(
            "let data = dataset(lotka_volterra(), [1, 1], arange(0, 1, 0.1));
             let all = train(|| blackbox([2, 4, 2]), data, vanilla(), #{ epochs: 2, seeds: [1, 2, 3] });
             for ending in [\"py\", \"jl\", \"c\", \"tex\", \"onnx\", \"rhai\"] {
                 export_model(all, folder + \"/all.\" + ending);
             }
             let each = all.runs.map(|run| run.model.derivative(0.0, [0.7, 1.3]).to_list());
             let each = [each[0][0], each[0][1], each[1][0], each[1][1], each[2][0], each[2][1]];",
            None,
        )
        .unwrap();
    let written = std::fs::read_to_string(folder.path().join("all.rhai")).unwrap();
    let field = field_of(&written);
    let together = field
        .derivative(0.0, &[0.7, 1.3, 0.7, 1.3, 0.7, 1.3])
        .unwrap();
    let each: Vec<f64> = session.get("each").unwrap();
    assert_eq!(each.len(), 6);
    for (x, y) in together.iter().zip(&each) {
        assert!((x - y).abs() <= 1e-13, "{together:?} and {each:?}");
    }
    let error = session
        .eval("export_model(all, folder + \"/all.safetensors\")", None)
        .unwrap_err();
    assert!(error.to_string().contains("ensemble.best"), "{error}");
}

#[test]
fn messages_name_the_cure() {
    check_errors(&[
        (
            "export_model(lorenz(), \"model.pth\")",
            "known: py, jl, c, tex, onnx, safetensors, rhai",
        ),
        ("export_model(lorenz(), \"\")", "the file's name is empty"),
        (
            "export_model(lorenz(), \"a.py\", #{ target: \"numpi\" })",
            "numpy",
        ),
        ("from_torch(\"missing.safetensors\")", "missing.safetensors"),
        (
            "report(train(blackbox([1, 2, 1]), dataset([0, 1], [[1.0], [2.0]]), vanilla(), #{ epochs: 1 }), \"a.pdf\")",
            "ends with .html",
        ),
    ]);
}

/// Whether a page holds all of this and fetches nothing.
fn check_page(path: &Path, expected: &[&str]) {
    let page = std::fs::read_to_string(path).unwrap();
    for text in expected {
        assert!(page.contains(text), "{text} is missing");
    }
    assert!(
        !page.contains("<script") && !page.contains("href=\"http") && !page.contains("src=\"http")
    );
}

#[test]
fn reports_of_a_run() {
    let (folder, mut session) = session_with_folder();
    session
        .eval(
            "let data = dataset(arange(0, 4, 0.1), array(arange(0, 4, 0.1).to_list().map(|t| [sin(t), cos(t)])));
             let run = train(blackbox([2, 4, 2]), data, weak_constraint());
             report(data, run, folder + \"/with.html\");
             report(run, folder + \"/without.html\");",
            None,
        )
        .unwrap();
    let both = [
        "Results",
        "Losses",
        "Equations",
        "What was asked for",
        "weak_constraint",
        "To go on",
        "<svg",
    ];
    check_page(&folder.path().join("with.html"), &both);
    check_page(
        &folder.path().join("with.html"),
        &["residuals", "How far to trust it", "standard deviation"],
    );
    check_page(&folder.path().join("without.html"), &both);
    check_page(
        &folder.path().join("without.html"),
        &["A run does not hold its data"],
    );
}
