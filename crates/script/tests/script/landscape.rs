//! Tests of Hessians and landscapes in scripts.

use odesync_script::script::{Session, SessionOptions};
use odesync_testing::{golden, numbers};

fn quiet() -> Session {
    Session::new(SessionOptions {
        quiet: true,
        ..SessionOptions::default()
    })
    .unwrap()
}

fn numbers_of(code: &str) -> Vec<f64> {
    let value = quiet().eval(code, None).unwrap();
    numbers(&serde_json::from_str(&value.text).unwrap())
}

#[test]
fn a_script_finds_the_reference_figures() {
    let case = golden("hessian");
    let mut session = Session::new(SessionOptions::default()).unwrap();
    let text = |key: &str| case[key].to_string();
    let code = format!(
        "seed({}); let h = hessian(blackbox({}), dataset({}, {}, {}), #{{ rtol: 1e-9, atol: 1e-11 }}); [h.trace(), \
         h.spectrum()[0], h.eigenpairs(1).values[0], h.matrix()[0][0], h.apply(h.eigenpairs(2).vectors).shape[0], \
         norm(h.gauss_newton(h.eigenpairs(2).vectors[1]))]",
        text("seed"),
        text("nodes"),
        text("t"),
        text("u"),
        text("u0")
    );
    let got: Vec<f64> = serde_json::from_str(&session.eval(&code, None).unwrap().text).unwrap();
    let values = numbers(&case["eigenvalues"]);
    let largest = values
        .iter()
        .fold(0.0_f64, |m, x| if x.abs() > m.abs() { *x } else { m });
    let entry = case["hessian"][0][0].as_f64().unwrap();
    let want = [
        case["trace"].as_f64().unwrap(),
        values[0],
        largest,
        entry,
        2.0,
    ];
    for (got, want) in got.iter().zip(want) {
        assert!((got - want).abs() < 1e-6 * largest.abs(), "{got} {want}");
    }
    assert!(got[5] > 0.0);
}

#[test]
fn scripts_have_landscapes_of_closures_models_and_runs() {
    let base = "let d = dataset(lotka_volterra(), [1, 1], arange(0, 2, 0.1)); seed(3); let m = blackbox([2, 4, 2]); ";
    let run = |code: &str| numbers_of(&format!("{base}{code}"));
    let bowl = run(
        "let l = landscape(|p| p[0] ** 2 + 3 * p[1] ** 2, [1, 2], [[1, 0], [0, 1]], [[-1, 0], [0, 1, 2]]); l.loss.slice(0, 1, 2).to_list()[0]",
    );
    assert_eq!(bowl, [13.0, 28.0, 49.0]);
    let h = run(
        "let h = hessian(|p| p[0] ** 2 * p[1], [1, 2]); let all = h.matrix().to_list()[1]; all.push(h.loss); all",
    );
    assert_eq!(h, [2.0, 0.0, 2.0]);
    // A solve in a closure cannot be traced; it fails where the solution blows up.
    let solved = run(
        "let f = |p| { let s = system(1, |t, u, q| [q.a * u[0] ** 2], #{ a: p[0] }); solve(s, [1], [0, 1.5]).u[1][0] }; \
         let l = landscape(f, [0.0], [1], [0.2, 2.0]); \
         let h = hessian(f, [0.2], #{ step: 1e-3 }); \
         [l.loss[0], l.failures, h.matrix()[0][0], if h.derivatives == \"differences of values\" { 1 } else { 0 }]",
    );
    // 1/(1 − 1.5 a) and its second derivative.
    assert!((solved[0] - 1.0 / 0.7).abs() < 1e-6);
    assert_eq!(solved[1], 1.0);
    assert!(
        (solved[2] - 4.5 / 0.7_f64.powi(3)).abs() < 1e-2,
        "{}",
        solved[2]
    );
    assert_eq!(solved[3], 1.0);
    let shapes = run(
        "let c = linspace(-1, 1, 3); let r = random_directions(m, 2, #{ seed: 4 }); \
         let a = landscape(m, d, r, c, #{ rtol: 1e-6, progress: false }).loss.shape; \
         let b = landscape(lotka_volterra(), d, [\"a\", \"d\"], [[1.2, 1.3], [1.7, 1.8, 1.9]]); \
         let run = train(m, d, vanilla(), #{ epochs: 4, trajectory_every: 1, progress: false }); \
         let p = landscape(run.last, d, pca(run), #{ points: 4 }); \
         [a[0], a[1], b.loss.shape[1], b.path[0][1], p.loss.shape[0], p.path.shape[0], run.path_epochs.len()]",
    );
    assert_eq!(shapes, [3.0, 3.0, 3.0, 1.8, 4.0, 5.0, 5.0]);
    let density = run(
        "let h = hessian(m, d); let e = h.density(); let s = h.density_estimate(#{ probes: 3, steps: 50 }); \
         [sum(e.weights), s.nodes[0] / e.nodes[0], e.moment(1) * h.n / h.trace(), e.on([0.0, 1.0], 0.5).grid.len()]",
    );
    for (got, want) in density.iter().zip([1.0, 1.0, 1.0, 2.0]) {
        assert!((got - want).abs() < 1e-6, "{density:?}");
    }
    let folder = tempfile::tempdir().unwrap();
    for (i, plot) in [
        "let c = linspace(-1, 1, 6); let l = landscape(m, d, random_directions(m, 2), c); plot(l)",
        "let c = linspace(-1, 1, 6); let l = landscape(m, d, random_directions(m, 2), c); plot([l, l], #{ surface: true, labels: [\"x\"] })",
        "let v = linspace(1, 2, 6); plot([2.0, 1.0].map(|t| landscape(lotka_volterra(), d.up_to(t), \"a\", v)), #{ labels: [\"a\", \"b\"] })",
        "let s = [0.5, 1.0, 1.9].map(|t| hessian(m, d.up_to(t)).density()); plot(s, #{ values: [0.5, 1, 1.9], label: \"t_end\" })",
        "plot(hessian(m, d).density())",
        "let run = train(m, d, vanilla(), #{ epochs: 4, trajectory_every: 1, progress: false }); plot(pca(run))",
        "let run = train(m, d, vanilla(), #{ epochs: 4, trajectory_every: 1, progress: false }); plot(landscape(run.last, d, pca(run), #{ points: 4 }))",
        "let run = train(m, d, vanilla(), #{ epochs: 4, trajectory_every: 1, progress: false }); plot(landscape(run.last, d, pca(run), #{ points: 4 }), \
         #{ surface: true, title: \"way\", azimuth: 30, elevation: 50, z_range: [0.01, 10], map: \"magma\", mesh: false })",
        "let c = linspace(-1, 1, 9); let l = landscape(|p| if p[0] > 0.5 { 1e20 } else { 1 + p[0] * p[0] + p[1] * p[1] }, [0, 0], [[1, 0], [0, 1]], [c, c]); \
         grid(3, [plot(l), plot(l, #{ range: [0.5, 2], log: false }), plot(l, #{ surface: true })])",
        "plot(hessian(m, d).density(), #{ title: \"spectrum\", size: [600, 400], log_x: false, legend: false })",
        "plot(train(m, d, vanilla(), #{ epochs: 4, progress: false }), #{ title: \"losses\", y_label: \"mse\", log_y: false, size: [600, 400] })",
    ]
    .iter()
    .enumerate()
    {
        let file = folder.path().join(format!("{i}.svg"));
        let save = format!("{base}{plot}.save(\"{}\")", file.display());
        quiet().eval(&save, None).unwrap();
        assert!(std::fs::metadata(file).unwrap().len() > 2000);
    }
}
